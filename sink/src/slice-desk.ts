// The sink as people: it counts each message for each person of a slice, says what became of
// the slice, and hands the receipts of those people to the gateway.
import {
  LOOPBACK_OUTCOMES,
  type LoopbackAnswer,
  type LoopbackOutcome,
  type LoopbackSlice,
} from "@loa/api/loopback.ts";
import type { Behaviour } from "@loa/api/loopback-control.ts";
import { chance, splitByChance } from "./behaviour.ts";
import { monotonicNowMs } from "./clock.ts";
import { createDispatchCounter, type DispatchCounter } from "./counter.ts";
import type { Delay } from "./delay.ts";
import type { Gateway } from "./gateway.ts";

/** Dispatches that one sink counts; each may hold many megabytes of counters. */
export const DISPATCHES_MAX = 10_000;
/** A person who is in no audience: far above every ordinal that a registry reaches. */
export const FOREIGN_ORDINAL = 0x7fff_0000;

export interface TakenSlice {
  readonly answer: LoopbackAnswer;
  /** Those who got the message. */
  readonly got: Uint32Array;
}

export interface SliceDesk {
  readonly take: (slice: LoopbackSlice, behaviour: Behaviour) => TakenSlice;
  readonly dispatch: (dispatchId: string) => DispatchCounter | undefined;
  readonly dispatches: () => readonly DispatchCounter[];
  readonly forget: () => void;
}

export function createSliceDesk(gateway: Gateway, delay: Delay): SliceDesk {
  const known = new Map<string, { counter: DispatchCounter; issuedAtMs: number }>();
  let sliceNumber = 0;

  const entryOf = (slice: LoopbackSlice, atMs: number) => {
    const before = known.get(slice.dispatchId);
    if (before !== undefined || known.size >= DISPATCHES_MAX) return before;
    const entry = {
      counter: createDispatchCounter(slice.dispatchId, atMs),
      issuedAtMs: issuedAtMsOf(slice.message) ?? atMs,
    };
    known.set(slice.dispatchId, entry);
    return entry;
  };

  const acknowledge = (dispatchId: string, got: Uint32Array, issuedAtMs: number, as: Behaviour) => {
    const sinceIssueMs = Math.max(0, Math.round(monotonicNowMs() - issuedAtMs));
    const { hit: readers } = splitByChance(got, as.seed, as.readShare);
    for (let copies = as.lieTwice ? 2 : 1; copies > 0; copies -= 1) {
      gateway.addReceipts({ dispatchId, plane: "delivered", ordinals: got, sinceIssueMs });
      gateway.addReceipts({ dispatchId, plane: "read", ordinals: readers, sinceIssueMs });
    }
    const foreign = Uint32Array.of(FOREIGN_ORDINAL);
    if (as.lieForeign)
      gateway.addReceipts({ dispatchId, plane: "delivered", ordinals: foreign, sinceIssueMs });
  };

  return {
    take(slice, behaviour) {
      const { seed, failShare, laterShare, laterMs } = behaviour;
      const atMs = monotonicNowMs();
      sliceNumber += 1;
      if (chance(seed, sliceNumber) < laterShare) return later(laterMs, "told to");
      const entry = entryOf(slice, atMs);
      if (entry === undefined) return later(laterMs, "too many dispatches");
      const { hit: failed, rest: got } = splitByChance(slice.ordinals, seed, failShare);
      entry.counter.count(got, slice.message, atMs);
      if (behaviour.receipts)
        delay.after(behaviour.receiptLagMs, () =>
          acknowledge(slice.dispatchId, got, entry.issuedAtMs, behaviour),
        );
      if (failed.length === 0) return { answer: { kind: "all", outcome: "sent" }, got };
      const outcomes = Uint8Array.from(slice.ordinals, (ordinal) =>
        codeOf(chance(seed, ordinal) < failShare ? "failed" : "sent"),
      );
      return { answer: { kind: "each", outcomes }, got };
    },
    dispatch: (dispatchId) => known.get(dispatchId)?.counter,
    dispatches: () => [...known.values()].map((entry) => entry.counter),
    forget: () => known.clear(),
  };
}

const later = (retryAfterMs: number, reason: string): TakenSlice => ({
  answer: { kind: "later", retryAfterMs, reason },
  got: new Uint32Array(),
});

const codeOf = (outcome: LoopbackOutcome): number => LOOPBACK_OUTCOMES.indexOf(outcome);

/** When the message says that it was issued; a message that does not say is taken as new. */
function issuedAtMsOf(message: Uint8Array): number | undefined {
  try {
    const { sent } = JSON.parse(new TextDecoder().decode(message)) as { sent?: unknown };
    const atMs = Date.parse(String(sent));
    return Number.isNaN(atMs) ? undefined : atMs;
  } catch {
    return undefined;
  }
}
