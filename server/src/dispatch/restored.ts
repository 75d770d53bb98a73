// What a restored database does not know: what was handed over after the backup was taken. So
// every shard that was open then has all its people in its intent: they may have been told. The engine
// treats that as it treats a worker that was killed (docs/engine.md): where a copy harms nobody they
// are told again and devices drop the copy; where it costs money or fear they are unsure; and a
// Cancel reaches all of them.
import type pg from "pg";

/**
 * How far the sequence of each lane jumps: devices hold cursors of dispatches that were issued after
 * the backup, and must not take a new warning for one that they have.
 */
export const SEQ_SKIPPED = 1_000_000;

export interface Doubted {
  /** Shards whose people may have been told since. */
  readonly shards: number;
  /** Orders to area channels that may have been handed over since. */
  readonly orders: number;
}

/** Runs in the caller's transaction, while no worker does. */
export async function doubtHandOvers(tx: pg.PoolClient): Promise<Doubted> {
  await tx.query("UPDATE lane SET seq = seq + $1", [SEQ_SKIPPED]);
  // Devices on live say themselves what they have, and are told the rest; nobody claims those shards.
  const shards = await tx.query(
    `UPDATE shard SET intent = planned, owner = NULL, epoch = epoch + 1
      WHERE state = 'open' AND channel <> 'live'`,
  );
  const orders = await tx.query(
    `UPDATE area_order o SET state = 'handed-over', owner = NULL, epoch = o.epoch + 1,
            changed_at = now()
       FROM dispatch d
      WHERE d.id = o.dispatch_id AND d.state = 'open' AND o.state IN ('prepared', 'handed-over')`,
  );
  return { shards: shards.rowCount ?? 0, orders: orders.rowCount ?? 0 };
}
