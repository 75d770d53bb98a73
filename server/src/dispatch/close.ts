// Closing a dispatch before everybody was told: cancelled, or expired.
//
// Whoever was not handed over gets the plane `suppressed` or `expired`. Whoever may have
// been (an open intent) waits for the worker that holds it, in state `closing`: its outcome
// comes late and is stored, or the worker is dead and nobody can know (`unsure`). Raising
// the epoch makes every commit of the old one fail.
import { planeBit } from "@loa/model/delivery.ts";
import type pg from "pg";
import { inTransaction } from "../db/transaction.ts";
import { packRuns } from "./journal.ts";

export type CloseReason = "cancelled" | "expired";

const PLANE = { cancelled: planeBit("suppressed"), expired: planeBit("expired") } as const;
const ORDER_STATE = { cancelled: "suppressed", expired: "expired" } as const;

/** Closes dispatches that are open, inside the caller's transaction; answers those that were. */
export async function closeDispatches(
  tx: pg.PoolClient,
  dispatchIds: readonly string[],
  reason: CloseReason,
): Promise<string[]> {
  if (dispatchIds.length === 0) return [];
  const { rows: closed } = await tx.query<{ id: string }>(
    `UPDATE dispatch SET state = $2, closed_at = now()
     WHERE id = ANY($1::uuid[]) AND state = 'open' RETURNING id`,
    [dispatchIds, reason],
  );
  const ids = closed.map((row) => row.id);
  if (ids.length === 0) return ids;
  // The row locks taken here are what a worker's commit waits for; then its epoch is old.
  const { rows: shards } = await tx.query<{
    dispatchId: string;
    channel: string;
    shard: number;
    intent: number;
    planned: number;
    ms: number;
  }>(
    `WITH locked AS (
       SELECT dispatch_id, channel, shard FROM shard
       WHERE dispatch_id = ANY($1::uuid[]) AND state = 'open'
       ORDER BY dispatch_id, channel, shard FOR UPDATE)
     UPDATE shard s SET epoch = s.epoch + 1,
            state = CASE WHEN s.intent > s.cursor THEN 'closing' ELSE 'closed' END
     FROM dispatch d, locked l
     WHERE l.dispatch_id = s.dispatch_id AND l.channel = s.channel AND l.shard = s.shard AND d.id = s.dispatch_id AND s.dispatch_id = ANY($1::uuid[]) AND s.state = 'open'
     RETURNING s.dispatch_id AS "dispatchId", s.channel, s.shard, s.intent, s.planned,
               (extract(epoch FROM now() - d.issued_at) * 1000)::bigint AS ms`,
    [ids],
  );
  const untold = shards.filter((shard) => shard.intent < shard.planned);
  const runs = untold.map(({ intent, planned, ms }) =>
    packRuns([
      { start: intent, count: planned - intent, planes: PLANE[reason], ms: Math.max(0, ms) },
    ]),
  );
  await tx.query(
    `INSERT INTO journal (dispatch_id, channel, shard, entries)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bytea[])`,
    [
      untold.map((shard) => shard.dispatchId),
      untold.map((shard) => shard.channel),
      untold.map((shard) => shard.shard),
      runs,
    ],
  );
  await tx.query(
    `UPDATE area_order SET state = $2, changed_at = now()
     WHERE dispatch_id = ANY($1::uuid[]) AND state = 'prepared'`,
    [ids, ORDER_STATE[reason]],
  );
  return ids;
}

/** Expires what is past its time; several processes may try, each dispatch is taken once. */
export function expireDispatches(pool: pg.Pool): Promise<string[]> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      `SELECT id FROM dispatch WHERE state = 'open' AND expires_at <= now()
       FOR UPDATE SKIP LOCKED`,
    );
    const ids = rows.map((row) => row.id);
    return ids.length > 0 ? closeDispatches(tx, ids, "expired") : [];
  });
}

/**
 * Ends one channel of a dispatch that may be told to nobody there: everybody who waits on it counts as
 * failed. Repeating it changes nothing.
 */
export function failChannel(pool: pg.Pool, dispatchId: string, channel: string): Promise<void> {
  return inTransaction(pool, async (tx) => {
    const { rows: shards } = await tx.query<{ shard: number; planned: number; ms: number }>(
      `UPDATE shard s SET state = 'closed', epoch = s.epoch + 1, cursor = planned, intent = planned
       FROM dispatch d
       WHERE d.id = $1 AND s.dispatch_id = $1 AND s.channel = $2 AND s.state = 'open'
       RETURNING s.shard, s.planned, (extract(epoch FROM now() - d.issued_at) * 1000)::bigint AS ms`,
      [dispatchId, channel],
    );
    const failed = shards.map(({ planned, ms }) =>
      packRuns([{ start: 0, count: planned, planes: planeBit("failed"), ms: Math.max(0, ms) }]),
    );
    await tx.query(
      `INSERT INTO journal (dispatch_id, channel, shard, entries)
       SELECT $1, $2, * FROM unnest($3::int[], $4::bytea[])`,
      [dispatchId, channel, shards.map(({ shard }) => shard), failed],
    );
  });
}

/** The ranks of one shard that may have been handed over although no outcome says so. */
export interface OpenIntent {
  readonly channel: string;
  readonly shard: number;
  readonly from: number;
  readonly to: number;
}

/** Open intents of a dispatch: a cancel must reach these people too. */
export async function readOpenIntents(
  tx: pg.Pool | pg.PoolClient,
  dispatchId: string,
): Promise<OpenIntent[]> {
  const { rows } = await tx.query<OpenIntent>(
    `SELECT channel, shard, cursor AS "from", intent AS "to" FROM shard
     WHERE dispatch_id = $1 AND state <> 'closed' AND intent > cursor`,
    [dispatchId],
  );
  return rows;
}
