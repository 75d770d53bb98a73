import * as fc from "fast-check";
import { RoaringBitmap32, roaringLibraryInitialize } from "roaring-wasm";
import { beforeAll, describe, expect, test } from "vitest";
import {
  SHARD_SIZE,
  containerHas,
  containerSize,
  decodeContainer,
  encodeContainer,
  splitShards,
} from "./container.ts";

beforeAll(() => roaringLibraryInitialize());

/** Low bits as real audiences have them: scattered, in blocks, or nearly everybody. */
const lowBits = fc
  .oneof(
    fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 200 }),
    fc
      .array(fc.tuple(fc.nat(0xffff), fc.nat(5_000)), { minLength: 1, maxLength: 8 })
      .map((runs) =>
        runs.flatMap(([start, n]) => Array.from({ length: n + 1 }, (_, i) => start + i)),
      ),
    fc
      .tuple(fc.integer({ min: 1, max: 13 }), fc.nat(0xffff))
      .map(([step, from]) =>
        Array.from({ length: Math.ceil((SHARD_SIZE - from) / step) }, (_, i) => from + i * step),
      ),
  )
  .map((values) => [...new Set(values.filter((v) => v < SHARD_SIZE))].toSorted((a, b) => a - b));

function inRoaring<T>(values: Iterable<number>, use: (bitmap: RoaringBitmap32) => T): T {
  const bitmap = new RoaringBitmap32(values);
  try {
    return use(bitmap);
  } finally {
    bitmap.dispose();
  }
}

describe("a shard's recipients", () => {
  test("are read by roaring-wasm as they were written, in every form of container", () => {
    fc.assert(
      fc.property(lowBits, (low) => {
        const bytes = encodeContainer(Uint16Array.from(low));
        const read = RoaringBitmap32.deserialize("portable", bytes);
        expect(read.toArray()).toEqual(low);
        read.dispose();
        expect(containerSize(bytes)).toBe(low.length);
        expect([...decodeContainer(bytes)]).toEqual(low);
      }),
    );
  });

  test("take no more bytes than roaring-wasm's own best form", () => {
    fc.assert(
      fc.property(lowBits, (low) => {
        const best = inRoaring(low, (bitmap) => {
          bitmap.runOptimize();
          return bitmap.serialize("portable").length;
        });
        expect(encodeContainer(Uint16Array.from(low)).length).toBeLessThanOrEqual(best);
      }),
    );
  });

  test("answer who is in them", () => {
    fc.assert(
      fc.property(lowBits, fc.array(fc.nat(0xffff), { maxLength: 50 }), (low, asked) => {
        const bytes = encodeContainer(Uint16Array.from(low));
        const members = new Set(low);
        for (const value of [...asked, ...low.slice(0, 20), 0, 0xffff])
          expect(containerHas(bytes, value)).toBe(members.has(value));
      }),
    );
  });
});

describe("cutting an audience into shards", () => {
  const audience = fc.uniqueArray(fc.tuple(fc.nat(0xffff), lowBits), {
    minLength: 1,
    maxLength: 9,
    selector: ([key]) => key,
  });

  test("loses nobody and adds nobody, with and without run containers", () => {
    fc.assert(
      fc.property(audience, fc.boolean(), (parts, optimize) => {
        const ordinals = parts
          .toSorted(([a], [b]) => a - b)
          .flatMap(([key, low]) => low.map((value) => key * SHARD_SIZE + value));
        const bytes = inRoaring(ordinals, (bitmap) => {
          if (optimize) bitmap.runOptimize();
          return bitmap.serialize("portable");
        });
        const shards = splitShards(bytes);
        expect(shards.map((s) => s.shard)).toEqual(
          parts.map(([key]) => key).toSorted((a, b) => a - b),
        );
        const again = shards.flatMap(({ shard, planned, recipients }) => {
          const low = [...decodeContainer(recipients)];
          expect(low.length).toBe(planned);
          return low.map((value) => shard * SHARD_SIZE + value);
        });
        expect(again).toEqual(ordinals);
      }),
      { numRuns: 60 },
    );
  });

  test("an empty audience has no shard", () => {
    expect(splitShards(inRoaring([], (bitmap) => bitmap.serialize("portable")))).toEqual([]);
  });
});

test("bytes that are cut short, too long or something else are refused, never misread", () => {
  const bytes = encodeContainer(Uint16Array.from({ length: 5_000 }, (_, i) => i * 3));
  for (let length = 0; length < bytes.length; length += 7)
    expect(() => decodeContainer(bytes.subarray(0, length))).toThrow(/ends|bytes follow/);
  expect(() => decodeContainer(Uint8Array.of(...bytes, 0))).toThrow("follow");
  expect(() => decodeContainer(new Uint8Array(64))).toThrow("not a portable Roaring bitmap");
  expect(() => encodeContainer(Uint16Array.of(3, 3))).toThrow("ascend");
  expect(() => encodeContainer(new Uint16Array(0))).toThrow("empty");
});
