// Hears from the front what gives way to warnings. Silence is nothing: when the front is dead, its
// last word must not hold notices up for ever.
import type { Bus } from "../bus/bus.ts";
import { isShed, SHEDDING, type Shedding } from "../observe/reason.ts";
import { textField } from "./role.ts";

/** A word that is older is none: several were lost in a row, or the front is gone. */
export const SHEDDING_HEARD_MS = 5_000;

export interface HeardShedding {
  /** Whether notices wait now. */
  readonly holdsNotices: () => boolean;
  readonly close: () => void;
}

export function followShedding(bus: Pick<Bus, "subscribe">): HeardShedding {
  let heard: { readonly shedding: Shedding; readonly atMs: number } | undefined;
  const close = bus.subscribe("shedding", (body) => {
    const shedding = SHEDDING.find((each) => each === textField(body, "shedding"));
    heard = shedding && { shedding, atMs: performance.now() };
  });
  return {
    holdsNotices: () =>
      heard !== undefined &&
      performance.now() - heard.atMs < SHEDDING_HEARD_MS &&
      isShed(heard.shedding, "notices"),
    close,
  };
}
