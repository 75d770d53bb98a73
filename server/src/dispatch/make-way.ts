// Making way: while a warning is being issued, what can wait leaves it the processors. Freezing and
// planning for a country takes a tenth of a second of a quiet machine, and several times that of one
// where a notice is sent and its receipts come back.
import type { Bus } from "../bus/bus.ts";

/** How long others make way once a warning is announced: about what issuing to a country takes. */
export const MAKE_WAY_MS = 300;

export interface ComingWarnings {
  /** Milliseconds for which the way is still to be left free; 0 when no warning is coming. */
  readonly msLeft: () => number;
  readonly close: () => void;
}

/** Hears of warnings that are about to be issued. Losing the message costs nothing but speed. */
export function followComingWarnings(bus: Pick<Bus, "subscribe">): ComingWarnings {
  let freeUntil = 0;
  const close = bus.subscribe("warning.coming", () => {
    freeUntil = performance.now() + MAKE_WAY_MS;
  });
  return { msLeft: () => Math.max(0, freeUntil - performance.now()), close };
}
