// Lets the two rivers run along borders: the way from the hills to the mouth that stays
// nearest to a straight course. Communes therefore lie on a river's left or right bank.
import type { Border, Borders } from "./borders.ts";
import { distance, type Point, RIVERS } from "./landscape.ts";

export interface River {
  readonly code: string;
  readonly name: { readonly vi: string; readonly en: string };
  /** Arcs from the source to the sea, ~n for arc n backward. */
  readonly arcs: readonly number[];
  readonly line: readonly Point[];
  /** The cells on both banks with their distance from the source, 0..1 of the whole course. */
  readonly banks: ReadonlyMap<number, number>;
}

interface Step {
  readonly border: Border;
  readonly to: string;
  readonly backward: boolean;
}

/** Both rivers. `land` are the cells of the province. */
export function drawRivers({ borders }: Borders, land: ReadonlySet<number>): River[] {
  const steps = new Map<string, Step[]>();
  const spots = new Map<string, Point>();
  const coast = new Set<string>();
  const add = (at: string, step: Step) => {
    const list = steps.get(at) ?? [];
    list.push(step);
    steps.set(at, list);
  };
  for (const border of borders) {
    spots.set(border.from, border.ends[0]).set(border.to, border.ends[1]);
    if (!border.cells.every((cell) => land.has(cell))) {
      coast.add(border.from).add(border.to);
      continue;
    }
    add(border.from, { border, to: border.to, backward: false });
    add(border.to, { border, to: border.from, backward: true });
  }
  // A river reaches the outer border where two communes meet there.
  const mouths = [...coast].filter((name) => steps.has(name));
  const nearest = (p: Point) =>
    mouths.reduce((best, name) =>
      distance(spots.get(name) as Point, p) < distance(spots.get(best) as Point, p) ? name : best,
    );
  return RIVERS.map(({ code, vi, en, source, town }) => {
    const start = nearest(source);
    const end = nearest({ x: town.x + town.radius, y: town.y });
    const path = findWay(steps, spots, coast, start, end);
    const length = path.reduce((sum, { border }) => sum + distance(...border.ends), 0);
    const banks = new Map<number, number>();
    let done = 0;
    for (const { border } of path) {
      done += distance(...border.ends);
      for (const cell of border.cells) banks.set(cell, done / length);
    }
    const line = path.flatMap(({ border, backward }) =>
      backward ? border.line.toReversed() : border.line,
    );
    const arcs = path.map(({ border, backward }) => (backward ? ~border.index : border.index));
    return { code, name: { vi, en }, arcs, line, banks };
  });
}

/** Dijkstra; leaving the straight course costs, and so does the outer border. */
function findWay(
  steps: ReadonlyMap<string, readonly Step[]>,
  spots: ReadonlyMap<string, Point>,
  outer: ReadonlySet<string>,
  start: string,
  end: string,
): Step[] {
  const [a, b] = [spots.get(start), spots.get(end)] as [Point, Point];
  const astray = (p: Point) =>
    Math.abs((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)) / distance(a, b);
  const best = new Map<string, { cost: number; via: Step | null; from: string }>([
    [start, { cost: 0, via: null, from: start }],
  ]);
  const open = new Set([start]);
  while (open.size > 0) {
    const costOf = (name: string) => best.get(name)?.cost ?? Infinity;
    const here = [...open].reduce((least, name) => (costOf(name) < costOf(least) ? name : least));
    if (here === end) break;
    open.delete(here);
    for (const step of steps.get(here) ?? []) {
      if (outer.has(step.to) && step.to !== end) continue;
      const spot = spots.get(step.to) as Point;
      const cost = costOf(here) + distance(...step.border.ends) * (1 + astray(spot) / 10);
      if (cost >= costOf(step.to)) continue;
      best.set(step.to, { cost, via: step, from: here });
      open.add(step.to);
    }
  }
  const way: Step[] = [];
  for (let at = best.get(end); at?.via; at = best.get(at.from)) way.unshift(at.via);
  if (way.length === 0) throw new Error(`no way for a river from ${start} to ${end}`);
  return way;
}
