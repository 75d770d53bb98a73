// Activates a pack that was read without fault: the only writer of area_pack, area and
// area_successor. All of it is one transaction, so that every reader sees either the old
// units or the new ones; the zones' lists move along in the same commit.
import {
  AREA_PACK_FAULTS_MAX,
  type AreaPackInput,
  type AreaPackReport,
} from "@loa/model/area-pack.ts";
import { Problem } from "@loa/model/problem.ts";
import type pg from "pg";
import type { Pool } from "../db/connection.ts";
import { inTransaction } from "../db/transaction.ts";
import type { ReadPack } from "./area-pack-read.ts";
import type { PackSuccession, PackUnit } from "./area-pack-units.ts";

/** Any constant will do; it keeps two imports from interleaving. */
const IMPORT_LOCK = 0x10a_0002;
/** Rows of one INSERT: keeps a statement with shapes to a few megabytes. */
const ROWS_PER_INSERT = 500;

/** @throws {Problem} area-pack-clash, area-pack-invalid; nothing was stored */
export async function activatePack(
  pool: Pool,
  { name, validFrom }: AreaPackInput,
  pack: ReadPack,
): Promise<AreaPackReport> {
  return inTransaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock($1)", [IMPORT_LOCK]);
    await refuseClashes(client, name, pack.units);
    const before = await readActiveVersion(client, name, validFrom);
    const successions = completeSuccessions(name, before?.units ?? [], pack);
    if (before)
      await client.query("UPDATE area_pack SET state = 'superseded' WHERE id = $1", [
        before.packId,
      ]);
    const { rows } = await client.query<{ id: number }>(
      "INSERT INTO area_pack (name, valid_from, state) VALUES ($1, $2, 'active') RETURNING id",
      [name, validFrom],
    );
    const packId = (rows[0] as { id: number }).id;
    const ids = await insertUnits(client, packId, pack.units);
    await insertSuccessions(client, packId, successions, ids);
    const zones = before ? await moveZones(client, before.units, successions, ids) : [];
    const units: Record<string, number> = {};
    for (const { level } of pack.units) units[level] = (units[level] ?? 0) + 1;
    return {
      packId,
      name,
      validFrom,
      units,
      successors: {
        rows: pack.successions.length,
        partial: pack.successions.filter(({ part }) => part).length,
        skipped: pack.skippedSuccessions,
      },
      untangled: pack.untangled,
      zones,
    };
  });
}

/** A code means one thing: no other active pack may have it. */
async function refuseClashes(client: pg.PoolClient, name: string, units: readonly PackUnit[]) {
  const { rows } = await client.query<{ code: string; pack: string; name_vi: string }>(
    // Units of other active packs whose code the pack that is being imported would use again.
    `SELECT area.code, area.name_vi, area_pack.name AS pack
       FROM area JOIN area_pack ON area_pack.id = area.pack_id
      WHERE area_pack.state = 'active' AND area_pack.name <> $1 AND area.code = ANY($2)
      ORDER BY area.code LIMIT $3`,
    [name, units.map(({ code }) => code), AREA_PACK_FAULTS_MAX],
  );
  if (rows.length === 0) return;
  const places = new Map(units.map(({ code, at }) => [code, at]));
  const faults = rows.map(({ code, name_vi, pack }) => ({
    at: places.get(code) as string,
    what: `code ${code} is taken by ${name_vi} of the active pack ${pack}`,
  }));
  throw new Problem(
    "area-pack-clash",
    `The area pack ${name} was refused and nothing of it was stored. ${faults[0]?.at}: ${faults[0]?.what}.`,
    faults,
  );
}

interface FormerUnit {
  readonly id: number;
  readonly code: string;
  readonly level: string;
  readonly parentId: number | null;
}

/** The version of the pack that is in force, which the import supersedes. */
async function readActiveVersion(client: pg.PoolClient, name: string, validFrom: string) {
  const { rows } = await client.query<{ id: number; valid_from: string; future: boolean }>(
    `SELECT id, valid_from, $2::date > current_date + 1 AS future
       FROM (SELECT id, valid_from FROM area_pack WHERE name = $1 AND state = 'active'
             UNION ALL SELECT NULL, NULL) versions
      ORDER BY id NULLS LAST LIMIT 1`,
    [name, validFrom],
  );
  const active = rows[0];
  if (active?.future)
    throw new Problem(
      "area-pack-invalid",
      `The area pack ${name} would be in force from ${validFrom}. An import is activated at once; import it on that day.`,
      [{ at: "validFrom", what: "lies in the future" }],
    );
  if (!active || active.id === null) return null;
  if (active.valid_from >= validFrom)
    throw new Problem(
      "area-pack-clash",
      `The area pack ${name} valid from ${active.valid_from} is active; only a version valid from a later day can supersede it.`,
      [{ at: "validFrom", what: `${validFrom} is not after ${active.valid_from}` }],
    );
  const { rows: units } = await client.query<FormerUnit>(
    `SELECT id, code, level, parent_id AS "parentId" FROM area WHERE pack_id = $1 ORDER BY id`,
    [active.id],
  );
  return { packId: active.id, units };
}

/**
 * The pack's own table, and for every former unit that it does not speak of: the same code. A
 * commune or anything above it that would vanish without a successor is refused, for people
 * live there; a village may, for its people still belong to the commune.
 */
function completeSuccessions(
  name: string,
  former: readonly FormerUnit[],
  pack: ReadPack,
): PackSuccession[] {
  const spoken = new Set(pack.successions.map(({ oldCode }) => oldCode));
  const codes = new Set(pack.units.map(({ code }) => code));
  const silent = former.filter(({ code }) => !spoken.has(code));
  const belowCommune = findBelowCommune(former);
  const vanished = silent.filter(({ id, code }) => !codes.has(code) && !belowCommune.has(id));
  if (vanished.length > 0)
    throw new Problem(
      "area-pack-invalid",
      `The area pack ${name} was refused and nothing of it was stored. ${vanished.length} units that are in force have no successor in it, as ${vanished[0]?.level} ${vanished[0]?.code}: their people would be forgotten.`,
      vanished.slice(0, AREA_PACK_FAULTS_MAX).map(({ code, level }) => ({
        at: "successors",
        what: `${level} ${code} is neither in the pack nor in its table of successors`,
      })),
    );
  const persisting = silent
    .filter(({ code }) => codes.has(code))
    .map(({ code }) => ({ oldCode: code, oldName: null, newCode: code, part: false }));
  return [...pack.successions, ...persisting];
}

function findBelowCommune(units: readonly FormerUnit[]): Set<number> {
  const below = new Set<number>();
  const communes = new Set(units.filter(({ level }) => level === "commune").map(({ id }) => id));
  // Parents come before children.
  for (const { id, parentId } of units)
    if (parentId !== null && (communes.has(parentId) || below.has(parentId))) below.add(id);
  return below;
}

/** Inserts level by level, for a child needs its parent's id; answers the id of each code. */
async function insertUnits(
  client: pg.PoolClient,
  packId: number,
  units: readonly PackUnit[],
): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  for (const level of new Set(units.map((unit) => unit.level))) {
    const all = units.filter((unit) => unit.level === level);
    for (let i = 0; i < all.length; i += ROWS_PER_INSERT) {
      const part = all.slice(i, i + ROWS_PER_INSERT);
      const { rows } = await client.query<{ id: number; code: string }>(
        `INSERT INTO area (pack_id, level, code, kind, parent_id, name_vi, name_en, population, geometry)
         SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::int[], $9::jsonb[])
         RETURNING id, code`,
        [
          packId,
          level,
          part.map(({ code }) => code),
          part.map(({ kind }) => kind),
          part.map(({ parent }) => (parent === null ? null : ids.get(parent))),
          part.map(({ nameVi }) => nameVi),
          part.map(({ nameEn }) => nameEn),
          part.map(({ population }) => population),
          part.map(({ geometry }) => geometry),
        ],
      );
      for (const { id, code } of rows) ids.set(code, id);
    }
  }
  return ids;
}

async function insertSuccessions(
  client: pg.PoolClient,
  packId: number,
  successions: readonly PackSuccession[],
  ids: ReadonlyMap<string, number>,
): Promise<void> {
  await client.query(
    `INSERT INTO area_successor (pack_id, old_code, old_name, new_area_id, part)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::int[], $5::boolean[])`,
    [
      packId,
      successions.map(({ oldCode }) => oldCode),
      successions.map(({ oldName }) => oldName),
      successions.map(({ newCode }) => ids.get(newCode)),
      successions.map(({ part }) => part),
    ],
  );
}

/**
 * Replaces former units in the zones' lists by all their successors. A zone never loses ground: for
 * a village that vanished its commune's successors stand in, which is reported as widened.
 */
async function moveZones(
  client: pg.PoolClient,
  former: readonly FormerUnit[],
  successions: readonly PackSuccession[],
  ids: ReadonlyMap<string, number>,
): Promise<AreaPackReport["zones"]> {
  const byId = new Map(former.map((unit) => [unit.id, unit]));
  const byOldCode = Map.groupBy(successions, ({ oldCode }) => oldCode);
  const { rows: zones } = await client.query<{ id: string; code: string; areas: number[] }>(
    `SELECT id, code, area_ids AS areas FROM zone
      WHERE retired_at IS NULL AND area_ids && $1 ORDER BY code FOR UPDATE`,
    [former.map(({ id }) => id)],
  );
  const moved = [];
  for (const { id, code, areas } of zones) {
    let widened = false;
    const follow = (areaId: number): number[] => {
      const unit = byId.get(areaId);
      // A unit of another pack stays as it is.
      if (!unit) return [areaId];
      const rows = byOldCode.get(unit.code);
      if (rows) {
        widened ||= rows.some(({ part }) => part);
        return rows.map(({ newCode }) => ids.get(newCode) as number);
      }
      widened = true;
      return unit.parentId === null ? [] : follow(unit.parentId);
    };
    const next = [...new Set(areas.flatMap(follow))];
    await client.query("UPDATE zone SET area_ids = $2 WHERE id = $1", [id, next]);
    moved.push({ code, widened });
  }
  return moved;
}
