// Reading a log in the order in which its transactions committed.
//
// Ids of a sequence are given out before commit: a reader that remembers the highest id
// skips a row whose transaction commits late. So a reader remembers the pg_snapshot of its
// last reading, and the next reading takes the rows that are visible now and were not then.
import type { Pool } from "./connection.ts";
import { onClient } from "./transaction.ts";
import type pg from "pg";

/** A pg_snapshot as text, `xmin:xmax:xip,...`: which transactions a reading saw. */
export type Position = string;

/**
 * The rows of a log with a column `xid xid8 DEFAULT pg_current_xact_id()` that were committed
 * after `$n`, the position of the last reading. The second half lets an index on xid do the work.
 */
export const committedSince = (parameter: `$${number}`): string =>
  `NOT pg_visible_in_snapshot(xid, ${parameter}::pg_snapshot) AND xid >= pg_snapshot_xmin(${parameter}::pg_snapshot)`;

/** Runs `read` in one snapshot; every statement in it sees exactly what `position` names. */
export async function readAtPosition<T>(
  pool: Pool,
  read: (client: pg.PoolClient, position: Position) => Promise<T>,
): Promise<T> {
  return onClient(pool, async (client) => {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const { rows } = await client.query<{ position: Position }>(
      "SELECT pg_current_snapshot()::text AS position",
    );
    const result = await read(client, (rows[0] as { position: Position }).position);
    await client.query("COMMIT");
    return result;
  });
}

/** The earlier of two positions. Snapshots of one cluster are totally ordered in time. */
export function earlierPosition(a: Position, b: Position): Position {
  const [left, right] = [parsePosition(a), parsePosition(b)];
  if (left.xmax !== right.xmax) return left.xmax < right.xmax ? a : b;
  // The same transactions had begun: more of them still running means earlier.
  return left.running >= right.running ? a : b;
}

function parsePosition(position: Position): { xmax: bigint; running: number } {
  const [, xmax, running] = position.split(":") as [string, string, string];
  return { xmax: BigInt(xmax), running: running === "" ? 0 : running.split(",").length };
}
