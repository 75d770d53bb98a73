// From what a channel answers to what the journal stores.
import { planeBit } from "@loa/model/delivery.ts";
import { OUTCOMES, type SliceAnswer } from "../channel/channel.ts";
import type { Run } from "./journal.ts";

/** The plane that each outcome sets; `held` sets none. */
export const OUTCOME_PLANES: readonly number[] = OUTCOMES.map((outcome) =>
  outcome === "held" ? 0 : planeBit(outcome),
);

/**
 * The runs of ranks start.. that an outcome sets. Equal neighbours are one run, so a slice with
 * one outcome is one entry.
 * @throws when the channel answered for another number of recipients than it was given.
 */
export function outcomeRuns(outcome: SliceAnswer, start: number, count: number, ms: number): Run[] {
  if (outcome.kind === "all") {
    const planes = OUTCOME_PLANES[OUTCOMES.indexOf(outcome.outcome)] as number;
    return planes === 0 ? [] : [{ start, count, planes, ms }];
  }
  const { outcomes } = outcome;
  if (outcomes.length !== count)
    throw new Error(`a channel answered for ${outcomes.length} of ${count} recipients`);
  const runs: Run[] = [];
  for (let from = 0; from < count;) {
    const code = outcomes[from] as number;
    let to = from + 1;
    while (to < count && outcomes[to] === code) to++;
    const planes = OUTCOME_PLANES[code];
    if (planes === undefined) throw new Error(`a channel answered the unknown outcome ${code}`);
    if (planes !== 0) runs.push({ start: start + from, count: to - from, planes, ms });
    from = to;
  }
  return runs;
}
