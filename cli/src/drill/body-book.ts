// The message bodies that arrived, each once, with how often each arrived over which way. If all
// is well there is one.
import { createHash } from "node:crypto";
import type { SeenBody } from "./witness-protocol.ts";

/** Bodies that are kept; one is right, and a few show what went wrong. */
export const BODIES_MAX = 20;

export interface BodyBook {
  /** Counts a body, `times` messages of it. */
  note(body: Uint8Array, way: "live" | "loopback" | "area", times: number): void;
  hash(body: Uint8Array): string;
  seen(): readonly SeenBody[];
}

export function createBodyBook(): BodyBook {
  const book = new Map<string, { -readonly [K in keyof SeenBody]: SeenBody[K] }>();
  const hash = (body: Uint8Array) => createHash("sha256").update(body).digest("hex");
  return {
    note(body, way, times) {
      const sha256 = hash(body);
      const known = book.get(sha256);
      if (known !== undefined) known[way] += times;
      else if (book.size < BODIES_MAX) {
        const text = new TextDecoder().decode(body);
        const entry = { sha256, text, live: 0, loopback: 0, area: 0 };
        entry[way] = times;
        book.set(sha256, entry);
      }
    },
    hash,
    seen: () => [...book.values()],
  };
}
