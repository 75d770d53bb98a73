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
import { shareOut } from "./share-out.ts";

export interface AudienceQuery {
  readonly resolved: ResolvedTarget;
  readonly rule: AudienceRule;
  /** The account whose followers are meant. */
  readonly accountOrdinal: number;
  readonly type: BulletinType;
}

/** The people of one commune, as bitmaps of the scope or of the index: to be read only. */
export interface SelectedCommune {
  readonly areaId: number;
  readonly residents: RoaringBitmap32;
  readonly concernedCount: number;
  /** Made anew at each call: who only counts needs no bitmap. */
  readonly concerned: () => RoaringBitmap32;
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

/**
 * Who is in both sets. Where one lies within the other that is the answer, as it is: to count is
 * cheap, and to make a new bitmap of 33 million people takes WebAssembly 25 ms.
 */
export function inBoth(a: RoaringBitmap32, b: RoaringBitmap32, scope: Scope): RoaringBitmap32 {
  const count = a.andCardinality(b);
  if (count === a.size) return a;
  return count === b.size ? b : scope.own(RoaringBitmap32.and(a, b));
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
  const findFollowers = () =>
    scope.own(RoaringBitmap32.and(bitmaps.get("follow", query.accountOrdinal) ?? empty, standing));
  const eligible = query.rule === "followers" ? findFollowers() : standing;
  const communes = new Map<number, Selected>();
  const communeOf = (areaId: number): Selected => {
    let commune = communes.get(areaId);
    if (!commune) {
      commune = { areaId, residents: empty, shares: [], followers: empty };
      communes.set(areaId, commune);
    }
    return commune;
  };
  const join = (others: RoaringBitmap32, people: RoaringBitmap32): RoaringBitmap32 =>
    others === empty ? people : scope.own(RoaringBitmap32.or(others, people));

  const targets = query.resolved.communes.toSorted((a, b) => compareCodes(a.code, b.code));
  const left = takeResidents(bitmaps, tree, targets, eligible, scope, (areaId, people) => {
    if (people.isEmpty) return;
    const commune = communeOf(areaId);
    commune.residents = join(commune.residents, people);
  });
  const residents = scope.own(RoaringBitmap32.andNot(eligible, left));
  const concerned = scope.own(
    takeConcerned(bitmaps, tree, targets, left, (areaId, share) => {
      if (share.length > 0) communeOf(areaId).shares.push(share);
    }),
  );
  // Where nobody is left, whoever follows is inside.
  if (query.rule !== "residents" && !left.isEmpty) {
    const elsewhere = scope.own(RoaringBitmap32.andNot(findFollowers(), residents));
    elsewhere.andNotInPlace(concerned);
    concerned.orInPlace(elsewhere);
    const current = currentCommunes(tree);
    for (const home of elsewhere.isEmpty ? [] : bitmaps.ids("home")) {
      const people = RoaringBitmap32.and(bitmaps.get("home", home) ?? empty, elsewhere);
      if (people.isEmpty) people.dispose();
      else {
        const commune = communeOf(current(home));
        commune.followers = join(commune.followers, scope.own(people));
      }
    }
  }
  return {
    communes: [...communes.values()].map((commune) => selectedCommune(commune, scope)),
    residents,
    concerned,
  };
}

/** A commune while people are taken for it. All of its sets are disjoint. */
interface Selected {
  readonly areaId: number;
  residents: RoaringBitmap32;
  /** Who has a further place there. */
  readonly shares: Uint32Array[];
  /** Who follows the account, is not inside, and lives there. */
  followers: RoaringBitmap32;
}

function selectedCommune(
  { areaId, residents, shares, followers }: Selected,
  scope: Scope,
): SelectedCommune {
  return {
    areaId,
    residents,
    concernedCount: shares.reduce((sum, share) => sum + share.length, followers.size),
    concerned() {
      const all = scope.own(followers.clone());
      for (const share of shares) all.addMany(share);
      return all;
    },
  };
}

/** Takes whose home is inside; answers who of the eligible is left. */
function takeResidents(
  bitmaps: AudienceBitmaps,
  tree: AreaTree,
  targets: readonly ResolvedCommune[],
  eligible: RoaringBitmap32,
  scope: Scope,
  take: (areaId: number, people: RoaringBitmap32) => void,
): RoaringBitmap32 {
  const homes = targets.flatMap((target) =>
    [...peopleOf(bitmaps, tree, target, "home", "village")].map((people) => ({ target, people })),
  );
  const taken = new Set(homes.map(({ people }) => people));
  const others = [...bitmaps.ids("home")]
    .map((home) => bitmaps.get("home", home) as RoaringBitmap32)
    .filter((people) => !taken.has(people));
  // Everybody has one home, so that different homes share nobody, unless villages stand beside
  // communes, or a former unit counts in several of today's. Then who is left can be found from
  // the other homes, when they are fewer.
  const isDisjoint =
    taken.size === homes.length && targets.every(({ villageIds }) => villageIds === null);
  if (!isDisjoint || others.length > homes.length) {
    const left = scope.own(eligible.clone());
    for (const { target, people } of homes) take(target.areaId, takeFrom(left, people, scope));
    return left;
  }
  for (const { target, people } of homes) take(target.areaId, inBoth(people, eligible, scope));
  const left = scope.own(new RoaringBitmap32());
  for (const people of others) left.orInPlace(people);
  left.andInPlace(eligible);
  return left;
}

/** Takes who has a further place inside, of those who are left; answers all of them. */
function takeConcerned(
  bitmaps: AudienceBitmaps,
  tree: AreaTree,
  targets: readonly ResolvedCommune[],
  left: RoaringBitmap32,
  take: (areaId: number, share: Uint32Array) => void,
): RoaringBitmap32 {
  if (left.isEmpty) return new RoaringBitmap32();
  const places = targets.flatMap((target) =>
    [...peopleOf(bitmaps, tree, target, "place", "place")].map((people) => ({ target, people })),
  );
  const { shares, all } = shareOut(
    left,
    places.map(({ people }) => people),
  );
  for (const [index, { target }] of places.entries())
    take(target.areaId, shares[index] as Uint32Array);
  return all;
}

/** Those of some people who are left; they are no longer left then. */
function takeFrom(left: RoaringBitmap32, people: RoaringBitmap32, scope: Scope): RoaringBitmap32 {
  const taken = scope.own(RoaringBitmap32.and(people, left));
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
