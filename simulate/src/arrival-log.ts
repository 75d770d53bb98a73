// What the receiving side writes down: every message for every person in the order of arrival, and
// every body that was ever different. It uses nothing of the server.
import { createHash } from "node:crypto";
import { ARRIVAL_WAYS, type Arrivals, type ArrivalWay, type SeenBody } from "./witness-protocol.ts";

/** Arrivals that one run may have; far above it somebody is told over and over. */
export const ARRIVALS_MAX = 2_000_000;
/** Different bodies that are kept: one for each dispatch is right. */
const BODIES_MAX = 50;

export interface ArrivalLog {
  /** One message for each of these people, all in one slice. */
  note(
    dispatchId: string,
    way: ArrivalWay,
    ordinals: ArrayLike<number>,
    line: number,
    body: Uint8Array,
  ): void;
  readonly size: number;
  arrivals(): Arrivals;
  bodies(): readonly SeenBody[];
  /** Forgets all. */
  clear(): void;
}

export function createArrivalLog(): ArrivalLog {
  const ids = new Map<string, number>();
  const columns = { dispatch: [], way: [], ordinal: [], line: [], slice: [] } as Record<
    "dispatch" | "way" | "ordinal" | "line" | "slice",
    number[]
  >;
  const bodies = new Map<string, { dispatchId: string; text: string; messages: number }>();
  let slices = 0;

  const noteBody = (dispatchId: string, body: Uint8Array, messages: number) => {
    const key = createHash("sha256").update(body).digest("hex");
    const known = bodies.get(key);
    if (known !== undefined) known.messages += messages;
    else if (bodies.size < BODIES_MAX)
      bodies.set(key, { dispatchId, text: new TextDecoder().decode(body), messages });
  };

  return {
    note(dispatchId, way, ordinals, line, body) {
      if (columns.way.length + ordinals.length > ARRIVALS_MAX) return;
      noteBody(dispatchId, body, ordinals.length);
      const dispatch = ids.get(dispatchId) ?? ids.size;
      ids.set(dispatchId, dispatch);
      slices += 1;
      for (let i = 0; i < ordinals.length; i += 1) {
        columns.dispatch.push(dispatch);
        columns.way.push(ARRIVAL_WAYS.indexOf(way));
        columns.ordinal.push(ordinals[i] as number);
        columns.line.push(line);
        columns.slice.push(slices);
      }
    },
    get size() {
      return columns.way.length;
    },
    arrivals: () => ({
      dispatches: [...ids.keys()],
      dispatch: Uint16Array.from(columns.dispatch),
      way: Uint8Array.from(columns.way),
      ordinal: Uint32Array.from(columns.ordinal),
      line: Uint32Array.from(columns.line),
      slice: Uint32Array.from(columns.slice),
    }),
    bodies: () => [...bodies.values()],
    clear() {
      ids.clear();
      bodies.clear();
      for (const column of Object.values(columns)) column.length = 0;
    },
  };
}
