// Folding: replaces journal rows of one channel by one packed row per shard. Rare: when a
// journal has grown long, and at seal. The journal rows that went in are deleted in the
// transaction that writes the folds, so at every instant folds + journal = all facts.
import type pg from "pg";
import { containerSize } from "../audience/container.ts";
import { blobPart, blobValues } from "../db/blob.ts";
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
import { recipientsOf } from "./shared-recipients.ts";

/** Ranks whose columns are unpacked at a time while folding: 13 bytes each, so about 55 MB. */
export const FOLD_RANKS_AT_ONCE = 4_194_304;

/** One shard with its facts by rank, times included. */
export interface ShardFacts {
  readonly shard: number;
  /** From ordinal to rank; made when first asked for, since runs need none. */
  readonly index: () => RankIndex;
  readonly fold: FoldedShard;
}

/** The facts of one shard: its fold and its journal rows as one transaction sees them. */
export async function readShardFacts(
  client: pg.PoolClient,
  dispatchId: string,
  channel: string,
  shard: number,
): Promise<ShardFacts | undefined> {
  const rows = await readRows(client, dispatchId, channel);
  const shards = await readFolds(client, dispatchId, channel, [shard]);
  for (const row of rows) applyToFolds(shards, row);
  return shards.get(shard);
}

async function readFolds(
  client: pg.PoolClient,
  dispatchId: string,
  channel: string,
  wanted: readonly number[],
): Promise<Map<number, ShardFacts>> {
  const { rows } = await client.query<{ shard: number; recipients: Buffer; body: Buffer | null }>(
    `SELECT s.shard, ${recipientsOf("s")} AS recipients, f.body FROM shard s
     LEFT JOIN fold f USING (dispatch_id, channel, shard)
     WHERE s.dispatch_id = $1 AND s.channel = $2 AND s.shard = ANY($3::int[])`,
    [dispatchId, channel, wanted],
  );
  const shards = new Map<number, ShardFacts>();
  for (const { shard, recipients, body } of rows) {
    let known: RankIndex | undefined;
    const index = () => (known ??= new RankIndex(recipients));
    const fold = body ? unpackFold(body) : emptyFold(containerSize(recipients));
    shards.set(shard, { shard, index, fold });
  }
  return shards;
}

function applyToFolds(shards: Map<number, ShardFacts>, row: JournalRow): void {
  if (row.shard === JOINED_LATER) return;
  if (row.shard !== BY_ORDINAL) {
    const own = shards.get(row.shard);
    if (own === undefined) return;
    for (const { start, count, planes, ms } of unpackRuns(row.entries))
      setFolded(own.fold, start, count, withImplied(planes), ms);
    return;
  }
  const { ordinals, planes, ms } = unpackPoints(row.entries);
  for (let i = 0; i < ordinals.length; i++) {
    const ordinal = ordinals[i] as number;
    const own = shards.get(ordinal >>> 16);
    const rank = own?.index().rankOf(ordinal & 0xffff) ?? -1;
    if (own !== undefined && rank >= 0)
      setFolded(own.fold, rank, 1, withImplied(planes[i] as number), ms[i] as number);
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
    const rows = await readRows(client, dispatchId, channel);
    const folded = rows.filter((row) => row.shard !== JOINED_LATER);
    if (folded.length > 0) {
      for (const wanted of await readBatches(client, dispatchId, channel)) {
        const shards = await readFolds(client, dispatchId, channel, wanted);
        for (const row of folded) applyToFolds(shards, row);
        await writeFolds(client, dispatchId, channel, [...shards.values()]);
      }
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

/** The shards of a channel in batches of about FOLD_RANKS_AT_ONCE. */
async function readBatches(
  client: pg.PoolClient,
  dispatchId: string,
  channel: string,
): Promise<number[][]> {
  const { rows } = await client.query<{ shard: number; planned: number }>(
    "SELECT shard, planned FROM shard WHERE dispatch_id = $1 AND channel = $2 ORDER BY shard",
    [dispatchId, channel],
  );
  const batches: number[][] = [];
  let ranks = FOLD_RANKS_AT_ONCE;
  for (const { shard, planned } of rows) {
    if (ranks + planned > FOLD_RANKS_AT_ONCE) {
      batches.push([]);
      ranks = 0;
    }
    batches.at(-1)?.push(shard);
    ranks += planned;
  }
  return batches;
}

async function writeFolds(
  client: pg.PoolClient,
  dispatchId: string,
  channel: string,
  shards: readonly ShardFacts[],
): Promise<void> {
  const bodies = shards.map((each) => packFold(each.fold));
  await client.query(
    `INSERT INTO fold (dispatch_id, channel, shard, position, body)
     SELECT $1, $2, f.shard, pg_current_snapshot(), ${blobPart("$4", "f")}
     FROM unnest($3::int[], $5::int[], $6::int[]) AS f(shard, at, length)
     ON CONFLICT (dispatch_id, channel, shard)
     DO UPDATE SET position = EXCLUDED.position, body = EXCLUDED.body`,
    [dispatchId, channel, shards.map((each) => each.shard), ...blobValues(bodies)],
  );
}
