// What a later bulletin does to the dispatches of the ones it names: nobody else is told the old
// message, and it is known exactly who had it or may have had it, on which channel. Those people
// must hear of the end of it, whether by the new bulletin, by a Cancel, or because they are left out.
import { ENDPOINT_KINDS, type EndpointKind } from "@loa/model/endpoint.ts";
import type { Purpose } from "@loa/model/chain-step.ts";
import type pg from "pg";
import { RoaringBitmap32, roaringLibraryInitialize } from "roaring-wasm";
import { decodeContainer, ordinalsOf } from "../audience/container.ts";
import type { Attribution } from "../audience/freeze.ts";
import { readAttribution } from "./attribution.ts";
import { closeDispatches, readOpenIntents } from "./close.ts";
import { recipientsOf } from "./shared-recipients.ts";

/** People by channel and by commune, as portable Roaring bitmaps over ordinals. */
export interface ReachedAudience {
  readonly channels: Map<EndpointKind, Uint8Array>;
  /** How the old dispatches attributed them. */
  readonly communes: readonly Attribution[];
}

/** Asks the ledger whom a dispatch reached by everything that is committed: portable Roaring by channel. */
export type AskReached = (dispatchId: string) => Promise<ReadonlyMap<string, Uint8Array>>;

/** People by channel. Whoever makes one disposes it. */
export class ChannelSets implements Disposable {
  readonly of = new Map<EndpointKind, RoaringBitmap32>();

  /** The set of a channel, made when it is missing; undefined for what is no addressed channel. */
  set(channel: string): RoaringBitmap32 | undefined {
    const kind = ENDPOINT_KINDS.find((each) => each === channel);
    if (kind === undefined) return undefined;
    const known = this.of.get(kind) ?? new RoaringBitmap32();
    this.of.set(kind, known);
    return known;
  }

  add(channel: string, bytes: Uint8Array): void {
    const people = RoaringBitmap32.deserialize("portable", bytes);
    this.set(channel)?.orInPlace(people);
    people.dispose();
  }

  /** Everybody, whatever the channel. */
  everybody(): RoaringBitmap32 {
    return RoaringBitmap32.orMany([...this.of.values()]);
  }

  pack(): Map<EndpointKind, Uint8Array> {
    return new Map(
      [...this.of].map(([kind, people]) => {
        people.runOptimize();
        return [kind, people.serialize("portable")];
      }),
    );
  }

  [Symbol.dispose](): void {
    for (const people of this.of.values()) people.dispose();
  }
}

export interface ChainDispatch {
  readonly id: string;
  readonly purpose: Purpose;
  /** Of one of the bulletins that were asked for, not of one before them. */
  readonly direct: boolean;
  /** Expired by now: whoever had it was told so by the message itself. */
  readonly expired: boolean;
}

/**
 * The dispatches of some bulletins, and what those replaced, back to the first, in the order in
 * which bulletins were issued: whoever was told of a storm and of none of its updates has to be
 * told that it is over as well. Of what came before, only what has not expired.
 */
export async function dispatchesOf(
  tx: pg.PoolClient,
  bulletinIds: readonly string[],
): Promise<ChainDispatch[]> {
  if (bulletinIds.length === 0) return [];
  const { rows } = await tx.query<ChainDispatch>(
    `WITH RECURSIVE line AS (
       SELECT id, supersedes FROM dispatch WHERE bulletin_id = ANY($1::uuid[])
       UNION SELECT d.id, d.supersedes FROM dispatch d JOIN line ON d.id = ANY(line.supersedes)
             WHERE d.expires_at > now())
     SELECT id, purpose, bulletin_id = ANY($1::uuid[]) AS direct, expires_at <= now() AS expired
     FROM line JOIN dispatch USING (id)
     ORDER BY min(issued_at) OVER (PARTITION BY bulletin_id), bulletin_id, purpose, id`,
    [bulletinIds],
  );
  return rows;
}

/** Those of some dispatches that belong to the bulletins that were asked for. */
export const idsOf = (dispatches: readonly ChainDispatch[]): string[] =>
  dispatches.map(({ id }) => id);

/**
 * Adds whom a closed dispatch reached: sent, unsure, and open intents. The closing comes first:
 * after it no worker can commit an outcome under the old epoch, so what the ledger answers is
 * complete but for the open intents, which are added here.
 */
export async function addReached(
  tx: pg.PoolClient,
  dispatchId: string,
  askReached: AskReached,
  into: ChannelSets,
): Promise<void> {
  for (const [channel, bytes] of await askReached(dispatchId)) into.add(channel, bytes);
  for (const { channel, shard, from, to } of await readOpenIntents(tx, dispatchId)) {
    const lows = decodeContainer(await readRecipients(tx, dispatchId, channel, shard));
    into.set(channel)?.addMany(ordinalsOf(shard, lows.subarray(from, to)));
  }
}

/**
 * Who has something of a chain that these bulletins end or replace, and was not told that it no
 * longer concerns them: on each channel, what happened is followed in its order. Their dispatches
 * are closed already.
 */
export async function collectHolders(
  tx: pg.PoolClient,
  bulletinIds: readonly string[],
  askReached: AskReached,
): Promise<ChannelSets> {
  await roaringLibraryInitialize();
  const holders = new ChannelSets();
  for (const { id, purpose, expired } of await dispatchesOf(tx, bulletinIds)) {
    if (expired) continue;
    if (purpose !== "left") await addReached(tx, id, askReached, holders);
    else {
      using told = new ChannelSets();
      await addReached(tx, id, askReached, told);
      for (const [kind, people] of told.of) holders.set(kind)?.andNotInPlace(people);
    }
  }
  return holders;
}

/** Closes the dispatches of bulletins that are being cancelled, then collects who has any of them. */
export async function closeAndCollectReached(
  tx: pg.PoolClient,
  bulletinIds: readonly string[],
  askReached: AskReached,
): Promise<ReachedAudience> {
  await closeDispatches(tx, idsOf(await dispatchesOf(tx, bulletinIds)), "cancelled");
  using holders = await collectHolders(tx, bulletinIds, askReached);
  return { channels: holders.pack(), communes: await attributionOfChain(tx, bulletinIds) };
}

async function readRecipients(
  tx: pg.PoolClient,
  dispatchId: string,
  channel: string,
  shard: number,
): Promise<Buffer> {
  const { rows } = await tx.query<{ recipients: Buffer }>(
    `SELECT ${recipientsOf("s")} AS recipients FROM shard s
     WHERE dispatch_id = $1 AND channel = $2 AND shard = $3`,
    [dispatchId, channel, shard],
  );
  return (rows[0] as { recipients: Buffer }).recipients;
}

/** Where the dispatches of a chain counted their people. */
export async function attributionOfChain(
  tx: pg.PoolClient,
  bulletinIds: readonly string[],
): Promise<Attribution[]> {
  return readAttribution(tx, idsOf(await dispatchesOf(tx, bulletinIds)));
}
