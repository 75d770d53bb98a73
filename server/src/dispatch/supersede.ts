// What a later bulletin does to the dispatches of the ones it names: nobody else is told the
// old message, and a Cancel goes to exactly those who had it or may have had it.
import { ENDPOINT_KINDS, type EndpointKind } from "@loa/model/endpoint.ts";
import type pg from "pg";
import { RoaringBitmap32, roaringLibraryInitialize } from "roaring-wasm";
import { decodeContainer, ordinalsOf } from "../audience/container.ts";
import { closeDispatches, readOpenIntents } from "./close.ts";

/** People by channel and by commune, as portable Roaring bitmaps over ordinals. */
export interface ReachedAudience {
  readonly channels: Map<EndpointKind, Uint8Array>;
  /** How the old dispatches attributed them. */
  readonly communes: readonly {
    readonly areaId: number;
    readonly residents: Uint8Array;
    readonly concerned: Uint8Array;
  }[];
}

/** Asks the ledger whom a dispatch reached by everything that is committed: portable Roaring by channel. */
export type AskReached = (dispatchId: string) => Promise<ReadonlyMap<string, Uint8Array>>;

/**
 * The dispatches of some bulletins, and what those replaced, back to the first: whoever was told of a
 * storm and of none of its updates has to be told that it is over as well.
 */
export async function dispatchesOf(
  tx: pg.PoolClient,
  bulletinIds: readonly string[],
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `WITH RECURSIVE line AS (
       SELECT id, supersedes FROM dispatch WHERE bulletin_id = ANY($1::uuid[])
       UNION SELECT d.id, d.supersedes FROM dispatch d JOIN line ON d.id = ANY(line.supersedes))
     SELECT id FROM line`,
    [bulletinIds],
  );
  return rows.map((row) => row.id);
}

/**
 * Closes the dispatches of bulletins that are being cancelled, then collects whom they reached:
 * sent, unsure, and open intents. The closing comes first: after it no worker can commit an
 * outcome under the old epoch, so what the ledger answers is complete but for the open intents,
 * which are added here.
 */
export async function closeAndCollectReached(
  tx: pg.PoolClient,
  bulletinIds: readonly string[],
  askReached: AskReached,
): Promise<ReachedAudience> {
  await roaringLibraryInitialize();
  const dispatchIds = await dispatchesOf(tx, bulletinIds);
  await closeDispatches(tx, dispatchIds, "cancelled");
  const channels = new Map<EndpointKind, RoaringBitmap32>();
  const of = (channel: string): RoaringBitmap32 | undefined => {
    const kind = ENDPOINT_KINDS.find((each) => each === channel);
    if (kind === undefined) return undefined;
    const known = channels.get(kind) ?? new RoaringBitmap32();
    channels.set(kind, known);
    return known;
  };
  try {
    for (const dispatchId of dispatchIds) {
      for (const [channel, bytes] of await askReached(dispatchId)) {
        const reached = RoaringBitmap32.deserialize("portable", bytes);
        of(channel)?.orInPlace(reached);
        reached.dispose();
      }
      for (const { channel, shard, from, to } of await readOpenIntents(tx, dispatchId)) {
        const lows = decodeContainer(await readRecipients(tx, dispatchId, channel, shard));
        of(channel)?.addMany(ordinalsOf(shard, lows.subarray(from, to)));
      }
    }
    const packed = new Map([...channels].map(([kind, set]) => [kind, set.serialize("portable")]));
    return { channels: packed, communes: await readAttribution(tx, dispatchIds) };
  } finally {
    for (const set of channels.values()) set.dispose();
  }
}

async function readRecipients(
  tx: pg.PoolClient,
  dispatchId: string,
  channel: string,
  shard: number,
): Promise<Buffer> {
  const { rows } = await tx.query<{ recipients: Buffer }>(
    "SELECT recipients FROM shard WHERE dispatch_id = $1 AND channel = $2 AND shard = $3",
    [dispatchId, channel, shard],
  );
  return (rows[0] as { recipients: Buffer }).recipients;
}

async function readAttribution(tx: pg.PoolClient, dispatchIds: readonly string[]) {
  const { rows } = await tx.query<{ areaId: number; residents: Buffer; concerned: Buffer }>(
    `SELECT area_id AS "areaId", residents, concerned FROM audience_commune
     WHERE dispatch_id = ANY($1::uuid[]) ORDER BY dispatch_id, area_id`,
    [dispatchIds],
  );
  return rows;
}
