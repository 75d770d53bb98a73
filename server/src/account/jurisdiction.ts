// Whether a unit lies in a jurisdiction. Codes are looked up in the packs that are active, and
// compared by the unit's id, so that the same code in an older pack means nothing here.
import type { InsideAny } from "@loa/model/entitlement.ts";

/** What is asked of the tree of areas (registry/area.ts). */
export interface PlaceLookup {
  byCode(code: string): { readonly id: number } | undefined;
  byId(
    id: number,
  ): { readonly id: number; readonly code: string; readonly parentId: number | null } | undefined;
}

/** Whether a unit lies in a jurisdiction: a nation-wide target asks for thousands of communes. */
export const insideBy =
  (places: PlaceLookup): InsideAny =>
  (codes) => {
    const ids = new Set(codes.map((code) => places.byCode(code)?.id));
    return (areaId) => {
      let unit = places.byId(areaId);
      while (unit !== undefined && !ids.has(unit.id))
        unit = unit.parentId === null ? undefined : places.byId(unit.parentId);
      return unit !== undefined;
    };
  };

/** Whether the unit of a code is the unit of another or lies below it. */
export function codeInsideBy(places: PlaceLookup): (code: string, above: string) => boolean {
  const insideAny = insideBy(places);
  return (code, above) => {
    const unit = places.byCode(code);
    return unit !== undefined && insideAny([above])(unit.id);
  };
}
