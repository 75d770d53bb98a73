// Divides the plane into cells (Voronoi: every place belongs to the nearest centre). A corner
// is named by the three centres that it is nearest to and its position is computed from
// these names alone, so that neighbours agree on it to the last bit.
import { distance, PLANE, type Point, spacingAt } from "./landscape.ts";
import type { Random } from "./random.ts";

/** A cell's corners in order; `neighbours[i]` lies beyond the edge from corner i to corner i + 1. */
export interface Cell {
  readonly neighbours: readonly number[];
  readonly corners: readonly Point[];
}

const TRIES = 60_000;

/** Scatters centres, no two closer than the landscape's spacing, then evens them out a little. */
export function scatterCentres(random: Random): Point[] {
  const centres: Point[] = [];
  for (let i = 0; i < TRIES; i++) {
    const p = {
      x: PLANE.left + random() * (PLANE.right - PLANE.left),
      y: PLANE.bottom + random() * (PLANE.top - PLANE.bottom),
    };
    const spacing = spacingAt(p);
    if (centres.every((other) => distance(p, other) >= Math.min(spacing, spacingAt(other) * 1.25)))
      centres.push(p);
  }
  const evened = centres.map((centre, i) => {
    const { corners } = cellOf(centres, i);
    const middle = {
      x: corners.reduce((sum, p) => sum + p.x, 0) / corners.length,
      y: corners.reduce((sum, p) => sum + p.y, 0) / corners.length,
    };
    return { x: (centre.x + middle.x) / 2, y: (centre.y + middle.y) / 2 };
  });
  return evened;
}

/** Cuts the plane down to the cell of one centre, by the perpendicular to every other centre. */
export function cellOf(centres: readonly Point[], index: number): Cell {
  const centre = centres[index] as Point;
  let corners: Point[] = [
    { x: PLANE.left, y: PLANE.bottom },
    { x: PLANE.right, y: PLANE.bottom },
    { x: PLANE.right, y: PLANE.top },
    { x: PLANE.left, y: PLANE.top },
  ];
  let neighbours: number[] = [-1, -1, -1, -1];
  for (const [other, site] of centres.entries()) {
    if (other === index) continue;
    const side = (p: Point) => distanceSquared(p, site) - distanceSquared(p, centre);
    if (corners.every((p) => side(p) > 0)) continue;
    const kept: Point[] = [];
    const beyond: number[] = [];
    for (const [i, from] of corners.entries()) {
      const to = corners[(i + 1) % corners.length] as Point;
      const [a, b] = [side(from), side(to)];
      const neighbour = neighbours[i] as number;
      const cut = { x: mix(from.x, to.x, a / (a - b)), y: mix(from.y, to.y, a / (a - b)) };
      if (a > 0) {
        kept.push(from);
        beyond.push(neighbour);
        if (b <= 0) {
          kept.push(cut);
          beyond.push(other);
        }
      } else if (b > 0) {
        kept.push(cut);
        beyond.push(neighbour);
      }
    }
    corners = kept;
    neighbours = beyond;
  }
  return {
    neighbours,
    corners: corners.map((corner, i) => {
      const before = neighbours[(i + neighbours.length - 1) % neighbours.length] as number;
      const after = neighbours[i] as number;
      return before < 0 || after < 0 ? corner : circumcentre(centres, [index, before, after]);
    }),
  };
}

/** The name of the corner where three cells meet. */
export const cornerName = (...cells: readonly number[]): string =>
  cells.toSorted((a, b) => a - b).join("-");

function circumcentre(centres: readonly Point[], cells: readonly number[]): Point {
  const [a, b, c] = cells.toSorted((x, y) => x - y).map((i) => centres[i] as Point) as [
    Point,
    Point,
    Point,
  ];
  const d = 2 * (a.x * (b.y - c.y) + b.x * (c.y - a.y) + c.x * (a.y - b.y));
  const [aa, bb, cc] = [a, b, c].map((p) => p.x * p.x + p.y * p.y) as [number, number, number];
  return {
    x: (aa * (b.y - c.y) + bb * (c.y - a.y) + cc * (a.y - b.y)) / d,
    y: (aa * (c.x - b.x) + bb * (a.x - c.x) + cc * (b.x - a.x)) / d,
  };
}

const distanceSquared = (a: Point, b: Point) => (a.x - b.x) ** 2 + (a.y - b.y) ** 2;
const mix = (a: number, b: number, share: number) => a + (b - a) * share;
