// The arrivals of a run, ordered for the checks: how often each person got each dispatch, and who got
// something that nobody sent. Pure.
import type { DispatchEvidence, Evidence } from "./evidence.ts";
import { ARRIVAL_WAYS } from "./witness-protocol.ts";

/** How often each person, by number, got one dispatch. */
export interface Arrived {
  readonly times: Uint16Array;
  /** Ordinals of nobody on the list, and people reached over a way that is not theirs. */
  readonly strangers: readonly string[];
}

/** By dispatch id; what came of a dispatch that nobody issued stands under its own id. */
export function countArrivals({ world, testimony }: Evidence): Map<string, Arrived> {
  const { dispatches, dispatch, way, ordinal } = testimony.arrivals;
  const all = dispatches.map(() => ({
    times: new Uint16Array(world.rows.length),
    strangers: [] as string[],
  }));
  for (let i = 0; i < dispatch.length; i += 1) {
    const arrived = all[dispatch[i] as number];
    const index = world.indexOfOrdinal.get(ordinal[i] as number);
    if (arrived === undefined) continue;
    const over = ARRIVAL_WAYS[way[i] as number];
    if (index === undefined) arrived.strangers.push(`ordinal ${ordinal[i]} over ${over}`);
    else {
      arrived.times[index] = (arrived.times[index] ?? 0) + 1;
      if (world.ways[index] !== over) arrived.strangers.push(`${index} over ${over}`);
    }
  }
  return new Map(dispatches.map((id, at) => [id, all[at] as Arrived]));
}

const NOBODY: Arrived = { times: new Uint16Array(), strangers: [] };

export const timesOf = (
  arrived: ReadonlyMap<string, Arrived>,
  { dispatch }: Pick<DispatchEvidence, "dispatch">,
  index: number,
): number => (arrived.get(dispatch) ?? NOBODY).times[index] ?? 0;
