// Making way: while a warning is being issued, what can wait leaves it the processors. Freezing and
// planning for a country takes a tenth of a second of a quiet machine, and several times that of one
// where a notice is sent and its receipts come back.
import { setTimeout as sleep } from "node:timers/promises";
import type { Bus } from "./bus.ts";

/** How long others make way once a warning is announced: about what issuing to a country takes. */
export const MAKE_WAY_MS = 500;
/** How long they go on after that, whatever is announced: a storm of warnings must not starve them. */
export const GO_ON_MS = 500;

export interface ComingWarnings {
  /** Milliseconds for which the way is still to be left free; 0 when no warning is coming. */
  readonly msLeft: () => number;
  /** Resolves when the way need not be left free any more. */
  readonly passed: () => Promise<void>;
  readonly close: () => void;
}

/** Hears of warnings that are about to be issued. Losing the message costs nothing but speed. */
export function followComingWarnings(bus: Pick<Bus, "subscribe">): ComingWarnings {
  let freeUntil = Number.NEGATIVE_INFINITY;
  const msLeft = () => Math.max(0, freeUntil - performance.now());
  const close = bus.subscribe("warning.coming", () => {
    const now = performance.now();
    if (now > freeUntil + GO_ON_MS) freeUntil = now + MAKE_WAY_MS;
  });
  return {
    msLeft,
    async passed() {
      // A timer may come a little early.
      while (msLeft() > 0) await sleep(msLeft());
    },
    close,
  };
}
