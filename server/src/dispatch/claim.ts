// How a worker gets a shard: in strict order of lane, sequence and shard, skipping what
// somebody alive owns. The claim commits the first intent with the new epoch, so that
// claiming and the permission to hand over the first slice are one commit.
import type { Lane } from "@loa/model/bulletin-type.ts";
import type pg from "pg";
import { type Connection, type ConnectionOptions, openConnection } from "../db/connection.ts";
import { recipientsOf } from "./shared-recipients.ts";

export interface ClaimedShard {
  readonly dispatchId: string;
  readonly channel: string;
  readonly shard: number;
  readonly seq: number;
  readonly lane: Lane;
  readonly epoch: number;
  readonly planned: number;
  readonly recipients: Buffer;
  /** Ranks below have an outcome. */
  readonly cursor: number;
  /** Ranks cursor..intent may be handed over now. */
  readonly intent: number;
  /** True when the intent was another owner's: those ranks may already have been handed over. */
  readonly recovered: boolean;
  readonly state: "open" | "closing";
}

/** A claim takes less than a millisecond, so that a second connection is enough for all channels. */
const CLAIMS_AT_ONCE = 2;
const SETTINGS = "-c enable_sort=off -c plan_cache_mode=force_generic_plan";

/**
 * Opens the connections of a worker that claim. A claim takes the first of its index that it may have;
 * a plan made while there was little to do would sort instead, and so judge every shard of the country
 * for each claim, and a plan made anew each time costs more than the claim. So these may not sort;
 * whatever else a worker asks may.
 */
export function openClaims(options: ConnectionOptions): Connection {
  return openConnection(options, "loa-worker-claim", CLAIMS_AT_ONCE, SETTINGS);
}

/**
 * Claims the next shard of one lane and channel; undefined when there is none. Only for an owner
 * that runs no shard of that lane and channel: what it still owns there is one whose claim it never
 * heard of, or that it could not finish, because the database went away; it takes that up again.
 */
export async function claimShard(
  pool: pg.Pool,
  owner: string,
  lane: Lane,
  channel: string,
  sliceSize: number,
): Promise<ClaimedShard | undefined> {
  const { rows } = await pool.query<ClaimedShard>({
    name: "shard-claim",
    // An owner without a lease is dead or stopped; its epoch is passed by, whatever it still commits.
    text: `WITH free AS (
             SELECT s.dispatch_id, s.channel, s.shard, s.intent > s.cursor AS recovered
             FROM shard s
             WHERE s.state <> 'closed' AND s.lane = $2 AND s.channel = $3
               AND (s.owner IS NULL OR s.owner = $1 OR NOT EXISTS (
                     SELECT FROM process p
                     WHERE p.id = s.owner AND p.lease_until > clock_timestamp()))
               -- These people hear of the end of something after the thing itself: what is under way of it
               -- comes first. A warning waits for no notice. With its LIMIT this is asked of one shard
               -- after the other, in their order; NOT EXISTS would be joined over all shards first.
               AND (SELECT true FROM dispatch d JOIN shard o ON o.dispatch_id = ANY (d.supersedes)
                    WHERE d.id = s.dispatch_id AND o.channel = s.channel AND o.shard = s.shard
                      AND o.state = 'closing' AND NOT (s.lane = 'warning' AND o.lane = 'notice')
                    LIMIT 1) IS NULL
             ORDER BY s.seq, s.shard
             LIMIT 1
             FOR UPDATE OF s SKIP LOCKED)
           UPDATE shard s
           SET owner = $1, epoch = s.epoch + 1,
               intent = CASE WHEN free.recovered OR s.state = 'closing' THEN s.intent
                             ELSE LEAST(s.cursor + $4, s.planned) END
           FROM free
           WHERE s.dispatch_id = free.dispatch_id AND s.channel = free.channel AND s.shard = free.shard
             AND EXISTS (SELECT FROM process WHERE id = $1 AND lease_until > clock_timestamp())
           RETURNING s.dispatch_id AS "dispatchId", s.channel, s.shard, s.seq, s.lane, s.epoch,
                     s.planned, ${recipientsOf("s")} AS recipients, s.cursor, s.intent, free.recovered, s.state`,
    values: [owner, lane, channel, sliceSize],
  });
  return rows[0];
}
