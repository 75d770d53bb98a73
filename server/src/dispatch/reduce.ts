// Reducing: after the time for which facts of single persons are kept, a sealed dispatch
// becomes its figures. Who was in the audience and what happened to each is deleted in the
// transaction that writes the figures, so that they are never lost and never kept twice.
import type { DispatchSummary } from "@loa/model/delivery.ts";
import type pg from "pg";
import { inTransaction } from "../db/transaction.ts";
import { leaveRecipients } from "./shared-recipients.ts";

/** Facts of single persons are kept this long after a dispatch ended, unless a setting says otherwise. */
export const RETENTION_DAYS = 90;
/** Dispatches that are reduced at a time; the rest wait for the next look. */
export const REDUCE_AT_ONCE = 4;

/** Tables that hold facts of single persons of a dispatch. */
const PERSONAL = ["fold", "journal", "audience", "shard"] as const;

/** Sealed dispatches that ended longer ago than `days` and still hold facts of single persons. */
export async function findReducible(pool: pg.Pool, days: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM dispatch d
     WHERE state = 'sealed' AND closed_at < now() - make_interval(days => $1)
       AND NOT EXISTS (SELECT FROM dispatch_sum s WHERE s.dispatch_id = d.id)
     ORDER BY closed_at LIMIT $2`,
    [days, REDUCE_AT_ONCE],
  );
  return rows.map((row) => row.id);
}

/** Keeps the figures of a sealed dispatch and deletes what they were counted from. */
export async function reduceDispatch(pool: pg.Pool, summary: DispatchSummary): Promise<void> {
  const { refusals: _, ...figures } = summary;
  await inTransaction(pool, async (tx) => {
    await tx.query("INSERT INTO dispatch_sum (dispatch_id, figures) VALUES ($1, $2)", [
      summary.dispatchId,
      JSON.stringify(figures),
    ]);
    await leaveRecipients(tx, summary.dispatchId);
    for (const table of PERSONAL)
      await tx.query(`DELETE FROM ${table} WHERE dispatch_id = $1`, [summary.dispatchId]);
  });
}

/** The figures of a dispatch that was reduced. */
export async function readFigures(
  pool: pg.Pool,
  dispatchId: string,
): Promise<Omit<DispatchSummary, "refusals"> | undefined> {
  const { rows } = await pool.query<{ figures: Omit<DispatchSummary, "refusals"> }>(
    "SELECT figures FROM dispatch_sum WHERE dispatch_id = $1",
    [dispatchId],
  );
  return rows[0]?.figures;
}

/** Whether the facts of single persons are gone. */
export async function isReduced(pool: pg.Pool, dispatchId: string): Promise<boolean> {
  const { rowCount } = await pool.query("SELECT FROM dispatch_sum WHERE dispatch_id = $1", [
    dispatchId,
  ]);
  return rowCount === 1;
}
