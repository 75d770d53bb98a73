// The drill's end of the line to its witness: starts the process, asks, and ends it.
import { fileURLToPath } from "node:url";
import { forkLinked, type ProcessLink } from "../process-link.ts";
import type { AnswerOf, Question } from "./witness-protocol.ts";

const WITNESS = fileURLToPath(new URL("witness.ts", import.meta.url));
/** Round trips from which the shortest tells the difference of the clocks best. */
const CLOCK_ROUNDS = 20;

export interface WitnessLink extends ProcessLink<Question, AnswerOf> {
  /** Milliseconds to add to this process's clock to get the witness's. */
  clockOffsetMs(): Promise<number>;
}

/** Unix milliseconds on a clock that never goes back within this process. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

export function startWitness(): WitnessLink {
  const link = forkLinked<Question, AnswerOf>(WITNESS, "the witness");
  return {
    ...link,
    async clockOffsetMs() {
      let best = { roundMs: Number.POSITIVE_INFINITY, offsetMs: 0 };
      for (let round = 0; round < CLOCK_ROUNDS; round += 1) {
        const before = nowMs();
        const there = await link.ask({ kind: "clock" });
        const after = nowMs();
        const offsetMs = there.nowMs - (before + after) / 2;
        if (after - before < best.roundMs) best = { roundMs: after - before, offsetMs };
      }
      return best.offsetMs;
    },
  };
}
