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
  // Who has not been taken yet. Each person is taken once, so all that follows is disjoint.
  const left = scope.own(eligible.clone());
  const communes = new Map<number, SelectedCommune>();
  const take = (people: RoaringBitmap32, areaId: number, part: "residents" | "concerned") => {
    if (people.isEmpty) return people.dispose();
    scope.own(people);
    const others = communes.get(areaId) ?? { areaId, residents: empty, concerned: empty };
    const whole =
      others[part] === empty ? people : scope.own(RoaringBitmap32.or(others[part], people));
    communes.set(areaId, { ...others, [part]: whole });
  };
  const targets = query.resolved.communes.toSorted((a, b) => compareCodes(a.code, b.code));
  for (const target of targets)
    for (const people of peopleOf(bitmaps, tree, target, "home", "village"))
      take(takeFrom(left, people), target.areaId, "residents");
  const residents = scope.own(RoaringBitmap32.andNot(eligible, left));
  for (const target of targets) {
    if (left.isEmpty) break;
    for (const people of peopleOf(bitmaps, tree, target, "place", "place"))
      take(takeFrom(left, people), target.areaId, "concerned");
  }
  const inside = scope.own(RoaringBitmap32.andNot(eligible, left));
  const elsewhere = scope.own(RoaringBitmap32.andNot(followers, inside));
  if (!elsewhere.isEmpty) {
    const current = currentCommunes(tree);
    for (const home of bitmaps.ids("home"))
      take(
        RoaringBitmap32.and(bitmaps.get("home", home) ?? empty, elsewhere),
        current(home),
        "concerned",
      );
  }
  const concerned = scope.own(RoaringBitmap32.or(inside, elsewhere));
  concerned.andNotInPlace(residents);
  return { communes: [...communes.values()], residents, concerned };
}

/** Those of some people who are left; they are no longer left then. */
function takeFrom(left: RoaringBitmap32, people: RoaringBitmap32): RoaringBitmap32 {
  const taken = RoaringBitmap32.and(people, left);
  if (!taken.isEmpty) left.andNotInPlace(taken);
  return taken;
}

/** The bitmaps of everybody at home, or with a further place, in a commune or some of its villages. */
function* peopleOf(
  bitmaps: AudienceBitmaps,
  tree: AreaTree,
  { areaId, villageIds }: ResolvedCommune,
  ofCommune: Dimension,
  ofVillage: Dimension,
): Generator<RoaringBitmap32> {
  for (const unit of villageIds ?? [areaId])
    for (const id of tree.countedIn(unit)) {
      const people = bitmaps.get(villageIds ? ofVillage : ofCommune, id);
      if (people) yield people;
    }
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
