// From the code of a unit, as people and lists write it, to the place that is stored.
//
// A home or further place is a commune, or a village with its commune. Codes of former
// units are understood: one that went whole into a commune becomes that commune; one that
// was divided is kept as the former unit, whose people then count in every candidate until
// they say where they live. If the former unit is not on file, the code is refused with the
// candidates, and never guessed.
import { Problem } from "@loa/model/problem.ts";
import { type Area, type AreaTree, resolveCode } from "./area.ts";

/** Most distinct codes that are remembered while reading one list. */
const REMEMBERED_MAX = 200_000;

/** A stored place. One book gives one object for one place. */
export interface Place {
  readonly communeId: number;
  readonly villageId: number | null;
  /** Its number within the book, dense from 0. */
  readonly index: number;
}

export type PlaceAnswer =
  | { readonly kind: "place"; readonly place: Place }
  /** `what` continues a sentence that begins with the code. */
  | { readonly kind: "fault"; readonly what: string };

/** Finds places by code, and remembers what it found. */
export type PlaceBook = (code: string) => PlaceAnswer;

/**
 * @param asOf the date (YYYY-MM-DD) whose codes these are, for lists made before a reform in which
 * codes changed their meaning; without it, a code that is in force means what it means now.
 */
export function openPlaceBook(tree: AreaTree, asOf?: string): PlaceBook {
  const known = new Map<string, PlaceAnswer>();
  const places = new Map<number, PlaceAnswer>();
  /** Several codes may come to one place. */
  const unify = (area: Area): PlaceAnswer => {
    let answer = places.get(area.id);
    if (!answer) places.set(area.id, (answer = placeOf(tree, area, places.size)));
    return answer;
  };
  return (code) => {
    let answer = known.get(code);
    if (!answer) {
      answer = findPlace(tree, code, asOf, unify);
      if (known.size >= REMEMBERED_MAX) known.clear();
      known.set(code, answer);
    }
    return answer;
  };
}

function findPlace(
  tree: AreaTree,
  code: string,
  asOf: string | undefined,
  placeOf: (area: Area) => PlaceAnswer,
): PlaceAnswer {
  try {
    const { current, part, former } = resolveCode(tree, code, asOf);
    const [only] = current;
    if (!part && only) return placeOf(only.area);
    // Who lived in a divided unit counts in every candidate: that is what its own id says.
    if (former) return placeOf(former);
    const candidates = current.map(({ area }) => `${area.code} ${area.name.vi}`).toSorted();
    return { kind: "fault", what: `was divided; name one of ${candidates.join(", ")}` };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { kind: "fault", what: "is not the code of any unit" };
  }
}

function placeOf(tree: AreaTree, area: Area, index: number): PlaceAnswer {
  if (area.level === "commune")
    return { kind: "place", place: { communeId: area.id, villageId: null, index } };
  const commune = area.level === "village" ? tree.communeOf(area.id) : undefined;
  if (commune)
    return { kind: "place", place: { communeId: commune.id, villageId: area.id, index } };
  return { kind: "fault", what: `is a ${area.level}; a commune or village is wanted` };
}
