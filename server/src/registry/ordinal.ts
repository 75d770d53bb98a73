// Gives out ordinals: dense numbers for life, which bitmaps and ledgers speak of.
//
// Ordinals come in blocks, each for one home commune, so that the people of a commune lie
// together and their bitmaps are short runs. That is locality and nothing more: who moves
// keeps the ordinal. No ordinal is ever given out twice; a transaction that fails gives
// its own back, because the blocks it changed are rolled back with it.
//
// Lock order, the same for everybody: stripes of communes ascending, then the frontier, then
// nothing more. A whole stripe is locked, not a commune, so that an import into 10,000
// communes holds 64 locks.
import { createHash } from "node:crypto";
import type pg from "pg";
import type { OrdinalRange } from "./subscriber-state.ts";

/** Most ordinals in one block: larger ones would leave gaps, smaller ones break up the runs. */
export const BLOCK_MAX = 4_096;
/** A commune's first block: 10,000 communes with one subscriber each take 2.6 million ordinals. */
export const BLOCK_FIRST = 256;
/** Each further block of a commune is this share of what it has, so that little is left unused. */
const BLOCK_GROWTH = 1 / 2;
/** The largest PostgreSQL int: ordinals are `int` columns. */
export const ORDINAL_MAX = 2_147_483_647;
const STRIPES = 64;
/** First key of the advisory locks; any constant that no other lock uses. */
const STRIPE_LOCK = createHash("sha256").update("ordinal stripe").digest().readInt32BE(0);

interface Block {
  readonly first: number;
  readonly size: number;
  readonly areaId: number;
  used: number;
}

/**
 * Takes so many ordinals for each home commune, within the caller's transaction, which must hold
 * no lock that another registration waits for. Ranges ascend within a commune.
 * @throws {Error} when there are no ordinals left.
 */
export async function takeOrdinals(
  client: pg.ClientBase,
  needs: ReadonlyMap<number, number>,
): Promise<Map<number, OrdinalRange[]>> {
  const areaIds = [...needs.keys()];
  const stripes = [...new Set(areaIds.map((id) => id % STRIPES))].toSorted((a, b) => a - b);
  await client.query("SELECT pg_advisory_xact_lock($1, stripe) FROM unnest($2::int[]) AS stripe", [
    STRIPE_LOCK,
    stripes,
  ]);
  const { open, sizes } = await readBlocks(client, areaIds);
  const taken = new Map<number, OrdinalRange[]>();
  const changed: Block[] = [];
  const planned: { areaId: number; size: number; used: number }[] = [];
  for (const [areaId, need] of needs) {
    let left = need;
    const block = open.get(areaId);
    const ranges: OrdinalRange[] = [];
    if (block) {
      const count = Math.min(left, block.size - block.used);
      ranges.push([block.first + block.used, block.first + block.used + count - 1]);
      block.used += count;
      left -= count;
      changed.push(block);
    }
    taken.set(areaId, ranges);
    for (let total = sizes.get(areaId) ?? 0; left > 0;) {
      const size = blockSize(total, left);
      const used = Math.min(left, size);
      planned.push({ areaId, size, used });
      left -= used;
      total += size;
    }
  }
  let next = await moveFrontier(
    client,
    planned.reduce((sum, { size }) => sum + size, 0),
  );
  for (const { areaId, size, used } of planned) {
    changed.push({ first: next, size, areaId, used });
    (taken.get(areaId) as OrdinalRange[]).push([next, next + used - 1]);
    next += size;
  }
  await writeBlocks(client, changed);
  return taken;
}

/** Takes one ordinal for a home commune. */
export async function takeOrdinal(client: pg.ClientBase, areaId: number): Promise<number> {
  const [range] = (await takeOrdinals(client, new Map([[areaId, 1]]))).get(areaId) ?? [];
  if (!range) throw new Error(`no ordinal was taken for area ${areaId}`);
  return range[0];
}

/**
 * Ordinals that a restored database skips: more than are given out between two backups, the import
 * of a whole country included. There is room for thirty such jumps.
 */
export const ORDINALS_SKIPPED = 2 ** 26;

/**
 * Leaves out every ordinal that may have been given out since a backup was taken: devices hold
 * tokens for those, and must never speak for somebody else. Runs while nobody registers.
 */
export async function skipOrdinals(client: pg.ClientBase): Promise<void> {
  await client.query("UPDATE ordinal_block SET used = size WHERE used < size");
  await moveFrontier(client, ORDINALS_SKIPPED);
}

function blockSize(total: number, need: number): number {
  const wanted = Math.max(BLOCK_FIRST, total * BLOCK_GROWTH, need);
  return Math.min(BLOCK_MAX, 2 ** Math.ceil(Math.log2(wanted)));
}

/** The block with room, and the ordinals in all blocks, of each commune that has any. */
async function readBlocks(client: pg.ClientBase, areaIds: readonly number[]) {
  const { rows } = await client.query<Block & { total: number }>(
    `SELECT first_ordinal AS first, size, area_id AS "areaId", used,
            sum(size) OVER (PARTITION BY area_id)::int AS total
       FROM ordinal_block WHERE area_id = ANY($1)`,
    [areaIds],
  );
  const open = new Map<number, Block>();
  const sizes = new Map<number, number>();
  for (const { total, ...block } of rows) {
    if (block.used < block.size) open.set(block.areaId, block);
    sizes.set(block.areaId, total);
  }
  return { open, sizes };
}

/** Cuts `count` ordinals off; answers the first. The row stays locked until commit. */
async function moveFrontier(client: pg.ClientBase, count: number): Promise<number> {
  if (count === 0) return 0;
  const { rows } = await client.query<{ first: number }>(
    "UPDATE ordinal_frontier SET next = next + $1 WHERE next <= $2 RETURNING next - $1 AS first",
    [count, ORDINAL_MAX - count],
  );
  if (!rows[0]) throw new Error(`there are no ${count} ordinals left below ${ORDINAL_MAX}`);
  return rows[0].first;
}

async function writeBlocks(client: pg.ClientBase, blocks: readonly Block[]): Promise<void> {
  // In this order, so that a commune's full block is closed before its next one is opened.
  await client.query(
    `INSERT INTO ordinal_block (first_ordinal, size, area_id, used)
     SELECT * FROM unnest($1::int[], $2::int[], $3::int[], $4::int[])
     ON CONFLICT (first_ordinal) DO UPDATE SET used = excluded.used`,
    [
      blocks.map((b) => b.first),
      blocks.map((b) => b.size),
      blocks.map((b) => b.areaId),
      blocks.map((b) => b.used),
    ],
  );
}
