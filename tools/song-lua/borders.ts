// Draws the borders: one arc for each pair of neighbouring cells, bent by midpoint
// displacement and rounded to the grid of the file. Neighbours use the same arc, forward or
// backward; therefore communes tile without gaps or overlaps, whatever the chance.
import { type Cell, cornerName } from "./cells.ts";
import { distance, type Point, toLonLat } from "./landscape.ts";
import { createRandom, type Random } from "./random.ts";

/** The grid of the file: 0.00002 degrees are about two metres. */
export const GRID = {
  scale: [0.00002, 0.00002] as [number, number],
  translate: [109.4, 13.2] as [number, number],
};

/** A position on the grid. */
export type GridPoint = readonly [x: number, y: number];

export const toGrid = (p: Point): GridPoint => {
  const [lon, lat] = toLonLat(p);
  return [
    Math.round((lon - GRID.translate[0]) / GRID.scale[0]),
    Math.round((lat - GRID.translate[1]) / GRID.scale[1]),
  ];
};

/** An edge between two cells, from the corner whose name sorts first. */
export interface Border {
  readonly index: number;
  readonly cells: readonly [number, number];
  readonly from: string;
  readonly to: string;
  readonly ends: readonly [Point, Point];
  /** The bent line in kilometres. */
  readonly line: readonly Point[];
}

/** Which arcs make a cell's outline, as TopoJSON writes it: ~n is arc n backward. */
export interface Borders {
  readonly borders: readonly Border[];
  readonly outlines: ReadonlyMap<number, readonly number[]>;
}

/** Bends every edge of the land cells once. */
export function drawBorders(
  seed: string,
  centres: readonly Point[],
  cells: ReadonlyMap<number, Cell>,
): Borders {
  const byCells = new Map<string, Border>();
  const outlines = new Map<number, number[]>();
  for (const [cell, { neighbours, corners }] of cells) {
    const outline: number[] = [];
    for (const [i, neighbour] of neighbours.entries()) {
      const count = neighbours.length;
      const before = neighbours[(i + count - 1) % count] as number;
      const after = neighbours[(i + 1) % count] as number;
      const names = [cornerName(cell, before, neighbour), cornerName(cell, neighbour, after)];
      const ends = [corners[i] as Point, corners[(i + 1) % count] as Point];
      const forward = (names[0] as string) < (names[1] as string);
      const pair = cornerName(cell, neighbour);
      let border = byCells.get(pair);
      if (!border) {
        const [from, to] = (forward ? ends : ends.toReversed()) as [Point, Point];
        const coast = !cells.has(neighbour);
        border = {
          index: byCells.size,
          cells: [cell, neighbour],
          from: (forward ? names[0] : names[1]) as string,
          to: (forward ? names[1] : names[0]) as string,
          ends: [from, to],
          line: bend(createRandom(`${seed} ${pair}`), from, to, {
            sites: [centres[cell] as Point, centres[neighbour] as Point],
            strength: coast ? 0.24 : 0.17,
            finest: coast ? 0.45 : 0.9,
          }),
        };
        byCells.set(pair, border);
      }
      outline.push(forward ? border.index : ~border.index);
    }
    outlines.set(cell, outline);
  }
  return { borders: [...byCells.values()], outlines };
}

/**
 * Midpoint displacement. A bend stays within the kite of the two corners and the two centres,
 * which no other edge enters; each finer bend is weaker, so that a line does not meet itself.
 */
function bend(
  random: Random,
  from: Point,
  to: Point,
  room: { sites: readonly [Point, Point]; strength: number; finest: number },
): Point[] {
  const length = distance(from, to);
  if (length === 0) return [from, to];
  const height = Math.min(...room.sites.map((site) => distanceToLine(site, from, to)));
  const strength = Math.min(room.strength, (0.34 * height) / length);
  const points = [from];
  const divide = (a: Point, b: Point, weight: number) => {
    const span = distance(a, b);
    if (span < room.finest) return points.push(b);
    const shift = (random() * 2 - 1) * weight;
    const middle = {
      x: (a.x + b.x) / 2 - (b.y - a.y) * shift,
      y: (a.y + b.y) / 2 + (b.x - a.x) * shift,
    };
    divide(a, middle, weight * 0.82);
    divide(middle, b, weight * 0.82);
  };
  divide(from, to, strength);
  return points;
}

function distanceToLine(p: Point, a: Point, b: Point): number {
  const cross = (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
  return Math.abs(cross) / distance(a, b);
}
