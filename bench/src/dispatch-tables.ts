// The tables of the engine as the benchmark sees them: how large they are, and emptied between runs,
// so that no run pays for the one before and a cached set of people stays as it was made.
import type pg from "pg";
import { waitUntil } from "./wait.ts";

/** Until the front has made the pages of what was issued. */
const PUBLISHED_MS_MAX = 60_000;
/** Of what was issued before, what refers to bulletins first. */
const BULLETIN_TABLES = [
  "publication",
  "leaving",
  "approval",
  "bulletin_event",
  "bulletin",
  "idempotency",
];
const TABLES = ["dispatch", "audience", "shard", "journal", "fold", "receipt_refusal"];

/** Bytes of all of them, with their TOAST tables and indexes. */
export async function dispatchBytes(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: number }>(
    "SELECT sum(pg_total_relation_size(name::regclass))::bigint AS bytes FROM unnest($1::text[]) AS name",
    [TABLES],
  );
  return rows[0]?.bytes ?? Number.NaN;
}

/**
 * Forgets every dispatch. One table after the other, each in a transaction of its own: whoever holds
 * locks on several at once would wait for the processes that read them, and they for it.
 */
export async function clearDispatches(pool: pg.Pool): Promise<void> {
  for (const table of ["area_order", ...TABLES.filter((each) => each !== "dispatch")])
    await pool.query(`TRUNCATE ${table}`);
  await pool.query("DELETE FROM dispatch");
  await pool.query("VACUUM dispatch");
}

/**
 * Forgets all that a run wrote, issued and published, so that the next one starts with the people
 * alone: the public pages of thousands of warnings to a country would be measured with it.
 */
export async function clearBulletins(pool: pg.Pool): Promise<void> {
  await waitUntil(PUBLISHED_MS_MAX, async () => {
    const { rowCount } = await pool.query(
      `SELECT FROM bulletin b WHERE issued_at IS NOT NULL
         AND NOT EXISTS (SELECT FROM publication WHERE bulletin_id = b.id) LIMIT 1`,
    );
    return rowCount === 0;
  });
  await clearDispatches(pool);
  for (const table of BULLETIN_TABLES) await pool.query(`DELETE FROM ${table}`);
  for (const table of BULLETIN_TABLES) await pool.query(`VACUUM ${table}`);
}
