// The ledger as rows, one for each recipient and channel, streamed shard by shard: memory
// holds one shard, whatever the size of the dispatch.
import { type State, stateOf } from "@loa/model/delivery.ts";
import type pg from "pg";
import { decodeContainer, splitShards } from "../audience/container.ts";
import { readAtPosition } from "../db/commit-order.ts";
import { readAttribution } from "../dispatch/attribution.ts";
import { NO_TIME } from "../dispatch/fold-format.ts";
import { readShardFacts } from "../dispatch/fold.ts";

export interface ExportRow {
  /** Null when the person was deleted since. */
  readonly subscriber: string | null;
  readonly commune: string;
  readonly group: "residents" | "concerned";
  readonly channel: string;
  readonly state: State;
  readonly sentAt: Date | null;
  readonly deliveredAt: Date | null;
  readonly readAt: Date | null;
}

interface Membership {
  readonly areaId: number;
  readonly group: "residents" | "concerned";
}

/** Yields the rows of a dispatch, by channel, shard and ordinal. */
export async function* exportRows(
  pool: pg.Pool,
  dispatchId: string,
  issuedAt: Date,
  codeOf: (areaId: number) => string,
): AsyncGenerator<ExportRow[]> {
  const { rows: shards } = await pool.query<{ channel: string; shard: number }>(
    "SELECT channel, shard FROM shard WHERE dispatch_id = $1 ORDER BY shard, channel",
    [dispatchId],
  );
  let members: { shard: number; of: Map<number, Membership> } | undefined;
  for (const { channel, shard } of shards) {
    if (members?.shard !== shard)
      members = { shard, of: await readMembers(pool, dispatchId, shard) };
    const own = await readAtPosition(pool, (client) =>
      readShardFacts(client, dispatchId, channel, shard),
    );
    if (!own) continue;
    const ids = await readIds(pool, shard);
    const at = (ms: number) => (ms === NO_TIME ? null : new Date(issuedAt.getTime() + ms));
    yield Array.from(own.index().toLows(), (low, rank): ExportRow => {
      const member = members?.of.get(low);
      return {
        subscriber: ids.get(low) ?? null,
        commune: member ? codeOf(member.areaId) : "",
        group: member?.group ?? "residents",
        channel,
        state: stateOf(own.fold.planes[rank] as number),
        sentAt: at(own.fold.times.sent[rank] as number),
        deliveredAt: at(own.fold.times.delivered[rank] as number),
        readAt: at(own.fold.times.read[rank] as number),
      };
    });
  }
}

async function readMembers(
  pool: pg.Pool,
  dispatchId: string,
  shard: number,
): Promise<Map<number, Membership>> {
  const of = new Map<number, Membership>();
  for (const commune of await readAttribution(pool, [dispatchId]))
    for (const group of ["residents", "concerned"] as const)
      for (const piece of splitShards(commune[group]))
        if (piece.shard === shard)
          for (const low of decodeContainer(piece.recipients))
            of.set(low, { areaId: commune.areaId, group });
  return of;
}

async function readIds(pool: pg.Pool, shard: number): Promise<Map<number, string>> {
  const first = shard * 65_536;
  const { rows } = await pool.query<{ ordinal: number; id: string }>(
    "SELECT ordinal, id FROM subscriber WHERE ordinal BETWEEN $1 AND $2 AND id IS NOT NULL",
    [first, first + 65_535],
  );
  return new Map(rows.map((row) => [row.ordinal - first, row.id]));
}
