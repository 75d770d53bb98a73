// Named instants at which a process can be told to kill itself, so that tests prove what
// survives a crash there. A killed process runs no cleanup: that is the point.

export const FAIL_POINTS = [
  /** The audience is written, the shards are not; nothing is committed. */
  "mid-freeze",
  /** The plan is committed; nobody was woken. */
  "plan-committed",
  /** Shards are claimed with their first intent; nothing was handed over. */
  "mid-lease",
  /** A slice was handed over; its outcome is not committed. */
  "handed-over",
  /** An outcome or receipt is committed; whoever waits for it was not told. */
  "committed",
  /** Folded shards are written, the journal rows they replace are not yet deleted. */
  "mid-fold",
] as const;
export type FailPointName = (typeof FAIL_POINTS)[number];

/** Says that the process has come to a named instant. */
export type FailPoint = (name: FailPointName) => void;

/** Kills nothing: what a production process uses. */
export const noFailPoint: FailPoint = () => {};

/**
 * Reads `name[@hit][,name[@hit]]` (hit counts from 1) and answers a function that kills this
 * process with SIGKILL at that hit.
 * @throws when a name is not in FAIL_POINTS.
 */
export function createFailPoints(spec: string): FailPoint {
  if (spec === "") return noFailPoint;
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
    if (hits === 1) process.kill(process.pid, "SIGKILL");
  };
}
