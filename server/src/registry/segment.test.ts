import fc from "fast-check";
import type { Position } from "@loa/model/target.ts";
import { expect, test } from "vitest";
import { findCrossings, type Ring, turn } from "./segment.ts";

test("a turn to the left is 1, to the right -1, straight on 0", () => {
  expect(turn([0, 0], [1, 0], [1, 1])).toBe(1);
  expect(turn([0, 0], [1, 0], [1, -1])).toBe(-1);
  expect(Math.abs(turn([0, 0], [1, 1], [3, 3]))).toBe(0);
  // Half a step of the last digit beside the line: multiplied out with rounding, it is on it.
  expect(turn([0.5, 0.5], [12, 12], [24, 24.000000000000004])).toBe(1);
});

/** Rings on a coarse grid meet in corners and along lines again and again. */
const gridRings = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })), {
    minLength: 3,
    maxLength: 9,
  })
  .map((points): Ring => [...points, points[0] as Position]);

/** Every pair of lines, proper crossings only: what "crossing" surely means. */
function crossesProperly(ring: Ring): boolean {
  const side = (a: Position, b: Position, c: Position) =>
    Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
  for (let i = 0; i + 1 < ring.length; i++)
    for (let j = i + 1; j + 1 < ring.length; j++) {
      const [a, b, c, d] = [ring[i], ring[i + 1], ring[j], ring[j + 1]] as Position[] as [
        Position,
        Position,
        Position,
        Position,
      ];
      if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) return true;
    }
  return false;
}

test("every proper crossing is found", () => {
  fc.assert(
    fc.property(gridRings, (ring) => {
      fc.pre(crossesProperly(ring));
      expect(findCrossings([[ring]]).count).toBeGreaterThan(0);
    }),
    { numRuns: 2000 },
  );
});

test("it does not matter where a ring begins, which way it runs, or that points repeat", () => {
  const isCrossing = (ring: Ring) => findCrossings([[ring]]).count > 0;
  fc.assert(
    fc.property(gridRings, fc.nat(8), (ring, start) => {
      const open = ring.slice(1);
      const from = start % open.length;
      const turned = [...open.slice(from), ...open.slice(0, from)];
      const closed = [...turned, turned[0] as Position];
      const expected = isCrossing(ring);
      expect(isCrossing(closed)).toBe(expected);
      expect(isCrossing(ring.toReversed())).toBe(expected);
      expect(isCrossing(ring.flatMap((point) => [point, point]))).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test("ten thousand needles are given up, not waited for", () => {
  const needles: Position[] = Array.from({ length: 10_000 }, (_, i): Position[] => [
    [i / 1000, 0],
    [i / 1000 + 50, 50],
    [i / 1000 + 50.0004, 50],
    [i / 1000 + 0.0004, 0],
  ]).flat();
  const ring = [...needles, [10, -1] as const, [-1, -1] as const, needles[0] as Position];
  expect(findCrossings([[ring]])).toMatchObject({ count: 0, tooDense: true });
});
