// Cancel (thu hồi): a bulletin of its own that takes another one back. It is drafted by one press,
// from the old text, goes to those who had the old one, and needs a second person like any other;
// it may be drafted while the old one is still being sent.
import { cancelContent } from "@loa/model/cancel-content.ts";
import { Problem } from "@loa/model/problem.ts";
import { type Bilingual, LANGUAGES, textFault } from "@loa/model/text.ts";
import { readAccount } from "../account/account.ts";
import { type Actor, standpointTowards } from "../account/actor.ts";
import { newId } from "../db/id.ts";
import { inTransaction } from "../db/transaction.ts";
import { databaseTime } from "./bulletin.ts";
import type { BulletinDeps } from "./bulletin-deps.ts";
import { type Bulletin, loadBulletin, readResolved } from "./bulletin-row.ts";
import { insertBulletin, insertEvent } from "./store.ts";
import { lastExpiry, requireReferable } from "./update.ts";

/** Why a bulletin is taken back: it is read aloud, so one or two sentences. */
export const CANCEL_REASON_MAX = 160;

/**
 * Drafts the Cancel of an issued bulletin. An author of its agency may, and the duty member of the
 * agency above, so that a mistake can be taken back while the commune is asleep.
 * @throws {Problem} bulletin-unknown, role-missing, bulletin-state naming what is in force instead.
 */
export async function cancelBulletin(
  deps: BulletinDeps,
  actor: Actor,
  oldId: string,
  reason: Bilingual,
  id: string = newId(),
): Promise<Bulletin> {
  const old = await loadBulletin(deps.pool, oldId);
  await requireDrafter(deps, actor, old);
  const faults = LANGUAGES.flatMap((language) => {
    const what = textFault(reason[language], { max: CANCEL_REASON_MAX, lines: false });
    return what === undefined ? [] : [{ at: `/reason/${language}`, what }];
  });
  if (faults.length > 0) throw new Problem("request-invalid", "The reason cannot be used.", faults);
  if (old.msgType === "Cancel" || old.state === "expired")
    throw new Problem(
      "bulletin-state",
      old.msgType === "Cancel"
        ? "A Cancel is not cancelled: issue the bulletin again."
        : "It has expired: there is nothing to take back.",
    );
  await requireReferable(deps.pool, old);
  const { issuedAt, expiresAt, content } = old;
  const resolved = await readResolved(deps.pool, oldId);
  if (issuedAt === null || expiresAt === null || resolved === null)
    throw new Error(`bulletin ${oldId} is in force and was never issued`);
  const account = await readAccount(deps.db, old.accountId);
  const cancel = cancelContent(
    {
      content,
      accountName: account.name,
      issuedAt,
      expiresAt: await lastExpiry(deps.pool, [oldId], expiresAt),
    },
    reason,
    await databaseTime(deps.pool),
  );
  await inTransaction(deps.pool, async (tx) => {
    const fresh = await insertBulletin(tx, {
      id,
      agencyId: old.agencyId,
      accountId: old.accountId,
      standingOrderId: null,
      step: "cancel",
      unknownReferences: [],
      content: cancel,
      referenceIds: [oldId],
      resolved,
    });
    const created = { bulletinId: id, actor, action: "create", version: 1 } as const;
    if (fresh) await insertEvent(tx, { ...created, reason: reason.vi, content: cancel });
  });
  return loadBulletin(deps.pool, id);
}

async function requireDrafter(deps: BulletinDeps, actor: Actor, old: Bulletin): Promise<void> {
  const standpoint = await standpointTowards(deps.db, actor, old.agencyId);
  if (standpoint === "foreign")
    throw new Problem("bulletin-unknown", `There is no bulletin ${old.id} of yours.`);
  const role = standpoint === "member" ? "author" : "duty";
  if (!actor.roles.includes(role))
    throw new Problem("role-missing", `The ${role} drafts a cancel.`);
}
