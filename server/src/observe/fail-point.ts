// Named instants at which a process can be told to fail, so that tests prove what survives it
// there. A killed process runs no cleanup: that is the point. A production process has no fail
// points: the setting is empty, and then nothing is looked up.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

export const FAIL_POINTS = [
  /** The audience is written, the shards are not; nothing is committed. */
  "mid-freeze",
  /** The plan is committed; nobody was woken. */
  "plan-committed",
  /** Shards are claimed with their first intent; nothing was handed over. */
  "mid-lease",
  /** The lease was asked about and holds; the slice is handed over next. */
  "before-hand-over",
  /** A slice was handed over; its outcome is not committed. */
  "handed-over",
  /** An outcome or receipt is committed; whoever waits for it was not told. */
  "committed",
  /** Live devices were told; the journal does not have it. */
  "live-told",
  /** Receipts are set in memory; they are not durable and nobody was answered. */
  "receipts-taken",
  /** Folded shards are written, the journal rows they replace are not yet deleted. */
  "mid-fold",
] as const;
export type FailPointName = (typeof FAIL_POINTS)[number];

/** What a process does to itself: dies, stops until somebody lets it go on, or throws. */
export const FAIL_ACTIONS = ["kill", "stop", "throw"] as const;
export type FailAction = (typeof FAIL_ACTIONS)[number];

/** Says that the process has come to a named instant. */
export type FailPoint = (name: FailPointName) => void;

/** Does nothing: what a production process uses. */
export const noFailPoint: FailPoint = () => {};

/** What a spec begins with that names a folder instead of instants. */
export const ARMED_IN = "armed-in:";

/** A file name in that folder: the hits that are left with this one, counted over all processes. */
export const armedFile = (name: FailPointName, hit: number, action: FailAction): string =>
  `${name}.${hit}.${action}`;

/**
 * Reads `name[@hit][,name[@hit]]` (hit counts from 1) and answers a function that kills this
 * process with SIGKILL at that hit; or `armed-in:<folder>`, where files that come and go while
 * the process runs arm its fail points.
 * @throws when a name is not in FAIL_POINTS.
 */
export function createFailPoints(spec: string): FailPoint {
  if (spec === "") return noFailPoint;
  if (spec.startsWith(ARMED_IN)) return createArmed(spec.slice(ARMED_IN.length));
  const left = new Map<string, number>();
  for (const part of spec.split(",")) {
    const [name = "", hit = "1"] = part.split("@");
    if (!FAIL_POINTS.some((known) => known === name))
      throw new Error(`no fail point is called ${name}`);
    left.set(name, Number(hit));
  }
  return (name) => {
    const hits = left.get(name);
    if (hits === undefined) return;
    left.set(name, hits - 1);
    if (hits === 1) act("kill", name);
  };
}

/**
 * Every hit takes one file away, and the last one acts. Removing a file succeeds in one process
 * only, so however many come to the instant at once, one of them fails.
 */
function createArmed(folder: string): FailPoint {
  return (name) => {
    const files = readdirSync(folder).filter((file) => file.startsWith(`${name}.`));
    for (const { file, hit, action } of files.map(readArmed).toSorted((a, b) => b.hit - a.hit)) {
      if (!takeAway(join(folder, file))) continue;
      if (hit === 1) act(action, name);
      return;
    }
  };
}

function readArmed(file: string): { file: string; hit: number; action: FailAction } {
  const [, hit = "", word] = file.split(".");
  const action = FAIL_ACTIONS.find((each) => each === word);
  if (action === undefined) throw new Error(`${file} arms no fail point`);
  return { file, hit: Number(hit), action };
}

function takeAway(path: string): boolean {
  try {
    rmSync(path);
    return true;
  } catch {
    return false;
  }
}

function act(action: FailAction, name: FailPointName): void {
  if (action === "throw") throw new Error(`told to fail at ${name}`);
  process.kill(process.pid, action === "kill" ? "SIGKILL" : "SIGSTOP");
}
