// A small invented district for tests that need places and accounts in the database: a former
// pack and today's, with a commune that went whole and one that was divided.
import type { Db } from "../src/db/connection.ts";
import { newId } from "../src/db/id.ts";
import { type AreaTree, loadAreaTree } from "../src/registry/area.ts";

export interface District {
  readonly tree: AreaTree;
  /** Area ids by code. */
  readonly areas: ReadonlyMap<string, number>;
  /** Account ordinals by handle. */
  readonly accounts: ReadonlyMap<string, number>;
}

const FORMER = [
  ["09001", "commune", null, "Xã Lụa Cũ"],
  ["09002", "commune", null, "Xã Đò Ngang"],
] as const;
const CURRENT = [
  ["01", "province", null, "Tỉnh Sông Lụa"],
  ["00101", "commune", "01", "Xã Lụa Thượng"],
  ["00102", "commune", "01", "Xã Lụa Hạ"],
  ["00103", "commune", "01", "Phường Bến Đò"],
  ["00101-1", "village", "00101", "Thôn Bãi Giữa"],
  ["00101-2", "village", "00101", "Thôn Gò Cao"],
  ["00102-1", "village", "00102", "Thôn Cửa Sông"],
] as const;
/** 09001 went whole to 00101; 09002 was divided; 09003, of no imported pack, was divided too. */
const SUCCESSORS = [
  ["09001", "00101", false],
  ["09002", "00102", true],
  ["09002", "00103", true],
  ["09003", "00101", true],
  ["09003", "00103", true],
] as const;

/** Inserts the district's areas and two accounts, `tinh-song-lua` and `xa-lua-ha`. */
export async function createDistrict(db: Db): Promise<District> {
  const areas = new Map<string, number>();
  for (const [validFrom, state, units] of [
    ["2020-01-01", "superseded", FORMER],
    ["2025-07-01", "active", CURRENT],
  ] as const) {
    const pack = await db
      .insertInto("area_pack")
      .values({ name: "Sông Lụa", valid_from: validFrom, state })
      .returning("id")
      .executeTakeFirstOrThrow();
    for (const [code, level, parent, name] of units) {
      const row = await db
        .insertInto("area")
        .values({
          pack_id: pack.id,
          code,
          level,
          kind: null,
          parent_id: parent === null ? null : (areas.get(parent) ?? null),
          name_vi: name,
          name_en: name,
          population: level === "commune" ? 5_000 : null,
          geometry: null,
        })
        .returning("id")
        .executeTakeFirstOrThrow();
      areas.set(code, row.id);
    }
    if (state === "active")
      await db
        .insertInto("area_successor")
        .values(
          SUCCESSORS.map(([old, current, part]) => ({
            pack_id: pack.id,
            old_code: old,
            old_name: null,
            new_area_id: areas.get(current) as number,
            part,
          })),
        )
        .execute();
  }
  const agency = newId();
  await db
    .insertInto("agency")
    .values({
      id: agency,
      parent_id: null,
      name_vi: "Uỷ ban nhân dân tỉnh Sông Lụa",
      name_en: "People's Committee of Sông Lụa",
      entitlement: "{}",
      suspended_at: null,
    })
    .execute();
  const accounts = new Map<string, number>();
  for (const handle of ["tinh-song-lua", "xa-lua-ha"]) {
    const row = await db
      .insertInto("official_account")
      .values({
        id: newId(),
        agency_id: agency,
        handle,
        name_vi: handle,
        name_en: handle,
        verified_at: null,
      })
      .returning("ordinal")
      .executeTakeFirstOrThrow();
    accounts.set(handle, row.ordinal);
  }
  return { tree: await loadAreaTree(db), areas, accounts };
}
