// Keeps the audience index in the database, in parts, each with the position up to which it
// had followed the registry. A process that was killed loads the parts and replays the log
// from the oldest of their positions; replaying what a newer part holds already changes
// nothing. So parts are packed one by one, between other work, and never all at once.
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { earlierPosition, type Position } from "../db/commit-order.ts";
import type { Pool } from "../db/connection.ts";
import { type AudienceBitmaps, PARTS } from "./audience-bitmaps.ts";

/** Where the only field of the only row of a binary COPY starts: header 19, count 2, length 4. */
const COPY_BODY_START = 25;
/** The registry's log is kept this long beyond the snapshot, for processes that follow it. */
export const CHANGES_KEPT_HOURS = 24;

/**
 * Packs and stores the parts that changed. `position` is asked for at the very moment at which a
 * part is packed; the others are known to have been the same then.
 */
export async function saveParts(
  pool: Pool,
  bitmaps: AudienceBitmaps,
  position: () => Position,
  all: boolean,
): Promise<void> {
  const cluster = await readClusterName(pool);
  const changed = all ? Array.from({ length: PARTS }, (_, part) => part) : bitmaps.changedParts();
  // Before any await, so that what is written down as unchanged is unchanged at this position.
  const unchangedAt = position();
  for (const part of changed) {
    const at = position();
    const body = bitmaps.packPart(part);
    try {
      await pool.query(
        `INSERT INTO index_snapshot (part, cluster, position, body) VALUES ($1, $2, $3, $4)
         ON CONFLICT (part) DO UPDATE SET cluster = excluded.cluster, taken_at = now(),
           position = excluded.position, body = excluded.body`,
        [part, cluster, at, body],
      );
    } catch (error) {
      bitmaps.markChanged(part);
      throw error;
    }
  }
  await pool.query("UPDATE index_snapshot SET position = $1 WHERE part <> ALL ($2)", [
    unchangedAt,
    changed,
  ]);
  await forgetChanges(pool);
}

/** Deletes the part of the log that every saved part has seen, and nobody follows any more. */
async function forgetChanges(pool: Pool): Promise<void> {
  await pool.query(
    `DELETE FROM registry_change
      WHERE xid < (SELECT pg_snapshot_xmin(position) FROM index_snapshot ORDER BY 1 LIMIT 1)
        AND at < now() - make_interval(hours => $1)`,
    [CHANGES_KEPT_HOURS],
  );
}

/**
 * Loads the saved parts. Answers the position from which the log must be replayed, or undefined
 * when there is no complete snapshot of this database, and nothing was loaded.
 */
export async function loadParts(
  client: pg.ClientBase,
  bitmaps: AudienceBitmaps,
): Promise<Position | undefined> {
  const cluster = await readClusterName(client);
  const { rows } = await client.query<{ part: number; position: Position }>(
    "SELECT part, position::text FROM index_snapshot WHERE cluster = $1 ORDER BY part",
    [cluster],
  );
  if (rows.length !== PARTS) return undefined;
  for (const { part } of rows) bitmaps.loadPart(await readBody(client, part));
  return rows.map((row) => row.position).reduce(earlierPosition);
}

/** By binary COPY: as text the body would be twice as long and had to be decoded. */
async function readBody(client: pg.ClientBase, part: number): Promise<Uint8Array> {
  const select = `SELECT body FROM index_snapshot WHERE part = ${part}`;
  const stream = client.query(copyTo(`COPY (${select}) TO STDOUT (FORMAT binary)`));
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return bytes.subarray(COPY_BODY_START, COPY_BODY_START + bytes.readInt32BE(COPY_BODY_START - 4));
}

/** What positions are valid in: a cluster as initdb made it, and a database in it. */
async function readClusterName(client: Pick<pg.ClientBase, "query">): Promise<string> {
  const { rows } = await client.query<{ cluster: string }>(
    `SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname =
       current_database()) AS cluster FROM pg_control_system()`,
  );
  return (rows[0] as { cluster: string }).cluster;
}
