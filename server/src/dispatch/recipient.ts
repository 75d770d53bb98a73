// What happened to one recipient for one dispatch: each fact with its time, per channel.
// Read from the database alone: any process may answer, the ledger need not be alive.
import { type Plane, PLANES, type State, stateOf } from "@loa/model/delivery.ts";
import type pg from "pg";
import { containerHas, splitShards } from "../audience/container.ts";
import { readAtPosition } from "../db/commit-order.ts";
import { readAttribution } from "./attribution.ts";
import { NO_TIME, TIMED_PLANES } from "./fold-format.ts";
import { readShardFacts, type ShardFacts } from "./fold.ts";
import { recipientsOf } from "./shared-recipients.ts";

export interface RecipientFacts {
  readonly channel: string;
  readonly state: State;
  /** Facts in plane order; a plane without its own time has none. */
  readonly facts: readonly { readonly plane: Plane; readonly msSinceIssue: number | null }[];
}

export interface RecipientHistory {
  /** Whether the person is a resident or concerned, and the commune that counts them. */
  readonly group: "residents" | "concerned";
  readonly areaId: number;
  readonly channels: readonly RecipientFacts[];
}

/** The history of one ordinal in one dispatch; undefined when it is not in its audience. */
export function readRecipient(
  pool: pg.Pool,
  dispatchId: string,
  ordinal: number,
): Promise<RecipientHistory | undefined> {
  const shard = ordinal >>> 16;
  const low = ordinal & 0xffff;
  return readAtPosition(pool, async (client) => {
    const place = await findGroup(client, dispatchId, ordinal);
    if (place === undefined) return undefined;
    const { rows } = await client.query<{ channel: string; recipients: Buffer }>(
      `SELECT channel, ${recipientsOf("s")} AS recipients FROM shard s
       WHERE dispatch_id = $1 AND shard = $2 ORDER BY channel`,
      [dispatchId, shard],
    );
    const channels: RecipientFacts[] = [];
    for (const { channel, recipients } of rows) {
      if (!containerHas(recipients, low)) continue;
      const own = await readShardFacts(client, dispatchId, channel, shard);
      const rank = own?.index().rankOf(low) ?? -1;
      if (own !== undefined && rank >= 0) channels.push(factsOf(channel, own, rank));
    }
    return { ...place, channels };
  });
}

function factsOf(channel: string, { fold }: ShardFacts, rank: number): RecipientFacts {
  const planes = fold.planes[rank] as number;
  const facts = PLANES.filter((_, bit) => (planes & (1 << bit)) !== 0).map((plane) => {
    const timed = TIMED_PLANES.find((each) => each === plane);
    const ms = timed ? (fold.times[timed][rank] as number) : NO_TIME;
    return { plane, msSinceIssue: ms === NO_TIME ? null : ms };
  });
  return { channel, state: stateOf(planes), facts };
}

async function findGroup(
  client: pg.PoolClient,
  dispatchId: string,
  ordinal: number,
): Promise<{ group: "residents" | "concerned"; areaId: number } | undefined> {
  for (const commune of await readAttribution(client, [dispatchId]))
    for (const group of ["residents", "concerned"] as const)
      for (const { shard, recipients } of splitShards(commune[group]))
        if (shard === ordinal >>> 16 && containerHas(recipients, ordinal & 0xffff))
          return { group, areaId: commune.areaId };
  return undefined;
}
