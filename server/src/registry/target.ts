// From a target, as an agency names and draws it, to the communes and villages that it comes down
// to. The answer depends on nothing but the target, the active packs and the zones, and is
// sorted and rounded: resolved again before issue, it must be what was approved.
import {
  CIRCLE_RADIUS_KM_MAX,
  POLYGON_POINTS_MAX,
  type ResolvedCommune,
  type ResolvedTarget,
  type Target,
  TARGET_NAMES_MAX,
} from "@loa/model/target.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";
import type { Db } from "../db/connection.ts";
import { type AreaTree, resolveCode } from "./area.ts";
import { drawCircle } from "./circle.ts";
import type { Ring, Shape } from "./segment.ts";
import { checkPosition, checkRing, readShape } from "./shape.ts";
import { startTargetThread, type TargetThread } from "./target-thread.ts";
import type { NamedShape } from "./target-worker.ts";
import { findZones, type Zone } from "./zone.ts";

/** Most points of all shapes of one target together: the polygon, the circle and the zones. */
export const TARGET_POINTS_MAX = 4 * POLYGON_POINTS_MAX;
/** A share that falls short by less than rounding may cause is enough. */
const SHARE_TOLERANCE = 1e-6;

export interface TargetResolver {
  /**
   * @throws {Problem} target-empty, area-unknown, area-superseded, zone-unknown, geometry-invalid,
   *   geometry-too-many-points, request-invalid, busy
   */
  resolve(target: Target): Promise<ResolvedTarget>;
  /** Loads the communes' shapes, so that the first drawn target need not wait for them. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

/** For one state of the areas; after an import, close it and create another with the new tree. */
export function createTargetResolver(
  db: Db,
  tree: AreaTree,
  thread: TargetThread = startTargetThread(
    db,
    tree.packs.map(({ id }) => id),
  ),
): TargetResolver {
  return {
    resolve: (target) => resolveTarget(db, tree, thread, target),
    async warm() {
      await thread.cover([]);
    },
    close: () => thread.close(),
  };
}

async function resolveTarget(
  db: Db,
  tree: AreaTree,
  thread: TargetThread,
  target: Target,
): Promise<ResolvedTarget> {
  checkLimits(target);
  const zones = await findTargetZones(db, target);
  const named = collectNamed(tree, [
    ...findNamedUnits(tree, target),
    ...zones.flatMap(({ areaIds }) => areaIds),
  ]);
  const shapes = target.rule.kind === "named" ? [] : drawShapes(target, zones);
  const covers = shapes.length === 0 ? [] : await thread.cover(shapes);
  const communes = new Map(named);
  const least = target.rule.kind === "share" ? target.rule.atLeast - SHARE_TOLERANCE : 0;
  for (const { id, share } of covers) {
    // A commune that is named as a whole stays named; one of which villages are named is widened.
    if (share < least || named.get(id)?.villageIds === null) continue;
    const code = tree.byId(id)?.code;
    if (code !== undefined) communes.set(id, { areaId: id, code, villageIds: null, share });
  }
  if (communes.size === 0) throw await explainEmpty(thread, target, shapes);
  const used = new Set([...communes.keys()].map((id) => tree.byId(id)?.packId));
  return {
    packs: tree.packs
      .filter(({ id }) => used.has(id))
      .map(({ name, validFrom }) => ({ name, validFrom }))
      .toSorted((a, b) => compare(a.name, b.name)),
    communes: [...communes.values()].toSorted((a, b) => compare(a.code, b.code)),
  };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function checkLimits({ areas, zones, polygon, circle, rule }: Target): void {
  if (areas.length + zones.length > TARGET_NAMES_MAX)
    throw new Problem(
      "request-invalid",
      `The target names ${areas.length + zones.length} units and zones; at most ${TARGET_NAMES_MAX} are allowed.`,
      [{ at: areas.length > zones.length ? "/areas" : "/zones", what: "too many" }],
    );
  if (polygon && polygon.length > POLYGON_POINTS_MAX)
    throw new Problem(
      "geometry-too-many-points",
      `The polygon has ${polygon.length} points; at most ${POLYGON_POINTS_MAX} are allowed. Simplify it.`,
      [{ at: "/polygon", what: `${polygon.length} points, at most ${POLYGON_POINTS_MAX}` }],
    );
  if (rule.kind === "share" && !(rule.atLeast > 0 && rule.atLeast <= 1))
    throw new Problem("request-invalid", "The least share is above 0 and at most 1.", [
      { at: "/rule/atLeast", what: `is ${rule.atLeast}` },
    ]);
  if (areas.length + zones.length === 0 && !polygon && !circle)
    throw new Problem("target-empty", "The target names no unit and no zone, and draws nothing.");
}

/** Ids of the units that the target names by code. */
function findNamedUnits(tree: AreaTree, { areas }: Target): number[] {
  const unknown: Fault[] = [];
  const superseded: Fault[] = [];
  const ids = areas.flatMap((code, i) => {
    const area = tree.byCode(code);
    if (area) return [area.id];
    const what = describeSuccessors(tree, code);
    (what === null ? unknown : superseded).push({
      at: `/areas/${i}`,
      what: what ?? `no unit has the code ${code}`,
    });
    return [];
  });
  if (unknown.length > 0)
    throw new Problem("area-unknown", `${unknown[0]?.what}.`, [...unknown, ...superseded]);
  if (superseded.length > 0)
    throw new Problem("area-superseded", `${superseded[0]?.what}.`, superseded);
  return ids;
}

function describeSuccessors(tree: AreaTree, code: string): string | null {
  try {
    const { current, part } = resolveCode(tree, code);
    const codes = current.map(({ area }) => `${area.code} ${area.name.vi}`).join(", ");
    return `${code} is a former unit; today it is ${part ? "partly in " : ""}${codes}`;
  } catch (fault) {
    if (fault instanceof Problem && fault.code === "area-unknown") return null;
    throw fault;
  }
}

async function findTargetZones(db: Db, { zones: codes }: Target): Promise<Zone[]> {
  const zones = await findZones(db, codes);
  const found = new Set(zones.map(({ code }) => code));
  const faults = codes.flatMap((code, i) =>
    found.has(code) ? [] : [{ at: `/zones/${i}`, what: `no zone in use has the code ${code}` }],
  );
  if (faults.length > 0) throw new Problem("zone-unknown", `${faults[0]?.what}.`, faults);
  return zones.toSorted((a, b) => compare(a.code, b.code));
}

/** The communes and villages that units come down to; a whole commune outweighs its villages. */
function collectNamed(tree: AreaTree, ids: readonly number[]): Map<number, ResolvedCommune> {
  const named = new Map<number, ResolvedCommune>();
  const villages = new Map<number, Set<number>>();
  for (const id of ids) {
    const communes = tree.communesUnder(id);
    for (const { id: areaId, code } of communes)
      named.set(areaId, { areaId, code, villageIds: null, share: null });
    const commune = communes.length === 0 ? tree.communeOf(id) : undefined;
    if (!commune) continue;
    const list = villages.get(commune.id) ?? new Set();
    villages.set(commune.id, list.add(id));
  }
  for (const [areaId, list] of villages) {
    const code = tree.byId(areaId)?.code;
    if (code === undefined || named.has(areaId)) continue;
    const villageIds = [...list].toSorted((a, b) => a - b);
    named.set(areaId, { areaId, code, villageIds, share: null });
  }
  return named;
}

/** All shapes of the target, each checked by itself; crossings are looked for in the thread. */
function drawShapes({ polygon, circle, zones: codes }: Target, zones: readonly Zone[]) {
  const shapes: NamedShape[] = [];
  if (polygon) {
    const what = checkRing(polygon) ?? checkMeridian(polygon);
    if (what !== null)
      throw new Problem("geometry-invalid", `The polygon cannot be used: it ${what}.`, [
        { at: "/polygon", what },
      ]);
    shapes.push({ at: "/polygon", shape: [[polygon]] });
  }
  if (circle) shapes.push({ at: "/circle", shape: [[readCircle(circle)]] });
  for (const { code, geometry } of zones) {
    const { shape } = readShape(geometry);
    if (shape) shapes.push({ at: `/zones/${codes.indexOf(code)}`, shape });
  }
  const points = shapes.reduce((sum, { shape }) => sum + countPoints(shape), 0);
  if (points > TARGET_POINTS_MAX)
    throw new Problem(
      "geometry-too-many-points",
      `The target's shapes have ${points} points together; at most ${TARGET_POINTS_MAX} are allowed.`,
    );
  return shapes;
}

const countPoints = (shape: Shape) => shape.flat().reduce((sum, ring) => sum + ring.length, 0);

/** A ring on a map in degrees cannot reach over the 180th meridian. */
const checkMeridian = (ring: Ring): string | null =>
  ring.some(([lon], i) => i > 0 && Math.abs(lon - (ring[i - 1] as Ring[number])[0]) > 180)
    ? "reaches over the 180th meridian; draw each side by itself"
    : null;

function readCircle({ center, radiusKm }: NonNullable<Target["circle"]>): Ring {
  const fault = checkPosition(center);
  const drawn =
    fault !== null
      ? { fault: `has a centre that ${fault}` }
      : !(radiusKm > 0 && radiusKm <= CIRCLE_RADIUS_KM_MAX)
        ? {
            fault: `has a radius of ${radiusKm} km; above 0 and at most ${CIRCLE_RADIUS_KM_MAX} are allowed`,
          }
        : drawCircle(center, radiusKm);
  if ("ring" in drawn) return drawn.ring;
  throw new Problem("geometry-invalid", `The circle cannot be used: it ${drawn.fault}.`, [
    { at: "/circle", what: drawn.fault },
  ]);
}

/** Why nothing is left, with a look at the commonest mistake: latitude before longitude. */
async function explainEmpty(
  thread: TargetThread,
  { polygon, rule }: Target,
  shapes: readonly NamedShape[],
): Promise<Problem> {
  if (rule.kind === "named")
    return new Problem(
      "target-empty",
      "The rule is `named`, and the target names no unit and no zone that lists units; a drawn shape alone does not count.",
      [{ at: "/rule", what: "named" }],
    );
  const exchanged = polygon?.map(([lon, lat]): [number, number] => [lat, lon]);
  if (exchanged && checkRing(exchanged) === null) {
    const covers = await thread.cover([{ at: "/polygon", shape: [[exchanged]] }]);
    if (covers.length > 0) {
      const what = "has latitude before longitude, as it seems: exchanged, it lies on communes";
      return new Problem("target-empty", `The polygon ${what}.`, [{ at: "/polygon", what }]);
    }
  }
  return new Problem(
    "target-empty",
    rule.kind === "share"
      ? `The drawn shapes cover no commune to a share of ${rule.atLeast}.`
      : "The drawn shapes touch no commune.",
    shapes.map(({ at }) => ({ at, what: "comes down to no commune" })),
  );
}
