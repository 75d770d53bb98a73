// The watch: looks at what is known of the installation and says which reasons stand, since when.
// It looks from memory only, so that it answers at once also while the database does not.
// A condition must hold for a while before its reason stands, and be gone for a while before it
// falls: a state that flickers helps nobody at two in the morning.
import type { ChildState, HeardReport, SupervisorReport } from "./process-report.ts";
import { type Reason, REASON_CODES, type ReasonCode, REASONS } from "./reason.ts";

/** How often the watch looks. */
export const WATCH_EVERY_MS = 500;
/** An answer of the database above this is slow: a slice costs one commit, a renewal of a lease another. */
export const DATABASE_SLOW_MS = 400;
/** No answer for so long is none: longer than a lease, so that by then nothing is sent. */
export const DATABASE_GONE_MS = 4_000;
/** Below this share of the disk setting, only warnings get the rest. */
export const DISK_FULL_SHARE = 1 / 8;
/** Share of the files that a process may open, above which it is nearly out of them. */
export const FILES_LOW_SHARE = 0.8;
/** Share of the machine's memory below which it is running out. */
export const MEMORY_LOW_SHARE = 0.04;
/** Share of the heap above which a process is about to die of it. */
export const HEAP_LOW_SHARE = 0.92;
/** An event loop that is blocked for so long answers nobody meanwhile. */
export const LOOP_SLOW_MS = 2_000;
/** A warning should be handed over by then. */
export const WARNING_DELAYED_MS = 60_000;
/** Restarts of one process within RESTARTS_WITHIN_MS that are no accident any more. */
export const RESTARTS_MAX = 3;
export const RESTARTS_WITHIN_MS = 60_000;
/** After the start, until everybody was heard once. */
export const START_GRACE_MS = 10_000;
/** A daily backup that was missed once, and the next one too. */
export const BACKUP_OLD_MS = 49 * 3_600_000;

/** All that the watch looks at. */
export interface Facts {
  readonly database: {
    /** Since it last answered a write. */
    readonly answeredMsAgo: number;
    /** The fastest of the last few answers, so that one slow commit is no alarm. */
    readonly latencyMs: number;
    /** Code of the last fault, when the last attempt failed: an SQLSTATE or a system's code. */
    readonly fault: string | undefined;
  };
  readonly processes: readonly HeardReport[];
  /** What the supervisor said of its children and of the disk; undefined before its first word. */
  readonly supervisor: SupervisorReport | undefined;
  /** Milliseconds since the oldest warning that is not handed over was issued. */
  readonly oldestWarningMs: number | undefined;
  /** Messages of sources whose identifier came before with other content, and nobody settled it yet. */
  readonly capAlarms: readonly CapAlarms[];
  /** Milliseconds since the last backup that was confirmed; undefined when there was none. */
  readonly backupAgeMs: number | undefined;
}

export interface CapAlarms {
  /** Name of the source. */
  readonly source: string;
  readonly count: number;
}

interface Held {
  /** performance.now() since which the condition holds, or is gone. */
  changedAtMs: number;
  holds: boolean;
  standing: Reason | undefined;
}

export interface WatchOptions {
  /** The present instant, by PostgreSQL's clock as far as it is known. */
  readonly now: () => Date;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #held = new Map<ReasonCode, Held>();
  readonly #startedAtMs: number;
  /** Restarts seen so far, and when each of the late ones was seen. */
  readonly #restarts = new Map<string, { count: number; seenAtMs: number[] }>();

  constructor(options: WatchOptions, nowMs: number) {
    this.#options = options;
    this.#startedAtMs = nowMs;
  }

  /** Looks once; answers the reasons that stand, in the table's order. */
  look(facts: Facts, nowMs: number): readonly Reason[] {
    const conditions = this.#conditions(facts, nowMs);
    return REASON_CODES.flatMap((code) => this.#settle(code, conditions[code], nowMs) ?? []);
  }

  #settle(code: ReasonCode, detail: string | undefined, nowMs: number): Reason | undefined {
    const holds = detail !== undefined;
    const held = this.#held.get(code) ?? {
      changedAtMs: -Infinity,
      holds: false,
      standing: undefined,
    };
    this.#held.set(code, held);
    if (held.holds !== holds) {
      held.holds = holds;
      held.changedAtMs = nowMs;
    }
    const { raiseAfterMs, clearAfterMs } = REASONS[code];
    const forMs = nowMs - held.changedAtMs;
    if (holds && forMs >= raiseAfterMs)
      held.standing = { code, since: held.standing?.since ?? this.#options.now(), detail };
    if (!holds && forMs >= clearAfterMs) held.standing = undefined;
    return held.standing;
  }

  /** What is wrong now, for each reason; undefined when nothing is. */
  #conditions(facts: Facts, nowMs: number): Record<ReasonCode, string | undefined> {
    const { database, processes, supervisor } = facts;
    const children = supervisor?.children ?? [];
    const isGone = database.answeredMsAgo >= DATABASE_GONE_MS || isRefusal(database.fault);
    const isFull = database.fault === DISK_FULL_SQLSTATE;
    const slow = processes.filter(({ vitals }) => vitals.loopLagMs >= LOOP_SLOW_MS);
    const missing = this.#missing(processes, children, nowMs);
    const workers = children.filter(({ role }) => role === "worker");
    return {
      // Who looks has started.
      starting: undefined,
      "database-unreachable": isGone
        ? `no answer for ${seconds(database.answeredMsAgo)}${database.fault ? ` (${database.fault})` : ""}`
        : undefined,
      "database-slow":
        !isGone && database.latencyMs >= DATABASE_SLOW_MS
          ? `${Math.round(database.latencyMs)} ms for a commit`
          : undefined,
      ...diskConditions(supervisor, isFull),
      "files-low": listOf(
        processes.filter(
          ({ vitals: { openFiles = 0, openFilesMax = Infinity } }) =>
            openFiles >= openFilesMax * FILES_LOW_SHARE,
        ),
        ({ vitals }) => `${vitals.openFiles} of ${vitals.openFilesMax}`,
      ),
      "memory-low": memoryCondition(processes),
      "process-slow": listOf(
        slow,
        ({ vitals }) => `blocked for ${Math.round(vitals.loopLagMs)} ms`,
      ),
      "process-missing": missing.length > 0 ? missing.join(", ") : undefined,
      "no-worker":
        workers.length > 0 && workers.every(({ name }) => missing.includes(name))
          ? missing.join(", ")
          : undefined,
      "process-restarting": this.#restarting(children, nowMs),
      "warning-delayed":
        (facts.oldestWarningMs ?? 0) >= WARNING_DELAYED_MS
          ? `issued ${seconds(facts.oldestWarningMs ?? 0)} ago`
          : undefined,
      "cap-identifier-twice":
        facts.capAlarms.length > 0
          ? facts.capAlarms.map(({ source, count }) => `${source}: ${count}`).join(", ")
          : undefined,
      "backup-old":
        (facts.backupAgeMs ?? 0) >= BACKUP_OLD_MS
          ? `${Math.floor((facts.backupAgeMs ?? 0) / 3_600_000)} hours old`
          : undefined,
    };
  }

  #missing(
    processes: readonly HeardReport[],
    children: readonly ChildState[],
    nowMs: number,
  ): string[] {
    if (nowMs - this.#startedAtMs < START_GRACE_MS) return [];
    const present = new Set(processes.map(({ name }) => name));
    return children.filter(({ name }) => !present.has(name)).map(({ name }) => name);
  }

  #restarting(children: readonly ChildState[], nowMs: number): string | undefined {
    for (const { name, restarts } of children) {
      const seen = this.#restarts.get(name) ?? { count: restarts, seenAtMs: [] };
      // One entry is enough for each restart that counts; more would only grow.
      for (let i = seen.count; i < restarts && seen.seenAtMs.length <= RESTARTS_MAX; i++)
        seen.seenAtMs.push(nowMs);
      seen.count = restarts;
      seen.seenAtMs = seen.seenAtMs.filter((at) => nowMs - at < RESTARTS_WITHIN_MS);
      this.#restarts.set(name, seen);
    }
    const often = [...this.#restarts].filter(([, { seenAtMs }]) => seenAtMs.length >= RESTARTS_MAX);
    return often.length > 0 ? often.map(([name]) => name).join(", ") : undefined;
  }
}

/** What PostgreSQL says when it cannot write for want of room. */
const DISK_FULL_SQLSTATE = "53100";

/** Faults that mean: not there. A statement that was too slow is not one of them. */
const isRefusal = (fault: string | undefined): boolean =>
  fault !== undefined && /^(E[A-Z]+|57P0[123]|08\w{3}|53300|28\w{3}|closed)$/.test(fault);

function diskConditions(supervisor: SupervisorReport | undefined, isFull: boolean) {
  const free = supervisor?.disk?.freeBytes ?? Infinity;
  const low = supervisor?.diskLowBytes ?? 0;
  const left = Number.isFinite(free) ? `${Math.floor(free / 1024 ** 2)} MiB left` : "";
  const says = isFull ? "PostgreSQL says that it is full" : "";
  return {
    "disk-full": isFull || free < low * DISK_FULL_SHARE ? `${left} ${says}`.trim() : undefined,
    "disk-low": free < low ? left : undefined,
  };
}

const seconds = (ms: number): string =>
  Number.isFinite(ms) ? `${Math.round(ms / 1_000)} s` : "ever";

function listOf(
  processes: readonly HeardReport[],
  say: (report: HeardReport) => string,
): string | undefined {
  if (processes.length === 0) return undefined;
  return processes.map((report) => `${report.name}: ${say(report)}`).join(", ");
}

function memoryCondition(processes: readonly HeardReport[]): string | undefined {
  const heavy = listOf(
    processes.filter(
      ({ vitals: { heapUsedBytes, heapMaxBytes } }) =>
        heapUsedBytes >= heapMaxBytes * HEAP_LOW_SHARE,
    ),
    ({ vitals }) =>
      `${Math.round((100 * vitals.heapUsedBytes) / vitals.heapMaxBytes)} % of its heap`,
  );
  if (heavy !== undefined) return heavy;
  // All processes of one machine see the same; the last report says it.
  const vitals = processes.at(-1)?.vitals;
  if (!vitals || vitals.memoryFreeBytes >= vitals.memoryTotalBytes * MEMORY_LOW_SHARE)
    return undefined;
  return `${Math.floor(vitals.memoryFreeBytes / 1024 ** 2)} MiB left on this machine`;
}
