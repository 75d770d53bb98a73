// The only writer of the tables of bulletins, approvals, incidents and standing orders. A state
// is only ever changed from the state that was read under the row's lock; a change that finds
// another one is a fault of ours, not a lost update.
import type { BulletinContent } from "@loa/model/bulletin.ts";
import { type ChainStep, MSG_TYPE_OF } from "@loa/model/chain-step.ts";
import type { Hazard } from "@loa/model/hazard.ts";
import type { StandingOrderBody } from "@loa/model/standing-order.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import type { Bilingual } from "@loa/model/text.ts";
import type { BulletinAction, BulletinState } from "@loa/model/transition.ts";
import type pg from "pg";
import type { Actor } from "../account/actor.ts";

/** A pool, or the client of a transaction. */
export type Sql = pg.Pool | pg.PoolClient;

export interface NewBulletin {
  readonly id: string;
  readonly agencyId: string;
  readonly accountId: string;
  readonly standingOrderId: string | null;
  readonly step: ChainStep;
  readonly content: BulletinContent;
  readonly referenceIds: readonly string[];
  readonly unknownReferences: readonly string[];
  /** Given beforehand only to a Cancel or a correction: the places of the bulletin that it is about. */
  readonly resolved: ResolvedTarget | null;
}

/** False when there is a bulletin of this id already: a repeated request. */
export async function insertBulletin(tx: Sql, bulletin: NewBulletin): Promise<boolean> {
  const { content } = bulletin;
  const { rowCount } = await tx.query(
    `INSERT INTO bulletin (id, agency_id, account_id, incident_id, standing_order_id, type, msg_type,
                           kind, state, content, reference_ids, resolved, step, unknown_references)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'draft', $9, $10, $11, $12, $13)
     ON CONFLICT (id) DO NOTHING`,
    [
      bulletin.id,
      bulletin.agencyId,
      bulletin.accountId,
      content.incidentId,
      bulletin.standingOrderId,
      content.type,
      MSG_TYPE_OF[bulletin.step],
      content.kind,
      JSON.stringify(content),
      bulletin.referenceIds,
      bulletin.resolved === null ? null : JSON.stringify(bulletin.resolved),
      bulletin.step,
      bulletin.unknownReferences,
    ],
  );
  return rowCount === 1;
}

/** What happened, by whom; `actor` is null for what the clock or another bulletin did. */
export interface NewEvent {
  readonly bulletinId: string;
  readonly actor: Actor | null;
  readonly action: BulletinAction | "create";
  readonly version: number;
  readonly reason?: string;
  /** The content as of now, where this action changed it. */
  readonly content?: BulletinContent;
}

export async function insertEvent(tx: Sql, event: NewEvent): Promise<void> {
  await tx.query(
    `INSERT INTO bulletin_event (bulletin_id, person_id, member_id, action, version, reason, content)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      event.bulletinId,
      event.actor?.personId ?? null,
      event.actor?.memberId ?? null,
      event.action,
      event.version,
      event.reason ?? null,
      event.content === undefined ? null : JSON.stringify(event.content),
    ],
  );
}

/** Replaces the content; what was submitted and approved of the old one is forgotten or void. */
export async function updateContent(
  tx: Sql,
  bulletin: { id: string; state: BulletinState; version: number; keepResolved: boolean },
  content: BulletinContent,
): Promise<void> {
  await guarded(
    tx,
    `UPDATE bulletin SET content = $4, incident_id = $5, type = $6, kind = $7, state = 'draft',
            version = version + 1, hash = NULL,
            resolved = CASE WHEN $8 THEN resolved END
     WHERE id = $1 AND state = $2 AND version = $3`,
    [
      bulletin.id,
      bulletin.state,
      bulletin.version,
      JSON.stringify(content),
      content.incidentId,
      content.type,
      content.kind,
      bulletin.keepResolved,
    ],
  );
}

export async function updateState(
  tx: Sql,
  id: string,
  from: BulletinState,
  to: BulletinState,
): Promise<void> {
  await guarded(tx, "UPDATE bulletin SET state = $3 WHERE id = $1 AND state = $2", [id, from, to]);
}

/** Sets what approvers will sign. */
export async function updateSubmission(
  tx: Sql,
  id: string,
  to: BulletinState,
  resolved: ResolvedTarget,
  hash: Uint8Array,
): Promise<void> {
  await guarded(
    tx,
    "UPDATE bulletin SET state = $2, resolved = $3, hash = $4 WHERE id = $1 AND state = 'draft'",
    [id, to, JSON.stringify(resolved), hash],
  );
}

/** What only issue can know. */
export interface Issue {
  readonly identifier: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly signature: Uint8Array;
  readonly keyId: string;
}

export async function updateIssued(
  tx: Sql,
  id: string,
  to: BulletinState,
  issue: Issue,
): Promise<void> {
  await guarded(
    tx,
    `UPDATE bulletin SET state = $2, identifier = $3, issued_at = $4, expires_at = $5,
            signature = $6, key_id = $7
     WHERE id = $1 AND state = 'approved'`,
    [id, to, issue.identifier, issue.issuedAt, issue.expiresAt, issue.signature, issue.keyId],
  );
}

async function guarded(tx: Sql, sql: string, values: unknown[]): Promise<void> {
  const { rowCount } = await tx.query(sql, values);
  if (rowCount !== 1) throw new Error("a bulletin changed while its row was locked");
}

/** Moves what has run out of `issued`; answers the ids. Each is moved once, whoever asks. */
export async function updateExpired(tx: Sql): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `WITH gone AS (
       SELECT id FROM bulletin WHERE state = 'issued' AND expires_at <= now()
       FOR UPDATE SKIP LOCKED),
     moved AS (
       UPDATE bulletin b SET state = 'expired' FROM gone WHERE b.id = gone.id
       RETURNING b.id, b.version)
     INSERT INTO bulletin_event (bulletin_id, action, version)
     SELECT id, 'expire', version FROM moved RETURNING bulletin_id AS id`,
  );
  return rows.map((row) => row.id);
}

export interface NewApproval {
  readonly id: string;
  readonly bulletinId: string | null;
  readonly standingOrderId: string | null;
  readonly hash: Uint8Array;
  readonly hashVersion: number;
  readonly personId: string;
  readonly capacity: "member" | "parent-duty" | "standing-order";
  readonly at: Date;
  readonly keyId: string;
  readonly signature: Uint8Array;
}

export async function insertApproval(tx: Sql, approval: NewApproval): Promise<void> {
  await tx.query(
    `INSERT INTO approval (id, bulletin_id, standing_order_id, hash, hash_version, person_id,
                           capacity, at, key_id, signature)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      approval.id,
      approval.bulletinId,
      approval.standingOrderId,
      approval.hash,
      approval.hashVersion,
      approval.personId,
      approval.capacity,
      approval.at,
      approval.keyId,
      approval.signature,
    ],
  );
}

/** Voids every approval of a bulletin; the rows stay, as history. */
export async function voidApprovals(tx: Sql, bulletinId: string): Promise<void> {
  await tx.query(
    "UPDATE approval SET voided_at = now() WHERE bulletin_id = $1 AND voided_at IS NULL",
    [bulletinId],
  );
}

export async function insertIncident(
  tx: Sql,
  incident: { id: string; agencyId: string; hazard: Hazard; name: Bilingual },
): Promise<void> {
  await tx.query(
    `INSERT INTO incident (id, agency_id, hazard, name_vi, name_en) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (id) DO NOTHING`,
    [incident.id, incident.agencyId, incident.hazard, incident.name.vi, incident.name.en],
  );
}

export async function insertStandingOrder(
  tx: Sql,
  order: {
    id: string;
    agencyId: string;
    accountId: string;
    body: StandingOrderBody;
    hash: Uint8Array;
    createdBy: string;
  },
): Promise<void> {
  await tx.query(
    `INSERT INTO standing_order (id, agency_id, account_id, body, hash, created_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
    [
      order.id,
      order.agencyId,
      order.accountId,
      JSON.stringify(order.body),
      order.hash,
      order.createdBy,
      order.body.expiresAt,
    ],
  );
}

export async function markOrderRevoked(tx: Sql, id: string): Promise<void> {
  await tx.query(
    "UPDATE standing_order SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1",
    [id],
  );
}

export async function insertOrderUse(
  tx: Sql,
  use: { bulletinId: string; standingOrderId: string; usedBy: string; filled: unknown },
): Promise<void> {
  await tx.query(
    `INSERT INTO standing_order_use (bulletin_id, standing_order_id, used_by, filled)
     VALUES ($1, $2, $3, $4)`,
    [use.bulletinId, use.standingOrderId, use.usedBy, JSON.stringify(use.filled)],
  );
}

/** False when somebody reviewed it before. */
export async function updateOrderReview(
  tx: Sql,
  bulletinId: string,
  review: { personId: string; verdict: string; comment: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE standing_order_use SET reviewed_by = $2, reviewed_at = now(), verdict = $3, comment = $4
     WHERE bulletin_id = $1 AND reviewed_at IS NULL`,
    [bulletinId, review.personId, review.verdict, review.comment],
  );
  return rowCount === 1;
}
