// Builds the planes of one dispatch from what the database holds: the frozen audience, the
// shards, the folds and the journal rows that no fold has replaced. The same code serves a
// fresh dispatch and one whose owner was killed.
import type { Lane } from "@loa/model/bulletin-type.ts";
import { type ChannelName, isAreaChannel } from "@loa/model/endpoint.ts";
import type { CommuneFigures, DispatchSummary } from "@loa/model/delivery.ts";
import type pg from "pg";
import { fillLows, SHARD_SIZE, splitShards } from "../audience/container.ts";
import { readAtPosition } from "../db/commit-order.ts";
import { onClient } from "../db/transaction.ts";
import { readAttribution } from "./attribution.ts";
import { ChannelPlanes } from "./channel-planes.ts";
import { unpackFold } from "./fold-format.ts";
import {
  BY_ORDINAL,
  JOINED_LATER,
  type JournalRow,
  readRows,
  unpackPoints,
  unpackRuns,
} from "./journal.ts";
import { RankGroups } from "./rank-groups.ts";
import { RankIndex } from "./rank-index.ts";
import { readShards } from "./shard-copy.ts";

/** Shards that are loaded between two looks at other work: some milliseconds. */
const SHARDS_AT_ONCE = 32;

export class DispatchPlanes {
  readonly dispatchId: string;
  readonly issuedAtMs: number;
  readonly #residents: number;
  readonly #concerned: number;
  readonly #communeIds: readonly number[];
  readonly channels: ReadonlyMap<string, ChannelPlanes>;
  readonly joinedLater = new Set<number>();
  /** Receipts that did not count since the last flush, "channel reason" → count. */
  readonly refusals = new Map<string, number>();

  private constructor(
    facts: DispatchFacts,
    communeIds: readonly number[],
    channels: Map<string, ChannelPlanes>,
  ) {
    this.dispatchId = facts.id;
    this.issuedAtMs = facts.issuedAt.getTime();
    this.#residents = facts.residents;
    this.#concerned = facts.concerned;
    this.#communeIds = communeIds;
    this.channels = channels;
  }

  /**
   * Reads a dispatch; undefined when there is none. For a country that is half a second of a processor:
   * a notice makes way for a warning that is being issued.
   * @param makeWay resolves when the way need not be left free any more.
   */
  static async load(
    pool: pg.Pool,
    dispatchId: string,
    makeWay: () => Promise<void> = async () => {},
  ): Promise<DispatchPlanes | undefined> {
    const facts = await readFacts(pool, dispatchId);
    if (facts === undefined) return undefined;
    const giveWay = facts.lane === "notice" ? makeWay : async () => {};
    await giveWay();
    const { communeIds, groupsOf } = await readGroups(pool, dispatchId);
    const channels = new Map(
      facts.channels
        .filter((name) => !isAreaChannel(name))
        .map((name) => [name as string, new ChannelPlanes(communeIds.length * 2)]),
    );
    const shards = await onClient(pool, (client) => readShards(client, [dispatchId]));
    for (const [at, { channel, shard, recipients }] of shards.entries()) {
      const index = new RankIndex(recipients);
      channels.get(channel)?.addShard(shard, index, groupsOf(shard, index));
      if (at % SHARDS_AT_ONCE < SHARDS_AT_ONCE - 1) continue;
      await new Promise(setImmediate);
      await giveWay();
    }
    const dispatch = new DispatchPlanes(facts, communeIds, channels);
    // One snapshot: a fold that commits between the two reads would move rows out of sight.
    await readAtPosition(pool, async (client) => {
      const { rows: folds } = await client.query<{ channel: string; shard: number; body: Buffer }>(
        "SELECT channel, shard, body FROM fold WHERE dispatch_id = $1",
        [dispatchId],
      );
      for (const { channel, shard, body } of folds) {
        const { planes } = unpackFold(body);
        forEqual(planes, (value, from, count) => {
          if (value !== 0) channels.get(channel)?.setRun(shard, from, count, value);
        });
      }
      for (const row of await readRows(client, dispatchId)) dispatch.apply(row);
    });
    return dispatch;
  }

  /** Applies one journal row. Idempotent. */
  apply(row: JournalRow): void {
    if (row.shard === JOINED_LATER) {
      for (const ordinal of unpackPoints(row.entries).ordinals) this.joinedLater.add(ordinal);
      return;
    }
    const channel = this.channels.get(row.channel);
    if (channel === undefined) return;
    if (row.shard === BY_ORDINAL) {
      const { ordinals, planes } = unpackPoints(row.entries);
      for (let i = 0; i < ordinals.length; i++)
        channel.setOrdinal(ordinals[i] as number, planes[i] as number);
    } else {
      for (const run of unpackRuns(row.entries))
        channel.setRun(row.shard, run.start, run.count, run.planes);
    }
  }

  summarize(
    refusals: readonly { channel: string; reason: string; refused: number }[],
  ): DispatchSummary {
    const names = [...this.channels.keys()];
    const communes: CommuneFigures[] = this.#communeIds.map((areaId, at) => ({
      areaId,
      channels: Object.fromEntries(
        names.map((name) => {
          const channel = this.channels.get(name) as ChannelPlanes;
          return [
            name,
            { residents: channel.figures(at * 2), concerned: channel.figures(at * 2 + 1) },
          ];
        }),
      ),
    }));
    return {
      dispatchId: this.dispatchId,
      residents: this.#residents,
      concerned: this.#concerned,
      channels: Object.fromEntries(
        names.map((name) => [name, (this.channels.get(name) as ChannelPlanes).figures()]),
      ),
      communes,
      joinedLater: this.joinedLater.size,
      refusals,
    };
  }
}

interface DispatchFacts {
  readonly id: string;
  readonly lane: Lane;
  readonly issuedAt: Date;
  readonly residents: number;
  readonly concerned: number;
  readonly channels: readonly ChannelName[];
}

async function readFacts(pool: pg.Pool, dispatchId: string): Promise<DispatchFacts | undefined> {
  const { rows } = await pool.query<DispatchFacts>(
    `SELECT id, lane, issued_at AS "issuedAt", residents, concerned, channels FROM dispatch WHERE id = $1`,
    [dispatchId],
  );
  return rows[0];
}

/** Visits runs of equal bytes. */
function forEqual(
  bytes: Uint8Array,
  visit: (value: number, from: number, count: number) => void,
): void {
  for (let from = 0; from < bytes.length;) {
    const value = bytes[from] as number;
    let to = from + 1;
    while (to < bytes.length && bytes[to] === value) to++;
    visit(value, from, to - from);
    from = to;
  }
}

/** Which groups the ranks of a shard belong to, from the frozen audience by commune. */
async function readGroups(
  pool: pg.Pool,
  dispatchId: string,
): Promise<{
  communeIds: number[];
  groupsOf: (shard: number, index: RankIndex) => RankGroups;
}> {
  const communes = await readAttribution(pool, [dispatchId]);
  const pieces = new Map<number, { group: number; recipients: Uint8Array }[]>();
  communes.forEach(({ residents, concerned }, at) => {
    for (const [offset, bitmap] of [residents, concerned].entries())
      for (const { shard, recipients } of splitShards(bitmap)) {
        const list = pieces.get(shard) ?? [];
        list.push({ group: at * 2 + offset, recipients });
        pieces.set(shard, list);
      }
  });
  const byLow = new Uint16Array(SHARD_SIZE);
  const groupsOf = (shard: number, index: RankIndex): RankGroups => {
    for (const { group, recipients } of pieces.get(shard) ?? []) fillLows(recipients, byLow, group);
    return new RankGroups(byLow, index);
  };
  return { communeIds: communes.map(({ areaId }) => areaId), groupsOf };
}
