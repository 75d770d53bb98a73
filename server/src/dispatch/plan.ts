// Planning: from a frozen audience to a dispatch that any worker can run. Everything that
// sending needs is written here, in the transaction that issues the bulletin, and the cost
// grows with shards and communes, never with people.
import type { BulletinType, Lane } from "@loa/model/bulletin-type.ts";
import type { Purpose } from "@loa/model/chain-step.ts";
import { type ChannelName, type EndpointKind, isAreaChannel } from "@loa/model/endpoint.ts";
import type pg from "pg";
import { newId } from "../db/id.ts";
import type { Attribution } from "../audience/freeze.ts";
import { packAttribution } from "./attribution.ts";
import { closeDispatches } from "./close.ts";
import { insertShards, type PlannedShard } from "./shard-copy.ts";
import { SharedRecipients } from "./shared-recipients.ts";
import { dispatchesOf, idsOf } from "./supersede.ts";
import { type FailPoint, noFailPoint } from "../observe/fail-point.ts";

/** What planning takes from the audience stage. */
export interface PlannedAudience {
  readonly residents: number;
  readonly concerned: number;
  readonly communes: readonly Attribution[];
  shards(kind: EndpointKind): readonly PlannedShard[];
}

export interface DispatchPlan {
  readonly bulletinId: string;
  /** Which of the bulletin's sendings; `main` where nothing is said. */
  readonly purpose?: Purpose;
  readonly type: BulletinType;
  readonly lane: Lane;
  readonly message: Uint8Array;
  readonly expiresAt: Date;
  readonly audience: PlannedAudience;
  readonly channels: readonly ChannelName[];
  readonly communeIds: readonly number[];
  /** Where loudspeakers and carriers are ordered, if that is not everywhere. */
  readonly orderCommuneIds?: readonly number[];
  /** The communes that the message names, where they are others: those who left hear of the new area. */
  readonly messageCommuneIds?: readonly number[];
  /** Ids of the bulletins that this one cancels or replaces. */
  readonly supersedes: readonly string[];
}

export interface PlannedDispatch {
  readonly dispatchId: string;
  readonly seq: number;
  readonly issuedAt: Date;
}

export interface PlanningOptions {
  readonly failPoint?: FailPoint;
  /** What earlier plans of this process wrote, which need not be written again. */
  readonly shared?: SharedRecipients;
}

/**
 * Writes a dispatch with its frozen audience, shards and area orders. Runs inside the caller's
 * transaction: either the bulletin is issued and planned, or nothing happened.
 */
export async function planDispatch(
  tx: pg.PoolClient,
  plan: DispatchPlan,
  dispatchId: string = newId(),
  { failPoint = noFailPoint, shared = new SharedRecipients() }: PlanningOptions = {},
): Promise<PlannedDispatch> {
  // Whoever still waits for what this one replaces is told this one instead.
  const superseded = idsOf(await dispatchesOf(tx, plan.supersedes));
  await closeDispatches(tx, superseded, "cancelled");
  const { rows: lanes } = await tx.query<{ seq: number }>(
    "UPDATE lane SET seq = seq + 1 WHERE lane = $1 RETURNING seq",
    [plan.lane],
  );
  const { seq } = lanes[0] as { seq: number };
  const { audience } = plan;
  const { rows: dispatches } = await tx.query<{ issuedAt: Date }>(
    `INSERT INTO dispatch (id, bulletin_id, type, lane, seq, state, issued_at, expires_at, message,
                           supersedes, residents, concerned, commune_ids, channels, purpose,
                           message_commune_ids)
     VALUES ($1, $2, $3, $4, $5, 'open', now(), $6, $7,
             $8, $9, $10, $11, $12, $13, $14)
     RETURNING issued_at AS "issuedAt"`,
    [
      dispatchId,
      plan.bulletinId,
      plan.type,
      plan.lane,
      seq,
      plan.expiresAt,
      plan.message,
      superseded,
      audience.residents,
      audience.concerned,
      // As PostgreSQL writes it: the driver would quote thousands of numbers one by one.
      `{${plan.communeIds.join()}}`,
      plan.channels,
      plan.purpose ?? "main",
      plan.messageCommuneIds ?? null,
    ],
  );
  await tx.query("INSERT INTO audience (dispatch_id, communes) VALUES ($1, $2)", [
    dispatchId,
    packAttribution(audience.communes),
  ]);
  failPoint("mid-freeze");
  for (const channel of plan.channels) {
    if (isAreaChannel(channel)) await insertOrders(tx, plan, dispatchId, seq, channel);
    else {
      const { lane } = plan;
      const shards = audience.shards(channel);
      const owners = await shared.find(tx, dispatchId, channel, shards);
      await insertShards(tx, { dispatchId, channel, lane, seq }, shards, owners);
      shared.remember(dispatchId, channel, shards, owners);
    }
  }
  return { dispatchId, seq, issuedAt: (dispatches[0] as { issuedAt: Date }).issuedAt };
}

async function insertOrders(
  tx: pg.PoolClient,
  plan: DispatchPlan,
  dispatchId: string,
  seq: number,
  channel: ChannelName,
): Promise<void> {
  const communeIds = plan.orderCommuneIds ?? plan.communeIds;
  await tx.query(
    `INSERT INTO area_order (id, dispatch_id, channel, lane, seq, state, area_id)
     SELECT id, $1, $2, $3, $4, 'prepared', area_id FROM unnest($5::uuid[], $6::int[]) AS o(id, area_id)`,
    [dispatchId, channel, plan.lane, seq, communeIds.map(() => newId()), communeIds],
  );
}
