// Reads GeoJSON geometries and says what is wrong with them in words that lead to the place:
// open rings, positions out of range or with latitude first, borders that cross themselves.
import { orient2d } from "robust-predicates";
import type { Position } from "@loa/model/target.ts";
import { findCrossings, type Polygon, type Ring, type Shape } from "./segment.ts";

/** What was read: the shape, or one sentence about what is wrong with it. */
export type ReadShape =
  | { readonly shape: Shape; readonly points: number; readonly fault: null }
  | { readonly shape: null; readonly points: number; readonly fault: string };

/** Reads a Polygon or MultiPolygon; anything else, and any broken ring, is a fault. */
export function readShape(geometry: unknown): ReadShape {
  const polygons = polygonsOf(geometry);
  if (typeof polygons === "string") return { shape: null, points: 0, fault: polygons };
  let points = 0;
  for (const [i, rings] of polygons.entries()) {
    if (!Array.isArray(rings) || rings.length === 0)
      return { shape: null, points, fault: `polygon ${i + 1} has no rings` };
    for (const [j, ring] of rings.entries()) {
      const fault = checkRing(ring);
      if (fault) {
        const place = polygons.length > 1 ? `polygon ${i + 1}, ring ${j + 1}` : `ring ${j + 1}`;
        return { shape: null, points, fault: `${place}: ${fault}` };
      }
      points += (ring as Ring).length;
    }
  }
  return { shape: polygons as Shape, points, fault: null };
}

function polygonsOf(geometry: unknown): readonly unknown[] | string {
  if (typeof geometry !== "object" || geometry === null) return "there is no geometry";
  const { type, coordinates } = geometry as { type?: unknown; coordinates?: unknown };
  if (type !== "Polygon" && type !== "MultiPolygon")
    return `wants a Polygon or a MultiPolygon, not ${JSON.stringify(type)}`;
  if (!Array.isArray(coordinates) || coordinates.length === 0) return "has no coordinates";
  return type === "Polygon" ? [coordinates] : (coordinates as unknown[]);
}

/** What is wrong with one ring by itself, crossings apart; null when it is sound. */
export function checkRing(ring: unknown): string | null {
  if (!Array.isArray(ring)) return "is not a list of positions";
  if (ring.length < 4)
    return `has ${ring.length} points; a closed ring has at least 4, the first repeated at the end`;
  for (const [i, position] of ring.entries()) {
    const fault = checkPosition(position);
    if (fault) return `point ${i + 1} ${fault}`;
  }
  const positions = ring as Position[];
  const [first, last] = [positions[0] as Position, positions.at(-1) as Position];
  if (first[0] !== last[0] || first[1] !== last[1])
    return `is open: it begins at ${show(first)} and ends at ${show(last)}`;
  if (!hasSurface(positions)) return "encloses nothing: all its points lie on one line";
  return null;
}

/** What is wrong with one position; null when it is sound. */
export function checkPosition(position: unknown): string | null {
  if (!Array.isArray(position) || position.length < 2) return "is not [longitude, latitude]";
  const [lon, lat] = position as [unknown, unknown];
  if (typeof lon !== "number" || typeof lat !== "number" || !isFinite(lon) || !isFinite(lat))
    return "is not [longitude, latitude] in numbers";
  if (Math.abs(lat) <= 90 && Math.abs(lon) <= 180) return null;
  const swapped = Math.abs(lat) <= 180 && Math.abs(lon) <= 90;
  return `is [${lon}, ${lat}], out of range; the order is [longitude, latitude]${
    swapped ? ", and these look exchanged" : ""
  }`;
}

/** What is wrong with how a shape's lines meet; null when they do not cross. */
export function checkCrossings(shape: Shape): string | null {
  const { count, first, tooDense } = findCrossings(shape);
  if (count > 0 && first)
    return `its border crosses itself near ${show(first)}${count > 1 ? ` and ${count - 1} times more` : ""}`;
  if (tooDense) return "its lines lie too close together to be checked; simplify it";
  return null;
}

/** The surface of a ring in square degrees; positive when it runs counter-clockwise. */
export function ringArea(ring: Ring): number {
  let sum = 0;
  const [x0, y0] = ring[0] as Position;
  for (let i = 1; i + 1 < ring.length; i++) {
    const [x1, y1] = ring[i] as Position;
    const [x2, y2] = ring[i + 1] as Position;
    sum += (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
  }
  return sum / 2;
}

/** The surface of a shape in square degrees, holes taken out. */
export const shapeArea = (shape: Shape): number =>
  shape.reduce((sum, polygon) => sum + polygonArea(polygon), 0);

const polygonArea = ([outer, ...holes]: Polygon): number =>
  Math.abs(ringArea(outer as Ring)) -
  holes.reduce((sum, hole) => sum + Math.abs(ringArea(hole)), 0);

const hasSurface = (ring: Ring): boolean => {
  const a = ring[0] as Position;
  const b = ring.find(([x, y]) => x !== a[0] || y !== a[1]);
  return b !== undefined && ring.some(([x, y]) => orient2d(a[0], a[1], b[0], b[1], x, y) !== 0);
};

const show = ([lon, lat]: Position) => `[${Number(lon.toFixed(5))}, ${Number(lat.toFixed(5))}]`;
