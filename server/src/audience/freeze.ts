// Freezing: the audience at one instant as bytes, for good. Everything is worked out in one
// synchronous step, so that the parts agree with each other whatever the registry does next.
import { type ChannelName, type EndpointKind, ENDPOINT_KINDS } from "@loa/model/endpoint.ts";
import { RoaringBitmap32 } from "roaring-wasm";
import type { AreaTree } from "../registry/area.ts";
import { type AudienceBitmaps, endpointId } from "./audience-bitmaps.ts";
import { type ContainerSlice, splitShards } from "./container.ts";
import {
  type AudienceQuery,
  currentCommunes,
  inBoth,
  openScope,
  selectAudience,
} from "./select.ts";

/** The people of one commune, as portable Roaring bitmaps over ordinals. */
export interface Attribution {
  readonly areaId: number;
  readonly residents: Uint8Array;
  readonly concerned: Uint8Array;
}

export interface FrozenAudience {
  readonly residents: number;
  readonly concerned: number;
  /** All sets are disjoint; their union is the audience. Communes without anybody are left out. */
  readonly communes: readonly Attribution[];
  /** Those of the audience who have an endpoint of this kind, by shard. @throws for one not frozen */
  shards(kind: EndpointKind): readonly ContainerSlice[];
}

/** Freezes whom a query is for, by commune and for these channels. */
export function freezeAudience(
  bitmaps: AudienceBitmaps,
  tree: AreaTree,
  query: AudienceQuery,
  channels: readonly ChannelName[] = ENDPOINT_KINDS,
): FrozenAudience {
  using scope = openScope();
  const selection = selectAudience(bitmaps, tree, query, scope);
  const all = scope.own(RoaringBitmap32.or(selection.residents, selection.concerned));
  const shards = new Map<EndpointKind, ContainerSlice[]>();
  for (const kind of ENDPOINT_KINDS) {
    if (!channels.includes(kind)) continue;
    const reachable = bitmaps.get("endpoint", endpointId(kind));
    shards.set(kind, reachable ? splitShards(pack(inBoth(all, reachable, scope))) : []);
  }
  return {
    residents: selection.residents.size,
    concerned: selection.concerned.size,
    communes: selection.communes.map(({ areaId, residents, concernedCount, concerned }) => ({
      areaId,
      residents: pack(residents),
      concerned: concernedCount === 0 ? NOBODY : pack(concerned()),
    })),
    shards(kind) {
      const own = shards.get(kind);
      if (own === undefined) throw new Error(`the audience was not frozen for ${kind}`);
      return own;
    },
  };
}

/** The empty bitmap: no containers, none of them with runs. */
const NOBODY = Uint8Array.of(0x3a, 0x30, 0, 0, 0, 0, 0, 0);

/** Freezes given sets of people, one for each channel. */
export function freezeSets(
  bitmaps: AudienceBitmaps,
  tree: AreaTree,
  sets: ReadonlyMap<EndpointKind, Uint8Array>,
  attribution: Iterable<Attribution>,
): FrozenAudience {
  using scope = openScope();
  const read = (bytes: Uint8Array) => scope.own(RoaringBitmap32.deserialize("portable", bytes));
  const given = new Map([...sets].map(([kind, bytes]) => [kind, read(bytes)]));
  // A deleted person has no home any more, and nothing may be sent to the ordinal.
  const left = scope.own(RoaringBitmap32.orMany([...given.values()]));
  const alive = scope.own(
    RoaringBitmap32.orMany([...bitmaps.ids("standing")].map((id) => bitmaps.get("standing", id))),
  );
  left.andInPlace(alive);
  const everybody = scope.own(left.clone());
  const communes = new Map<number, Given>();
  const add = (areaId: number, part: "residents" | "concerned", people: RoaringBitmap32) => {
    people.andInPlace(left);
    left.andNotInPlace(people);
    if (people.isEmpty) return;
    const commune = communes.get(areaId) ?? {
      areaId,
      residents: scope.own(new RoaringBitmap32()),
      concerned: scope.own(new RoaringBitmap32()),
    };
    communes.set(areaId, commune);
    commune[part].orInPlace(people);
  };
  for (const { areaId, residents, concerned } of attribution) {
    add(areaId, "residents", read(residents));
    add(areaId, "concerned", read(concerned));
  }
  const current = currentCommunes(tree);
  for (const home of bitmaps.ids("home")) {
    if (left.isEmpty) break;
    const people = bitmaps.get("home", home)?.clone();
    if (people) add(current(home), "residents", scope.own(people));
  }
  const shards = new Map<EndpointKind, ContainerSlice[]>();
  for (const [kind, people] of given) {
    people.andInPlace(everybody);
    shards.set(kind, splitShards(pack(people)));
  }
  const count = (part: "residents" | "concerned") =>
    [...communes.values()].reduce((sum, commune) => sum + commune[part].size, 0);
  return {
    residents: count("residents"),
    concerned: count("concerned"),
    communes: [...communes.values()].map(packCommune),
    shards: (kind) => shards.get(kind) ?? [],
  };
}

/** A commune while people are given to it. */
interface Given {
  readonly areaId: number;
  readonly residents: RoaringBitmap32;
  readonly concerned: RoaringBitmap32;
}

const packCommune = ({ areaId, residents, concerned }: Given): Attribution => ({
  areaId,
  residents: pack(residents),
  concerned: pack(concerned),
});

/**
 * In the fewest bytes: whole blocks of neighbours become runs. Small ones lie in Node's pool: thousands
 * of memories of their own would have the garbage collector at work while a warning is issued.
 */
function pack(bitmap: RoaringBitmap32): Uint8Array {
  bitmap.runOptimize();
  const bytes = Buffer.allocUnsafe(bitmap.getSerializationSizeInBytes("portable"));
  return bitmap.serialize("portable", bytes);
}
