// The places as the public site knows them: plain data, taken from the tree of areas, so that a copy
// on disk answers the same questions while the database was never reached.
import { Problem } from "@loa/model/problem.ts";
import type { Bilingual } from "@loa/model/text.ts";
import { type AreaTree, resolveCode } from "../registry/area.ts";
import { INVENTED_PACK } from "./publication.ts";
import type { NamedUnit } from "./page/area-page.ts";
import type { SitePlaces } from "./site.ts";

/** Of the form below; a copy of another form is not read, and is written again. */
export const PLACES_VERSION = 2;

export interface PlaceRecord {
  readonly v: typeof PLACES_VERSION;
  readonly isInvented: boolean;
  /** Parents before children. */
  readonly units: readonly PlaceUnit[];
  readonly former: readonly FormerPlace[];
}

/** A code that no unit has any more, and the units of today in which its area is. */
export interface FormerPlace {
  readonly code: string;
  /** As the unit was called, where that is known. */
  readonly name: string | null;
  readonly into: readonly string[];
}

export interface PlaceUnit {
  readonly code: string;
  readonly level: string;
  readonly name: Bilingual;
  /** Code of the unit around it. */
  readonly parent: string | null;
}

/** What the site needs of a tree. */
export function recordPlaces(tree: AreaTree): PlaceRecord {
  return {
    v: PLACES_VERSION,
    isInvented: tree.packs.some(({ name }) => name === INVENTED_PACK),
    units: tree.areas.map(({ code, level, name, parentId }) => ({
      code,
      level,
      name,
      parent: parentId === null ? null : (tree.byId(parentId)?.code ?? null),
    })),
    former: recordFormer(tree),
  };
}

/** A code that is in force again means what it means now, and is no former one. */
function recordFormer(tree: AreaTree): FormerPlace[] {
  const codes = new Set(
    tree.versions.flatMap(({ active, byCode, successors }) => [
      ...(active ? [] : byCode.keys()),
      ...successors.keys(),
    ]),
  );
  return [...codes]
    .filter((code) => tree.byCode(code) === undefined)
    .flatMap((code) => {
      const found = resolveFormer(tree, code);
      if (!found) return [];
      const { formerName, current } = found;
      return [{ code, name: formerName, into: current.map(({ area }) => area.code) }];
    });
}

function resolveFormer(tree: AreaTree, code: string) {
  try {
    return resolveCode(tree, code);
  } catch (fault) {
    // Its table of successors was never imported, so nobody knows what became of it.
    if (fault instanceof Problem && fault.code === "area-unknown") return undefined;
    throw fault;
  }
}

/** Nothing is known of any place, as on a first start. */
export const NO_PLACES: PlaceRecord = {
  v: PLACES_VERSION,
  isInvented: false,
  units: [],
  former: [],
};

/** Communes are sorted once, when they are first asked for. */
export function openPlaces({ isInvented, units, former }: PlaceRecord): SitePlaces {
  const byCode = new Map(units.map((unit) => [unit.code, unit]));
  const formerByCode = new Map(former.map((place) => [place.code, place]));
  const named = ({ code, name, parent }: PlaceUnit): NamedUnit => ({
    code,
    name,
    within: parent === null ? null : (byCode.get(parent)?.name ?? null),
  });
  let sorted: ReturnType<SitePlaces["communes"]> | undefined;
  return {
    find(code) {
      const unit = byCode.get(code);
      if (!unit) return undefined;
      return { code, name: unit.name, commune: communeAround(unit, byCode) };
    },
    former(code) {
      const place = formerByCode.get(code);
      const into = place?.into.flatMap((each) => byCode.get(each) ?? []) ?? [];
      return place && into.length > 0
        ? { code, name: place.name, into: into.map(named) }
        : undefined;
    },
    communes() {
      const collator = new Intl.Collator("vi");
      sorted ??= units
        .filter(({ level }) => level === "commune")
        .map(named)
        .toSorted((a, b) => collator.compare(a.name.vi, b.name.vi));
      return sorted;
    },
    isInvented: () => isInvented,
  };
}

/** Of a village: a bulletin for its commune is for it too. */
function communeAround(
  unit: PlaceUnit,
  byCode: ReadonlyMap<string, PlaceUnit>,
): string | undefined {
  if (unit.level !== "village") return undefined;
  let around: PlaceUnit | undefined = unit;
  while (around && around.level !== "commune")
    around = around.parent === null ? undefined : byCode.get(around.parent);
  return around?.code;
}
