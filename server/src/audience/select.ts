// Who a bulletin is for: two disjoint sets of people for each commune.
//
// A resident has the home inside the target; a concerned person has a further place inside,
// or follows the account. One person counts once: residents before concerned, and of several
// communes the first by code. Everything is done by commune on whole bitmaps, never by person.
import { type BulletinType, STANDING_OF_TYPE } from "@loa/model/bulletin-type.ts";
import type { AudienceRule, ResolvedCommune, ResolvedTarget } from "@loa/model/target.ts";
import { RoaringBitmap32 } from "roaring-wasm";
import type { AreaTree } from "../registry/area.ts";
import { type AudienceBitmaps, type Dimension, standingId } from "./audience-bitmaps.ts";

export interface AudienceQuery {
  readonly resolved: ResolvedTarget;
  readonly rule: AudienceRule;
  /** The account whose followers are meant. */
  readonly accountOrdinal: number;
  readonly type: BulletinType;
}

/** The people of one commune, as bitmaps that the scope disposes. */
export interface SelectedCommune {
  readonly areaId: number;
  readonly residents: RoaringBitmap32;
  readonly concerned: RoaringBitmap32;
}

export interface Selection {
  readonly communes: readonly SelectedCommune[];
  readonly residents: RoaringBitmap32;
  readonly concerned: RoaringBitmap32;
}

/** Bitmaps that end with their scope: WebAssembly memory is not collected. */
export interface Scope extends Disposable {
  own(bitmap: RoaringBitmap32): RoaringBitmap32;
}

export function openScope(): Scope {
  const owned: RoaringBitmap32[] = [];
  return {
    own(bitmap) {
      owned.push(bitmap);
      return bitmap;
    },
    [Symbol.dispose]() {
      for (const bitmap of owned) bitmap.dispose();
    },
  };
}

/** Selects the audience. Communes without anybody are left out; the rest come in the target's order. */
export function selectAudience(
  bitmaps: AudienceBitmaps,
  tree: AreaTree,
  query: AudienceQuery,
  scope: Scope,
): Selection {
  const empty = scope.own(new RoaringBitmap32());
  // Always: an Exercise sees the synthetic people only, everything else the public only.
  const standing = bitmaps.get("standing", standingId(STANDING_OF_TYPE[query.type])) ?? empty;
  const followers = scope.own(
    query.rule === "residents"
      ? new RoaringBitmap32()
      : RoaringBitmap32.and(bitmaps.get("follow", query.accountOrdinal) ?? empty, standing),
  );
  const eligible = query.rule === "followers" ? followers : standing;
  const residents = scope.own(new RoaringBitmap32());
  const communes = new Map<number, SelectedCommune>();
  const communeOf = (areaId: number): SelectedCommune => {
    let commune = communes.get(areaId);
    if (!commune) {
      const open = () => scope.own(new RoaringBitmap32());
      communes.set(areaId, (commune = { areaId, residents: open(), concerned: open() }));
    }
    return commune;
  };
  /** Adds to `into` whom `from` has and `taken` has not yet, and takes them. */
  const take = (from: RoaringBitmap32, taken: RoaringBitmap32, into: () => RoaringBitmap32) => {
    from.andNotInPlace(taken);
    if (!from.isEmpty) {
      taken.orInPlace(from);
      into().orInPlace(from);
    }
    from.dispose();
  };
  const targets = query.resolved.communes.toSorted((a, b) => compareCodes(a.code, b.code));
  for (const target of targets) {
    const inside = peopleOf(bitmaps, tree, target, "home", "village");
    inside.andInPlace(eligible);
    take(inside, residents, () => communeOf(target.areaId).residents);
  }
  const taken = scope.own(residents.clone());
  for (const target of targets) {
    const inside = peopleOf(bitmaps, tree, target, "place", "place");
    inside.andInPlace(eligible);
    take(inside, taken, () => communeOf(target.areaId).concerned);
  }
  followers.andNotInPlace(taken);
  if (!followers.isEmpty) {
    const current = currentCommunes(tree);
    for (const home of bitmaps.ids("home")) {
      const living = RoaringBitmap32.and(bitmaps.get("home", home) ?? empty, followers);
      take(living, taken, () => communeOf(current(home)).concerned);
    }
  }
  const concerned = scope.own(RoaringBitmap32.andNot(taken, residents));
  return { communes: [...communes.values()], residents, concerned };
}

/** Everybody who is at home, or has a further place, in a commune or in some of its villages. */
export function peopleOf(
  bitmaps: AudienceBitmaps,
  tree: AreaTree,
  target: Pick<ResolvedCommune, "areaId" | "villageIds">,
  ofCommune: Dimension,
  ofVillage: Dimension,
): RoaringBitmap32 {
  const dimension = target.villageIds ? ofVillage : ofCommune;
  const found: RoaringBitmap32[] = [];
  for (const unit of target.villageIds ?? [target.areaId])
    for (const id of tree.countedIn(unit)) {
      const bitmap = bitmaps.get(dimension, id);
      if (bitmap) found.push(bitmap);
    }
  const [only, second] = found;
  if (only && !second) return only.clone();
  return RoaringBitmap32.orMany(found);
}

/** Codes in the order in which "the first by code" is meant: by UTF-16 unit, everywhere the same. */
export const compareCodes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** In which of today's communes the people of a unit are counted when there may be only one. */
export function currentCommunes(tree: AreaTree): (areaId: number) => number {
  const known = new Map<number, number>();
  return (areaId) => {
    let current = known.get(areaId);
    if (current === undefined) {
      const [first] = tree
        .currentOf(areaId)
        .map(({ area }) => area)
        .toSorted((a, b) => compareCodes(a.code, b.code));
      known.set(areaId, (current = first?.id ?? areaId));
    }
    return current;
  };
}
