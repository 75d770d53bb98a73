// The front door of bulletins: create, edit, submit, return, approve, read. (Issue is in issue.ts,
// cancel in cancel.ts, standing orders in standing-order.ts.) Whatever changes a bulletin locks its
// row, asks the one transition table, writes the history, and does all of it or nothing.
import { checkContent } from "@loa/model/bulletin-check.ts";
import type { BulletinContent } from "@loa/model/bulletin.ts";
import { changesMoreThanTexts } from "@loa/model/cancel-content.ts";
import { PURPOSES_OF } from "@loa/model/chain-step.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";
import { POLYGON_POINTS_MAX, type ResolvedTarget } from "@loa/model/target.ts";
import { textFault } from "@loa/model/text.ts";
import { readAccount, readAgency } from "../account/account.ts";
import { type Actor, standpointTowards } from "../account/actor.ts";
import type { Db, Pool } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import { dbOnClient } from "../db/on-client.ts";
import { inTransaction } from "../db/transaction.ts";
import { giveApproval, hashSubject, subjectOf } from "./approval.ts";
import { requireAllowed } from "./allowed.ts";
import type { BulletinDeps } from "./bulletin-deps.ts";
import {
  type Bulletin,
  loadBulletin,
  lockBulletin,
  readResolved,
  selectParticipants,
} from "./bulletin-row.ts";
import { requireEntitlement } from "./entitled.ts";
import { readIncident } from "./incident.ts";
import { renderMessage, trialFacts } from "./message.ts";
import { requireSamePlaces } from "./same-places.ts";
import { requireUpdatable } from "./update.ts";
import {
  insertBulletin,
  insertEvent,
  updateContent,
  updateState,
  updateSubmission,
  voidApprovals,
} from "./store.ts";

/** Longest reason with which a bulletin is returned. */
export const REASON_MAX = 1_000;

export interface BulletinWish {
  readonly accountId: string;
  readonly content: BulletinContent;
  /** Bulletins that this one updates; empty for an Alert. */
  readonly updates: readonly string[];
  /** What kind of Update it is; an ordinary one where nothing is said. */
  readonly step?: "update" | "correction" | "last";
  /** CAP's triples of messages that this installation does not have. */
  readonly unknownReferences?: readonly string[];
}

/**
 * Writes a draft. With `updates` it is an Update of those bulletins.
 * @throws {Problem} role-missing, account-unknown, not-entitled, bulletin-invalid, bulletin-unknown,
 * bulletin-state, incident-unknown, and what the target's resolution throws.
 */
export async function createBulletin(
  deps: BulletinDeps,
  actor: Actor,
  wish: BulletinWish,
  id: string = newId(),
): Promise<Bulletin> {
  if (!actor.roles.includes("author"))
    throw new Problem("role-missing", "Only an author writes bulletins.");
  const account = await readAccount(deps.db, wish.accountId);
  if (account.agencyId !== actor.agencyId)
    throw new Problem("not-entitled", `The account ${account.handle} is another agency's.`);
  const step = wish.updates.length > 0 ? (wish.step ?? "update") : "alert";
  await requireContent(deps, wish.content);
  await requireUpdatable(deps.pool, { ...wish, step, agencyId: actor.agencyId });
  // A correction is for the very places of what it corrects, whatever became of them since.
  const [old] = wish.updates;
  const resolved =
    step === "correction" && old !== undefined ? await readResolved(deps.pool, old) : null;
  await inTransaction(deps.pool, async (tx) => {
    const fresh = await insertBulletin(tx, {
      id,
      agencyId: actor.agencyId,
      accountId: account.id,
      standingOrderId: null,
      step,
      content: wish.content,
      referenceIds: wish.updates,
      unknownReferences: wish.unknownReferences ?? [],
      resolved,
    });
    if (!fresh) return;
    const { content } = wish;
    await insertEvent(tx, { bulletinId: id, actor, action: "create", version: 1, content });
  });
  return loadBulletin(deps.pool, id);
}

/** A content whose every text, place and incident can be used; entitlement is asked at submit. */
async function requireContent(
  deps: BulletinDeps,
  content: BulletinContent,
): Promise<ResolvedTarget> {
  const { polygon } = content.target;
  if (polygon !== undefined && polygon.length > POLYGON_POINTS_MAX)
    throw new Problem("geometry-too-many-points", "The polygon has too many points.", [
      {
        at: "/content/target/polygon",
        what: `has ${polygon.length} points, ${POLYGON_POINTS_MAX} are allowed`,
      },
    ]);
  refuseFaults(checkContent(content, await databaseTime(deps.pool)));
  if (content.incidentId !== null) await readIncident(deps.db, content.incidentId);
  return deps.resolve(content.target);
}

/** @throws {Problem} bulletin-invalid, listing all faults. */
export function refuseFaults(faults: readonly Fault[]): void {
  if (faults.length > 0)
    throw new Problem(
      "bulletin-invalid",
      `The bulletin has ${faults.length} ${faults.length === 1 ? "fault" : "faults"}.`,
      faults.map(({ at, what }) => ({ at: `/content${at}`, what })),
    );
}

/** Instants are PostgreSQL's. */
export async function databaseTime(pool: Pool): Promise<Date> {
  const { rows } = await pool.query<{ now: Date }>("SELECT clock_timestamp() AS now");
  return (rows[0] as { now: Date }).now;
}

/**
 * Replaces the content of the version that the caller saw. Approvals are void from here on.
 * @throws {Problem} bulletin-changed when somebody else was faster, and as createBulletin.
 */
export async function editBulletin(
  deps: BulletinDeps,
  actor: Actor,
  id: string,
  edit: { readonly version: number; readonly content: BulletinContent },
): Promise<Bulletin> {
  const { content } = edit;
  const seen = await loadBulletin(deps.pool, id);
  await requireAllowed(deps.db, actor, seen, "edit");
  if (seen.msgType === "Cancel") {
    // A cancel goes to those who had the bulletin; its places may have been dissolved since.
    refuseFaults(checkContent(content, await databaseTime(deps.pool)));
    if (changesMoreThanTexts(seen.content, content))
      throw new Problem("bulletin-invalid", "Of a Cancel only the texts can be edited.", [
        { at: "/content", what: "differs from the cancelled bulletin in more than its texts" },
      ]);
  } else {
    await requireContent(deps, content);
    await requireUpdatable(deps.pool, { ...seen, content, updates: seen.referenceIds });
  }
  await inTransaction(deps.pool, async (tx) => {
    const db = dbOnClient(tx);
    const bulletin = await lockBulletin(tx, id);
    const transition = await requireAllowed(db, actor, bulletin, "edit");
    requireVersion(bulletin, edit.version);
    if (transition.voids) await voidApprovals(tx, id);
    const keepResolved = keepsPlaces(bulletin);
    await updateContent(tx, { ...bulletin, keepResolved }, content);
    const version = bulletin.version + 1;
    await insertEvent(tx, { bulletinId: id, actor, action: "edit", version, content });
  });
  return loadBulletin(deps.pool, id);
}

function requireVersion(bulletin: Bulletin, version: number): void {
  if (bulletin.version !== version)
    throw new Problem(
      "bulletin-changed",
      `You saw version ${version}; it is at version ${bulletin.version} now. Read it again.`,
    );
}

/**
 * Hands a draft to the approvers: from here on its hash stands for all that would go out.
 * @throws {Problem} bulletin-invalid, not-entitled, message-too-large, bulletin-changed,
 * bulletin-state, and what the target's resolution throws.
 */
export async function submitBulletin(
  deps: BulletinDeps,
  actor: Actor,
  id: string,
  version: number,
): Promise<Bulletin> {
  const seen = await loadBulletin(deps.pool, id);
  await requireAllowed(deps.db, actor, seen, "submit");
  refuseFaults(checkContent(seen.content, await databaseTime(deps.pool)));
  const resolved = await resolveFor(deps, seen);
  await requireEntitlement(deps, seen, resolved);
  const subject = await subjectOf(deps, seen, resolved);
  for (const purpose of PURPOSES_OF[seen.step])
    renderMessage(subject, trialFacts(subject), deps.places(), { purpose });
  await inTransaction(deps.pool, async (tx) => {
    const db = dbOnClient(tx);
    const bulletin = await lockBulletin(tx, id);
    const transition = await requireAllowed(db, actor, bulletin, "submit");
    requireVersion(bulletin, version);
    requireVersion(bulletin, seen.version);
    await updateSubmission(tx, id, transition.to, resolved, hashSubject(subject));
    await insertEvent(tx, { bulletinId: id, actor, action: "submit", version });
  });
  return loadBulletin(deps.pool, id);
}

/** A Cancel or a correction is for the places of the bulletin that it is about. */
const keepsPlaces = ({ step }: Pick<Bulletin, "step">): boolean =>
  step === "cancel" || step === "correction";

/** What the target comes down to under the packs of today, or came down to for the old bulletin. */
export async function resolveFor(
  deps: BulletinDeps,
  bulletin: Pick<Bulletin, "id" | "step" | "content">,
): Promise<ResolvedTarget> {
  if (!keepsPlaces(bulletin)) return deps.resolve(bulletin.content.target);
  const resolved = await readResolved(deps.pool, bulletin.id);
  if (resolved === null) throw new Error(`a ${bulletin.step} without places`);
  return resolved;
}

/** Gives a bulletin back to its authors, with a reason; approvals are void from here on. */
export async function returnBulletin(
  deps: BulletinDeps,
  actor: Actor,
  id: string,
  reason: string,
): Promise<Bulletin> {
  const what = textFault(reason, { max: REASON_MAX, lines: true });
  if (what !== undefined)
    throw new Problem("request-invalid", "The reason cannot be used.", [{ at: "/reason", what }]);
  await inTransaction(deps.pool, async (tx) => {
    const db = dbOnClient(tx);
    const bulletin = await lockBulletin(tx, id);
    const { to, voids } = await requireAllowed(db, actor, bulletin, "return");
    if (voids) await voidApprovals(tx, id);
    await updateState(tx, id, bulletin.state, to);
    const { version } = bulletin;
    await insertEvent(tx, { bulletinId: id, actor, action: "return", version, reason });
  });
  return loadBulletin(deps.pool, id);
}

/**
 * Approves exactly what the caller saw, named by its hash.
 * @throws {Problem} approver-took-part for whoever wrote, edited or submitted any version;
 * approver-foreign, role-missing, approval-mismatch, bulletin-expired, not-entitled,
 * resolves-otherwise, bulletin-state.
 */
export async function approveBulletin(
  deps: BulletinDeps,
  actor: Actor,
  id: string,
  hash: string,
): Promise<Bulletin> {
  const seen = await loadBulletin(deps.pool, id);
  await requireAllowed(deps.db, actor, seen, "approve");
  const resolved = await resolveFor(deps, seen);
  await requireEntitlement(deps, seen, resolved);
  const subject = await subjectOf(deps, seen, resolved);
  await inTransaction(deps.pool, async (tx) => {
    const db = dbOnClient(tx);
    const bulletin = await lockBulletin(tx, id);
    const { to } = await requireAllowed(db, actor, bulletin, "approve");
    requireVersion(bulletin, seen.version);
    const participants = await selectParticipants(tx, id);
    if (participants.has(actor.personId))
      throw new Problem(
        "approver-took-part",
        "You wrote, edited or submitted a version of this bulletin: somebody else approves it.",
      );
    await requireTopFor(db, actor, bulletin);
    const current = hashSubject(subject);
    await requireSamePlaces(tx, bulletin, { hash: current, resolved }, deps.places());
    if (!bulletin.hash?.equals(current) || hash !== current.toString("hex"))
      throw new Problem(
        "approval-mismatch",
        "What you saw is not what would go out: read it again, and approve the hash you read.",
      );
    // Whole milliseconds, so that the stored instant is the one that was signed.
    const { rows } = await tx.query<{ at: Date; expired: boolean }>(
      `SELECT date_trunc('milliseconds', now()) AS at, $1::timestamptz <= now() AS expired`,
      [bulletin.content.expiresAt],
    );
    const { at, expired } = rows[0] as { at: Date; expired: boolean };
    if (expired) throw new Problem("bulletin-expired", "Its expiry has passed; edit it first.");
    const own = (await standpointTowards(db, actor, bulletin.agencyId)) === "member";
    const capacity = own ? "member" : "parent-duty";
    const given = { bulletinId: id, standingOrderId: null, hash: current, at, actor } as const;
    await giveApproval(tx, deps.keys, { ...given, capacity });
    await updateState(tx, id, bulletin.state, to);
    await insertEvent(tx, { bulletinId: id, actor, action: "approve", version: bulletin.version });
  });
  return loadBulletin(deps.pool, id);
}

/** A PublicTest reaches the public without a danger: it is approved at the top. */
async function requireTopFor(db: Db, actor: Actor, { content }: Bulletin): Promise<void> {
  if (content.type !== "PublicTest") return;
  const { parentId } = await readAgency(db, actor.agencyId);
  if (parentId !== null)
    throw new Problem("approver-foreign", "A PublicTest is approved at the top of the agencies.");
}
