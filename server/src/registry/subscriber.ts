// The registry's front door for one subscriber: register, read, move, delete.
//
// As little is kept as possible, all of it can be read by its owner, and deleting severs the
// person from the ordinal: what remains is a number without a name, so that sealed ledgers
// still sum. Each write also tells the audience index (subscriber-state.ts), in the same
// transaction, so that who was registered before a bulletin is issued is in its audience.
import type { Standing } from "@loa/model/bulletin-type.ts";
import type { EndpointKind } from "@loa/model/endpoint.ts";
import { Problem } from "@loa/model/problem.ts";
import type pg from "pg";
import type { Connection } from "../db/connection.ts";
import { inTransaction } from "../db/transaction.ts";
import type { AreaTree } from "./area.ts";
import { takeOrdinal } from "./ordinal.ts";
import { checkRegistration, type SubscriberInput } from "./subscriber-input.ts";
import {
  endpointKinds,
  logSubscriberChange,
  STATE_COLUMNS,
  type SubscriberState,
} from "./subscriber-state.ts";

export interface RegistryDeps extends Pick<Connection, "db" | "pool"> {
  /** The area tree in force. */
  readonly tree: () => AreaTree;
}

export interface NewSubscriber extends SubscriberInput {
  /** A repeat with the same id registers nobody twice. */
  readonly id: string;
  readonly kind: "person" | "organisation";
  readonly standing: Standing;
  readonly consent: {
    /** Which wording was shown. */
    readonly version: string;
    /** On what basis the data is held. */
    readonly basis: string;
    /** `now`: by the database's clock. */
    readonly at: Date | "now";
  };
}

/** What a registration leads to: the id for people, the ordinal and generation for tokens. */
export interface Registered {
  readonly id: string;
  readonly ordinal: number;
  readonly generation: number;
}

/** All that is kept of one subscriber. */
export interface SubscriberRecord {
  readonly id: string;
  readonly ordinal: number;
  readonly generation: number;
  readonly kind: "person" | "organisation";
  readonly standing: Standing;
  /** Code of the village if it is known, else of the commune. */
  readonly home: string;
  readonly places: readonly string[];
  readonly follows: readonly string[];
  readonly endpoints: readonly { readonly kind: EndpointKind; readonly address: string | null }[];
  readonly consent: { readonly version: string; readonly basis: string; readonly at: Date };
}

/** Names one subscriber: people know the id, tokens the ordinal. */
export type SubscriberName = { readonly id: string } | { readonly ordinal: number };

/** @throws {Problem} request-invalid or area-unknown, naming every fault. */
export async function registerSubscriber(
  deps: RegistryDeps,
  subscriber: NewSubscriber,
): Promise<Registered> {
  const { state, addresses } = await checkRegistration(deps, subscriber, subscriber.standing);
  return inTransaction(deps.pool, async (client) => {
    const known = await client.query<Registered>(
      "SELECT id, ordinal, generation FROM subscriber WHERE id = $1",
      [subscriber.id],
    );
    if (known.rows[0]) return known.rows[0];
    const ordinal = await takeOrdinal(client, state.home);
    const { version, basis, at } = subscriber.consent;
    const consentId = await rememberConsent(client, version, basis);
    await client.query(
      `INSERT INTO subscriber (ordinal, id, kind, standing, home_area_id, home_village_id,
         place_area_ids, follow_ordinals, endpoint_bits, consent_id, consent_at)
       VALUES ($1, $2, $3, $4, $5, $6, nullif($7::int[], '{}'), nullif($8::int[], '{}'), $9, $10,
         coalesce($11, now()))`,
      [ordinal, subscriber.id, subscriber.kind, state.standing, state.home, state.village].concat([
        state.places,
        state.follows,
        state.endpoints,
        consentId,
        at,
      ] as never[]),
    );
    await writeAddresses(client, ordinal, addresses);
    await logSubscriberChange(client, ordinal, null, state);
    return { id: subscriber.id, ordinal, generation: 0 };
  });
}

/**
 * Gives a subscriber another home, places, follows and endpoints, all at once. The ordinal stays.
 * @throws {Problem} subscriber-unknown, request-invalid, area-unknown.
 */
export async function moveSubscriber(
  deps: RegistryDeps,
  name: SubscriberName,
  input: SubscriberInput,
): Promise<SubscriberRecord> {
  const current = await readSubscriber(deps, name);
  const { state, addresses } = await checkRegistration(deps, input, current.standing);
  await inTransaction(deps.pool, async (client) => {
    const { ordinal, before } = await lockSubscriber(client, name);
    await client.query(
      `UPDATE subscriber SET home_area_id = $2, home_village_id = $3,
         place_area_ids = nullif($4::int[], '{}'), follow_ordinals = nullif($5::int[], '{}'),
         endpoint_bits = $6 WHERE ordinal = $1`,
      [ordinal, state.home, state.village, state.places, state.follows, state.endpoints],
    );
    await writeAddresses(client, ordinal, addresses);
    await logSubscriberChange(client, ordinal, before, state);
  });
  return readSubscriber(deps, name);
}

/**
 * Severs the person from the ordinal and revokes every token. Cannot be undone.
 * @throws {Problem} subscriber-unknown.
 */
export async function deleteSubscriber(
  deps: Pick<Connection, "pool">,
  name: SubscriberName,
): Promise<void> {
  await inTransaction(deps.pool, async (client) => {
    const { ordinal, id, before } = await lockSubscriber(client, name);
    await client.query(
      "INSERT INTO withdrawal (id, at) VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET at = now()",
      [id],
    );
    // What says nothing about the person stays: standing, so that sealed sums still add up by it.
    await client.query(
      `WITH severed AS (
         UPDATE subscriber SET id = NULL, home_village_id = NULL, place_area_ids = NULL,
           follow_ordinals = NULL, endpoint_bits = 0, generation = generation + 1, deleted_at = now()
         WHERE ordinal = $1 RETURNING ordinal, generation)
       INSERT INTO raised_generation SELECT ordinal, generation FROM severed
       ON CONFLICT (ordinal) DO UPDATE SET generation = excluded.generation`,
      [ordinal],
    );
    await client.query("DELETE FROM endpoint WHERE ordinal = $1", [ordinal]);
    await logSubscriberChange(client, ordinal, before, null);
  });
}

/** All that is kept of one subscriber. @throws {Problem} subscriber-unknown. */
export async function readSubscriber(
  deps: Pick<Connection, "pool">,
  name: SubscriberName,
): Promise<SubscriberRecord> {
  const { rows } = await deps.pool.query<
    Omit<SubscriberRecord, "endpoints" | "consent"> & {
      bits: number;
      addresses: Record<string, string> | null;
      version: string;
      basis: string;
      at: Date;
    }
  >(
    // A commune that stands in the list because of one of its villages is not named twice.
    `SELECT s.id, s.ordinal, s.generation, s.kind, s.standing, home.code AS home,
       ARRAY(SELECT a.code FROM area a WHERE a.id = ANY(s.place_area_ids) AND NOT EXISTS (
               SELECT FROM area v WHERE v.id = ANY(s.place_area_ids) AND v.parent_id = a.id)
             ORDER BY a.code) AS places,
       ARRAY(SELECT o.handle FROM official_account o WHERE o.ordinal = ANY(s.follow_ordinals)
             ORDER BY o.handle) AS follows,
       s.endpoint_bits AS bits,
       (SELECT json_object_agg(e.kind, e.address) FROM endpoint e WHERE e.ordinal = s.ordinal)
         AS addresses,
       c.version, c.basis, s.consent_at AS at
     FROM subscriber s JOIN consent c ON c.id = s.consent_id
       LEFT JOIN area home ON home.id = coalesce(s.home_village_id, s.home_area_id)
     WHERE ${"id" in name ? "s.id = $1" : "s.ordinal = $1"} AND s.id IS NOT NULL`,
    ["id" in name ? name.id : name.ordinal],
  );
  const [row] = rows;
  if (!row) throw unknownSubscriber();
  const { bits, addresses, version, basis, at, ...record } = row;
  const endpoints = endpointKinds(bits).map((kind) => ({
    kind,
    address: addresses?.[kind] ?? null,
  }));
  return { ...record, endpoints, consent: { version, basis, at } };
}

/** The id of a consent wording and basis, which is kept once for all who share it. */
export async function rememberConsent(
  client: pg.ClientBase,
  version: string,
  basis: string,
): Promise<number> {
  await client.query(
    "INSERT INTO consent (version, basis) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    [version, basis],
  );
  const { rows } = await client.query<{ id: number }>(
    "SELECT id FROM consent WHERE version = $1 AND basis = $2",
    [version, basis],
  );
  return (rows[0] as { id: number }).id;
}

async function lockSubscriber(client: pg.ClientBase, name: SubscriberName) {
  const { rows } = await client.query<SubscriberState & { ordinal: number; id: string }>(
    `SELECT ordinal, id, ${STATE_COLUMNS} FROM subscriber
      WHERE ${"id" in name ? "id = $1" : "ordinal = $1"} AND id IS NOT NULL FOR UPDATE`,
    ["id" in name ? name.id : name.ordinal],
  );
  if (!rows[0]) throw unknownSubscriber();
  const { ordinal, id, ...before } = rows[0];
  return { ordinal, id, before };
}

async function writeAddresses(
  client: pg.ClientBase,
  ordinal: number,
  addresses: ReadonlyMap<EndpointKind, string>,
): Promise<void> {
  await client.query("DELETE FROM endpoint WHERE ordinal = $1", [ordinal]);
  if (addresses.size === 0) return;
  await client.query(
    "INSERT INTO endpoint (ordinal, kind, address) SELECT $1, * FROM unnest($2::text[], $3::text[])",
    [ordinal, [...addresses.keys()], [...addresses.values()]],
  );
}

const unknownSubscriber = (): Problem =>
  new Problem("subscriber-unknown", "Nobody is registered under this id or token.");
