// What the audience index needs to know of one subscriber, and the log that tells it.
//
// Every write to a subscriber appends a registry_change in the same transaction, after the
// row is locked. So for one subscriber the order by id is the order of the changes, and an
// index that replays them in that order, from any older position, ends in the present state.
import type { Standing } from "@loa/model/bulletin-type.ts";
import type { EndpointKind } from "@loa/model/endpoint.ts";
import { ENDPOINT_KINDS, endpointBit } from "@loa/model/endpoint.ts";
import type pg from "pg";

/** Where a subscriber belongs, stripped of the person. Area ids and account ordinals. */
export interface SubscriberState {
  readonly home: number;
  readonly village: number | null;
  readonly places: readonly number[];
  readonly follows: readonly number[];
  /** Bits over ENDPOINT_KINDS. */
  readonly endpoints: number;
  readonly standing: Standing;
}

/** Consecutive ordinals, both ends included. */
export type OrdinalRange = readonly [first: number, last: number];

/** The columns of `subscriber` that make up its state, in the names of SubscriberState. */
export const STATE_COLUMNS = `home_area_id AS home, home_village_id AS village,
  coalesce(place_area_ids, '{}') AS places, coalesce(follow_ordinals, '{}') AS follows, endpoint_bits AS endpoints, standing`;

/** The kinds of endpoint in a bit set. */
export const endpointKinds = (bits: number): EndpointKind[] =>
  ENDPOINT_KINDS.filter((kind) => (bits & endpointBit(kind)) !== 0);

/** Logs a change of one subscriber, whose row the transaction has locked or inserted. */
export async function logSubscriberChange(
  client: pg.ClientBase,
  ordinal: number,
  before: SubscriberState | null,
  after: SubscriberState | null,
): Promise<void> {
  await client.query(
    `INSERT INTO registry_change (kind, first_ordinal, last_ordinal, before, after)
     VALUES ('subscriber', $1, $1, $2, $3)`,
    [ordinal, before && JSON.stringify(before), after && JSON.stringify(after)],
  );
}

/** Logs subscribers that the transaction inserted, as ranges in ascending order. */
export async function logRegisteredRanges(
  client: pg.ClientBase,
  ranges: readonly OrdinalRange[],
): Promise<void> {
  const [first, last] = [ranges.at(0)?.[0], ranges.at(-1)?.[1]];
  if (first === undefined) return;
  await client.query(
    `INSERT INTO registry_change (kind, first_ordinal, last_ordinal, after)
     VALUES ('range', $1, $2, $3)`,
    [first, last, JSON.stringify(ranges)],
  );
}
