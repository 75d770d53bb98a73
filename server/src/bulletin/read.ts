// Reading bulletins: what was issued is everybody's; drafts are seen by the agency that writes
// them and by the one directly above it, which may have to approve.
import type { Purpose } from "@loa/model/chain-step.ts";
import { Problem } from "@loa/model/problem.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import { type EffectiveWordings, wordingsOf } from "@loa/model/wording.ts";
import { readAccount } from "../account/account.ts";
import type { Actor } from "../account/actor.ts";
import { type Approval, replacedBy, selectApprovals } from "./approval.ts";
import type { BulletinDeps } from "./bulletin-deps.ts";
import {
  type Bulletin,
  type BulletinEvent,
  type BulletinFilter,
  loadBulletin,
  readResolved,
  selectBulletins,
  selectEvents,
} from "./bulletin-row.ts";
import { updateExpired } from "./store.ts";
import type { Db, Pool } from "../db/connection.ts";

/** Most bulletins of one page. */
export const BULLETINS_PAGE_MAX = 200;

export interface BulletinDetail {
  readonly bulletin: Bulletin;
  /** What its target came down to when it was submitted. */
  readonly resolved: ResolvedTarget | null;
  readonly history: readonly BulletinEvent[];
  readonly approvals: readonly Approval[];
  /** The main one of its sendings. */
  readonly dispatchId: string | null;
  /** All its sendings, the main one first. */
  readonly dispatches: readonly { readonly id: string; readonly purpose: Purpose }[];
  /** Whether those whom it leaves out are still to be found. */
  readonly isSettling: boolean;
  /** What the concerned and those left out read, as approvers must see it. */
  readonly wordings: EffectiveWordings;
}

/** @throws {Problem} bulletin-unknown, also for a draft that is not the caller's to see. */
export async function readBulletin(
  deps: Pick<BulletinDeps, "db" | "pool">,
  actor: Actor,
  id: string,
): Promise<BulletinDetail> {
  const bulletin = await loadBulletin(deps.pool, id);
  if (bulletin.issuedAt === null && !(await seenBy(deps.db, actor)).includes(bulletin.agencyId))
    throw new Problem("bulletin-unknown", `There is no bulletin ${id} that you may see.`);
  return readDetail(deps, bulletin);
}

/** The same of one that the caller may see and has just read or written, and of its places if known. */
export async function readDetail(
  { db, pool }: Pick<BulletinDeps, "db" | "pool">,
  bulletin: Bulletin,
  known?: ResolvedTarget,
): Promise<BulletinDetail> {
  const { id } = bulletin;
  const [resolved, { rows: dispatches }, { rowCount: leaving }, { name }, ...rest] =
    await Promise.all([
      known ?? readResolved(pool, id),
      pool.query<{ id: string; purpose: Purpose }>(
        "SELECT id, purpose FROM dispatch WHERE bulletin_id = $1 ORDER BY purpose <> 'main', purpose",
        [id],
      ),
      pool.query("SELECT FROM leaving WHERE bulletin_id = $1", [id]),
      readAccount(db, bulletin.accountId),
      selectEvents(pool, id),
      selectApprovals(pool, { bulletinId: id }),
      replacedBy({ db }, bulletin),
    ]);
  const [history, approvals, replaced] = rest;
  return {
    bulletin,
    resolved,
    isSettling: leaving === 1,
    history,
    approvals,
    dispatchId: dispatches.find(({ purpose }) => purpose === "main")?.id ?? null,
    dispatches,
    wordings: wordingsOf(bulletin.content, name, replaced),
  };
}

/** Newest first, at most BULLETINS_PAGE_MAX. */
export async function listBulletins(
  deps: Pick<BulletinDeps, "db" | "pool">,
  actor: Actor,
  filter: Omit<BulletinFilter, "agencyIds">,
): Promise<Bulletin[]> {
  const limit = Math.min(filter.limit, BULLETINS_PAGE_MAX);
  const agencyIds = await seenBy(deps.db, actor);
  return selectBulletins(deps.pool, { ...filter, limit, agencyIds });
}

/** Agencies whose drafts somebody sees: their own, and those directly below. */
async function seenBy(db: Db, actor: Actor): Promise<string[]> {
  const rows = await db
    .selectFrom("agency")
    .where("parent_id", "=", actor.agencyId)
    .select("id")
    .execute();
  return [actor.agencyId, ...rows.map((row) => row.id)];
}

/**
 * Moves bulletins past their expiry to `expired`; answers their ids. To be called from time to
 * time: readers see them as expired at once anyway.
 */
export const expireBulletins = (pool: Pool): Promise<string[]> => updateExpired(pool);
