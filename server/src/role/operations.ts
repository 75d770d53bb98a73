// Joins what the front needs to say how the installation is: the reports of all processes, the probe
// of the database, its figures and the disk. It looks twice a second, keeps what it found in memory,
// and tells everybody over the bus what gives way.
import type { Yielding } from "@loa/api/route.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Bus } from "../bus/bus.ts";
import type { ConnectionOptions, Pool } from "../db/connection.ts";
import { openDatabaseProbe } from "../db/probe.ts";
import type { InstallationState } from "../http/health.ts";
import type { Logger } from "../observe/log.ts";
import { type ProcessReport, ReportDesk } from "../observe/process-report.ts";
import { isShed, type Reason, REASONS, type Shedding, sheddingOf } from "../observe/reason.ts";
import { type Facts, Watch, WATCH_EVERY_MS } from "../observe/watch.ts";
import { type OperationFigures, readOperationFigures } from "../report/operations.ts";
import { oneAtATime } from "./one-at-a-time.ts";

/** How often the figures of the database are read. */
export const FIGURES_EVERY_MS = 3_000;

const GIVES_WAY = new Problem(
  "busy",
  "This gives way to warnings now; GET /v1/health says why. Try again when it is ready.",
);

export interface OperationsOptions {
  readonly connection: ConnectionOptions;
  readonly pool: Pool;
  readonly bus: Pick<Bus, "publish" | "subscribe">;
  readonly log: Logger;
}

export interface Operations {
  readonly look: () => InstallationState;
  /** PostgreSQL's time, carried on by this machine's clock while the database is away. */
  readonly now: () => Date;
  /** Aborted while work of this kind gives way: what would begin is refused, what runs ends. */
  yielding(work: Yielding): AbortSignal;
  close(): Promise<void>;
}

export function openOperations(options: OperationsOptions): Operations {
  const { bus, log, pool } = options;
  const desk = new ReportDesk();
  const probe = openDatabaseProbe(options.connection);
  const unsubscribe = bus.subscribe("process.report", (body) =>
    desk.hear(body as ProcessReport, performance.now()),
  );
  const watch = new Watch({ now: () => probe.now() }, performance.now());
  let figures: { read: OperationFigures; atMs: number } | undefined;
  let reasons: readonly Reason[] = [];

  const yielding = { bulk: new AbortController(), comfort: new AbortController() };
  const makeWay = (shedding: Shedding): void => {
    for (const work of ["bulk", "comfort"] as const) {
      const { aborted } = yielding[work].signal;
      if (isShed(shedding, work) && !aborted) yielding[work].abort(GIVES_WAY);
      if (!isShed(shedding, work) && aborted) yielding[work] = new AbortController();
    }
  };

  const facts = (): Facts => {
    const nowMs = performance.now();
    const sinceMs = figures ? nowMs - figures.atMs : 0;
    const aged = (ms: number | null | undefined) =>
      ms === null || ms === undefined ? undefined : ms + sinceMs;
    return {
      database: {
        answeredMsAgo: probe.answeredMsAgo(),
        latencyMs: probe.latencyMs(),
        fault: probe.fault(),
      },
      processes: desk.present(nowMs),
      supervisor: desk.supervisor,
      oldestWarningMs: aged(figures?.read.oldestWarningMs),
      capAlarms: figures?.read.capAlarms ?? [],
      backupAgeMs: aged(figures?.read.lastBackup?.ageMs),
    };
  };
  const look = (): void => {
    const before = new Map(reasons.map((reason) => [reason.code, reason]));
    reasons = watch.look(facts(), performance.now());
    for (const { code, detail } of reasons)
      if (!before.delete(code))
        log[REASONS[code].status === "down" ? "error" : "warn"](
          { reason: code, detail },
          "a reason stands",
        );
    for (const code of before.keys()) log.warn({ reason: code }, "a reason is gone");
    const shedding = sheddingOf(reasons);
    makeWay(shedding);
    bus.publish("shedding", { shedding });
  };
  const readFigures = oneAtATime(async () => {
    const read = await readOperationFigures(pool);
    figures = { read, atMs: performance.now() };
  });
  const follow = (): void =>
    void readFigures().catch((error) => log.debug({ err: error }, "the figures were not read"));
  const timers = [setInterval(look, WATCH_EVERY_MS), setInterval(follow, FIGURES_EVERY_MS)];
  follow();
  return {
    look: () => ({
      at: probe.now(),
      reasons,
      shedding: sheddingOf(reasons),
      facts: facts(),
      figures: figures?.read,
    }),
    now: () => probe.now(),
    yielding: (work) => yielding[work].signal,
    async close() {
      for (const timer of timers) clearInterval(timer);
      unsubscribe();
      await probe.close();
    },
  };
}
