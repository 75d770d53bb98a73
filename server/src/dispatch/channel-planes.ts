// The planes of all recipients of one channel of one dispatch, in the memory of their one
// owner, with counters that move with every plane that is set. One byte per recipient for
// the planes, and little beside; no objects. Runs are set as runs: what happened to a slice
// at once costs one look at each byte, and one addition for each commune.
import {
  type ChannelFigures,
  emptyStates,
  planeBit,
  STATE_OF_PLANES,
  STATES,
} from "@loa/model/delivery.ts";
import type { RankGroups } from "./rank-groups.ts";
import type { RankIndex } from "./rank-index.ts";

const SENT = planeBit("sent");
const DELIVERED = planeBit("delivered");
const READ = planeBit("read");
const REACHED = [SENT, DELIVERED, READ] as const;
const STATE_COUNT = STATES.length;

/** Read implies delivered, delivered implies sent: a receipt may come before the commit of "sent". */
export const withImplied = (planes: number): number => {
  let all = planes;
  if ((all & READ) !== 0) all |= DELIVERED;
  if ((all & DELIVERED) !== 0) all |= SENT;
  return all;
};

/** Recipients of one shard by rank. */
export interface ShardPlanes {
  readonly index: RankIndex;
  readonly planes: Uint8Array;
  /** Group of each rank: twice the position of the commune, plus one for concerned. */
  readonly groups: RankGroups;
}

/** What setting a plane was. */
export type SetResult = "set" | "known" | "foreign";

export class ChannelPlanes {
  readonly shards = new Map<number, ShardPlanes>();
  readonly #states: Float64Array;
  readonly #reached: Float64Array;
  readonly #planned: Float64Array;

  /** @param groupCount twice the number of communes. */
  constructor(groupCount: number) {
    this.#states = new Float64Array(groupCount * STATE_COUNT);
    this.#reached = new Float64Array(groupCount * REACHED.length);
    this.#planned = new Float64Array(groupCount);
  }

  /** Adds a shard whose recipients all are queued. */
  addShard(shard: number, index: RankIndex, groups: RankGroups): void {
    this.shards.set(shard, { index, planes: new Uint8Array(index.size), groups });
    groups.forRuns(0, index.size, (group, from, to) => {
      this.#planned[group] = (this.#planned[group] as number) + to - from;
      this.#states[group * STATE_COUNT] = (this.#states[group * STATE_COUNT] as number) + to - from;
    });
  }

  /** Sets planes for ranks start..start+count of a shard. */
  setRun(shard: number, start: number, count: number, planes: number): void {
    const own = this.shards.get(shard);
    if (own === undefined || start + count > own.planes.length)
      throw new Error(
        `the journal names rank ${start + count} of shard ${shard}, which has no such rank`,
      );
    const implied = withImplied(planes);
    own.groups.forRuns(start, start + count, (group, from, to) => {
      for (let first = from; first < to;) {
        const before = own.planes[first] as number;
        let last = first + 1;
        while (last < to && own.planes[last] === before) last++;
        const after = before | implied;
        if (after !== before) {
          own.planes.fill(after, first, last);
          this.#count(group, before, after, last - first);
        }
        first = last;
      }
    });
  }

  /** What setting these planes for an ordinal would be. */
  look(ordinal: number, planes: number): SetResult {
    const own = this.shards.get(ordinal >>> 16);
    const rank = own?.index.rankOf(ordinal & 0xffff) ?? -1;
    if (own === undefined || rank < 0) return "foreign";
    return (planes & ~(own.planes[rank] as number)) === 0 ? "known" : "set";
  }

  /** Sets planes for one ordinal. */
  setOrdinal(ordinal: number, planes: number): SetResult {
    const own = this.shards.get(ordinal >>> 16);
    const rank = own?.index.rankOf(ordinal & 0xffff) ?? -1;
    if (own === undefined || rank < 0) return "foreign";
    const before = own.planes[rank] as number;
    const after = before | withImplied(planes);
    if (after === before) return "known";
    own.planes[rank] = after;
    this.#count(own.groups.groupOf(rank), before, after, 1);
    return "set";
  }

  /** Moves `count` recipients of a group from one set of planes to a larger one. */
  #count(group: number, before: number, after: number, count: number): void {
    const from = group * STATE_COUNT + (STATE_OF_PLANES[before] as number);
    const to = group * STATE_COUNT + (STATE_OF_PLANES[after] as number);
    this.#states[from] = (this.#states[from] as number) - count;
    this.#states[to] = (this.#states[to] as number) + count;
    const added = after & ~before;
    for (let i = 0; i < REACHED.length; i++)
      if ((added & (REACHED[i] as number)) !== 0) {
        const at = group * REACHED.length + i;
        this.#reached[at] = (this.#reached[at] as number) + count;
      }
  }

  /** Figures of one group, or of all when none is given. */
  figures(group?: number): ChannelFigures {
    const first = group ?? 0;
    const last = group ?? this.#planned.length - 1;
    const state = emptyStates();
    const reached = { sent: 0, delivered: 0, read: 0 };
    let planned = 0;
    for (let at = first; at <= last; at++) {
      planned += this.#planned[at] as number;
      for (let i = 0; i < STATE_COUNT; i++)
        state[STATES[i] as keyof typeof state] += this.#states[at * STATE_COUNT + i] as number;
      reached.sent += this.#reached[at * REACHED.length] as number;
      reached.delivered += this.#reached[at * REACHED.length + 1] as number;
      reached.read += this.#reached[at * REACHED.length + 2] as number;
    }
    return { planned, state, reached };
  }
}
