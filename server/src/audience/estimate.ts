// How many people a bulletin would be for, exactly as freezing would count them, beside the
// population that lives there. Every share names its denominator: registered residents by
// population, only over places whose population is known.
import { type EndpointKind, ENDPOINT_KINDS } from "@loa/model/endpoint.ts";
import type { ResolvedCommune } from "@loa/model/target.ts";
import { RoaringBitmap32 } from "roaring-wasm";
import type { AreaTree } from "../registry/area.ts";
import { type AudienceBitmaps, endpointId } from "./audience-bitmaps.ts";
import { type AudienceQuery, openScope, selectAudience } from "./select.ts";

export interface PeopleCount {
  readonly residents: number;
  readonly concerned: number;
}

/** What is known of the people in one commune, or in the named villages of it. */
export interface CommuneEstimate extends PeopleCount {
  readonly areaId: number;
  /** False: outside the target; followers who live there. */
  readonly inside: boolean;
  /** Inhabitants, if the area pack says; of the named villages only, if there are any named. */
  readonly population: number | null;
  /** Registered with their home there, whoever they follow. */
  readonly registered: number;
  /** registered / population; null when the population is unknown or 0. */
  readonly registeredShare: number | null;
}

export interface AudienceEstimate extends PeopleCount {
  readonly total: number;
  /** By way to reach them; people with several ways count in each. */
  readonly endpoints: Readonly<Record<EndpointKind, PeopleCount>>;
  /** People inside, where it is known; `populationUnknown` places inside have no figure. */
  readonly population: number;
  readonly populationUnknown: number;
  readonly registered: number;
  /** Registered residents / population, over the places whose population is known. */
  readonly registeredShare: number | null;
  readonly communes: readonly CommuneEstimate[];
}

/** Counts whom a query is for. */
export function estimateAudience(
  bitmaps: AudienceBitmaps,
  tree: AreaTree,
  query: AudienceQuery,
): AudienceEstimate {
  using scope = openScope();
  const { communes, residents, concerned } = selectAudience(bitmaps, tree, query, scope);
  // Unless only followers count, the registered residents are the residents.
  const registered =
    query.rule === "followers"
      ? countResidents(bitmaps, tree, query)
      : new Map(communes.map(({ areaId, residents }) => [areaId, residents.size]));
  const selected = new Map(communes.map((commune) => [commune.areaId, commune]));
  const rows = query.resolved.communes.map((target): CommuneEstimate => {
    const people = selected.get(target.areaId);
    selected.delete(target.areaId);
    return {
      areaId: target.areaId,
      inside: true,
      residents: people?.residents.size ?? 0,
      concerned: people?.concernedCount ?? 0,
      ...shareOf(registered.get(target.areaId) ?? 0, populationOf(tree, target)),
    };
  });
  for (const { areaId, concernedCount } of selected.values())
    rows.push({
      areaId,
      inside: false,
      residents: 0,
      concerned: concernedCount,
      ...shareOf(0, null),
    });
  const counted = rows.filter((row) => row.inside);
  const known = counted.filter((row) => row.population !== null);
  const population = sumOf(known, (row) => row.population ?? 0);
  return {
    residents: residents.size,
    concerned: concerned.size,
    total: residents.size + concerned.size,
    endpoints: Object.fromEntries(
      ENDPOINT_KINDS.map((kind) => {
        const reachable = bitmaps.get("endpoint", endpointId(kind));
        const among = (people: RoaringBitmap32) =>
          reachable ? people.andCardinality(reachable) : 0;
        return [kind, { residents: among(residents), concerned: among(concerned) }];
      }),
    ) as Record<EndpointKind, PeopleCount>,
    population,
    populationUnknown: counted.length - known.length,
    registered: sumOf(counted, (row) => row.registered),
    registeredShare: population > 0 ? sumOf(known, (row) => row.registered) / population : null,
    communes: rows,
  };
}

/** Registered residents by commune; who counts in several candidates counts in the first by code. */
function countResidents(
  bitmaps: AudienceBitmaps,
  tree: AreaTree,
  query: AudienceQuery,
): Map<number, number> {
  using scope = openScope();
  const { communes } = selectAudience(bitmaps, tree, { ...query, rule: "residents" }, scope);
  return new Map(communes.map(({ areaId, residents }) => [areaId, residents.size]));
}

function populationOf(tree: AreaTree, target: ResolvedCommune): number | null {
  const units = target.villageIds ?? [target.areaId];
  const populations = units.map((id) => tree.byId(id)?.population ?? null);
  if (populations.length === 0 || populations.includes(null)) return null;
  return sumOf(populations, (population) => population ?? 0);
}

const shareOf = (registered: number, population: number | null) => ({
  population,
  registered,
  registeredShare: population ? registered / population : null,
});

const sumOf = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((sum, item) => sum + value(item), 0);
