// Orders to area channels: one per area, prepared -> handed over -> accepted -> carried out,
// or refused. What the other side claims to have reached stays a claim: it is kept beside
// the order with its evidence and never enters the planes.
import type { Lane } from "@loa/model/bulletin-type.ts";
import { Problem } from "@loa/model/problem.ts";
import type pg from "pg";
import type { AreaChannel, OrderOutcome } from "../channel/channel.ts";
import type { Logger } from "../observe/log.ts";
import type { DispatchCache } from "./dispatch-cache.ts";
import type { Lease } from "./lease.ts";

export interface ClaimedOrder {
  readonly orderId: string;
  readonly dispatchId: string;
  readonly areaCode: string;
  readonly epoch: number;
  /** True when a dead owner may already have handed it over. */
  readonly recovered: boolean;
}

/** An order that failed is left alone this long: protects the database and the log from a loop. */
const AFTER_FAULT_MS = 1_000;
/** An order that was not answered is asked about again after this: the far side may be starting again. */
const AFTER_LOSS_MS = 200;

/**
 * Claims up to `limit` orders; the claim is the committed intent to hand them over. What the owner
 * has and does not run (`running` are the ids it runs) it lost with the database, and takes up again.
 */
export async function claimOrders(
  pool: pg.Pool,
  owner: string,
  lane: Lane,
  channel: AreaChannel,
  limit: number,
  running: readonly string[],
): Promise<ClaimedOrder[]> {
  const { rows } = await pool.query<ClaimedOrder>({
    name: "order-claim",
    text: `WITH free AS (
             SELECT o.id, o.state = 'handed-over' AS recovered
             FROM area_order o JOIN dispatch d ON d.id = o.dispatch_id
             WHERE o.state IN ('prepared', 'handed-over') AND o.lane = $2 AND o.channel = $3
               AND (o.state = 'handed-over' OR d.state = 'open')
               AND o.id <> ALL ($5::uuid[])
               AND (o.owner IS NULL OR o.owner = $1 OR NOT EXISTS (
                     SELECT FROM process p
                     WHERE p.id = o.owner AND p.lease_until > clock_timestamp()))
               -- A loudspeaker hears the end of something after the thing itself (claim.ts).
               AND (SELECT true FROM area_order e
                    WHERE e.dispatch_id = ANY (d.supersedes) AND e.channel = o.channel
                      AND e.area_id = o.area_id AND e.state = 'handed-over'
                      AND NOT (o.lane = 'warning' AND e.lane = 'notice')
                    LIMIT 1) IS NULL
             ORDER BY o.seq, o.area_id LIMIT $4
             FOR UPDATE OF o SKIP LOCKED)
           UPDATE area_order o
           SET owner = $1, epoch = o.epoch + 1, state = 'handed-over', changed_at = now()
           FROM free, area a
           WHERE o.id = free.id AND a.id = o.area_id
           RETURNING o.id AS "orderId", o.dispatch_id AS "dispatchId", a.code AS "areaCode",
                     o.epoch, free.recovered`,
    values: [owner, lane, channel.name, limit, running],
  });
  return rows;
}

export interface OrderRun {
  readonly pool: pg.Pool;
  readonly lease: Lease;
  readonly dispatches: DispatchCache;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Hands one order over and records the answer. Never throws. */
export async function runOrder(
  run: OrderRun,
  channel: AreaChannel,
  claimed: ClaimedOrder,
): Promise<void> {
  try {
    if (claimed.recovered && channel.onCrash === "unsure")
      return await setState(
        run.pool,
        claimed,
        "unsure",
        null,
        "its sender died while handing over",
      );
    const facts = await run.dispatches.read(claimed.dispatchId);
    const { type, lane, message, expiresAt, areaFault } = facts;
    if (areaFault !== undefined) {
      run.log.error({ order: claimed.orderId, fault: areaFault }, "not ordered");
      return await setState(run.pool, claimed, "refused", null, `not sent: ${areaFault}`);
    }
    const { orderId, dispatchId, areaCode } = claimed;
    const order = { orderId, dispatchId, type, lane, message, areaCode, expiresAt };
    let isDoubtful = claimed.recovered;
    for (;;) {
      // Nobody begins to tell what was taken back or has run out meanwhile.
      const end = await endOf(run.pool, dispatchId, isDoubtful);
      if (end !== undefined) return await setState(run.pool, claimed, end.state, null, end.why);
      if (run.signal.aborted || !run.lease.holds) return;
      const outcome = await channel.order(order, run.signal);
      if (outcome.kind === "lost" && channel.onCrash === "unsure")
        return await setState(run.pool, claimed, "unsure", null, outcome.reason);
      if (outcome.kind !== "later" && outcome.kind !== "lost")
        return await recordAnswer(run.pool, claimed, outcome);
      isDoubtful ||= outcome.kind === "lost";
      await pause(outcome.kind === "later" ? outcome.retryAfterMs : AFTER_LOSS_MS, run.signal);
    }
  } catch (error) {
    run.log.error({ err: error, order: claimed.orderId }, "order failed");
    // It is taken up again after a while, not in a loop.
    await pause(AFTER_FAULT_MS, run.signal);
  }
}

/**
 * How an order ends whose dispatch was closed before it was answered: whether it was told is known only
 * while it never left. Undefined while the dispatch is open.
 */
async function endOf(
  pool: pg.Pool,
  dispatchId: string,
  isDoubtful: boolean,
): Promise<{ readonly state: string; readonly why: string } | undefined> {
  const { rows } = await pool.query<{ state: string; isOpen: boolean }>({
    name: "order-dispatch",
    text: `SELECT state, state = 'open' AND expires_at > now() AS "isOpen" FROM dispatch WHERE id = $1`,
    values: [dispatchId],
  });
  const [dispatch] = rows;
  if (dispatch?.isOpen === true) return undefined;
  const why = `the bulletin was ${dispatch?.state === "cancelled" ? "replaced or taken back" : "out of date"} before this was answered`;
  if (isDoubtful) return { state: "unsure", why };
  return { state: dispatch?.state === "cancelled" ? "suppressed" : "expired", why };
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((done) => {
    if (signal.aborted) return done();
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });

function recordAnswer(
  pool: pg.Pool,
  claimed: ClaimedOrder,
  outcome: Exclude<OrderOutcome, { kind: "later" | "lost" }>,
): Promise<void> {
  switch (outcome.kind) {
    case "accepted":
      return setState(pool, claimed, "accepted", null, outcome.reference);
    case "carried-out":
      return setState(pool, claimed, "carried-out", outcome.claimed, outcome.evidence);
    case "refused":
      return setState(pool, claimed, "refused", null, outcome.reason);
  }
}

async function setState(
  pool: pg.Pool,
  claimed: ClaimedOrder,
  state: string,
  claimedCount: number | null,
  evidence: string,
): Promise<void> {
  // A report may have come before this answer; only what is still handed over moves.
  await pool.query(
    `UPDATE area_order SET state = $3, claimed = $4, evidence = $5, owner = NULL, changed_at = now()
     WHERE id = $1 AND epoch = $2 AND state = 'handed-over'`,
    [claimed.orderId, claimed.epoch, state, claimedCount, evidence],
  );
}

/** What the other side reports about an order after it was handed over. */
export interface OrderReport {
  readonly state: "accepted" | "carried-out" | "refused";
  readonly claimed?: number | undefined;
  readonly evidence?: string | undefined;
}

/** From which states a report may move an order. Repeating the present state changes nothing. */
const REPORTABLE: Record<OrderReport["state"], readonly string[]> = {
  accepted: ["handed-over", "unsure", "accepted"],
  "carried-out": ["handed-over", "accepted", "unsure", "carried-out"],
  refused: ["handed-over", "accepted", "unsure", "refused"],
};

/**
 * Records a report of a gateway about one order of its channel.
 * @throws Problem not-found when the channel has no such order, area-order-state when the order
 * cannot go there any more.
 */
export async function reportOrder(
  pool: pg.Pool,
  channel: string,
  orderId: string,
  report: OrderReport,
): Promise<void> {
  const { rows } = await pool.query<{ state: string }>(
    `WITH moved AS (
       UPDATE area_order
       SET state = $3, claimed = COALESCE($4, claimed), evidence = COALESCE($5, evidence),
           changed_at = now()
       WHERE id = $1 AND channel = $2 AND state = ANY($6::text[]) RETURNING $3::text AS state)
     SELECT state FROM moved
     UNION ALL SELECT state FROM area_order
     WHERE id = $1 AND channel = $2 AND NOT EXISTS (SELECT FROM moved)`,
    [
      orderId,
      channel,
      report.state,
      report.claimed ?? null,
      report.evidence ?? null,
      REPORTABLE[report.state],
    ],
  );
  const state = rows[0]?.state;
  if (state === undefined)
    throw new Problem("not-found", `Channel ${channel} has no order ${orderId}.`);
  if (state !== report.state)
    throw new Problem(
      "area-order-state",
      `Order ${orderId} is ${state} and cannot become ${report.state}.`,
    );
}

export interface OrderFigures {
  readonly channel: string;
  readonly orders: number;
  readonly carriedOut: number;
  /** Sum of what was claimed by those who carried out; never added to reached people. */
  readonly claimed: number;
  readonly states: Record<string, number>;
}

/** Orders of a dispatch per area channel. */
export async function summarizeOrders(pool: pg.Pool, dispatchId: string): Promise<OrderFigures[]> {
  const { rows } = await pool.query<{
    channel: string;
    state: string;
    count: number;
    claimed: number;
  }>(
    `SELECT channel, state, count(*) AS count, COALESCE(sum(claimed), 0)::bigint AS claimed
     FROM area_order WHERE dispatch_id = $1 GROUP BY channel, state ORDER BY channel`,
    [dispatchId],
  );
  const channels = [...new Set(rows.map((row) => row.channel))];
  return channels.map((channel) => {
    const own = rows.filter((row) => row.channel === channel);
    const carried = own.find((row) => row.state === "carried-out");
    return {
      channel,
      orders: own.reduce((sum, row) => sum + row.count, 0),
      carriedOut: carried?.count ?? 0,
      claimed: carried?.claimed ?? 0,
      states: Object.fromEntries(own.map((row) => [row.state, row.count])),
    };
  });
}

/** One order with its state and what is claimed. */
export interface OrderRecord {
  readonly id: string;
  readonly channel: string;
  readonly area: string;
  readonly state: string;
  readonly claimed: number | null;
  readonly evidence: string | null;
  readonly changedAt: Date;
}

/** All orders of a dispatch; as many as it has communes, by channel and code. */
export async function listOrders(pool: pg.Pool, dispatchId: string): Promise<OrderRecord[]> {
  const { rows } = await pool.query<OrderRecord>(
    `SELECT o.id, o.channel, a.code AS area, o.state, o.claimed, o.evidence, o.changed_at AS "changedAt"
     FROM area_order o JOIN area a ON a.id = o.area_id
     WHERE o.dispatch_id = $1 ORDER BY o.channel, a.code`,
    [dispatchId],
  );
  return rows;
}
