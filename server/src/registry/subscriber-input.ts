// What somebody says of themselves, checked as a whole and turned into a state: every fault
// is named, not only the first.
import type { Standing } from "@loa/model/bulletin-type.ts";
import { type EndpointKind, endpointBits } from "@loa/model/endpoint.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";
import type { Db } from "../db/connection.ts";
import type { AreaTree } from "./area.ts";
import { openPlaceBook, type Place } from "./place.ts";
import {
  endpointFault,
  type EndpointInput,
  endpointsFault,
  FOLLOWS_MAX,
  PLACES_MAX,
} from "./subscriber-field.ts";
import type { SubscriberState } from "./subscriber-state.ts";

/** The changeable part of a registration, in codes and handles. */
export interface SubscriberInput {
  /** Code of a commune or village. */
  readonly home: string;
  /** Codes of communes or villages. */
  readonly places: readonly string[];
  /** Handles of official accounts. */
  readonly follows: readonly string[];
  readonly endpoints: readonly EndpointInput[];
}

export interface CheckedInput {
  readonly state: SubscriberState;
  readonly addresses: ReadonlyMap<EndpointKind, string>;
}

/** @throws {Problem} area-unknown when only codes are wrong, else request-invalid. */
export async function checkRegistration(
  deps: { readonly db: Db; readonly tree: () => AreaTree },
  input: SubscriberInput,
  standing: Standing,
): Promise<CheckedInput> {
  const findPlace = openPlaceBook(deps.tree());
  const areaFaults: Fault[] = [];
  const find = (code: string, at: string): Place | undefined => {
    const answer = findPlace(code);
    if (answer.kind === "place") return answer.place;
    areaFaults.push({ at, what: `${code} ${answer.what}` });
  };
  const faults = limitFaults(input);
  if (faults.length > 0) throw invalid("request-invalid", faults);
  const home = find(input.home, "/home");
  const further: Place[] = [];
  for (const [index, code] of input.places.entries()) {
    const place = find(code, `/places/${index}`);
    if (place) further.push(place);
  }
  const accounts = await findAccounts(deps.db, input.follows);
  for (const [index, handle] of input.follows.entries())
    if (!accounts.has(handle))
      faults.push({ at: `/follows/${index}`, what: `there is no account ${handle}` });
  for (const [index, endpoint] of input.endpoints.entries()) {
    const what = endpointFault(endpoint, standing);
    if (what) faults.push({ at: `/endpoints/${index}`, what });
  }
  if (faults.length > 0) throw invalid("request-invalid", [...areaFaults, ...faults]);
  if (!home || areaFaults.length > 0) throw invalid("area-unknown", areaFaults);
  return {
    state: {
      home: home.communeId,
      village: home.villageId,
      places: storedPlaces(further),
      follows: [...new Set(accounts.values())].toSorted((a, b) => a - b),
      endpoints: endpointBits(input.endpoints.map(({ kind }) => kind)),
      standing,
    },
    addresses: new Map(
      input.endpoints.flatMap(({ kind, address }) => (address === null ? [] : [[kind, address]])),
    ),
  };
}

/** Further places as they are stored: each village beside its commune. */
export function storedPlaces(places: readonly Place[]): number[] {
  const ids = new Set(places.map(({ communeId }) => communeId));
  for (const { villageId } of places) if (villageId !== null) ids.add(villageId);
  return [...ids].toSorted((a, b) => a - b);
}

/** The ordinals of the accounts that exist, by handle. */
export async function findAccounts(
  db: Db,
  handles: readonly string[],
): Promise<Map<string, number>> {
  if (handles.length === 0) return new Map();
  const rows = await db
    .selectFrom("official_account")
    .select(["handle", "ordinal"])
    .where("handle", "in", [...handles])
    .execute();
  return new Map(rows.map((row) => [row.handle, row.ordinal]));
}

function limitFaults(input: SubscriberInput): Fault[] {
  const faults: Fault[] = [];
  if (input.places.length > PLACES_MAX)
    faults.push({ at: "/places", what: `${input.places.length}, ${PLACES_MAX} are allowed` });
  if (input.follows.length > FOLLOWS_MAX)
    faults.push({ at: "/follows", what: `${input.follows.length}, ${FOLLOWS_MAX} are allowed` });
  if (input.endpoints.length === 0) faults.push({ at: "/endpoints", what: "none is given" });
  const twice = endpointsFault(input.endpoints);
  if (twice) faults.push({ at: "/endpoints", what: twice });
  return faults;
}

const invalid = (code: "request-invalid" | "area-unknown", faults: readonly Fault[]): Problem =>
  new Problem(code, faults.map(({ at, what }) => `${at}: ${what}`).join("; "), faults);
