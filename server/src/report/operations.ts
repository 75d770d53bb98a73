// The figures of the database that an operator needs: what is open, what is late, what has piled
// up, how old the last backup is. Read every few seconds, so each statement is cheap whatever the
// number of people, and none may take long.
import type pg from "pg";
import { onClient } from "../db/transaction.ts";

/** Sources that a reason names; one is enough to begin with. */
const ALARMED_SOURCES_MAX = 5;
/** A statement that takes longer is given up; the former figures stand. */
export const FIGURES_TIMEOUT_MS = 2_000;

export interface OperationFigures {
  readonly dispatches: readonly {
    readonly lane: string;
    readonly state: string;
    readonly count: number;
  }[];
  /** Shards and area orders of dispatches that are not sealed. */
  readonly shards: readonly ByChannel[];
  readonly orders: readonly ByChannel[];
  /** Milliseconds since the oldest warning with an open shard was issued. */
  readonly oldestWarningMs: number | null;
  /** Journal rows that are not folded, as PostgreSQL counts them in passing. */
  readonly journalRows: number;
  readonly databaseBytes: number;
  /** By source, what came since somebody last changed, resumed or suspended the source. */
  readonly capAlarms: readonly { readonly source: string; readonly count: number }[];
  readonly lastBackup: { readonly at: Date; readonly ageMs: number; readonly bytes: number } | null;
}

interface ByChannel {
  readonly lane: string;
  readonly channel: string;
  readonly state: string;
  readonly count: number;
}

/** Reads all figures at one instant. */
export async function readOperationFigures(pool: pg.Pool): Promise<OperationFigures> {
  return onClient(pool, async (client) => {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await client.query(`SET LOCAL statement_timeout = ${FIGURES_TIMEOUT_MS}`);
    const dispatches = await client.query<OperationFigures["dispatches"][number]>(
      `SELECT lane, state, count(*) AS count FROM dispatch GROUP BY 1, 2 ORDER BY 1, 2`,
    );
    const shards = await client.query<ByChannel>(
      `SELECT s.lane, s.channel, s.state, count(*) AS count
         FROM shard s JOIN dispatch d ON d.id = s.dispatch_id
        WHERE d.state <> 'sealed' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    );
    const orders = await client.query<ByChannel>(
      `SELECT o.lane, o.channel, o.state, count(*) AS count
         FROM area_order o JOIN dispatch d ON d.id = o.dispatch_id
        WHERE d.state <> 'sealed' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    );
    const alarms = await client.query<OperationFigures["capAlarms"][number]>(
      `SELECT s.name AS source, count(*)::int AS count
         FROM cap_message m JOIN cap_source s ON s.id = m.source_id
        WHERE m.state = 'alarm' AND m.received_at > s.changed_at
        GROUP BY s.name ORDER BY s.name LIMIT $1`,
      [ALARMED_SOURCES_MAX],
    );
    const rest = await client.query<{
      oldestWarningMs: number | null;
      journalRows: number;
      databaseBytes: number;
      at: Date | null;
      ageMs: number | null;
      bytes: number | null;
    }>(
      // n_live_tup is kept by PostgreSQL anyway; counting the journal would read all of it.
      `SELECT (SELECT (extract(epoch FROM now() - min(d.issued_at)) * 1000)::bigint
                 FROM dispatch d WHERE d.lane = 'warning' AND d.state = 'open' AND EXISTS (
                   -- Live shards stay open until expiry: who is not connected is told when they come.
                   SELECT FROM shard s WHERE s.dispatch_id = d.id AND s.state <> 'closed'
                    AND s.channel <> 'live'))
                AS "oldestWarningMs",
              (SELECT n_live_tup FROM pg_stat_user_tables WHERE relid = 'journal'::regclass)
                AS "journalRows",
              pg_database_size(current_database()) AS "databaseBytes",
              b.at, (extract(epoch FROM now() - b.at) * 1000)::bigint AS "ageMs", b.bytes
         FROM (SELECT 1) one LEFT JOIN LATERAL (
           SELECT confirmed_at AS at, bytes FROM backup WHERE confirmed_at IS NOT NULL
            ORDER BY confirmed_at DESC LIMIT 1) b ON true`,
    );
    await client.query("COMMIT");
    const row = rest.rows[0] as (typeof rest.rows)[number];
    return {
      dispatches: dispatches.rows,
      shards: shards.rows,
      orders: orders.rows,
      capAlarms: alarms.rows,
      oldestWarningMs: row.oldestWarningMs,
      journalRows: row.journalRows ?? 0,
      databaseBytes: row.databaseBytes,
      lastBackup: row.at && { at: row.at, ageMs: row.ageMs ?? 0, bytes: row.bytes ?? 0 },
    };
  });
}
