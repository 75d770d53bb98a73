// Approval: the server's signature over {hash, person, time}, given by somebody who took no part
// in writing. The hash covers everything that will go out (model/approval-hash.ts), so an approval
// is worth nothing for any other content, place, audience or channel.
import { createHash } from "node:crypto";
import {
  APPROVAL_HASH_VERSION,
  type ApprovalSubject,
  type ApprovedPlaces,
  approvalText,
} from "@loa/model/approval-hash.ts";
import { canonicalJson } from "@loa/model/canonical.ts";
import { Problem } from "@loa/model/problem.ts";
import type { BulletinContent } from "@loa/model/bulletin.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import { type Replaced, wordingsOf } from "@loa/model/wording.ts";
import type { Actor } from "../account/actor.ts";
import { readAccount } from "../account/account.ts";
import type { PlaceLookup } from "../account/jurisdiction.ts";
import { type ServerKeys, signText, verifyText } from "../account/server-keys.ts";
import { newId } from "../db/id.ts";
import type { BulletinDeps } from "./bulletin-deps.ts";
import { type Bulletin, selectParticipants } from "./bulletin-row.ts";
import { readIncident } from "./incident.ts";
import { RENDERER_VERSION } from "./message.ts";
import { insertApproval, type NewApproval, type Sql } from "./store.ts";

export interface Approval {
  readonly personId: string;
  readonly personName: string;
  readonly capacity: NewApproval["capacity"];
  /** The standing order that is signed, or by which a bulletin was approved. */
  readonly standingOrderId: string | null;
  readonly hash: Buffer;
  readonly hashVersion: number;
  readonly at: Date;
  readonly keyId: string;
  readonly signature: Buffer;
  readonly voidedAt: Date | null;
}

/** What people approve of a bulletin whose target came down to `resolved`. */
export async function subjectOf(
  deps: Pick<BulletinDeps, "db" | "places">,
  bulletin: Pick<
    Bulletin,
    "id" | "accountId" | "msgType" | "step" | "referenceIds" | "unknownReferences" | "content"
  >,
  resolved: ResolvedTarget,
): Promise<ApprovalSubject> {
  const { id, handle, name } = await readAccount(deps.db, bulletin.accountId);
  const { incidentId } = bulletin.content;
  const incident = incidentId === null ? null : await readIncident(deps.db, incidentId);
  return {
    bulletinId: bulletin.id,
    msgType: bulletin.msgType,
    step: bulletin.step,
    referenceIds: bulletin.referenceIds,
    unknownReferences: bulletin.unknownReferences,
    account: { id, handle, name },
    incident: incident && { id: incident.id, hazard: incident.hazard, name: incident.name },
    content: bulletin.content,
    wordings: wordingsOf(bulletin.content, name, await replacedBy(deps, bulletin)),
    places: placesOf(resolved, deps.places()),
    rendererVersion: RENDERER_VERSION,
  };
}

/** What an Update replaces, oldest first; nothing for an Alert or a Cancel. */
export async function replacedBy(
  { db }: Pick<BulletinDeps, "db">,
  { msgType, referenceIds }: Pick<Bulletin, "msgType" | "referenceIds">,
): Promise<Replaced[]> {
  if (msgType !== "Update" || referenceIds.length === 0) return [];
  const rows = await db
    .selectFrom("bulletin")
    .where("id", "in", referenceIds)
    .where("issued_at", "is not", null)
    .select(["content", "issued_at"])
    .orderBy("issued_at")
    .orderBy("id")
    .execute();
  return rows.map(({ content, issued_at }) => ({
    number: (content as BulletinContent).number,
    issuedAt: issued_at as Date,
  }));
}

/** By codes, which outlive this database. */
export function placesOf(resolved: ResolvedTarget, places: PlaceLookup): ApprovedPlaces {
  return {
    packs: resolved.packs.map(({ name, validFrom }) => ({ name, validFrom })),
    communes: resolved.communes.map(({ code, villageIds }) => ({
      code,
      villages: villageIds?.map((id) => places.byId(id)?.code ?? `#${id}`) ?? null,
    })),
  };
}

/** SHA-256 of the approval text. */
export const hashSubject = (subject: ApprovalSubject): Buffer =>
  createHash("sha256").update(approvalText(subject), "utf8").digest();

/** The text that the server signs for an approval. */
export const approvalStatement = (hash: Uint8Array, personId: string, at: Date): string =>
  canonicalJson({
    hash: Buffer.from(hash).toString("hex"),
    person: personId,
    time: at.toISOString(),
  });

/** Signs and stores an approval. `at` is the transaction's time, whole milliseconds. */
export async function giveApproval(
  tx: Sql,
  keys: ServerKeys,
  given: Pick<NewApproval, "bulletinId" | "standingOrderId" | "hash" | "capacity" | "at"> & {
    readonly actor: Actor;
  },
): Promise<void> {
  const { actor, hash, at } = given;
  await insertApproval(tx, {
    id: newId(),
    bulletinId: given.bulletinId,
    standingOrderId: given.standingOrderId,
    hash,
    hashVersion: APPROVAL_HASH_VERSION,
    personId: actor.personId,
    capacity: given.capacity,
    at,
    keyId: keys.signing.keyId,
    signature: signText(keys, approvalStatement(hash, actor.personId, at)),
  });
}

/** Approvals of a bulletin or of a standing order, voided ones too, oldest first. */
export async function selectApprovals(
  sql: Sql,
  of: { bulletinId: string } | { standingOrderId: string },
): Promise<Approval[]> {
  // The uses of an order carry its id too; they are approvals of bulletins.
  const [condition, id] =
    "bulletinId" in of
      ? ["a.bulletin_id = $1", of.bulletinId]
      : ["a.standing_order_id = $1 AND a.bulletin_id IS NULL", of.standingOrderId];
  const { rows } = await sql.query<Approval>(
    `SELECT a.person_id AS "personId", p.name AS "personName", a.capacity,
            a.standing_order_id AS "standingOrderId", a.hash, a.hash_version AS "hashVersion", a.at, a.key_id AS "keyId", a.signature,
            a.voided_at AS "voidedAt"
     FROM approval a JOIN person p ON p.id = a.person_id WHERE ${condition} ORDER BY a.id`,
    [id],
  );
  return rows;
}

/** Whether an approval stands for this hash: not voided, and signed by this server. */
export function isValidApproval(approval: Approval, hash: Uint8Array, keys: ServerKeys): boolean {
  return (
    approval.voidedAt === null &&
    approval.hashVersion === APPROVAL_HASH_VERSION &&
    approval.hash.equals(hash) &&
    approval.keyId === keys.signing.keyId &&
    verifyText(
      keys.signing.publicKey,
      approvalStatement(approval.hash, approval.personId, approval.at),
      approval.signature,
    )
  );
}

/**
 * Checks the approvals of a bulletin under its lock, just before it goes out.
 * @throws {Problem} approval-mismatch when none stands for this hash, or one is by a participant.
 */
export async function requireApproval(
  tx: Sql,
  keys: ServerKeys,
  bulletin: Bulletin,
  hash: Uint8Array,
): Promise<void> {
  if (bulletin.hash === null || !bulletin.hash.equals(hash))
    throw new Problem(
      "approval-mismatch",
      "What would go out is not what was submitted: return it to draft and submit it again.",
    );
  const approvals = await selectApprovals(tx, { bulletinId: bulletin.id });
  const valid = approvals.filter((approval) => isValidApproval(approval, hash, keys));
  const participants = await selectParticipants(tx, bulletin.id);
  const independent = valid.filter(
    ({ capacity, personId }) =>
      // Two signed the order beforehand, so who uses it may press the button alone.
      (capacity === "standing-order" && bulletin.standingOrderId !== null) ||
      !participants.has(personId),
  );
  if (independent.length === 0)
    throw new Problem("approval-mismatch", "No valid approval stands for what would go out.");
}
