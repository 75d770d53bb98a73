// What must come before what: warnings before notices on every line of a worker, and on every
// device nothing that was replaced or cancelled after what ended it. Pure.
import type { DrillCheck } from "@loa/cli/drill/document.ts";
import { type Evidence, replacedBy } from "./evidence.ts";
import { check } from "./finding.ts";
import { ARRIVAL_WAYS } from "./witness-protocol.ts";

const LIVE = ARRIVAL_WAYS.indexOf("live");
const SHARD_BITS = 16;

export const checkOrder = (evidence: Evidence): DrillCheck[] => [
  check("a notice begins no slice between two of a warning", noticesBetween(evidence)),
  check("nothing comes after what replaced or cancelled it", latecomers(evidence)),
];

/**
 * A worker runs one shard of a lane at a time on its line. Between two slices of a warning's shard
 * it must not begin one of a notice. Who was interrupted gives the shard up, so then this says nothing.
 */
function noticesBetween({ dispatches, testimony, interruptions }: Evidence): string[] {
  if (interruptions > 0) return [];
  const laneOf = new Map(
    dispatches.map(({ dispatch, part }) => [
      dispatch,
      part === "notice" || part === "left" ? "notice" : "warning",
    ]),
  );
  const { arrivals } = testimony;
  /** For each line: the shard of the last warning's slice, and notices since. */
  const lines = new Map<string, { shard: string; notices: number; slice: number }>();
  const wrongs: string[] = [];
  for (let i = 0; i < arrivals.way.length; i += 1) {
    if (arrivals.way[i] === LIVE) continue;
    const key = `${ARRIVAL_WAYS[arrivals.way[i] as number]} line ${arrivals.line[i]}`;
    const id = arrivals.dispatches[arrivals.dispatch[i] as number] ?? "";
    const slice = arrivals.slice[i] as number;
    const line = lines.get(key) ?? { shard: "", notices: 0, slice: -1 };
    lines.set(key, line);
    if (line.slice === slice) continue;
    line.slice = slice;
    if (laneOf.get(id) === "notice") {
      line.notices += 1;
      continue;
    }
    const shard = `${id} ${(arrivals.ordinal[i] as number) >>> SHARD_BITS}`;
    if (line.shard === shard && line.notices > 0)
      wrongs.push(`${key}: ${line.notices} slices of a notice within ${shard}`);
    line.shard = shard;
    line.notices = 0;
  }
  return wrongs;
}

/**
 * People who got something after what had taken its place. A worker that was stopped in the very moment
 * of a hand-over may wake and still send it, so then only devices are asked.
 */
function latecomers({ dispatches, testimony, interruptions }: Evidence): string[] {
  const ends = new Map(
    dispatches.map((each) => [
      each.dispatch,
      replacedBy(dispatches, each).map(({ dispatch }) => dispatch),
    ]),
  );
  const ended = new Map<number, Set<string>>();
  const wrongs: string[] = [];
  const { arrivals } = testimony;
  for (let i = 0; i < arrivals.way.length; i += 1) {
    if (arrivals.way[i] !== LIVE && interruptions > 0) continue;
    const ordinal = arrivals.ordinal[i] as number;
    const id = arrivals.dispatches[arrivals.dispatch[i] as number] ?? "";
    const gone = ended.get(ordinal) ?? new Set();
    if (gone.has(id)) wrongs.push(`${ordinal} got ${id} after what ended it`);
    for (const each of ends.get(id) ?? []) gone.add(each);
    ended.set(ordinal, gone);
  }
  return wrongs;
}
