import { expect, test } from "vitest";
import type { Expectation } from "./expectation.ts";
import { type Reach, tallyArrivals, waitAt } from "./tally.ts";
import type { Testimony } from "./witness-protocol.ts";

const ISSUED_AT_MS = 1_000;
/** Rows 0 and 1 listen live, 2 and 3 have a loopback endpoint with ordinals 20 and 30. */
const REACH: readonly Reach[] = [
  { channel: "live", ordinal: 0 },
  { channel: "live", ordinal: 10 },
  { channel: "loopback", ordinal: 20 },
  { channel: "loopback", ordinal: 30 },
];
/** Rows 0 and 2 are meant. */
const EXPECTATION: Expectation = {
  communes: ["SL001"],
  population: 10,
  people: [
    { index: 0, as: "resident", commune: "SL001" },
    { index: 2, as: "concerned", commune: "SL001" },
  ],
};

function testimony(live: [number, number][], loopback: [number, number][]): Testimony {
  return {
    live: {
      index: Uint32Array.from(live, ([index]) => index),
      times: Uint8Array.from(live, ([, times]) => times),
      firstAtMs: Float64Array.from(live, ([, times], i) => (times > 0 ? 1_010 + i : 0)),
      acknowledged: Uint8Array.from(live, ([, times]) => Math.min(times, 1)),
    },
    loopback: {
      ordinal: Uint32Array.from(loopback, ([ordinal]) => ordinal),
      times: Uint8Array.from(loopback, ([, times]) => times),
      firstAtMs: Float64Array.from(loopback, (_, i) => 1_100 + i),
    },
    bodies: [],
    orders: [],
    oddities: [],
  };
}
const tally = (live: [number, number][], loopback: [number, number][]) =>
  tallyArrivals(EXPECTATION, REACH, testimony(live, loopback), ISSUED_AT_MS);

test("all is well when each who is meant got it once and nobody else did", () => {
  const counted = tally(
    [
      [0, 1],
      [1, 0],
    ],
    [[20, 1]],
  );
  expect(counted).toMatchObject({
    lost: 0,
    duplicates: 0,
    outsideArea: 0,
    expected: { live: 1, loopback: 1 },
    got: { live: 1, loopback: 1 },
  });
  expect([...counted.waitsMs]).toEqual([10, 100]);
});

test("somebody who got nothing is lost", () => {
  expect(
    tally(
      [
        [0, 0],
        [1, 0],
      ],
      [[20, 1]],
    ).lost,
  ).toBe(1);
  expect(
    tally(
      [
        [0, 1],
        [1, 0],
      ],
      [],
    ).lost,
  ).toBe(1);
});

test("every copy beyond the first is a duplicate", () => {
  expect(
    tally(
      [
        [0, 2],
        [1, 0],
      ],
      [[20, 3]],
    ),
  ).toMatchObject({ duplicates: 3, lost: 0 });
});

test("somebody who was not meant is outside, also one whom nobody knows", () => {
  const everywhere = tally(
    [
      [0, 1],
      [1, 1],
    ],
    [
      [20, 1],
      [30, 1],
      [99, 1],
    ],
  );
  expect(everywhere).toMatchObject({ outsideArea: 3, lost: 0 });
});

test("the median is a wait that really occurred", () => {
  const waits = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  expect([0, 0.5, 0.99, 1].map((share) => waitAt(waits, share))).toEqual([1, 50, 99, 100]);
  expect(waitAt(new Float64Array(), 0.5)).toBe(0);
});
