// The front door of CAP sources: who else's warnings come in, from where, and how far each is
// trusted. A source speaks for its jurisdiction and hazards only, and acts as a member of an agency
// who is an author and nothing else: what it says is a draft, which two people look at.
import { createPublicKey } from "node:crypto";
import type { CapRepair } from "@loa/cap/message.ts";
import type { CapSignatureGrant } from "@loa/cap/verify.ts";
import type { ChannelName } from "@loa/model/endpoint.ts";
import type { Hazard } from "@loa/model/hazard.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";
import type { AudienceRule } from "@loa/model/target.ts";
import { textFault } from "@loa/model/text.ts";
import { type AccountDeps, readAccount } from "../account/account.ts";
import type { Actor } from "../account/actor.ts";
import { createMember } from "../account/member.ts";
import type { Pool } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import { addressOf, isPublicAddress } from "./address.ts";
import { insertSource, updateSource } from "./store.ts";

export const SOURCE_NAME_MAX = 120;

/** A key that is pinned to a sender of the source, public, for a time if wanted. */
export interface PinnedKey {
  readonly sender: string;
  /** PEM of a public key or of a certificate, of which only the key counts. */
  readonly publicKey: string;
  readonly from: string | null;
  readonly until: string | null;
}

/** What a source may do. */
export interface SourceSettings {
  readonly intervalSeconds: number;
  /** Of one document, packed or not. */
  readonly bytesMax: number;
  /** Whether it may be asked at private, loopback and link-local addresses. */
  readonly privateAllowed: boolean;
  readonly repairs: readonly CapRepair[];
  /** For the repair missing-sender. */
  readonly sender: string | null;
  readonly grants: readonly CapSignatureGrant[];
  /** With one key or more, a message that none of them signed is refused. */
  readonly keys: readonly PinnedKey[];
  /** Codes of units about which it may speak. */
  readonly areas: readonly string[];
  readonly hazards: readonly Hazard[];
  /** For its drafts. */
  readonly channels: readonly ChannelName[];
  readonly audienceRule: AudienceRule;
}

export interface CapSource {
  readonly id: string;
  readonly name: string;
  readonly agencyId: string;
  readonly accountId: string;
  readonly memberId: string;
  readonly url: string | null;
  readonly settings: SourceSettings;
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly suspendedAt: Date | null;
  readonly nextPollAt: Date;
  readonly polledAt: Date | null;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly fault: string | null;
  readonly faults: number;
}

export interface SourceWish {
  readonly name: string;
  readonly accountId: string;
  readonly url: string | null;
  readonly settings: SourceSettings;
}

export type SourceDeps = AccountDeps & { readonly pool: Pool };

/** @throws {Problem} account-unknown, area-unknown, request-invalid */
export async function createSource(
  deps: SourceDeps,
  wish: SourceWish,
  id: string = newId(),
): Promise<CapSource> {
  const { agencyId } = await readAccount(deps.db, wish.accountId);
  refuseFaults(deps, wish);
  const known = await selectSource(deps.pool, "id", id);
  if (known !== undefined) return known;
  if ((await selectSource(deps.pool, "name", wish.name)) !== undefined)
    throw new Problem("request-invalid", "Another source has this name.", [
      { at: "/name", what: "is taken" },
    ]);
  // The member's id follows from the source's, so that a repeat finds both.
  await createMember(
    deps,
    {
      agencyId,
      post: { vi: "Nguồn CAP", en: "CAP source" },
      roles: ["author"],
      person: { name: wish.name },
    },
    id,
  );
  await insertSource(deps.pool, { ...wish, id, agencyId, memberId: id });
  return readSource(deps.pool, id);
}

/** Changes what a source may do, or suspends it: nothing of it is taken from then on. */
export async function changeSource(
  deps: SourceDeps,
  id: string,
  change: {
    readonly url?: string | null;
    readonly settings?: SourceSettings;
    readonly suspended?: boolean;
  },
): Promise<CapSource> {
  const { name, accountId, ...source } = await readSource(deps.pool, id);
  const { url = source.url, settings = source.settings } = change;
  refuseFaults(deps, { name, accountId, url, settings });
  const suspended = change.suspended ?? source.suspendedAt !== null;
  await updateSource(deps.pool, id, { url, settings, suspended });
  return readSource(deps.pool, id);
}

function refuseFaults(deps: SourceDeps, { name, url, settings }: SourceWish): void {
  const faults: Fault[] = [];
  const what = textFault(name, { max: SOURCE_NAME_MAX, lines: false });
  if (what !== undefined) faults.push({ at: "/name", what });
  if (url !== null) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    const address = parsed && addressOf(parsed);
    if (parsed?.protocol !== "https:" && parsed?.protocol !== "http:")
      faults.push({ at: "/url", what: "wants a full http or https address" });
    else if (parsed.username !== "" || parsed.password !== "")
      faults.push({ at: "/url", what: "must not hold a password" });
    else if (address !== undefined && !settings.privateAllowed && !isPublicAddress(address))
      faults.push({ at: "/url", what: "is a private address, which is not allowed" });
  }
  for (const [index, { publicKey }] of settings.keys.entries())
    if (!isPublicKey(publicKey))
      faults.push({ at: `/settings/keys/${index}/publicKey`, what: "is no public key in PEM" });
  const places = deps.places();
  for (const code of settings.areas)
    if (places.byCode(code) === undefined)
      faults.push({ at: "/settings/areas", what: `no active area pack has ${code}` });
  if (faults.length > 0)
    throw new Problem("request-invalid", "Some fields cannot be used.", faults);
}

function isPublicKey(pem: string): boolean {
  // A private key would be read too, and be shown to whoever lists sources.
  if (pem.includes("PRIVATE KEY")) return false;
  try {
    return createPublicKey(pem).type === "public";
  } catch {
    return false;
  }
}

/** @throws {Problem} source-unknown */
export async function readSource(pool: Pool, id: string): Promise<CapSource> {
  const source = await selectSource(pool, "id", id);
  if (source === undefined) throw new Problem("source-unknown", `There is no source ${id}.`);
  return source;
}

const COLUMNS = `id, name, agency_id AS "agencyId", account_id AS "accountId",
  member_id AS "memberId", url, settings, created_at AS "createdAt", changed_at AS "changedAt",
  suspended_at AS "suspendedAt", next_poll_at AS "nextPollAt", polled_at AS "polledAt", etag,
  last_modified AS "lastModified", fault, faults`;

async function selectSource(
  pool: Pool,
  column: "id" | "name",
  value: string,
): Promise<CapSource | undefined> {
  const { rows } = await pool.query<CapSource>(
    `SELECT ${COLUMNS} FROM cap_source WHERE ${column} = $1`,
    [value],
  );
  return rows[0];
}

/** By id, page by page. */
export async function listSources(pool: Pool, limit: number, after?: string): Promise<CapSource[]> {
  const { rows } = await pool.query<CapSource>(
    `SELECT ${COLUMNS} FROM cap_source WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2`,
    [after ?? null, limit],
  );
  return rows;
}

/** Sources whose time has come, the one that waited longest first. */
export async function listDueSources(pool: Pool, limit: number): Promise<CapSource[]> {
  const { rows } = await pool.query<CapSource>(
    `SELECT ${COLUMNS} FROM cap_source
     WHERE url IS NOT NULL AND suspended_at IS NULL AND next_poll_at <= now()
     ORDER BY next_poll_at LIMIT $1`,
    [limit],
  );
  return rows;
}

/** The member as which a source writes. */
export const actorOf = (source: CapSource): Actor => ({
  memberId: source.memberId,
  personId: source.memberId,
  personName: source.name,
  agencyId: source.agencyId,
  roles: ["author"],
});
