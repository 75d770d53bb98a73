// Which group (a commune's residents, a commune's concerned) each recipient of a shard is
// counted in, by rank. Ordinals are given out in blocks of one commune, so neighbours mostly
// share a group and a run of them costs four bytes; where they do not, each rank costs two.

/** Visits ranks from..to, which all belong to `group`. */
export type VisitRun = (group: number, from: number, to: number) => void;

export class RankGroups {
  /** First rank of each run, ascending from 0; undefined when `#groups` has one entry per rank. */
  readonly #starts: Uint16Array | undefined;
  readonly #groups: Uint16Array;
  readonly #size: number;

  /** @param groups the group of each rank; copied, at most 65,536 of them. */
  constructor(groups: Uint16Array) {
    this.#size = groups.length;
    let runs = 0;
    for (let rank = 0; rank < groups.length; rank++)
      if (rank === 0 || groups[rank] !== groups[rank - 1]) runs++;
    if (2 * runs > groups.length) {
      this.#groups = groups.slice();
      return;
    }
    this.#starts = new Uint16Array(runs);
    this.#groups = new Uint16Array(runs);
    let run = 0;
    for (let rank = 0; rank < groups.length; rank++)
      if (rank === 0 || groups[rank] !== groups[rank - 1]) {
        this.#starts[run] = rank;
        this.#groups[run++] = groups[rank] as number;
      }
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
