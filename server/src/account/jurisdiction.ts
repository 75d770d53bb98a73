// Whether a unit lies in a jurisdiction. Codes are looked up in the packs that are active, and
// compared by the unit's id, so that the same code in an older pack means nothing here.
import type { IsInside } from "@loa/model/entitlement.ts";

/** What is asked of the tree of areas (registry/area.ts). */
export interface PlaceLookup {
  byCode(code: string): { readonly id: number } | undefined;
  byId(
    id: number,
  ): { readonly id: number; readonly code: string; readonly parentId: number | null } | undefined;
}

/** Whether the unit of an id is the unit of a code or lies below it. */
export function insideBy(places: PlaceLookup): IsInside {
  // A nation-wide target asks for thousands of communes, each against every code of a jurisdiction.
  const lines = new Map<number, readonly number[]>();
  return (areaId, code) => {
    const above = places.byCode(code);
    if (above === undefined) return false;
    let line = lines.get(areaId);
    if (line === undefined) lines.set(areaId, (line = lineOf(places, areaId)));
    return line.includes(above.id);
  };
}

/** A unit and all above it. */
function lineOf(places: PlaceLookup, areaId: number): number[] {
  const line: number[] = [];
  for (let unit = places.byId(areaId); unit !== undefined;) {
    line.push(unit.id);
    unit = unit.parentId === null ? undefined : places.byId(unit.parentId);
  }
  return line;
}

/** The same for two codes. */
export function codeInsideBy(places: PlaceLookup): (code: string, above: string) => boolean {
  const isInside = insideBy(places);
  return (code, above) => {
    const unit = places.byCode(code);
    return unit !== undefined && isInside(unit.id, above);
  };
}
