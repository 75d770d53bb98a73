// Whether a polygon crosses itself (R2). Edges are compared only where their latitudes overlap; a
// ring for which that is still too much is told as such, and not called good.
import { CAP_COMPARISONS_MAX } from "./limit.ts";
import type { CapPoint } from "./message.ts";

interface Edge {
  readonly a: CapPoint;
  readonly b: CapPoint;
  readonly low: number;
  readonly high: number;
  readonly index: number;
}

/** `unknown` when the ring is too large to be compared within CAP_COMPARISONS_MAX. */
export function crossesItself(ring: readonly CapPoint[]): boolean | "unknown" {
  const edges = ring
    .slice(1)
    .map((b, index): Edge => {
      const a = ring[index] as CapPoint;
      return { a, b, low: Math.min(a[0], b[0]), high: Math.max(a[0], b[0]), index };
    })
    // A point that is there twice makes an edge of no length, which crosses nothing.
    .filter(({ a, b }) => a[0] !== b[0] || a[1] !== b[1])
    .map((edge, index) => ({ ...edge, index }))
    .toSorted((one, other) => one.low - other.low);
  let left = CAP_COMPARISONS_MAX;
  let active: Edge[] = [];
  for (const edge of edges) {
    left -= active.length;
    if (left < 0) return "unknown";
    active = active.filter(({ high }) => high >= edge.low);
    if (active.some((other) => cross(edge, other, edges.length))) return true;
    active.push(edge);
  }
  return false;
}

/** Neighbours share a point, and cross only where one runs back over the other. */
function cross(one: Edge, other: Edge, count: number): boolean {
  const apart = Math.abs(one.index - other.index);
  const sides = [
    side(one.a, one.b, other.a),
    side(one.a, one.b, other.b),
    side(other.a, other.b, one.a),
    side(other.a, other.b, one.b),
  ] as const;
  const isFlat = sides.every((each) => each === 0);
  if (apart === 1 || apart === count - 1) return isFlat && runsBack(one, other, count);
  if (isFlat) return overlap(one, other, 0) && overlap(one, other, 1);
  return sides[0] * sides[1] <= 0 && sides[2] * sides[3] <= 0;
}

/** On which side of the line from a to b the point lies. */
const side = (a: CapPoint, b: CapPoint, point: CapPoint): number =>
  Math.sign((b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]));

const overlap = (one: Edge, other: Edge, axis: 0 | 1): boolean =>
  Math.min(one.a[axis], one.b[axis]) <= Math.max(other.a[axis], other.b[axis]) &&
  Math.min(other.a[axis], other.b[axis]) <= Math.max(one.a[axis], one.b[axis]);

/** Two neighbours on one line: the later one goes back where the earlier one came from. */
function runsBack(one: Edge, other: Edge, count: number): boolean {
  const isWrap = Math.abs(one.index - other.index) === count - 1 && count > 2;
  const [first, second] = one.index < other.index !== isWrap ? [one, other] : [other, one];
  const along = (first.b[0] - first.a[0]) * (second.b[0] - second.a[0]);
  return along + (first.b[1] - first.a[1]) * (second.b[1] - second.a[1]) < 0;
}
