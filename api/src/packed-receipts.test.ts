import { planeBit } from "@loa/model/delivery.ts";
import { Problem } from "@loa/model/problem.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeReceipts,
  encodeReceipts,
  GATEWAY_PLANES,
  ORDINAL_MAX,
  PACKED_ENTRIES_MAX,
  PACKED_ENTRY_BYTES,
  PACKED_HEAD_BYTES,
} from "./packed-receipts.ts";

const DISPATCH = "0192f0c1-2b3c-7d4e-8f50-61728394a5b6";

const packed = (count: number) =>
  encodeReceipts({
    dispatchId: DISPATCH,
    ordinals: Uint32Array.from({ length: count }, (_, i) => i),
    planes: new Uint8Array(count).fill(planeBit("delivered")),
    ms: new Uint32Array(count).fill(1200),
  });

function placeOfFault(bytes: Uint8Array): string {
  try {
    decodeReceipts(bytes);
    return "taken";
  } catch (error) {
    return error instanceof Problem ? (error.faults[0]?.at ?? "nowhere") : String(error);
  }
}

function refusalOf(bytes: Uint8Array): Problem {
  try {
    decodeReceipts(bytes);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("it was taken");
}

describe("packed receipts", () => {
  test("what a gateway packs is what the server reads", () => {
    const entry = fc.record({
      ordinal: fc.nat(ORDINAL_MAX),
      plane: fc.constantFrom(...GATEWAY_PLANES),
      ms: fc.nat(0xffff_ffff),
    });
    fc.assert(
      fc.property(fc.uuid(), fc.array(entry), fc.nat(7), (dispatchId, entries, offset) => {
        const receipts = {
          dispatchId,
          ordinals: Uint32Array.from(entries, (each) => each.ordinal),
          planes: Uint8Array.from(entries, (each) => planeBit(each.plane)),
          ms: Uint32Array.from(entries, (each) => each.ms),
        };
        const bytes = encodeReceipts(receipts);
        // A body that does not begin where its buffer begins, as they come from a socket.
        const shifted = new Uint8Array(bytes.length + offset).subarray(offset);
        shifted.set(bytes);
        expect(decodeReceipts(shifted)).toEqual(receipts);
      }),
    );
  });

  test("any bytes are either read whole or refused with a place", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const place = placeOfFault(bytes);
        expect(place).toMatch(/^(?:taken|byte \d+|entry \d+)$/);
      }),
    );
  });

  test("a cut body says how long it should be", () => {
    expect(refusalOf(new Uint8Array(3)).message).toContain("head of 20 bytes");
    const cut = packed(3).subarray(0, PACKED_HEAD_BYTES + 2 * PACKED_ENTRY_BYTES + 1);
    expect(refusalOf(cut).message).toBe("At byte 39: 3 entries make 47 bytes, and 39 came.");
    const long = new Uint8Array([...packed(1), 0]);
    expect(refusalOf(long).message).toContain("1 entries make 29 bytes, and 30 came");
  });

  test("one receipt too many is refused before it costs memory", () => {
    expect(decodeReceipts(packed(PACKED_ENTRIES_MAX)).ordinals).toHaveLength(PACKED_ENTRIES_MAX);
    const head = packed(0);
    new DataView(head.buffer).setUint32(16, PACKED_ENTRIES_MAX + 1, true);
    expect(refusalOf(head).message).toContain("at most 100000");
  });

  test("a gateway cannot report what only the engine knows", () => {
    const bytes = packed(4);
    bytes[PACKED_HEAD_BYTES + 2 * PACKED_ENTRY_BYTES + 4] = 5;
    const problem = refusalOf(bytes);
    expect(problem.code).toBe("receipts-invalid");
    expect(problem.faults).toEqual([
      { at: "entry 2", what: "plane 5 is not for gateways to report" },
    ]);
  });

  test("a number that cannot be an ordinal is named", () => {
    const bytes = packed(2);
    new DataView(bytes.buffer).setUint32(PACKED_HEAD_BYTES, 0xffff_ffff, true);
    expect(refusalOf(bytes).faults[0]).toEqual({
      at: "entry 0",
      what: "4294967295 is no ordinal",
    });
  });
});
