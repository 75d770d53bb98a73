// The lines of a shape, packed, with an index over them: which of them pass through a box, whether
// a point lies inside, whether two shapes' borders meet. Decided exactly (robust-predicates),
// fast enough for thousands of communes against tens of thousands of points.
import Flatbush from "flatbush";
import { orient2d } from "robust-predicates";
import type { Position } from "@loa/model/target.ts";
import type { Shape } from "./segment.ts";

/** West, south, east, north. */
export type Box = readonly [number, number, number, number];

/** Four numbers for each line: from x, from y, to x, to y. */
export type Lines = Float64Array;

/** All lines of all rings; repeated points make none. */
export function packLines(shape: Shape): Lines {
  const numbers: number[] = [];
  for (const ring of shape.flat())
    for (let i = 0; i + 1 < ring.length; i++) {
      const [x1, y1] = ring[i] as Position;
      const [x2, y2] = ring[i + 1] as Position;
      if (x1 !== x2 || y1 !== y2) numbers.push(x1, y1, x2, y2);
    }
  return new Float64Array(numbers);
}

export function boxOfLines(lines: Lines): Box {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < lines.length; i += 2) {
    const x = lines[i] as number;
    const y = lines[i + 1] as number;
    if (x < west) west = x;
    if (x > east) east = x;
    if (y < south) south = y;
    if (y > north) north = y;
  }
  return [west, south, east, north];
}

/** An index over lines by their boxes; the position in the index is the line's number. */
export function indexLines(lines: Lines): Flatbush {
  const index = new Flatbush(lines.length / 4);
  for (let i = 0; i < lines.length; i += 4) {
    const [x1, y1, x2, y2] = lineAt(lines, i);
    index.add(Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2));
  }
  index.finish();
  return index;
}

/** Numbers of the lines that pass through a box, its edge included. */
export function linesThrough(lines: Lines, index: Flatbush, box: Box): number[] {
  const [west, south, east, north] = box;
  return index.search(west, south, east, north, (line) => {
    const [x1, y1, x2, y2] = lineAt(lines, line * 4);
    if (isInBox(x1, y1, box) || isInBox(x2, y2, box)) return true;
    // Both ends outside: the line passes through unless all four corners lie on one side of it.
    const sides = [
      orient2d(x1, y1, x2, y2, west, south),
      orient2d(x1, y1, x2, y2, east, south),
      orient2d(x1, y1, x2, y2, east, north),
      orient2d(x1, y1, x2, y2, west, north),
    ];
    return !(sides.every((side) => side > 0) || sides.every((side) => side < 0));
  });
}

const isInBox = (x: number, y: number, [west, south, east, north]: Box) =>
  x >= west && x <= east && y >= south && y <= north;

/** Whether one of the named lines meets one of the others, in a point at least. */
export function bordersMeet(lines: Lines, numbers: readonly number[], others: Lines): boolean {
  for (const number of numbers) {
    const [x1, y1, x2, y2] = lineAt(lines, number * 4);
    const [west, east] = x1 < x2 ? [x1, x2] : [x2, x1];
    const [south, north] = y1 < y2 ? [y1, y2] : [y2, y1];
    for (let i = 0; i < others.length; i += 4) {
      const u1 = others[i] as number;
      const u2 = others[i + 2] as number;
      if ((u1 < west && u2 < west) || (u1 > east && u2 > east)) continue;
      const v1 = others[i + 1] as number;
      const v2 = others[i + 3] as number;
      if ((v1 < south && v2 < south) || (v1 > north && v2 > north)) continue;
      // With boxes that overlap, lines meet unless one lies wholly on one side of the other.
      const a = orient2d(x1, y1, x2, y2, u1, v1);
      const b = orient2d(x1, y1, x2, y2, u2, v2);
      if ((a > 0 && b > 0) || (a < 0 && b < 0)) continue;
      const c = orient2d(u1, v1, u2, v2, x1, y1);
      const d = orient2d(u1, v1, u2, v2, x2, y2);
      if ((c > 0 && d > 0) || (c < 0 && d < 0)) continue;
      return true;
    }
  }
  return false;
}

/** Whether a point lies inside by the even-odd rule; on the border it may be either. */
export function isInside(lines: Lines, x: number, y: number, index?: Flatbush): boolean {
  let inside = false;
  const count = (i: number) => {
    const [x1, y1, x2, y2] = lineAt(lines, i);
    if (y1 > y === y2 > y) return;
    const side = orient2d(x1, y1, x2, y2, x, y);
    // The line passes east of the point: left of a falling line, right of a rising one.
    if (y2 > y1 ? side < 0 : side > 0) inside = !inside;
  };
  if (index)
    index.search(x, y, Infinity, y, (line) => {
      count(line * 4);
      return false;
    });
  else for (let i = 0; i < lines.length; i += 4) count(i);
  return inside;
}

export function lineAt(lines: Lines, i: number): [number, number, number, number] {
  return [lines[i], lines[i + 1], lines[i + 2], lines[i + 3]] as [number, number, number, number];
}
