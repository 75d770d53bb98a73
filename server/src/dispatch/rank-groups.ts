// Which group (a commune's residents, a commune's concerned) each recipient of a shard is
// counted in, by rank. Ordinals are given out in blocks of one commune, so neighbours mostly
// share a group and a run of them costs four bytes; where they do not, each rank costs two.
import type { RankIndex } from "./rank-index.ts";

/** Visits ranks from..to, which all belong to `group`. */
export type VisitRun = (group: number, from: number, to: number) => void;

export class RankGroups {
  /** First rank of each run, ascending from 0; undefined when `#groups` has one entry per rank. */
  readonly #starts: Uint16Array | undefined;
  readonly #groups: Uint16Array;
  readonly #size: number;

  /** @param byLow the group of each of the 65,536 lows; what no recipient has is not looked at. */
  constructor(byLow: Uint16Array, index: RankIndex) {
    this.#size = index.size;
    let runs = 0;
    forGroupRuns(byLow, index, () => runs++);
    if (2 * runs > index.size) {
      const groups = new Uint16Array(index.size);
      forGroupRuns(byLow, index, (group, from, to) => groups.fill(group, from, to));
      this.#groups = groups;
      return;
    }
    const starts = new Uint16Array(runs);
    const groups = new Uint16Array(runs);
    let run = 0;
    forGroupRuns(byLow, index, (group, from) => {
      starts[run] = from;
      groups[run++] = group;
    });
    this.#starts = starts;
    this.#groups = groups;
  }

  groupOf(rank: number): number {
    return this.#groups[this.#starts === undefined ? rank : this.#runOf(rank)] as number;
  }

  /** Visits ranks from..to in runs of one group, ascending. */
  forRuns(from: number, to: number, visit: VisitRun): void {
    if (this.#starts === undefined) {
      for (let start = from; start < to;) {
        const group = this.#groups[start] as number;
        let end = start + 1;
        while (end < to && this.#groups[end] === group) end++;
        visit(group, start, end);
        start = end;
      }
      return;
    }
    if (from >= to) return;
    for (let run = this.#runOf(from), start = from; start < to; run++) {
      const end = Math.min(to, this.#starts[run + 1] ?? this.#size);
      visit(this.#groups[run] as number, start, end);
      start = end;
    }
  }

  /** The last run that begins at or before a rank. */
  #runOf(rank: number): number {
    const starts = this.#starts as Uint16Array;
    let from = 0;
    let to = starts.length - 1;
    while (from < to) {
      const middle = (from + to + 1) >>> 1;
      if ((starts[middle] as number) <= rank) from = middle;
      else to = middle - 1;
    }
    return from;
  }
}

/** Visits the runs of ranks that share a group; neighbours may share one where a gap lies between. */
function forGroupRuns(byLow: Uint16Array, index: RankIndex, visit: VisitRun): void {
  let rank = 0;
  for (let low = 0; low < byLow.length && rank < index.size;) {
    const group = byLow[low] as number;
    let next = low + 1;
    while (next < byLow.length && byLow[next] === group) next++;
    const end = index.rankFrom(next);
    if (end > rank) visit(group, rank, end);
    rank = end;
    low = next;
  }
}
