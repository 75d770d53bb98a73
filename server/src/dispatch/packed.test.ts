import fc from "fast-check";
import { expect, test } from "vitest";
import { planeBit } from "@loa/model/delivery.ts";
import { encodeContainer, SHARD_SIZE } from "../audience/container.ts";
import { emptyFold, NO_TIME, packFold, setFolded, unpackFold } from "./fold-format.ts";
import { RankGroups } from "./rank-groups.ts";
import { RankIndex } from "./rank-index.ts";

/** Low bits of some recipients of a shard, few or many, ascending. */
const recipients = fc.oneof(
  fc.uniqueArray(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 300 }),
  fc.integer({ min: 2, max: 9 }).map((step) => {
    const lows: number[] = [];
    for (let low = step; low < 65_536; low += step) lows.push(low);
    return lows;
  }),
);

test("a rank leads to its ordinal and back, whether recipients are few or many", () => {
  fc.assert(
    fc.property(recipients, fc.integer({ min: 0, max: 65_535 }), (given, other) => {
      const lows = Uint16Array.from(given).toSorted();
      const index = new RankIndex(encodeContainer(lows));
      expect(index.size).toBe(lows.length);
      expect(index.toLows()).toEqual(lows);
      for (const rank of [0, lows.length >>> 1, lows.length - 1])
        expect(index.rankOf(lows[rank] as number)).toBe(rank);
      expect(index.rankOf(other)).toBe(lows.indexOf(other));
      expect(index.has(other)).toBe(lows.includes(other));
      expect(index.rankFrom(other)).toBe(lows.filter((low) => low < other).length);
      expect(index.rankFrom(SHARD_SIZE)).toBe(lows.length);
    }),
    { numRuns: 60 },
  );
});

test("groups by rank are those that were given, as runs and one by one", () => {
  const blocks = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 6_000 }), fc.integer({ min: 1, max: 9_000 })),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(recipients, blocks, fc.nat(), fc.nat(), (lows, given, a, b) => {
      const byLow = new Uint16Array(SHARD_SIZE);
      let at = 0;
      for (const [group, length] of given) byLow.fill(group, at, (at += length));
      const index = new RankIndex(encodeContainer(Uint16Array.from(lows).toSorted()));
      const groups = index.toLows().map((low) => byLow[low] as number);
      const made = new RankGroups(byLow, index);
      for (const rank of [0, groups.length >>> 1, groups.length - 1])
        expect(made.groupOf(rank)).toBe(groups[rank]);
      const [from, to] = [a % groups.length, b % (groups.length + 1)].toSorted((x, y) => x - y);
      const seen = new Uint16Array(groups.length);
      let next = from;
      made.forRuns(from as number, to as number, (group, start, end) => {
        expect(start).toBe(next);
        next = end;
        seen.fill(group, start, end);
      });
      expect(seen.subarray(from, to)).toEqual(groups.subarray(from, to));
    }),
    { numRuns: 60 },
  );
});

const facts = fc.record({
  start: fc.nat(199),
  count: fc.integer({ min: 1, max: 200 }),
  planes: fc.integer({ min: 1, max: 127 }),
  ms: fc.integer({ min: 0, max: NO_TIME - 1 }),
});

test("a fold holds for every rank all planes and the earliest times, in any order of facts", () => {
  fc.assert(
    fc.property(fc.array(facts, { maxLength: 20 }), (given) => {
      const clipped = given.map((fact) => ({
        ...fact,
        count: Math.min(fact.count, 200 - fact.start),
      }));
      const folded = (order: typeof clipped) => {
        const fold = emptyFold(200);
        for (const { start, count, planes, ms } of order) setFolded(fold, start, count, planes, ms);
        return fold;
      };
      const fold = folded(clipped);
      expect(folded(clipped.toReversed())).toEqual(fold);
      const back = unpackFold(packFold(fold));
      expect(back).toEqual(fold);
      for (let rank = 0; rank < 200; rank++) {
        const own = clipped.filter((fact) => fact.start <= rank && rank < fact.start + fact.count);
        const read = own.filter(({ planes }) => (planes & planeBit("read")) !== 0);
        expect(back.planes[rank]).toBe(own.reduce((all, { planes }) => all | planes, 0));
        expect(back.times.read[rank]).toBe(Math.min(NO_TIME, ...read.map(({ ms }) => ms)));
      }
    }),
  );
});

test("a sealed shard of one outcome takes no more bytes for many than for few", () => {
  const fold = emptyFold(65_536);
  setFolded(fold, 0, 65_536, planeBit("sent"), 1234);
  expect(packFold(fold).length).toBeLessThan(40);
});
