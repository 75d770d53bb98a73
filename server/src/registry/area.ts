// The units of all packs as one tree in memory, without their shapes. A unit's id is for
// life: people keep the id of the unit in which they registered, and the tree says in which of
// today's units they count. A person whose former unit was divided counts in every
// candidate until the person says where home is: rather warned twice than forgotten.
import { Problem } from "@loa/model/problem.ts";
import type { Db } from "../db/connection.ts";

export interface Area {
  readonly id: number;
  readonly packId: number;
  readonly code: string;
  /** Levels are open; `province`, `commune` and `village` have a meaning for audiences. */
  readonly level: string;
  /** What such a unit is called there: phường, xã, thôn, ... */
  readonly kind: string | null;
  readonly parentId: number | null;
  readonly name: { readonly vi: string; readonly en: string };
  readonly population: number | null;
}

export interface AreaPack {
  readonly id: number;
  readonly name: string;
  readonly validFrom: string;
}

/** A unit of a later pack into which a former one went. */
export interface Successor {
  readonly area: Area;
  /** Only a part of the former unit went here. */
  readonly part: boolean;
}

/** All units that a code or a stored id can mean. Immutable; a fresh one is loaded after an import. */
export interface AreaTree {
  /** The active packs. */
  readonly packs: readonly AreaPack[];
  /** All units of the active packs, parents before children. */
  readonly areas: readonly Area[];
  /** A unit of an active pack. */
  byCode(code: string): Area | undefined;
  /** A unit of any pack, also of one that was superseded. */
  byId(id: number): Area | undefined;
  isActive(id: number): boolean;
  children(id: number): readonly Area[];
  /** The communes of a province or any other unit; a commune itself; none for a village. */
  communesUnder(id: number): readonly Area[];
  /** The commune of a village or of a commune itself; undefined for what lies above. */
  communeOf(id: number): Area | undefined;
  /** Ids of an active unit and of all former ones whose people count in it, wholly or perhaps. */
  countedIn(id: number): readonly number[];
  /** The active units in which the people of a unit count; an active unit answers itself. */
  currentOf(id: number): readonly Successor[];
  /** Every version of every pack with its table of successors, oldest first; for resolveCode. */
  readonly versions: readonly PackVersion[];
}

export interface PackVersion extends AreaPack {
  readonly active: boolean;
  readonly byCode: ReadonlyMap<string, Area>;
  readonly successors: ReadonlyMap<string, readonly SuccessorRow[]>;
}

export interface SuccessorRow {
  readonly oldName: string | null;
  readonly areaId: number;
  readonly part: boolean;
}

/** Reads all packs. About 60 bytes of row per unit; shapes stay in the database. */
export async function loadAreaTree(db: Db): Promise<AreaTree> {
  // One snapshot: an import that commits in between must be seen wholly or not at all.
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (tx) => {
      const packs = await tx.selectFrom("area_pack").selectAll().orderBy("valid_from").execute();
      const rows = await tx
        .selectFrom("area")
        .select([
          "id",
          "pack_id",
          "code",
          "level",
          "kind",
          "parent_id",
          "name_vi",
          "name_en",
          "population",
        ])
        .orderBy("id")
        .execute();
      const successors = await tx.selectFrom("area_successor").selectAll().execute();
      const areas = rows.map((row) => ({
        id: row.id,
        packId: row.pack_id,
        code: row.code,
        level: row.level,
        kind: row.kind,
        parentId: row.parent_id,
        name: { vi: row.name_vi, en: row.name_en },
        population: row.population,
      }));
      return buildAreaTree(
        packs.map((pack) => ({
          id: pack.id,
          name: pack.name,
          validFrom: pack.valid_from,
          active: pack.state === "active",
        })),
        areas,
        successors.map((row) => ({
          packId: row.pack_id,
          oldCode: row.old_code,
          oldName: row.old_name,
          areaId: row.new_area_id,
          part: row.part,
        })),
      );
    });
}

/**
 * Builds the tree from rows.
 * @param packs oldest first
 * @param areas parents before children
 */
export function buildAreaTree(
  packs: readonly (AreaPack & { readonly active: boolean })[],
  areas: readonly Area[],
  successors: readonly (SuccessorRow & { readonly packId: number; readonly oldCode: string })[],
): AreaTree {
  const byId = new Map(areas.map((area) => [area.id, area]));
  const children = Map.groupBy(areas, (area) => area.parentId);
  const areasOfPack = Map.groupBy(areas, (area) => area.packId);
  const rowsOfPack = Map.groupBy(successors, (row) => row.packId);
  const versions = packs.map((pack) => ({
    ...pack,
    byCode: new Map((areasOfPack.get(pack.id) ?? []).map((area) => [area.code, area])),
    successors: Map.groupBy(rowsOfPack.get(pack.id) ?? [], (row) => row.oldCode),
  }));
  const activePacks = new Set(packs.filter(({ active }) => active).map(({ id }) => id));
  const current = areas.filter(({ packId }) => activePacks.has(packId));
  const byCode = new Map(current.map((area) => [area.code, area]));
  const successorsOf = followSuccessors(versions, byId);
  const counted = new Map(current.map(({ id }) => [id, [id]]));
  for (const [formerId, list] of successorsOf)
    for (const { area } of list) counted.get(area.id)?.push(formerId);
  const isActive = (id: number) => activePacks.has(byId.get(id)?.packId ?? -1);
  const known = new Map<number, readonly Area[]>();
  const communesUnder = (id: number): readonly Area[] => {
    const found = known.get(id);
    if (found) return found;
    const area = byId.get(id);
    const communes =
      area?.level === "commune"
        ? [area]
        : (children.get(id) ?? []).flatMap((child) => communesUnder(child.id));
    // Only of what there is: a caller may ask for any number.
    if (area) known.set(id, communes);
    return communes;
  };
  const communeOf = (id: number): Area | undefined => {
    let area = byId.get(id);
    while (area && area.level !== "commune")
      area = area.parentId === null ? undefined : byId.get(area.parentId);
    return area;
  };
  return {
    packs: packs
      .filter(({ active }) => active)
      .map(({ id, name, validFrom }) => ({ id, name, validFrom })),
    areas: current,
    versions,
    byCode: (code) => byCode.get(code),
    byId: (id) => byId.get(id),
    isActive,
    children: (id) => children.get(id) ?? [],
    communesUnder,
    communeOf,
    countedIn: (id) => counted.get(id) ?? [id],
    currentOf(id) {
      const area = byId.get(id);
      if (area && isActive(id)) return [{ area, part: false }];
      return successorsOf.get(id) ?? [];
    },
  };
}

/** For each unit of a superseded pack: the active units that its people count in. */
function followSuccessors(
  versions: readonly PackVersion[],
  byId: ReadonlyMap<number, Area>,
): Map<number, readonly Successor[]> {
  const result = new Map<number, readonly Successor[]>();
  const ofName = Map.groupBy(versions, ({ name }) => name);
  for (const line of ofName.values()) {
    // Newest first: what a unit's successors came to is known before the unit itself is asked.
    for (let i = line.length - 2; i >= 0; i--) {
      const { byCode } = line[i] as PackVersion;
      const next = line[i + 1] as PackVersion;
      for (const area of byCode.values()) {
        const steps = (next.successors.get(area.code) ?? []).flatMap(({ areaId, part }) => {
          const successor = byId.get(areaId) as Area;
          const further = next.active ? [{ area: successor, part: false }] : result.get(areaId);
          return (further ?? []).map((step) => ({ area: step.area, part: step.part || part }));
        });
        result.set(area.id, mergeSuccessors(steps));
      }
    }
  }
  return result;
}

/** Each unit once; more than one unit means that each of them got a part. */
function mergeSuccessors(steps: readonly Successor[]): Successor[] {
  const merged = new Map<number, Successor>();
  for (const step of steps) {
    const known = merged.get(step.area.id);
    merged.set(step.area.id, { area: step.area, part: step.part || (known?.part ?? false) });
  }
  return [...merged.values()].map((step) =>
    merged.size > 1 ? { area: step.area, part: true } : step,
  );
}

/** What a code means today. */
export interface CodeResolution {
  readonly code: string;
  /** The day whose codes were asked for, or null for today's. */
  readonly asOf: string | null;
  /** `current`: the code is in force; `former`: it is an older code, which may look the same. */
  readonly state: "current" | "former";
  /** The name that the unit bore, if it is a former one and its name is known. */
  readonly formerName: string | null;
  /** The former unit, if its pack was once imported. */
  readonly former: Area | undefined;
  readonly current: readonly Successor[];
  /** Only a part of the unit is in each of `current`: a person must say which. */
  readonly part: boolean;
}

/**
 * Follows a code through the tables of successors to today's units. Without a day, a code that is
 * in force means what it means now; with a day (`YYYY-MM-DD`), what it meant then.
 * @throws {Problem} area-unknown
 */
export function resolveCode(tree: AreaTree, code: string, asOf?: string): CodeResolution {
  const inForce = asOf === undefined ? tree.byCode(code) : undefined;
  if (inForce)
    return {
      code,
      asOf: null,
      state: "current",
      formerName: null,
      former: undefined,
      current: [{ area: inForce, part: false }],
      part: false,
    };
  for (const line of Map.groupBy(tree.versions, ({ name }) => name).values()) {
    const found = resolveInLine(tree, line, code, asOf);
    if (found) return found;
  }
  throw new Problem(
    "area-unknown",
    `No unit has the code ${code}${asOf === undefined ? " in an active pack, nor had it before" : ` as of ${asOf}`}.`,
  );
}

/** Within the versions of one pack, oldest first. */
function resolveInLine(
  tree: AreaTree,
  line: readonly PackVersion[],
  code: string,
  asOf: string | undefined,
): CodeResolution | undefined {
  const newest = line.length - 1;
  // The version whose table first speaks of the code as a former one, or in which it was in force.
  const base =
    asOf === undefined
      ? line.findLastIndex((version) => version.successors.has(code)) - 1
      : line.findLastIndex((version) => version.validFrom <= asOf);
  const former = line[base]?.byCode.get(code);
  if (asOf !== undefined && base === newest) {
    if (!former) return undefined;
    const current = [{ area: former, part: false }];
    return {
      code,
      asOf,
      state: "current",
      formerName: null,
      former: undefined,
      current,
      part: false,
    };
  }
  for (let i = Math.max(base, -1) + 1; i <= newest; i++) {
    const version = line[i] as PackVersion;
    const rows = version.successors.get(code);
    const persists = !rows && i === 0 ? version.byCode.get(code) : undefined;
    if (!rows && !persists) continue;
    const steps = rows
      ? rows.flatMap(({ areaId, part }) =>
          tree.currentOf(areaId).map((step) => ({ area: step.area, part: step.part || part })),
        )
      : tree.currentOf((persists as Area).id);
    const current = mergeSuccessors(steps);
    if (current.length === 0) return undefined;
    return {
      code,
      asOf: asOf ?? null,
      state: "former",
      formerName: former?.name.vi ?? rows?.find(({ oldName }) => oldName !== null)?.oldName ?? null,
      former,
      current,
      part: current.some(({ part }) => part),
    };
  }
  return undefined;
}
