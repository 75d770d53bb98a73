// Recipients that two dispatches have in common are written once. At one bit for each of 33 million
// people they are megabytes for a channel, the dearest part of a plan; and in a storm most bulletins are
// for the people of the last one. So a shard may name an earlier dispatch (`same_as`), whose shard of the
// same number and channel holds the same bytes; never one that names another itself.
//
// What the last plans wrote is remembered here, by the process that plans. It may be wrong about the
// database (a plan that was rolled back, a dispatch that was reduced), and is asked there each time.
import type pg from "pg";
import type { PlannedShard } from "./shard-copy.ts";

/** Smaller recipients stay in the row itself: PostgreSQL moves what is longer to another table. */
const SHARED_BYTES_MIN = 1_900;
/** Bytes that are remembered: two channels of 33 million people, and the same of the plan before. */
const REMEMBERED_BYTES_MAX = 16 * 1024 * 1024;

/** SQL for the recipients of a shard, wherever they are. */
export const recipientsOf = (shard: string): string =>
  `COALESCE(${shard}.recipients, (SELECT same.recipients FROM shard same
     WHERE same.dispatch_id = ${shard}.same_as AND same.channel = ${shard}.channel
       AND same.shard = ${shard}.shard))`;

interface Remembered {
  readonly dispatchId: string;
  readonly channel: string;
  readonly bytes: number;
  readonly shards: ReadonlyMap<
    number,
    { readonly ownerId: string; readonly recipients: Uint8Array }
  >;
}

export class SharedRecipients {
  /** The newest first. */
  #plans: Remembered[] = [];

  /**
   * By shard, the dispatch that holds the same bytes; it holds them at least until `tx` ends.
   * @param dispatchId which is planned now.
   */
  async find(
    tx: pg.PoolClient,
    dispatchId: string,
    channel: string,
    shards: readonly PlannedShard[],
  ): Promise<ReadonlyMap<number, string>> {
    // An issue that failed is repeated under the same id, and the people may be others by then.
    this.#plans = this.#plans.filter(
      (plan) => plan.dispatchId !== dispatchId || plan.channel !== channel,
    );
    const found = new Map<number, string>();
    const plans = this.#plans.filter((plan) => plan.channel === channel);
    for (const { shard, recipients } of shards)
      for (const plan of plans) {
        const known = plan.shards.get(shard);
        if (known === undefined || !isSame(known.recipients, recipients)) continue;
        found.set(shard, known.ownerId);
        break;
      }
    const holding = await holdOwners(tx, channel, [...new Set(found.values())]);
    for (const [shard, ownerId] of found) if (!holding.has(ownerId)) found.delete(shard);
    return found;
  }

  /** Remembers what was planned, and who holds it. */
  remember(
    dispatchId: string,
    channel: string,
    shards: readonly PlannedShard[],
    owners: ReadonlyMap<number, string>,
  ): void {
    const large = shards.filter(({ recipients }) => recipients.length >= SHARED_BYTES_MIN);
    if (large.length === 0) return;
    const plan = {
      dispatchId,
      channel,
      bytes: large.reduce((sum, { recipients }) => sum + recipients.length, 0),
      shards: new Map(
        large.map(({ shard, recipients }) => [
          shard,
          { ownerId: owners.get(shard) ?? dispatchId, recipients },
        ]),
      ),
    };
    let bytes = 0;
    this.#plans = [plan, ...this.#plans].filter(
      (each) => (bytes += each.bytes) <= REMEMBERED_BYTES_MAX,
    );
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && Buffer.compare(a, b) === 0;

/**
 * Which of some dispatches have shards of a channel, kept until the transaction ends. Whoever deletes
 * shards locks the dispatch first (reduce.ts); a look after the lock sees what was done before it.
 */
async function holdOwners(
  tx: pg.PoolClient,
  channel: string,
  dispatchIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (dispatchIds.length === 0) return new Set();
  await tx.query("SELECT FROM dispatch WHERE id = ANY ($1::uuid[]) ORDER BY id FOR KEY SHARE", [
    dispatchIds,
  ]);
  const { rows } = await tx.query<{ id: string }>(
    `SELECT id FROM dispatch d WHERE id = ANY ($1::uuid[]) AND EXISTS (
       SELECT FROM shard WHERE dispatch_id = d.id AND channel = $2)`,
    [dispatchIds, channel],
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * Leaves what a dispatch holds for others to one of them, before its shards are deleted. The dispatch
 * is locked until the transaction ends.
 */
export async function leaveRecipients(tx: pg.PoolClient, dispatchId: string): Promise<void> {
  await tx.query("SELECT FROM dispatch WHERE id = $1 FOR UPDATE", [dispatchId]);
  await tx.query(
    `WITH heir AS (
       SELECT DISTINCT ON (channel, shard) channel, shard, dispatch_id FROM shard
       WHERE same_as = $1 ORDER BY channel, shard, dispatch_id)
     UPDATE shard s
     SET recipients = CASE WHEN s.dispatch_id = heir.dispatch_id THEN own.recipients END,
         same_as = CASE WHEN s.dispatch_id <> heir.dispatch_id THEN heir.dispatch_id END
     FROM heir JOIN shard own USING (channel, shard)
     WHERE own.dispatch_id = $1 AND s.same_as = $1
       AND s.channel = heir.channel AND s.shard = heir.shard`,
    [dispatchId],
  );
}
