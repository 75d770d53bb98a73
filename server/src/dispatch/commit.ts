// The commit of slices. One statement commits the outcomes of all slices that wait, each
// with the intent of its next slice, and each only if its epoch still holds and the
// process's lease is alive: what one late slice cannot do harms no other.
import type pg from "pg";
import type { Lease } from "./lease.ts";

/** What one slice became. `cursor` is the end of what has an outcome, `intent` the end of what may go next. */
export interface SliceCommit {
  readonly dispatchId: string;
  readonly channel: string;
  readonly shard: number;
  readonly epoch: number;
  readonly cursor: number;
  readonly intent: number;
  /** Packed runs for the journal (dispatch/journal.ts). */
  readonly entries: Uint8Array;
}

interface Waiting {
  readonly slice: SliceCommit;
  readonly done: (held: boolean) => void;
  readonly failed: (error: Error) => void;
}

/** Most slices in one statement; the rest wait for the next. */
export const COMMIT_SLICES_MAX = 256;

const key = (row: { dispatchId: string; channel: string; shard: number }) =>
  `${row.dispatchId} ${row.channel} ${row.shard}`;

/** Commits slices in groups: while one statement runs, the next group gathers. */
export class SliceCommitter {
  readonly #pool: pg.Pool;
  readonly #lease: Lease;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(pool: pg.Pool, lease: Lease) {
    this.#pool = pool;
    this.#lease = lease;
  }

  /** Resolves true once durable, false when the epoch or the lease no longer held. */
  commit(slice: SliceCommit): Promise<boolean> {
    return new Promise((done, failed) => {
      this.#waiting.push({ slice, done, failed });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Everybody who became ready in the same turn of the loop joins the group.
    await new Promise((next) => setImmediate(next));
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, COMMIT_SLICES_MAX);
      try {
        const held = await commitSlices(
          this.#pool,
          this.#lease.id,
          group.map((each) => each.slice),
        );
        for (const { slice, done } of group) done(held.has(key(slice)));
      } catch (error) {
        for (const { failed } of group) failed(error as Error);
      }
    }
    this.#running = false;
  }
}

async function commitSlices(
  pool: pg.Pool,
  owner: string,
  slices: readonly SliceCommit[],
): Promise<Set<string>> {
  const { rows } = await pool.query<{ dispatchId: string; channel: string; shard: number }>({
    name: "slice-commit",
    text: `WITH input AS (
             SELECT * FROM unnest($2::uuid[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[], $8::bytea[])
               AS i(dispatch_id, channel, shard, epoch, cursor, intent, entries)
           ), locked AS (
             -- Locks in key order, as everybody who locks several shards does: no deadlock.
             SELECT s.dispatch_id, s.channel, s.shard, i.epoch, i.cursor, i.intent
             FROM shard s JOIN input i USING (dispatch_id, channel, shard)
             WHERE s.epoch = i.epoch AND s.state = 'open'
             ORDER BY s.dispatch_id, s.channel, s.shard
             FOR UPDATE OF s
           ), fenced AS (
             UPDATE shard s
             SET cursor = i.cursor, intent = i.intent,
                 state = CASE WHEN i.cursor = s.planned THEN 'closed' ELSE s.state END,
                 owner = CASE WHEN i.cursor = s.planned THEN NULL ELSE s.owner END
             FROM locked i
             WHERE s.dispatch_id = i.dispatch_id AND s.channel = i.channel AND s.shard = i.shard
               AND s.epoch = i.epoch AND s.state = 'open'
               AND EXISTS (SELECT FROM process WHERE id = $1 AND lease_until > clock_timestamp())
             RETURNING s.dispatch_id, s.channel, s.shard
           ), appended AS (
             INSERT INTO journal (dispatch_id, channel, shard, entries)
             SELECT i.dispatch_id, i.channel, i.shard, i.entries
             FROM input i JOIN fenced USING (dispatch_id, channel, shard)
             WHERE length(i.entries) > 0
           )
           SELECT dispatch_id AS "dispatchId", channel, shard FROM fenced`,
    values: [
      owner,
      slices.map((slice) => slice.dispatchId),
      slices.map((slice) => slice.channel),
      slices.map((slice) => slice.shard),
      slices.map((slice) => slice.epoch),
      slices.map((slice) => slice.cursor),
      slices.map((slice) => slice.intent),
      slices.map((slice) => slice.entries),
    ],
  });
  return new Set(rows.map(key));
}

/**
 * Stores an outcome that came too late to move its shard: the fact is kept, the cursor is not
 * touched. If the shard was only waiting for this outcome (closing, and nobody else took it), it
 * closes.
 */
export async function commitLate(pool: pg.Pool, slice: SliceCommit): Promise<void> {
  await pool.query({
    name: "slice-late",
    text: `WITH closed AS (
             UPDATE shard SET state = 'closed', owner = NULL, cursor = intent
             WHERE dispatch_id = $1 AND channel = $2 AND shard = $3
               AND state = 'closing' AND epoch = $4 + 1
           )
           INSERT INTO journal (dispatch_id, channel, shard, entries)
           SELECT $1, $2, $3, $5::bytea WHERE length($5::bytea) > 0`,
    values: [slice.dispatchId, slice.channel, slice.shard, slice.epoch, slice.entries],
  });
}

/**
 * Ends a shard that closed with an intent of a dead owner: whether those people were told cannot
 * be known, so they are unsure (`entries`), and nobody is told again.
 */
export async function closeUnsure(
  pool: pg.Pool,
  shard: { dispatchId: string; channel: string; shard: number; epoch: number },
  entries: Uint8Array,
): Promise<void> {
  await pool.query(
    `WITH closed AS (
       UPDATE shard SET state = 'closed', owner = NULL, cursor = intent
       WHERE dispatch_id = $1 AND channel = $2 AND shard = $3 AND epoch = $4 AND state = 'closing'
       RETURNING 1)
     INSERT INTO journal (dispatch_id, channel, shard, entries)
     SELECT $1, $2, $3, $5 WHERE EXISTS (SELECT FROM closed)`,
    [shard.dispatchId, shard.channel, shard.shard, shard.epoch, entries],
  );
}

/**
 * Ends a shard that closed while its owner held an intent it had not begun: those people were not
 * told, by cancellation or by expiry. Does nothing when the shard is open or was taken over.
 */
export async function closeUntold(
  pool: pg.Pool,
  shard: { dispatchId: string; channel: string; shard: number; epoch: number },
  suppressed: Uint8Array,
  expired: Uint8Array,
): Promise<void> {
  await pool.query(
    `WITH closed AS (
       UPDATE shard SET state = 'closed', owner = NULL, cursor = intent
       WHERE dispatch_id = $1 AND channel = $2 AND shard = $3 AND epoch = $4 + 1 AND state = 'closing'
       RETURNING dispatch_id)
     INSERT INTO journal (dispatch_id, channel, shard, entries)
     SELECT $1, $2, $3, CASE WHEN d.state = 'expired' THEN $6::bytea ELSE $5::bytea END
     FROM closed JOIN dispatch d ON d.id = closed.dispatch_id`,
    [shard.dispatchId, shard.channel, shard.shard, shard.epoch, suppressed, expired],
  );
}
