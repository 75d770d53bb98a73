// Reads the shapes of a pack, GeoJSON or TopoJSON, and gives each unit its own. Every ring is
// checked: closed, in range, crossing neither itself nor another ring of its unit. Shapes that
// merely touch themselves are sound; those that cross are refused, or cut when the caller
// asked for it by name.
import {
  booleanOpDWithPolyTree,
  ClipType,
  FillRule,
  type PathD,
  type PolyPathD,
  PolyTreeD,
} from "clipper2-ts";
import { AREA_PACK_POINTS_MAX, type GeometryFile } from "@loa/model/area-pack.ts";
import type { Position } from "@loa/model/target.ts";
import { feature as toFeature } from "topojson-client";
import type { GeometryCollection, GeometryObject, Topology } from "topojson-specification";
import type { FaultList } from "./area-pack-fault.ts";
import type { PackUnit } from "./area-pack-units.ts";
import { dropRepeats, findCrossings, type Polygon, type Shape } from "./segment.ts";
import { checkCrossings, readShape, ringArea, shapeArea } from "./shape.ts";

/** Coordinates keep seven decimals, a centimetre, when a shape is cut. */
const CUT_DECIMALS = 7;
/** A cut that changes the surface by more than this is no repair but another shape. */
const CUT_AREA_CHANGE_MAX = 0.01;

export interface UntangledShape {
  readonly code: string;
  readonly crossings: number;
  readonly areaChange: number;
}

/** Reads all files of shapes into their units. */
export function readShapes(
  files: readonly GeometryFile[],
  units: ReadonlyMap<string, PackUnit>,
  faults: FaultList,
): UntangledShape[] {
  const untangled: UntangledShape[] = [];
  let points = 0;
  for (const file of files) {
    const shaped = new Set<string>();
    for (const { at, code, geometry } of readFeatures(file, faults)) {
      const unit = units.get(code);
      const misplaced = !unit
        ? "is not a unit of this pack"
        : unit.level !== file.level
          ? `is a ${unit.level}, not a ${file.level}`
          : shaped.has(code)
            ? "has two shapes"
            : null;
      if (!unit || misplaced) {
        faults.add(at, `${JSON.stringify(code)} ${misplaced}`);
        continue;
      }
      shaped.add(code);
      const read = readShape(geometry);
      points += read.points;
      if (points > AREA_PACK_POINTS_MAX) {
        faults.add(at, `more than ${AREA_PACK_POINTS_MAX} points in all; simplify the shapes`);
        return untangled;
      }
      if (!read.shape) {
        faults.add(at, read.fault);
        continue;
      }
      const shape = settleCrossings(file, at, code, read.shape, untangled, faults);
      if (shape) unit.geometry = JSON.stringify({ type: "MultiPolygon", coordinates: shape });
    }
    for (const unit of units.values())
      if (unit.level === file.level && !shaped.has(unit.code))
        faults.add(unit.at, `unit ${unit.code} has no shape in ${file.name}`);
  }
  return untangled;
}

function settleCrossings(
  file: GeometryFile,
  at: string,
  code: string,
  shape: Shape,
  untangled: UntangledShape[],
  faults: FaultList,
): Shape | null {
  const fault = checkCrossings(shape);
  if (fault === null) return shape;
  if (file.options?.crossings !== "untangle") {
    faults.add(at, `${fault} (the option crossings: "untangle" cuts it there)`);
    return null;
  }
  const cut = cutAtCrossings(shape);
  const areaChange = Math.abs(shapeArea(cut) / shapeArea(shape) - 1);
  if (checkCrossings(cut) !== null || !(areaChange <= CUT_AREA_CHANGE_MAX)) {
    faults.add(at, `${fault}, and cannot be cut there without becoming another shape`);
    return null;
  }
  untangled.push({ code, crossings: findCrossings(shape).count, areaChange });
  return cut;
}

/** The surface that the rings enclose, with rings that no longer cross. */
export function cutAtCrossings(shape: Shape): Shape {
  const paths = shape.flatMap((polygon) =>
    polygon.map((ring, i): PathD => {
      const path = dropRepeats(ring)
        .slice(1)
        .map(([x, y]) => ({ x, y }));
      // Outer rings counter-clockwise, holes clockwise: then "non-zero" is the enclosed surface.
      return ringArea(ring) > 0 === (i === 0) ? path : path.toReversed();
    }),
  );
  const tree = new PolyTreeD();
  booleanOpDWithPolyTree(ClipType.Union, paths, null, tree, FillRule.NonZero, CUT_DECIMALS);
  return collectPolygons(tree);
}

function collectPolygons(tree: PolyPathD): Polygon[] {
  return childrenOf(tree).flatMap((outer) => {
    const holes = childrenOf(outer);
    return [[outer, ...holes].map(closeRing), ...holes.flatMap(collectPolygons)];
  });
}

const childrenOf = (path: PolyPathD) => Array.from({ length: path.count }, (_, i) => path.child(i));

function closeRing(path: PolyPathD): Position[] {
  const ring = (path.poly ?? []).map(({ x, y }): Position => [
    Number(x.toFixed(CUT_DECIMALS)),
    Number(y.toFixed(CUT_DECIMALS)),
  ]);
  return [...ring, ring[0] as Position];
}

interface ReadFeature {
  readonly at: string;
  readonly code: string;
  readonly geometry: unknown;
}

/** The features of a file with their codes; a feature without a code is a fault. */
function readFeatures(file: GeometryFile, faults: FaultList): ReadFeature[] {
  const { name, options } = file;
  let document: { type?: unknown; features?: unknown } | null;
  try {
    document = JSON.parse(file.text) as typeof document;
  } catch (fault) {
    faults.add(name, `is not JSON: ${(fault as Error).message}`);
    return [];
  }
  const features =
    document?.type === "FeatureCollection"
      ? readGeoJson(document)
      : document?.type === "Topology"
        ? readTopoJson(document as unknown as Topology, options?.object)
        : `is neither a FeatureCollection (GeoJSON) nor a Topology (TopoJSON)`;
  if (typeof features === "string") {
    faults.add(name, features);
    return [];
  }
  const property = options?.codeProperty ?? "code";
  return features.flatMap(({ properties, geometry, fault }, i) => {
    const code = properties?.[property];
    const at = `${name} feature ${i + 1}${typeof code === "string" ? ` (${code})` : ""}`;
    const what =
      fault ?? (typeof code === "string" ? null : `has no text property ${property} with a code`);
    if (what !== null) {
      faults.add(at, what);
      return [];
    }
    return [{ at, code: code as string, geometry }];
  });
}

interface RawFeature {
  readonly properties?: Record<string, unknown> | null;
  readonly geometry?: unknown;
  readonly fault?: string;
}

function readGeoJson(document: { readonly features?: unknown }): readonly RawFeature[] | string {
  if (!Array.isArray(document.features)) return "has no list of features";
  return (document.features as unknown[]).map((feature) =>
    typeof feature === "object" && feature !== null ? (feature as RawFeature) : {},
  );
}

const decode = (topology: Topology, geometry: GeometryObject): unknown => {
  const decoded = toFeature(topology, geometry);
  return decoded.type === "Feature" ? decoded.geometry : null;
};

function readTopoJson(topology: Topology, object?: string): readonly RawFeature[] | string {
  const names = Object.keys(topology.objects ?? {});
  const name = object ?? (names.length === 1 ? names[0] : undefined);
  const collection = name === undefined ? undefined : topology.objects[name];
  if (collection?.type !== "GeometryCollection")
    return `wants the option object to name one of its collections: ${names.join(", ")}`;
  if (!Array.isArray(topology.arcs)) return "has no arcs";
  return (collection as GeometryCollection).geometries.map((geometry): RawFeature => {
    const properties = geometry.properties as Record<string, unknown> | undefined;
    try {
      return { properties: properties ?? null, geometry: decode(topology, geometry) };
    } catch {
      return { properties: properties ?? null, fault: "refers to arcs that are not there" };
    }
  });
}
