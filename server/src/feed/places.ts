// The places as the public site knows them: plain data, taken from the tree of areas, so that a copy
// on disk answers the same questions while the database was never reached.
import type { Bilingual } from "@loa/model/text.ts";
import type { AreaTree } from "../registry/area.ts";
import { INVENTED_PACK } from "./publication.ts";
import type { SitePlaces } from "./site.ts";

/** Of the form below; a copy of another form is not read, and is written again. */
export const PLACES_VERSION = 1;

export interface PlaceRecord {
  readonly v: typeof PLACES_VERSION;
  readonly isInvented: boolean;
  /** Parents before children. */
  readonly units: readonly PlaceUnit[];
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
  };
}

/** Nothing is known of any place, as on a first start. */
export const NO_PLACES: PlaceRecord = { v: PLACES_VERSION, isInvented: false, units: [] };

/** Communes are sorted once, when they are first asked for. */
export function openPlaces({ isInvented, units }: PlaceRecord): SitePlaces {
  const byCode = new Map(units.map((unit) => [unit.code, unit]));
  let sorted: ReturnType<SitePlaces["communes"]> | undefined;
  return {
    find(code) {
      const unit = byCode.get(code);
      if (!unit) return undefined;
      return { code, name: unit.name, commune: communeAround(unit, byCode) };
    },
    communes() {
      const collator = new Intl.Collator("vi");
      sorted ??= units
        .filter(({ level }) => level === "commune")
        .map(({ code, name, parent }) => ({
          code,
          name,
          within: parent === null ? null : (byCode.get(parent)?.name ?? null),
        }))
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
