// Standing orders: a template that one person wrote and two others signed beforehand, for a hazard,
// up to a level, within some areas and until a date. What one person can then send alone is in
// order-use.ts; here the order is written, signed, revoked and read.
import { createHash } from "node:crypto";
import { checkContent } from "@loa/model/bulletin-check.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";
import {
  checkOrder,
  fillOrder,
  longestUse,
  type StandingOrderBody,
  standingOrderText,
} from "@loa/model/standing-order.ts";
import type { Role, Standpoint } from "@loa/model/transition.ts";
import { readAccount } from "../account/account.ts";
import { type Actor, standpointTowards } from "../account/actor.ts";
import type { Pool } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import { dbOnClient } from "../db/on-client.ts";
import { inTransaction } from "../db/transaction.ts";
import {
  type Approval,
  giveApproval,
  isValidApproval,
  selectApprovals,
  subjectOf,
} from "./approval.ts";
import { databaseTime } from "./bulletin.ts";
import type { BulletinDeps } from "./bulletin-deps.ts";
import { FIRST_OF_CHAIN } from "./bulletin-row.ts";
import { requireEntitlement } from "./entitled.ts";
import { renderMessage, trialFacts } from "./message.ts";
import { insertStandingOrder, markOrderRevoked, type Sql } from "./store.ts";

/** An order needs this many signatures, none of them its writer's. */
export const ORDER_SIGNATURES = 2;

export interface StandingOrder {
  readonly id: string;
  readonly agencyId: string;
  readonly accountId: string;
  readonly body: StandingOrderBody;
  readonly hash: Buffer;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
}

export interface StandingOrderDetail {
  readonly order: StandingOrder;
  readonly approvals: readonly Approval[];
  readonly usable: boolean;
}

/**
 * Writes an order; nothing can be sent under it before two others signed.
 * @throws {Problem} role-missing, not-entitled, bulletin-invalid, area-unknown.
 */
export async function createStandingOrder(
  deps: BulletinDeps,
  actor: Actor,
  wish: { readonly accountId: string; readonly body: StandingOrderBody },
  id: string = newId(),
): Promise<StandingOrderDetail> {
  if (!actor.roles.includes("author"))
    throw new Problem("role-missing", "Only an author writes standing orders.");
  const account = await readAccount(deps.db, wish.accountId);
  if (account.agencyId !== actor.agencyId)
    throw new Problem("not-entitled", `The account ${account.handle} is another agency's.`);
  const { agencyId } = actor;
  await requireSound(deps, { id, agencyId, accountId: account.id }, wish.body);
  const hash = hashOrder({ id, agencyId, accountId: account.id, body: wish.body });
  await insertStandingOrder(deps.pool, {
    id,
    agencyId,
    accountId: account.id,
    body: wish.body,
    hash,
    createdBy: actor.personId,
  });
  return loadOrderDetail(deps, id);
}

/**
 * Refuses an order that could fail when it is needed: its longest bulletin, for all of its areas,
 * must be sound, within the agency's entitlement, and fit a frame.
 */
async function requireSound(
  deps: BulletinDeps,
  owner: { id: string; agencyId: string; accountId: string },
  body: StandingOrderBody,
): Promise<void> {
  const now = await databaseTime(deps.pool);
  refuseOrder(checkOrder(body, now));
  const filled = fillOrder(body, longestUse(body, now), now);
  if (!("content" in filled)) throw new Error("the longest use of an order is not one of its uses");
  const { content } = filled;
  refuseOrder(checkContent(content, now).map(({ at, what }) => ({ at: `/template${at}`, what })));
  const resolved = await deps.resolve(content.target);
  const longest = { ...owner, ...FIRST_OF_CHAIN, content };
  await requireEntitlement(deps, longest, resolved);
  const subject = await subjectOf(deps, longest, resolved);
  renderMessage(subject, trialFacts(subject), deps.places());
}

function refuseOrder(faults: readonly Fault[]): void {
  if (faults.length > 0)
    throw new Problem(
      "bulletin-invalid",
      "The standing order could fail when it is needed.",
      faults.map(({ at, what }) => ({ at: `/body${at}`, what })),
    );
}

const hashOrder = (order: Pick<StandingOrder, "id" | "agencyId" | "accountId" | "body">): Buffer =>
  createHash("sha256")
    .update(standingOrderText(order.id, order.agencyId, order.accountId, order.body), "utf8")
    .digest();

/**
 * Signs an order. Its writer cannot; nobody signs twice.
 * @throws {Problem} standing-order-unknown, approver-foreign, role-missing, approver-took-part,
 * approval-mismatch, standing-order-unusable.
 */
export async function approveStandingOrder(
  deps: BulletinDeps,
  actor: Actor,
  id: string,
  hash: string,
): Promise<StandingOrderDetail> {
  await inTransaction(deps.pool, async (tx) => {
    const order = await loadOrder(tx, id, "FOR UPDATE");
    const standpoint = await standpointTowards(dbOnClient(tx), actor, order.agencyId);
    requireSigner(actor, standpoint);
    const { rows } = await tx.query<{ at: Date }>("SELECT date_trunc('milliseconds', now()) AS at");
    const { at } = rows[0] as { at: Date };
    if (order.revokedAt !== null || order.expiresAt <= at)
      throw new Problem("standing-order-unusable", "The order was revoked or has run out.");
    const signed = await selectApprovals(tx, { standingOrderId: id });
    if (actor.personId === order.createdBy || signed.some((s) => s.personId === actor.personId))
      throw new Problem(
        "approver-took-part",
        `You wrote or signed this order; it takes ${ORDER_SIGNATURES} others.`,
      );
    if (!hashOrder(order).equals(order.hash) || order.hash.toString("hex") !== hash)
      throw new Problem("approval-mismatch", "Read the order again and sign the hash you read.");
    const capacity = standpoint === "member" ? "member" : "parent-duty";
    const given = { bulletinId: null, standingOrderId: id, hash: order.hash, at, actor } as const;
    await giveApproval(tx, deps.keys, { ...given, capacity });
  });
  return loadOrderDetail(deps, id);
}

export function requireSigner(actor: Actor, standpoint: Standpoint): void {
  if (standpoint === "foreign")
    throw new Problem("approver-foreign", "You belong neither to the agency nor to the one above.");
  const wanted: readonly Role[] = standpoint === "member" ? ["approver", "duty"] : ["duty"];
  if (!wanted.some((role) => actor.roles.includes(role)))
    throw new Problem("role-missing", `Signing needs the role ${wanted.join(" or ")}.`);
}

/** Ends an order at once; an approver or duty officer of the agency or the one above it may. */
export async function revokeStandingOrder(
  deps: BulletinDeps,
  actor: Actor,
  id: string,
): Promise<StandingOrderDetail> {
  const order = await loadOrder(deps.pool, id);
  requireSigner(actor, await standpointTowards(deps.db, actor, order.agencyId));
  await markOrderRevoked(deps.pool, id);
  return loadOrderDetail(deps, id);
}

/** @throws {Problem} standing-order-unknown */
export async function readStandingOrder(
  deps: Pick<BulletinDeps, "db" | "pool" | "keys">,
  actor: Actor,
  id: string,
): Promise<StandingOrderDetail> {
  const detail = await loadOrderDetail(deps, id);
  if ((await standpointTowards(deps.db, actor, detail.order.agencyId)) === "foreign")
    throw new Problem("standing-order-unknown", `There is no standing order ${id} of yours.`);
  return detail;
}

/** The orders of the caller's agency and of those directly below it, newest first. */
export async function listStandingOrders(
  deps: Pick<BulletinDeps, "pool" | "keys">,
  actor: Actor,
  limit: number,
  after?: string,
): Promise<StandingOrderDetail[]> {
  const { rows } = await deps.pool.query<{ id: string }>(
    `SELECT o.id FROM standing_order o JOIN agency g ON g.id = o.agency_id
     WHERE (o.agency_id = $1 OR g.parent_id = $1)
       AND ($2::uuid IS NULL OR (o.created_at, o.id) <
            (SELECT l.created_at, l.id FROM standing_order l WHERE l.id = $2))
     ORDER BY o.created_at DESC, o.id DESC LIMIT $3`,
    [actor.agencyId, after ?? null, limit],
  );
  return Promise.all(rows.map(({ id }) => loadOrderDetail(deps, id)));
}

export async function loadOrder(sql: Sql, id: string, lock: "FOR UPDATE" | "" = "") {
  const { rows } = await sql.query<StandingOrder>(
    `SELECT id, agency_id AS "agencyId", account_id AS "accountId", body, hash,
            created_by AS "createdBy", created_at AS "createdAt", expires_at AS "expiresAt",
            revoked_at AS "revokedAt"
     FROM standing_order WHERE id = $1 ${lock}`,
    [id],
  );
  if (rows[0] === undefined)
    throw new Problem("standing-order-unknown", `There is no standing order ${id}.`);
  return rows[0];
}

async function loadOrderDetail(
  deps: { readonly pool: Pool; readonly keys: BulletinDeps["keys"] },
  id: string,
): Promise<StandingOrderDetail> {
  const order = await loadOrder(deps.pool, id);
  const approvals = await selectApprovals(deps.pool, { standingOrderId: id });
  const fault = orderFault(deps, order, approvals, await databaseTime(deps.pool));
  return { order, approvals, usable: fault === undefined };
}

/** Why nothing can be sent under an order at an instant. */
export function orderFault(
  deps: Pick<BulletinDeps, "keys">,
  order: StandingOrder,
  approvals: readonly Approval[],
  now: Date,
): string | undefined {
  if (order.revokedAt !== null) return "it was revoked";
  if (order.expiresAt <= now) return "it has run out";
  const hash = hashOrder(order);
  if (!hash.equals(order.hash)) return "it is not what was signed";
  const signers = new Set(
    approvals
      .filter((approval) => isValidApproval(approval, hash, deps.keys))
      .map((approval) => approval.personId)
      .filter((personId) => personId !== order.createdBy),
  );
  return signers.size < ORDER_SIGNATURES
    ? `${signers.size} of ${ORDER_SIGNATURES} signatures are there`
    : undefined;
}
