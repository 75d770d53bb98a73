// Zones: areas that an agency draws and names itself, free to overlap. A zone is a shape, or a list
// of units, or both. It is never edited: a zone that changes is retired and drawn anew under
// another code, so that a code in an approved bulletin keeps its meaning.
import { POLYGON_POINTS_MAX, TARGET_NAMES_MAX } from "@loa/model/target.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";
import { sql } from "kysely";
import type { Db } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import type { AreaTree } from "./area.ts";
import { checkCrossings, readShape } from "./shape.ts";

const CODE = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,31}$/u;

export interface Zone {
  readonly id: string;
  readonly code: string;
  readonly agencyId: string | null;
  readonly name: { readonly vi: string; readonly en: string };
  /** GeoJSON Polygon or MultiPolygon, or null. */
  readonly geometry: unknown;
  readonly areaIds: readonly number[];
  readonly retiredAt: Date | null;
}

export interface ZoneInput {
  readonly code: string;
  readonly agencyId?: string | null | undefined;
  readonly name: { readonly vi: string; readonly en: string };
  /** GeoJSON Polygon or MultiPolygon. */
  readonly geometry?: unknown;
  /** Codes of units of the active packs. */
  readonly areas?: readonly string[] | undefined;
}

/**
 * Stores a zone. With `id`, a repeat of the same request makes no second one.
 * @throws {Problem} request-invalid (code taken, nothing drawn or listed), geometry-invalid,
 *   geometry-too-many-points, area-unknown
 */
export async function createZone(
  db: Db,
  tree: AreaTree,
  input: ZoneInput,
  id: string = newId(),
): Promise<Zone> {
  const { code, agencyId = null, name, geometry, areas = [] } = input;
  const faults: Fault[] = [];
  if (!CODE.test(code))
    faults.push({ at: "/code", what: "letters, digits, '.', '_' or '-', at most 32" });
  if (geometry === undefined && areas.length === 0)
    faults.push({ at: "/geometry", what: "a zone needs a shape or a list of units" });
  if (areas.length > TARGET_NAMES_MAX)
    faults.push({ at: "/areas", what: `at most ${TARGET_NAMES_MAX} units are allowed` });
  if (faults.length > 0)
    throw new Problem("request-invalid", `The zone ${code} cannot be stored.`, faults);
  if (geometry !== undefined) checkZoneShape(code, geometry);
  const row = {
    id,
    code,
    agency_id: agencyId,
    name_vi: name.vi,
    name_en: name.en,
    geometry: geometry === undefined ? null : JSON.stringify(geometry),
    area_ids: findUnits(tree, code, areas),
  };
  const stored = await db
    .insertInto("zone")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (stored) return toZone(stored);
  const twin = await db.selectFrom("zone").selectAll().where("id", "=", id).executeTakeFirst();
  if (twin) return toZone(twin);
  throw new Problem("request-invalid", `The zone code ${code} is taken; codes are for life.`, [
    { at: "/code", what: "is taken" },
  ]);
}

function checkZoneShape(code: string, geometry: unknown): void {
  const { shape, points, fault } = readShape(geometry);
  if (points > POLYGON_POINTS_MAX)
    throw new Problem(
      "geometry-too-many-points",
      `The shape of zone ${code} has ${points} points; at most ${POLYGON_POINTS_MAX} are allowed.`,
      [{ at: "/geometry", what: `${points} points` }],
    );
  const what = fault ?? checkCrossings(shape);
  if (what !== null)
    throw new Problem("geometry-invalid", `The shape of zone ${code} cannot be used: ${what}.`, [
      { at: "/geometry", what },
    ]);
}

function findUnits(tree: AreaTree, zone: string, codes: readonly string[]): number[] {
  const ids = codes.map((code) => tree.byCode(code)?.id);
  const faults = codes.flatMap((code, i) =>
    ids[i] === undefined
      ? [{ at: `/areas/${i}`, what: `no active unit has the code ${code}` }]
      : [],
  );
  if (faults.length > 0)
    throw new Problem("area-unknown", `Zone ${zone} lists ${faults.length} unknown units.`, faults);
  return [...new Set(ids as number[])];
}

/** All zones in the order of their codes; retired ones only on request. */
export async function listZones(db: Db, options: { retired?: boolean } = {}): Promise<Zone[]> {
  const query = db.selectFrom("zone").selectAll().orderBy("code");
  const rows = await (options.retired ? query : query.where("retired_at", "is", null)).execute();
  return rows.map(toZone);
}

/** Those of the zones that are in use and have one of the codes. */
export async function findZones(db: Db, codes: readonly string[]): Promise<Zone[]> {
  if (codes.length === 0) return [];
  const rows = await db
    .selectFrom("zone")
    .selectAll()
    .where("code", "in", codes)
    .where("retired_at", "is", null)
    .execute();
  return rows.map(toZone);
}

/** Who takes a zone out of use: its own agency may, and an operator. */
export interface ZoneRetirer {
  readonly agencyId: string;
  readonly isOperator: boolean;
}

/**
 * Takes a zone out of use; its code is not given again.
 * @throws {Problem} zone-unknown, not-entitled
 */
export async function retireZone(db: Db, code: string, by: ZoneRetirer): Promise<void> {
  const [zone] = await findZones(db, [code]);
  if (!zone) throw new Problem("zone-unknown", `No zone in use has the code ${code}.`);
  if (!by.isOperator && zone.agencyId !== by.agencyId)
    throw new Problem("not-entitled", `The zone ${code} belongs to another agency.`);
  await db
    .updateTable("zone")
    .set({ retired_at: sql<Date>`now()` })
    .where("id", "=", zone.id)
    .where("retired_at", "is", null)
    .execute();
}

function toZone(row: {
  id: string;
  code: string;
  agency_id: string | null;
  name_vi: string;
  name_en: string;
  geometry: unknown;
  area_ids: number[];
  retired_at: Date | null;
}): Zone {
  return {
    id: row.id,
    code: row.code,
    agencyId: row.agency_id,
    name: { vi: row.name_vi, en: row.name_en },
    geometry: row.geometry,
    areaIds: row.area_ids,
    retiredAt: row.retired_at,
  };
}
