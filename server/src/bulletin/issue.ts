// Issue: the moment at which what was approved goes out. Everything is asked again, then the
// bulletin, what it replaces, the frozen audience and the dispatch are written in one transaction.
// Of two who press the button at once, one waits for the row and finds it issued.
import { checkContent } from "@loa/model/bulletin-check.ts";
import { PUBLIC_TEST_HOURS } from "@loa/model/bulletin.ts";
import { canonicalJson } from "@loa/model/canonical.ts";
import { formatLocalTime, localHour, parseInstant } from "@loa/model/local-time.ts";
import { Problem } from "@loa/model/problem.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import { TRANSITIONS } from "@loa/model/transition.ts";
import type pg from "pg";
import { readAccount } from "../account/account.ts";
import type { Actor } from "../account/actor.ts";
import { signText } from "../account/server-keys.ts";
import { newId } from "../db/id.ts";
import { dbOnClient } from "../db/on-client.ts";
import { inTransaction } from "../db/transaction.ts";
import { requireAllowed } from "./allowed.ts";
import { hashSubject, requireApproval, subjectOf } from "./approval.ts";
import { refuseFaults, resolveFor } from "./bulletin.ts";
import type { IssueDeps, IssuedDispatch, IssuePlan } from "./bulletin-deps.ts";
import { type Bulletin, loadBulletin, lockBulletins, lockSeen } from "./bulletin-row.ts";
import { requireEntitlement } from "./entitled.ts";
import { type Addressing, createIdentifier, renderMessage } from "./message.ts";
import { requireSamePlaces } from "./same-places.ts";
import { insertEvent, updateIssued, updateState } from "./store.ts";
import { lastExpiry, requireReferable } from "./update.ts";

export interface Issued {
  readonly bulletin: Bulletin;
  /** The places that it is for, where this request worked them out. */
  readonly resolved?: ResolvedTarget;
  readonly dispatch: IssuedDispatch;
  /** Whether an earlier request issued it, whose answer was lost. */
  readonly isRepeat: boolean;
}

/** What the server signs of an issued bulletin; `references` are ids, as on the wire. */
export const issueStatement = (facts: {
  readonly hash: Uint8Array;
  readonly identifier: string;
  readonly sent: Date;
  readonly references: readonly string[];
}): string =>
  canonicalJson({
    hash: Buffer.from(facts.hash).toString("hex"),
    identifier: facts.identifier,
    sent: formatLocalTime(facts.sent),
    references: facts.references,
  });

/**
 * Sends an approved bulletin on its way. Repeated with the same `dispatchId`, as after an answer
 * that was lost, it answers what was issued the first time.
 * @throws {Problem} bulletin-state, role-missing, bulletin-expired, bulletin-invalid, not-entitled,
 * resolves-otherwise, approval-mismatch, bulletin-changed, message-too-large.
 */
export async function issueBulletin<A>(
  deps: IssueDeps<A>,
  actor: Actor,
  id: string,
  dispatchId: string = newId(),
): Promise<Issued> {
  const seen = await loadBulletin(deps.pool, id);
  const before = await findIssued(deps, seen, dispatchId);
  if (before) return before;
  await requireAllowed(deps.db, actor, seen, "issue");
  // Before the transaction, because resolving and freezing are the slow parts and hold no row.
  const prepared = await prepareIssue(deps, seen);
  const issued = await inTransaction(deps.pool, async (tx) => {
    const bulletin = await lockSeen(tx, seen);
    if (bulletin.version !== seen.version)
      throw new Problem("bulletin-changed", "It was edited meanwhile; read it again.");
    return issueLocked(deps, tx, actor, bulletin, prepared, dispatchId);
  });
  deps.failPoint?.("plan-committed");
  deps.bus.publish("dispatch.changed", { dispatchId: issued.dispatch.dispatchId });
  return issued;
}

/** What a repeated request issued the first time. */
async function findIssued(
  deps: Pick<IssueDeps<unknown>, "pool">,
  bulletin: Bulletin,
  dispatchId: string,
): Promise<Issued | undefined> {
  if (bulletin.issuedAt === null) return undefined;
  const { rows } = await deps.pool.query<IssuedDispatch>(
    `SELECT id AS "dispatchId", seq, issued_at AS "issuedAt"
     FROM dispatch WHERE id = $1 AND bulletin_id = $2`,
    [dispatchId, bulletin.id],
  );
  const [dispatch] = rows;
  return dispatch && { bulletin, dispatch, isRepeat: true };
}

/** What is worked out before the transaction. */
export interface PreparedIssue<A> {
  readonly resolved: ResolvedTarget;
  /** Undefined for a Cancel or correction: whom they reach is known once the old ones are closed. */
  readonly audience: A | undefined;
}

/** Does the slow parts of an issue, which hold no row, and has others make way for a warning. */
export async function prepareIssue<A>(
  deps: IssueDeps<A>,
  bulletin: Pick<Bulletin, "id" | "step" | "content" | "accountId">,
): Promise<PreparedIssue<A>> {
  if (bulletin.content.kind === "warning") deps.bus.publish("warning.coming", {});
  const resolved = await resolveFor(deps, bulletin);
  if (bulletin.step === "cancel" || bulletin.step === "correction")
    return { resolved, audience: undefined };
  const { audienceRule, type, channels } = bulletin.content;
  const { ordinal } = await readAccount(deps.db, bulletin.accountId);
  const query = { resolved, rule: audienceRule, accountOrdinal: ordinal, type };
  return { resolved, audience: await deps.freezeAudience(query, channels) };
}

/** Issues a bulletin whose row is locked by this transaction. */
export async function issueLocked<A>(
  outside: IssueDeps<A>,
  tx: pg.PoolClient,
  actor: Actor,
  bulletin: Bulletin,
  { resolved, audience }: PreparedIssue<A>,
  dispatchId: string = newId(),
): Promise<Issued> {
  const deps = { ...outside, db: dbOnClient(tx) };
  const { id, content } = bulletin;
  const { to } = await requireAllowed(deps.db, actor, bulletin, "issue");
  const sent = await transactionTime(tx);
  const expiresAt = parseInstant(content.expiresAt) as Date;
  if (expiresAt <= sent)
    throw new Problem("bulletin-expired", `It expired at ${content.expiresAt}; edit it first.`);
  refuseFaults(checkContent(content, sent));
  requireTestHours(bulletin, sent);
  await requireEntitlement(deps, bulletin, resolved);
  const subject = await subjectOf(deps, bulletin, resolved);
  const hash = hashSubject(subject);
  await requireSamePlaces(tx, bulletin, { hash, resolved }, deps.places());
  await requireApproval(tx, deps.keys, bulletin, hash);
  await closeReferences(tx, bulletin);

  const identifier = createIdentifier(subject);
  const { referenceIds: references } = bulletin;
  const signature = signText(deps.keys, issueStatement({ hash, identifier, sent, references }));
  const { keyId } = deps.keys.signing;
  const facts = { identifier, issuedAt: sent, expiresAt, signature, keyId };
  await updateIssued(tx, id, to, facts);
  await insertEvent(tx, { bulletinId: id, actor, action: "issue", version: bulletin.version });
  const render: Render = (dispatchId, addressing) =>
    renderMessage(
      subject,
      { dispatchId, identifier, sent, hash, signature, keyId },
      deps.places(),
      addressing,
    );
  const sending = { bulletin, resolved, audience, expiresAt, render };
  const dispatch = await sendIssued(deps, tx, sending, dispatchId);
  return { bulletin: { ...bulletin, state: to, ...facts }, resolved, dispatch, isRepeat: false };
}

type Render = (dispatchId: string, addressing: Addressing) => Uint8Array;

interface Sending<A> extends PreparedIssue<A> {
  readonly bulletin: Bulletin;
  readonly expiresAt: Date;
  readonly render: Render;
}

/** Plans every sending of a bulletin that this transaction issues; answers the main one. */
async function sendIssued<A>(
  deps: IssueDeps<A>,
  tx: pg.PoolClient,
  { bulletin, resolved, audience, expiresAt, render }: Sending<A>,
  mainId: string,
): Promise<IssuedDispatch> {
  const { id, content, step, referenceIds: supersedes } = bulletin;
  const plan = (
    wish: Pick<IssuePlan<A>, "purpose" | "lane" | "audience"> & Partial<IssuePlan<A>>,
  ) => {
    const dispatchId = wish.purpose === "main" ? mainId : newId();
    const message = render(dispatchId, { purpose: wish.purpose });
    const { type, channels } = content;
    const communeIds = resolved.communes.map((commune) => commune.areaId);
    const common = { bulletinId: id, type, message, expiresAt, channels, communeIds, supersedes };
    return deps.planDispatch(tx, { ...common, ...wish }, dispatchId);
  };
  const corrected = step === "correction" ? await deps.freezeCorrection(tx, supersedes) : undefined;
  const main = await plan({
    purpose: "main",
    lane: content.kind,
    audience: corrected?.main ?? audience ?? (await deps.freezeReached(tx, supersedes)),
    ...(corrected && { orderCommuneIds: corrected.untoldCommuneIds }),
  });
  if (corrected && content.channels.includes("live"))
    // Lanes are loudness: in the lane of notices it wakes nobody.
    await plan({
      purpose: "silent",
      lane: "notice",
      audience: corrected.silent,
      channels: ["live"],
    });
  if (bulletin.msgType === "Update") {
    const dispatchId = newId();
    const until = await lastExpiry(tx, supersedes, expiresAt);
    const message = render(dispatchId, { purpose: "left", expiresAt: until });
    await deps.noteLeaving(tx, { bulletinId: id, dispatchId, message, expiresAt: until });
  }
  return main;
}

/** The instant of this transaction, whole milliseconds; the dispatch is stamped with the same. */
async function transactionTime(tx: pg.PoolClient): Promise<Date> {
  const { rows } = await tx.query<{ at: Date }>("SELECT now() AS at");
  return (rows[0] as { at: Date }).at;
}

function requireTestHours({ content }: Bulletin, sent: Date): void {
  if (content.type !== "PublicTest") return;
  const [from, to] = PUBLIC_TEST_HOURS;
  const hour = localHour(sent);
  if (hour < from || hour >= to)
    throw new Problem("bulletin-invalid", `A PublicTest goes out from ${from}:00 to ${to}:00.`, [
      { at: "/content/type", what: "a PublicTest at night frightens people" },
    ]);
}

/** Moves what this bulletin updates or cancels out of force, in the same transaction. */
async function closeReferences(tx: pg.PoolClient, bulletin: Bulletin): Promise<void> {
  const action = bulletin.msgType === "Cancel" ? "cancel" : "update";
  for (const old of await lockBulletins(tx, bulletin.referenceIds)) {
    await requireReferable(tx, old);
    const transition = TRANSITIONS[old.state][action];
    // What has run out stays expired: a different thing from updated and cancelled.
    if (transition === undefined) continue;
    await updateState(tx, old.id, old.state, transition.to);
    const reason = `by ${bulletin.id}`;
    const { version } = old;
    await insertEvent(tx, { bulletinId: old.id, actor: null, action, version, reason });
  }
}
