// Which share of a commune's surface a drawn shape covers, by clipper2. The shape is first cut
// down to ever smaller groups of communes, so that a shape of 45,000 points is not run against
// each of a thousand communes whole.
import {
  area as areaOf,
  Clipper,
  FillRule,
  intersect,
  type Path64,
  type Paths64,
} from "clipper2-ts";
import type { Position } from "@loa/model/target.ts";
import type { Box } from "./line-set.ts";
import type { Ring, Shape } from "./segment.ts";

/**
 * Steps per degree, a centimetre each, counted from the commune's own corner: every product that
 * clipper forms then stays below 2^53 and is exact.
 */
const STEPS_PER_DEGREE = 1e7;
/** A shape of at most so many points is not cut for a group, only for each commune. */
const POINTS_PER_GROUP = 200;
/** Shares are rounded to a millionth, so that an approved share is the same when issued. */
const SHARE_DECIMALS = 6;

export interface Surface {
  readonly box: Box;
  readonly shape: Shape;
}

/** The share (0..1) of each surface that the union of the drawn shapes covers, in their order. */
export function computeShares(surfaces: readonly Surface[], drawn: readonly Shape[]): number[] {
  const covered = surfaces.map((): Path64[][] => []);
  for (const shape of drawn)
    cutForGroup(
      surfaces.map((_, i) => i),
      shape.flat(),
      surfaces,
      (i, rings) => {
        const { box, shape: own } = surfaces[i] as Surface;
        const paths = intersect(toPaths(own.flat(), box), toPaths(rings, box), FillRule.EvenOdd);
        if (paths.length > 0) covered[i]?.push(paths);
      },
    );
  return surfaces.map(({ box, shape }, i) => {
    const parts = covered[i] as Path64[][];
    const [only] = parts;
    if (!only) return 0;
    // Clipper's results run counter-clockwise with clockwise holes, so "non-zero" unites them.
    const paths = parts.length === 1 ? only : Clipper.union(parts.flat(), FillRule.NonZero);
    const whole = shape.reduce((sum, polygon) => sum + surfaceOf(toPaths(polygon, box)), 0);
    const share = Math.min(1, Math.max(0, sumAreas(paths) / whole));
    return Number(share.toFixed(SHARE_DECIMALS));
  });
}

const sumAreas = (paths: Paths64) => Math.abs(paths.reduce((sum, path) => sum + areaOf(path), 0));

const surfaceOf = ([outer, ...holes]: Paths64) =>
  Math.abs(areaOf(outer as Path64)) - holes.reduce((sum, hole) => sum + Math.abs(areaOf(hole)), 0);

const toPaths = (rings: readonly Ring[], [west, south]: Box): Paths64 =>
  rings.map((ring) =>
    ring.slice(1).map(([x, y]) => ({
      x: Math.round((x - west) * STEPS_PER_DEGREE),
      y: Math.round((y - south) * STEPS_PER_DEGREE),
    })),
  );

/** Halves the group until the rings that reach it are few, then hands each its own piece. */
function cutForGroup(
  group: readonly number[],
  rings: readonly Ring[],
  surfaces: readonly Surface[],
  take: (surface: number, rings: readonly Ring[]) => void,
): void {
  const boxes = group.map((i) => (surfaces[i] as Surface).box);
  const box = joinBoxes(boxes);
  const pieces = rings.map((ring) => cutToBox(ring, box)).filter((ring) => ring.length > 3);
  if (pieces.length === 0) return;
  const [first] = group;
  if (group.length === 1 && first !== undefined) return take(first, pieces);
  const points = pieces.reduce((sum, ring) => sum + ring.length, 0);
  if (points <= POINTS_PER_GROUP) {
    for (const i of group) cutForGroup([i], pieces, surfaces, take);
    return;
  }
  const isWide = box[2] - box[0] > box[3] - box[1];
  const middle = (i: number) => {
    const own = (surfaces[i] as Surface).box;
    return isWide ? own[0] + own[2] : own[1] + own[3];
  };
  const ordered = group.toSorted((a, b) => middle(a) - middle(b));
  const half = Math.ceil(ordered.length / 2);
  cutForGroup(ordered.slice(0, half), pieces, surfaces, take);
  cutForGroup(ordered.slice(half), pieces, surfaces, take);
}

const joinBoxes = (boxes: readonly Box[]): Box => [
  Math.min(...boxes.map((box) => box[0])),
  Math.min(...boxes.map((box) => box[1])),
  Math.max(...boxes.map((box) => box[2])),
  Math.max(...boxes.map((box) => box[3])),
];

/**
 * The part of a ring within a box (Sutherland-Hodgman). Pieces stay joined along the box's edge by
 * lines without surface, which the even-odd rule does not see.
 */
function cutToBox(ring: Ring, [west, south, east, north]: Box): Ring {
  let cut = ring.slice(1);
  for (const [axis, limit, sign] of [
    [0, west, 1],
    [0, east, -1],
    [1, south, 1],
    [1, north, -1],
  ] as const) {
    const isIn = (p: Position) => (p[axis] - limit) * sign >= 0;
    if (cut.every(isIn)) continue;
    const kept: Position[] = [];
    for (const [i, to] of cut.entries()) {
      const from = cut.at(i - 1) as Position;
      if (isIn(from) !== isIn(to)) kept.push(meetLimit(from, to, axis, limit));
      if (isIn(to)) kept.push(to);
    }
    cut = kept;
  }
  return cut.length < 3 ? [] : [cut.at(-1) as Position, ...cut];
}

function meetLimit(from: Position, to: Position, axis: 0 | 1, limit: number): Position {
  const share = (limit - from[axis]) / (to[axis] - from[axis]);
  return axis === 0
    ? [limit, from[1] + (to[1] - from[1]) * share]
    : [from[0] + (to[0] - from[0]) * share, limit];
}
