// The shards of a dispatch with their recipients, in and out of the database. At one bit for each of 33
// million people these are megabytes for a channel, and phones wait for both ways: so they are copied.
import type { Lane } from "@loa/model/bulletin-type.ts";
import type { EndpointKind } from "@loa/model/endpoint.ts";
import type pg from "pg";
import { copyIn, copyOut, int4, int8, packRows, readField, uuid } from "../db/copy.ts";
import { formatUuid } from "../db/id.ts";
import { recipientsOf } from "./shared-recipients.ts";

/** Some recipients of one channel: one lease, one checkpoint. */
export interface PlannedShard {
  readonly shard: number;
  /** How many, 1..65,536. */
  readonly planned: number;
  /** One container of Roaring's portable format (audience/container.ts). */
  readonly recipients: Uint8Array;
}

/** What all shards of a channel of a dispatch have in common. */
export interface ShardsOf {
  readonly dispatchId: string;
  readonly channel: EndpointKind;
  readonly lane: Lane;
  readonly seq: number;
}

/**
 * Writes the shards of a channel, all of whose people are still to be told.
 * @param owners by shard, the dispatch that holds its recipients already.
 */
export async function insertShards(
  tx: pg.PoolClient,
  { dispatchId, channel, lane, seq }: ShardsOf,
  shards: readonly PlannedShard[],
  owners: ReadonlyMap<number, string>,
): Promise<void> {
  const texts = [channel, lane, "open"].map((text) => Buffer.from(text));
  const common = [uuid(dispatchId), ...texts, int8(seq)];
  const rows = shards.map(({ shard, planned, recipients }) => {
    const owner = owners.get(shard);
    const held = owner === undefined ? [recipients, null] : [null, uuid(owner)];
    return [...common, int4(shard), int4(planned), ...held];
  });
  const columns = "dispatch_id, channel, lane, state, seq, shard, planned, recipients, same_as";
  await copyIn(tx, `shard (${columns})`, packRows(rows));
}

export interface StoredShard {
  readonly dispatchId: string;
  readonly channel: string;
  readonly shard: number;
  readonly planned: number;
  readonly recipients: Buffer;
}

/** Reads the shards of some dispatches, of all channels or one, by dispatch, channel and shard. */
export async function readShards(
  client: pg.ClientBase,
  dispatchIds: readonly string[],
  channel?: EndpointKind,
): Promise<StoredShard[]> {
  const ids = client.escapeLiteral(`{${dispatchIds.join()}}`);
  const ofChannel = channel ? `AND channel = ${client.escapeLiteral(channel)}` : "";
  const shards: StoredShard[] = [];
  await copyOut(
    client,
    `SELECT dispatch_id, shard, planned, channel, ${recipientsOf("s")} FROM shard s
     WHERE dispatch_id = ANY (${ids}::uuid[]) ${ofChannel} ORDER BY dispatch_id, channel, shard`,
    (view, at) => {
      const name = readField(view, at + 36);
      shards.push({
        dispatchId: formatUuid(readField(view, at)),
        shard: view.getInt32(at + 24),
        planned: view.getInt32(at + 32),
        channel: name.toString(),
        recipients: readField(view, at + 40 + name.length),
      });
    },
  );
  return shards;
}
