// Lines of a shape and how two of them meet, decided exactly: robust-predicates answers the
// sign of a turn without rounding, so that a border that touches is never taken for one that
// crosses, nor the other way.
import Flatbush from "flatbush";
import { orient2d } from "robust-predicates";
import type { Position } from "@loa/model/target.ts";

export type Ring = readonly Position[];
/** The rings of one polygon, the outer one first. */
export type Polygon = readonly Ring[];
/** The polygons of one unit or zone (GeoJSON MultiPolygon coordinates). */
export type Shape = readonly Polygon[];

/**
 * Most pairs of lines that one shape may need for its check, some tenths of a second. A real border
 * needs about five pairs a line; ten thousand parallel needles need a hundred million.
 */
export const SEGMENT_PAIRS_MAX = 5_000_000;

/** How a ring, or several of one unit, crosses itself. */
export interface CrossingReport {
  readonly count: number;
  /** Where the first crossing is, near enough to find it on a map. */
  readonly first: Position | null;
  /** The lines lie too close together to be checked (SEGMENT_PAIRS_MAX). */
  readonly tooDense: boolean;
}

class TooDense extends Error {}

/** Which way a → b → c turns: 1 left, -1 right, 0 straight. */
export const turn = (a: Position, b: Position, c: Position): number =>
  -Math.sign(orient2d(a[0], a[1], b[0], b[1], c[0], c[1]));

const same = (a: Position, b: Position) => a[0] === b[0] && a[1] === b[1];

/** Without points that repeat the one before; the ring stays closed. */
export const dropRepeats = (ring: Ring): Ring =>
  ring.filter((point, i) => i === 0 || !same(point, ring[i - 1] as Position));

/**
 * Counts places where a shape's rings pass through each other or themselves. Touching in a point
 * or along a line is allowed: borders of real units do it where an exclave meets its neighbour.
 */
export function findCrossings(shape: Shape, pairsMax = SEGMENT_PAIRS_MAX): CrossingReport {
  const rings = shape.flat().map(dropRepeats);
  const lines: Line[] = rings.flatMap((ring) =>
    ring.slice(0, -1).map((from, i) => ({
      from,
      to: ring[i + 1] as Position,
      // The ring's last point is its first.
      next: (ring[i + 2] ?? ring[1]) as Position,
    })),
  );
  if (lines.length < 3) return { count: 0, first: null, tooDense: false };
  const index = indexLines(lines);
  let count = 0;
  let first: Position | null = null;
  let pairs = 0;
  try {
    for (const [i, line] of lines.entries()) {
      const [left, bottom, right, top] = boxOf(line);
      index.search(left, bottom, right, top, (j) => {
        if (j <= i) return false;
        if (++pairs > pairsMax) throw new TooDense();
        const other = lines[j] as Line;
        if (crosses(line, other)) {
          count += 1;
          first ??= middleOf(line, other);
        }
        return false;
      });
    }
  } catch (fault) {
    if (!(fault instanceof TooDense)) throw fault;
    return { count, first, tooDense: true };
  }
  return { count, first, tooDense: false };
}

interface Line {
  readonly from: Position;
  readonly to: Position;
  /** Where the ring goes after `to`. */
  readonly next: Position;
}

function indexLines(lines: readonly Line[]): Flatbush {
  const index = new Flatbush(lines.length);
  for (const line of lines) index.add(...boxOf(line));
  index.finish();
  return index;
}

const boxOf = ({ from, to }: Line): [number, number, number, number] => [
  Math.min(from[0], to[0]),
  Math.min(from[1], to[1]),
  Math.max(from[0], to[0]),
  Math.max(from[1], to[1]),
];

/** Either in the middle of both lines, or at a corner where one path changes the other's side. */
function crosses(p: Line, q: Line): boolean {
  const fromSide = turn(q.from, q.to, p.from);
  const toSide = turn(q.from, q.to, p.to);
  if (fromSide * toSide > 0) return false;
  const otherFromSide = turn(p.from, p.to, q.from);
  const otherToSide = turn(p.from, p.to, q.to);
  if (fromSide * toSide < 0 && otherFromSide * otherToSide < 0) return true;
  if (same(p.to, q.to)) return pathsCross(p, q);
  if (toSide === 0 && isWithin(p.to, q)) return fromSide * turn(q.from, q.to, p.next) < 0;
  if (otherToSide === 0 && isWithin(q.to, p)) return otherFromSide * turn(p.from, p.to, q.next) < 0;
  return false;
}

/** Whether a point on the endless line lies between its ends, the ends excluded. */
function isWithin(point: Position, line: Line): boolean {
  if (same(point, line.from) || same(point, line.to)) return false;
  const [left, bottom, right, top] = boxOf(line);
  return point[0] >= left && point[0] <= right && point[1] >= bottom && point[1] <= top;
}

/** Two paths through the same corner: does the second come from one side of the first and leave on the other? */
function pathsCross(p: Line, q: Line): boolean {
  const sides = [q.from, q.next].map((point) => sideOfPath(p, point));
  return (sides[0] as number) * (sides[1] as number) < 0;
}

/** 1 left of from → to → next, -1 right, 0 on it. */
function sideOfPath({ from, to, next }: Line, point: Position): number {
  const bend = turn(from, to, next);
  const before = turn(from, to, point);
  const after = turn(to, next, point);
  // A path that folds back onto itself has no sides.
  if (bend === 0) return isFold(from, to, next) ? 0 : before;
  const left = bend > 0 ? before > 0 && after > 0 : before > 0 || after > 0;
  if (left) return 1;
  const right = bend > 0 ? before < 0 || after < 0 : before < 0 && after < 0;
  return right ? -1 : 0;
}

const isFold = (from: Position, to: Position, next: Position) =>
  (from[0] - to[0]) * (next[0] - to[0]) + (from[1] - to[1]) * (next[1] - to[1]) > 0;

const middleOf = (p: Line, q: Line): Position => [
  (p.from[0] + p.to[0] + q.from[0] + q.to[0]) / 4,
  (p.from[1] + p.to[1] + q.from[1] + q.to[1]) / 4,
];
