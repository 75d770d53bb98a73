// Folding: replaces journal rows of one channel by one packed row per shard. Rare: when a
// journal has grown long, and at seal. The journal rows that went in are deleted in the
// transaction that writes the folds, so at every instant folds + journal = all facts.
import type pg from "pg";
import { decodeContainer } from "../audience/container.ts";
import { type FailPoint, noFailPoint } from "../observe/fail-point.ts";
import { withImplied } from "./channel-planes.ts";
import { emptyFold, type FoldedShard, packFold, setFolded, unpackFold } from "./fold-format.ts";
import {
  BY_ORDINAL,
  JOINED_LATER,
  type JournalRow,
  readRows,
  unpackPoints,
  unpackRuns,
} from "./journal.ts";
import { RankIndex } from "./rank-index.ts";

/** One shard with its facts by rank, times included. */
export interface ShardFacts {
  readonly shard: number;
  readonly index: RankIndex;
  readonly fold: FoldedShard;
}

/** The facts of shards of one channel: folds and journal rows as one transaction sees them. */
export async function readShardFacts(
  client: pg.PoolClient,
  dispatchId: string,
  channel: string,
  onlyShard?: number,
): Promise<{ shards: Map<number, ShardFacts>; rows: JournalRow[] }> {
  const shards = new Map<number, ShardFacts>();
  const { rows: stored } = await client.query<{
    shard: number;
    recipients: Buffer;
    body: Buffer | null;
  }>(
    `SELECT s.shard, s.recipients, f.body FROM shard s
     LEFT JOIN fold f USING (dispatch_id, channel, shard)
     WHERE s.dispatch_id = $1 AND s.channel = $2 AND ($3::int IS NULL OR s.shard = $3)
     ORDER BY s.shard`,
    [dispatchId, channel, onlyShard ?? null],
  );
  for (const { shard, recipients, body } of stored) {
    const index = new RankIndex(decodeContainer(recipients));
    shards.set(shard, { shard, index, fold: body ? unpackFold(body) : emptyFold(index.size) });
  }
  const rows = await readRows(client, dispatchId, channel);
  for (const row of rows) applyToFolds(shards, row);
  return { shards, rows };
}

function applyToFolds(shards: Map<number, ShardFacts>, row: JournalRow): void {
  if (row.shard === JOINED_LATER) return;
  if (row.shard !== BY_ORDINAL) {
    const own = shards.get(row.shard);
    if (own === undefined) return;
    for (const { start, count, planes, ms } of unpackRuns(row.entries))
      for (let rank = start; rank < start + count; rank++)
        setFolded(own.fold, rank, withImplied(planes), ms);
    return;
  }
  const { ordinals, planes, ms } = unpackPoints(row.entries);
  for (let i = 0; i < ordinals.length; i++) {
    const ordinal = ordinals[i] as number;
    const own = shards.get(ordinal >>> 16);
    const rank = own?.index.rankOf(ordinal & 0xffff) ?? -1;
    if (own !== undefined && rank >= 0)
      setFolded(own.fold, rank, withImplied(planes[i] as number), ms[i] as number);
  }
}

/** Folds one channel of one dispatch; answers how many journal rows it replaced. */
export async function foldChannel(
  pool: pg.Pool,
  dispatchId: string,
  channel: string,
  failPoint: FailPoint = noFailPoint,
): Promise<number> {
  const client = await pool.connect();
  try {
    // Rows that commit while this runs are invisible to it, and stay.
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    const { shards, rows } = await readShardFacts(client, dispatchId, channel);
    const folded = rows.filter((row) => row.shard !== JOINED_LATER);
    if (folded.length > 0) {
      const all = [...shards.values()];
      await client.query(
        `INSERT INTO fold (dispatch_id, channel, shard, position, body)
         SELECT $1, $2, shard, pg_current_snapshot(), body FROM unnest($3::int[], $4::bytea[]) AS f(shard, body)
         ON CONFLICT (dispatch_id, channel, shard)
         DO UPDATE SET position = EXCLUDED.position, body = EXCLUDED.body`,
        [
          dispatchId,
          channel,
          all.map((each) => each.shard),
          all.map((each) => packFold(each.fold)),
        ],
      );
      failPoint("mid-fold");
      await client.query("DELETE FROM journal WHERE id = ANY($1::bigint[])", [
        folded.map((row) => row.id),
      ]);
    }
    await client.query("COMMIT");
    return folded.length;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}
