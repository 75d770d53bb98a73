// What the stream needs of dispatches, in memory: the message, who is in the audience of
// the live channel, and whether it is still in force. Read once per dispatch; a connecting
// device is then answered without the database.
import type { BulletinType, Lane } from "@loa/model/bulletin-type.ts";
import type { Purpose } from "@loa/model/chain-step.ts";
import type pg from "pg";
import { containerHas } from "../audience/container.ts";
import { onClient } from "../db/transaction.ts";
import { findAreaFault } from "./area-check.ts";
import { readShards } from "./shard-copy.ts";

/** How long an ended dispatch is remembered, so that a Cancel finds the devices that have it. */
export const REMEMBER_ENDED_HOURS = 48;

export interface LiveDispatch {
  readonly dispatchId: string;
  readonly bulletinId: string;
  /** Whom it is for: its audience, those left out, or those who have a faulty text. */
  readonly purpose: Purpose;
  readonly type: BulletinType;
  readonly lane: Lane;
  /** Commit-ordered within the lane. */
  readonly seq: number;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly message: Uint8Array;
  readonly state: "open" | "cancelled" | "expired" | "sealed";
  /** Dispatches that this one cancels or replaces, with what these replaced before. */
  readonly supersedes: readonly string[];
  /** Codes of the communes it is for: who says to be there later is told as well. */
  readonly communeCodes: ReadonlySet<string>;
  /** Why it may be told to nobody: it is not for the approved places. */
  readonly areaFault: string | undefined;
  /** How many have the live channel planned. */
  readonly planned: number;
  /** Whether this ordinal is planned on the live channel. */
  has(ordinal: number): boolean;
}

interface Row extends Omit<
  LiveDispatch,
  "communeCodes" | "has" | "issuedAtMs" | "expiresAtMs" | "areaFault"
> {
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** The states of all dispatches that are in force or ended lately, without their content. */
export async function readLiveStates(
  pool: pg.Pool,
): Promise<{ dispatchId: string; state: LiveDispatch["state"] }[]> {
  const { rows } = await pool.query<{ dispatchId: string; state: LiveDispatch["state"] }>({
    name: "live-states",
    text: `SELECT id AS "dispatchId", state FROM dispatch
           WHERE state <> 'sealed' OR closed_at > now() - $1 * interval '1 hour'`,
    values: [REMEMBER_ENDED_HOURS],
  });
  return rows;
}

/** Reads dispatches with their live audience, in order of lane and sequence. */
export async function loadLiveDispatches(
  pool: pg.Pool,
  dispatchIds: readonly string[],
): Promise<LiveDispatch[]> {
  if (dispatchIds.length === 0) return [];
  const { rows } = await pool.query<Row>(
    `SELECT d.id AS "dispatchId", d.bulletin_id AS "bulletinId", d.purpose, d.type, d.lane, d.seq, d.state,
            d.issued_at AS "issuedAt", d.expires_at AS "expiresAt", d.message, d.supersedes
     FROM dispatch d WHERE d.id = ANY($1::uuid[]) ORDER BY d.lane, d.seq`,
    [dispatchIds],
  );
  // Phones wait for each of these, so they are asked at once.
  const [shards, { rows: communes }, ...faults] = await Promise.all([
    onClient(pool, (client) => readShards(client, dispatchIds, "live")),
    pool.query<{ dispatchId: string; codes: string[] }>(
      `SELECT id AS "dispatchId", ARRAY(SELECT code FROM area WHERE id = ANY(commune_ids)) AS codes
       FROM dispatch WHERE id = ANY($1::uuid[])`,
      [dispatchIds],
    ),
    // What has ended is sent to nobody, and may be long.
    ...rows.map(async ({ state, message, dispatchId }) =>
      state === "open" ? findAreaFault(pool, message, dispatchId) : undefined,
    ),
  ]);
  const codesOf = new Map(communes.map(({ dispatchId, codes }) => [dispatchId, codes]));
  return rows.map(({ issuedAt, expiresAt, ...row }, i) => {
    const own = shards.filter(({ dispatchId }) => dispatchId === row.dispatchId);
    // Asked as they are stored: an index of every shard would take longer than all phones ask.
    const members = new Map(own.map(({ shard, recipients }) => [shard, recipients]));
    return {
      ...row,
      issuedAtMs: issuedAt.getTime(),
      expiresAtMs: expiresAt.getTime(),
      communeCodes: new Set(codesOf.get(row.dispatchId)),
      areaFault: faults[i],
      planned: own.reduce((sum, { planned }) => sum + planned, 0),
      has(ordinal) {
        const recipients = members.get(ordinal >>> 16);
        return recipients !== undefined && containerHas(recipients, ordinal & 0xffff);
      },
    };
  });
}
