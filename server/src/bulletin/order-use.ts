// Using a standing order: at two in the morning one person fills in the blanks, and the bulletin is
// approved by the order and issued at once, in one transaction. Somebody else reviews it afterwards.
import { checkContent } from "@loa/model/bulletin-check.ts";
import type { BulletinContent } from "@loa/model/bulletin.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";
import { fillOrder, type OrderUse } from "@loa/model/standing-order.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import { textFault } from "@loa/model/text.ts";
import type { Role } from "@loa/model/transition.ts";
import { type Actor, standpointTowards } from "../account/actor.ts";
import { insideBy } from "../account/jurisdiction.ts";
import { newId } from "../db/id.ts";
import { dbOnClient } from "../db/on-client.ts";
import { inTransaction } from "../db/transaction.ts";
import { requireAllowed } from "./allowed.ts";
import { giveApproval, hashSubject, selectApprovals, subjectOf } from "./approval.ts";
import { databaseTime, refuseFaults } from "./bulletin.ts";
import type { BulletinDeps, IssueDeps, IssuedDispatch } from "./bulletin-deps.ts";
import { FIRST_OF_CHAIN, loadBulletin, lockBulletin } from "./bulletin-row.ts";
import { readIncident } from "./incident.ts";
import { type Issued, issueLocked, prepareIssue } from "./issue.ts";
import { loadOrder, orderFault, requireSigner, type StandingOrder } from "./standing-order.ts";
import {
  insertBulletin,
  insertEvent,
  insertOrderUse,
  updateOrderReview,
  updateSubmission,
} from "./store.ts";

export const REVIEW_COMMENT_MAX = 2_000;
export const REVIEW_VERDICTS = ["justified", "not-justified"] as const;
export type ReviewVerdict = (typeof REVIEW_VERDICTS)[number];

/** Roles that may press the button of an order. */
const USER_ROLES: readonly Role[] = ["author", "approver", "duty"];

/**
 * Warns at once under an order: one person, one step.
 * @throws {Problem} standing-order-unknown, standing-order-unusable, role-missing, bulletin-invalid
 * for what was filled in, not-entitled for places outside the order, and whatever issue refuses.
 */
export async function useStandingOrder<A>(
  deps: IssueDeps<A>,
  actor: Actor,
  orderId: string,
  use: OrderUse,
  id: string = newId(),
): Promise<Issued> {
  const order = await loadOrder(deps.pool, orderId);
  if (actor.agencyId !== order.agencyId)
    throw new Problem("standing-order-unknown", `There is no standing order ${orderId} of yours.`);
  if (!USER_ROLES.some((role) => actor.roles.includes(role)))
    throw new Problem("role-missing", `Using an order needs ${USER_ROLES.join(" or ")}.`);
  const before = await findUse(deps, orderId, id);
  if (before !== undefined) return before;
  const content = fill(order, use, await databaseTime(deps.pool));
  if (content.incidentId !== null) await readIncident(deps.db, content.incidentId);
  const draft = {
    id,
    agencyId: order.agencyId,
    accountId: order.accountId,
    standingOrderId: orderId,
    ...FIRST_OF_CHAIN,
    content,
  };
  const prepared = await prepareIssue(deps, draft);
  requireInsideOrder(deps, order, prepared.resolved);
  const hash = hashSubject(await subjectOf(deps, draft, prepared.resolved));
  const issued = await inTransaction(deps.pool, async (tx) => {
    const db = dbOnClient(tx);
    // The lock keeps a revocation out until this use is committed.
    const locked = await loadOrder(tx, orderId, "FOR UPDATE");
    const { rows } = await tx.query<{ at: Date }>("SELECT date_trunc('milliseconds', now()) AS at");
    const { at } = rows[0] as { at: Date };
    const fault = orderFault(
      deps,
      locked,
      await selectApprovals(tx, { standingOrderId: orderId }),
      at,
    );
    if (fault !== undefined)
      throw new Problem("standing-order-unusable", `The order cannot be used: ${fault}.`);
    if (!(await insertBulletin(tx, { ...draft, resolved: null })))
      throw new Problem("bulletin-state", "This use of the order was issued already.");
    await insertEvent(tx, { bulletinId: id, actor, action: "create", version: 1, content });
    await insertOrderUse(tx, {
      bulletinId: id,
      standingOrderId: orderId,
      usedBy: actor.personId,
      filled: use,
    });
    const { to } = await requireAllowed(db, actor, { ...draft, state: "draft" }, "use");
    await updateSubmission(tx, id, to, prepared.resolved, hash);
    const given = { bulletinId: id, standingOrderId: orderId, hash, at, actor } as const;
    await giveApproval(tx, deps.keys, { ...given, capacity: "standing-order" });
    await insertEvent(tx, { bulletinId: id, actor, action: "use", version: 1 });
    return issueLocked(deps, tx, actor, await lockBulletin(tx, id), prepared);
  });
  deps.failPoint?.("plan-committed");
  deps.bus.publish("dispatch.changed", { dispatchId: issued.dispatch.dispatchId });
  return issued;
}

/** What a repeated request issued the first time. */
async function findUse(
  deps: Pick<BulletinDeps, "pool">,
  orderId: string,
  id: string,
): Promise<Issued | undefined> {
  const { rows } = await deps.pool.query<IssuedDispatch>(
    `SELECT d.id AS "dispatchId", d.seq, d.issued_at AS "issuedAt"
     FROM standing_order_use u JOIN dispatch d ON d.bulletin_id = u.bulletin_id AND d.purpose = 'main'
     WHERE u.bulletin_id = $1 AND u.standing_order_id = $2`,
    [id, orderId],
  );
  const [dispatch] = rows;
  return dispatch && { bulletin: await loadBulletin(deps.pool, id), dispatch, isRepeat: true };
}

function fill({ body }: StandingOrder, use: OrderUse, now: Date): BulletinContent {
  const filled = fillOrder(body, use, now);
  if ("content" in filled) {
    refuseFaults(checkContent(filled.content, now));
    return filled.content;
  }
  throw new Problem("bulletin-invalid", "The blanks cannot be filled so.", filled.faults);
}

function requireInsideOrder(
  deps: BulletinDeps,
  { body }: StandingOrder,
  resolved: ResolvedTarget,
): void {
  const inside = insideBy(deps.places())(body.areas);
  const faults: Fault[] = resolved.communes
    .filter(({ areaId, villageIds }) => !inside(areaId) && !(villageIds?.every(inside) ?? false))
    .map(({ code }) => ({ at: "/areas", what: `${code} is outside the order's areas` }));
  if (faults.length > 0)
    throw new Problem("not-entitled", "The order does not cover these places.", faults);
}

/**
 * Reviews a use afterwards. Whoever pressed the button cannot.
 * @throws {Problem} bulletin-unknown, approver-took-part, approver-foreign, role-missing,
 * bulletin-state when it was reviewed before.
 */
export async function reviewOrderUse(
  deps: Pick<BulletinDeps, "db" | "pool">,
  actor: Actor,
  bulletinId: string,
  review: { readonly verdict: ReviewVerdict; readonly comment: string },
): Promise<void> {
  const what = textFault(review.comment, { max: REVIEW_COMMENT_MAX, lines: true });
  if (what !== undefined)
    throw new Problem("request-invalid", "The comment cannot be used.", [{ at: "/comment", what }]);
  const { rows } = await deps.pool.query<{ usedBy: string; agencyId: string }>(
    `SELECT u.used_by AS "usedBy", b.agency_id AS "agencyId"
     FROM standing_order_use u JOIN bulletin b ON b.id = u.bulletin_id WHERE u.bulletin_id = $1`,
    [bulletinId],
  );
  const [use] = rows;
  if (use === undefined)
    throw new Problem("bulletin-unknown", `${bulletinId} is no use of a standing order.`);
  requireSigner(actor, await standpointTowards(deps.db, actor, use.agencyId));
  if (use.usedBy === actor.personId)
    throw new Problem("approver-took-part", "You used the order: somebody else reviews it.");
  const { personId } = actor;
  if (!(await updateOrderReview(deps.pool, bulletinId, { ...review, personId })))
    throw new Problem("bulletin-state", "This use was reviewed already.");
}
