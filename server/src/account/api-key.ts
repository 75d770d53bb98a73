// API keys of members and gateways. A key is shown once, when it is made; only its SHA-256 is
// kept, which is enough because a key has 192 random bits and cannot be guessed from its hash.
import { createHash, randomBytes } from "node:crypto";
import { Problem } from "@loa/model/problem.ts";
import type { Db } from "../db/connection.ts";
import type { AccountDeps } from "./account.ts";
import { readMember } from "./member.ts";
import { insertKey, markKeyRevoked } from "./store.ts";

export const KEY_PREFIX = "loa_";
const KEY_BYTES = 24;
const KEY_PATTERN = /^loa_[A-Za-z0-9_-]{32}$/u;
/** How keys are named in lists and when they are revoked: the start of the hash, in hex. */
export const FINGERPRINT_LENGTH = 24;

/** A new key: `loa_` and 32 characters of base64url. */
export const createApiKey = (): string => KEY_PREFIX + randomBytes(KEY_BYTES).toString("base64url");

/** What is stored of a key. */
export const hashApiKey = (key: string): Buffer => createHash("sha256").update(key).digest();

/** Whether a text has the form of a key; what has not is refused without asking the database. */
export const isApiKey = (text: string): boolean => KEY_PATTERN.test(text);

export const fingerprintOf = (sha256: Uint8Array): string =>
  Buffer.from(sha256).toString("hex").slice(0, FINGERPRINT_LENGTH);

/** A key without its secret. */
export interface KeyInfo {
  readonly fingerprint: string;
  readonly memberId: string | null;
  readonly gateway: string | null;
  readonly sourceId: string | null;
  readonly label: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

/** A key at the only moment at which anybody sees it. */
export interface FreshKey {
  readonly key: string;
  readonly fingerprint: string;
}

/** Makes a key for a member. @throws {Problem} member-unknown */
export async function createMemberKey(
  deps: Pick<AccountDeps, "db">,
  memberId: string,
  label: string,
): Promise<FreshKey> {
  const member = await readMember(deps.db, memberId);
  if (member.revoked) throw new Problem("member-unknown", "This membership has ended.");
  return storeFreshKey(deps.db, { memberId, gateway: null, sourceId: null, label });
}

/** Makes a key for the gateway of a channel: it may report that channel's receipts. */
export const createGatewayKey = (
  deps: Pick<AccountDeps, "db">,
  channel: string,
  label: string,
): Promise<FreshKey> =>
  storeFreshKey(deps.db, { memberId: null, gateway: channel, sourceId: null, label });

/** Makes a key for a CAP source: it may hand in that source's messages. */
export async function createSourceKey(
  deps: Pick<AccountDeps, "db">,
  sourceId: string,
  label: string,
): Promise<FreshKey> {
  const { db } = deps;
  const row = await db
    .selectFrom("cap_source")
    .where("id", "=", sourceId)
    .select("id")
    .executeTakeFirst();
  if (row === undefined) throw new Problem("source-unknown", `There is no source ${sourceId}.`);
  return storeFreshKey(db, { memberId: null, gateway: null, sourceId, label });
}

async function storeFreshKey(
  db: Db,
  holder: {
    memberId: string | null;
    gateway: string | null;
    sourceId: string | null;
    label: string;
  },
): Promise<FreshKey> {
  const key = createApiKey();
  const sha256 = hashApiKey(key);
  await insertKey(db, { ...holder, sha256 });
  return { key, fingerprint: fingerprintOf(sha256) };
}

/** Revokes a key everywhere at once. @throws {Problem} api-key-unknown */
export async function revokeKey(deps: AccountDeps, fingerprint: string): Promise<void> {
  if (!(await markKeyRevoked(deps.db, fingerprint)))
    throw new Problem("api-key-unknown", `There is no key ${fingerprint}.`);
  deps.bus.publish("registry.changed", { what: "keys" });
}

/** Keys without their secrets, newest first. */
export async function listKeys(
  db: Db,
  limit: number,
  where: { memberId?: string },
): Promise<KeyInfo[]> {
  const rows = await db
    .selectFrom("api_key")
    .$if(where.memberId !== undefined, (query) =>
      query.where("member_id", "=", where.memberId as string),
    )
    .selectAll()
    .orderBy("created_at", "desc")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    fingerprint: fingerprintOf(row.sha256),
    memberId: row.member_id,
    gateway: row.gateway,
    sourceId: row.source_id,
    label: row.label,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }));
}
