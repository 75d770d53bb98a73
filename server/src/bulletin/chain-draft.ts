// The next bulletin of a chain, drafted from the one that it follows: update (cập nhật), last
// bulletin (tin cuối cùng) and correction (đính chính). References are filled in by Loa. Where an
// incident has several chains in force nobody guesses which one is meant: they are listed, and the
// author names one. Approval and issue are those of every bulletin.
import type { BulletinContent } from "@loa/model/bulletin.ts";
import { formatLocalTime, parseInstant } from "@loa/model/local-time.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Actor } from "../account/actor.ts";
import { newId } from "../db/id.ts";
import { createBulletin, databaseTime } from "./bulletin.ts";
import type { BulletinDeps } from "./bulletin-deps.ts";
import { type Bulletin, loadBulletin } from "./bulletin-row.ts";
import { readIncident } from "./incident.ts";
import type { Sql } from "./store.ts";

/** Life of a drafted update whose bulletin has run out or is about to; authors change it. */
export const UPDATE_LIFE_HOURS = 12;
/** What is left of a bulletin at least, to keep its expiry for the update. */
const LIFE_LEFT_MIN_MS = 3_600_000;
/** Chains that a refusal lists. */
const CHAINS_LISTED_MAX = 20;

export interface ChainWish {
  readonly step: "update" | "last" | "correction";
  /** The new content; without it the old one stands in, to be edited. */
  readonly content?: BulletinContent | undefined;
}

/** Drafts what follows a bulletin. @throws {Problem} as createBulletin. */
export async function draftNext(
  deps: BulletinDeps,
  actor: Actor,
  oldId: string,
  { step, content }: ChainWish,
  id: string = newId(),
): Promise<Bulletin> {
  const old = await loadBulletin(deps.pool, oldId);
  if (old.issuedAt === null && old.agencyId !== actor.agencyId)
    throw new Problem("bulletin-unknown", `There is no bulletin ${oldId} that you may see.`);
  const next = content ?? (await contentAfter(deps, old, step));
  return createBulletin(
    deps,
    actor,
    { accountId: old.accountId, content: next, updates: [oldId], step },
    id,
  );
}

/**
 * Drafts what follows the one bulletin of an incident that is in force.
 * @throws {Problem} bulletin-state when none is; bulletin-invalid listing them when several are.
 */
export async function draftNextOfIncident(
  deps: BulletinDeps,
  actor: Actor,
  incidentId: string,
  wish: ChainWish,
  id: string = newId(),
): Promise<Bulletin> {
  await readIncident(deps.db, incidentId);
  const chains = await readChainsInForce(deps.pool, actor.agencyId, incidentId);
  const [only, ...others] = chains;
  if (only === undefined)
    throw new Problem("bulletin-state", "No bulletin of yours on this incident is in force.");
  if (others.length > 0)
    throw new Problem(
      "bulletin-invalid",
      "Several bulletins of yours on this incident are in force: name the one that is meant.",
      chains.map((chain) => ({
        at: "/updates",
        what: `${chain.id}: ${chain.content.number}, ${chain.content.texts.vi.headline}`,
      })),
    );
  return draftNext(deps, actor, only.id, wish, id);
}

/** The newest bulletin of each chain of an incident that still goes on. */
async function readChainsInForce(
  sql: Sql,
  agencyId: string,
  incidentId: string,
): Promise<Pick<Bulletin, "id" | "content">[]> {
  const { rows } = await sql.query<Pick<Bulletin, "id" | "content">>(
    `SELECT id, content FROM bulletin
     WHERE agency_id = $1 AND incident_id = $2 AND state = 'issued' AND expires_at > now()
       AND step NOT IN ('cancel', 'last')
     ORDER BY issued_at LIMIT $3`,
    [agencyId, incidentId, CHAINS_LISTED_MAX],
  );
  return rows;
}

async function contentAfter(
  deps: BulletinDeps,
  { content }: Bulletin,
  step: ChainWish["step"],
): Promise<BulletinContent> {
  if (step === "correction") return content;
  const now = (await databaseTime(deps.pool)).getTime();
  const expiry = parseInstant(content.expiresAt)?.getTime() ?? 0;
  // What those who were left out of the old one read is about what that one replaced.
  const { wordings, ...rest } = content;
  const concerned = wordings?.concerned;
  const next = { ...rest, ...(concerned && { wordings: { concerned } }) };
  if (expiry - now > LIFE_LEFT_MIN_MS) return next;
  return { ...next, expiresAt: formatLocalTime(new Date(now + UPDATE_LIFE_HOURS * 3_600_000)) };
}
