// Idempotency-Key: a POST that is sent again, because its answer got lost, is done once and
// answered twice.
//
// Answers may hold a secret that is shown once (a key, a device token), and what is stored must not
// give it away: the row is named by a hash of the key, and the answer is encrypted under the key,
// which only the caller has. Only answers of success are kept: a refusal stored nothing, so asking
// again is harmless.
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { Problem } from "@loa/model/problem.ts";
import { sql } from "kysely";
import type { Db } from "../db/connection.ts";
import { formatUuid } from "../db/id.ts";

/** 16 characters are hard to guess and to repeat by chance; 128 bound the header. */
const KEY_PATTERN = /^[\x21-\x7e]{16,128}$/;
/** How long an answer is given again. */
export const ANSWER_KEPT_HOURS = 24;
/**
 * After this a request that has no answer is taken for dead, and a repeat may do it again. Where the
 * process that did it is known to be dead, a repeat does not wait.
 */
export const TAKEOVER_AFTER_SECONDS = 120;
/** Largest answer that is kept: protects the table. */
export const KEPT_ANSWER_MAX_BYTES = 1024 * 1024;

/** An answer as bytes, so that a repeat gets exactly the same. */
export interface KeptAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** The name under which one request of one caller is remembered. */
export interface RequestName {
  readonly scope: string;
  readonly key: string;
  /** SHA-256 over method, address and body. */
  readonly requestHash: Uint8Array;
  /** The process that does it, by its lease (dispatch/lease.ts). */
  readonly owner?: string | undefined;
}

/** @throws {Problem} idempotency-key-missing, or request-invalid if it is unusable. */
export function requireIdempotencyKey(header: string | null): string {
  if (header === null)
    throw new Problem(
      "idempotency-key-missing",
      "Send a fresh random Idempotency-Key with each new request, and the same when you repeat it.",
      [{ at: "header/idempotency-key", what: "missing" }],
    );
  if (!KEY_PATTERN.test(header))
    throw new Problem("request-invalid", "An Idempotency-Key has 16 to 128 visible characters.", [
      { at: "header/idempotency-key", what: "not 16 to 128 visible ASCII characters" },
    ]);
  return header;
}

/** The hash that tells a repeat from another request under the same key. */
export const hashRequest = (method: string, address: string, body: Uint8Array): Uint8Array =>
  createHash("sha256").update(`${method} ${address}\n`).update(body).digest();

/**
 * A UUID (version 8) that is the same each time this request is repeated. A handler that gives it
 * to what it creates makes no twin, even if the process was killed before the answer was kept.
 */
export function stableIdOf({ scope, key }: Pick<RequestName, "scope" | "key">): string {
  const bytes = createHash("sha256").update(`loa-id\n${scope}\n${key}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return formatUuid(bytes);
}

/**
 * Does the request, or gives the answer that it got before.
 * @throws {Problem} idempotency-key-reused, idempotency-in-progress, and what `execute` throws.
 */
export async function answerOnce(
  db: Db,
  name: RequestName,
  execute: () => Promise<KeptAnswer>,
): Promise<KeptAnswer & { readonly replayed: boolean }> {
  const claim = await claimRequest(db, name);
  if (claim.kind === "answered") return { ...claim.answer, replayed: true };
  try {
    const answer = await execute();
    if (isKept(answer)) await keepAnswer(db, name, claim.ticket, answer);
    else await forgetRequest(db, name, claim.ticket);
    return { ...answer, replayed: false };
  } catch (fault) {
    // A database that just died cannot forget; the caller must not wait until a repeat may take over.
    await forgetRequest(db, name, claim.ticket).catch(() => forgetSoon(db, name, claim.ticket));
    throw fault;
  }
}

/** Pauses between attempts to forget a request while the database is away, and how many there are. */
const FORGET_PAUSE_MS = 500;
const FORGET_ATTEMPTS_MAX = 60;

function forgetSoon(db: Db, name: RequestName, ticket: string, attempt = 1): void {
  const again = () => {
    forgetRequest(db, name, ticket).catch(() => {
      if (attempt < FORGET_ATTEMPTS_MAX) forgetSoon(db, name, ticket, attempt + 1);
    });
  };
  setTimeout(again, FORGET_PAUSE_MS).unref();
}

const isKept = (answer: KeptAnswer): boolean =>
  answer.status < 300 && answer.body.byteLength <= KEPT_ANSWER_MAX_BYTES;

/** Removes answers that are past their time. Returns how many. */
export async function forgetOldAnswers(db: Db): Promise<number> {
  const result = await sql`
    DELETE FROM idempotency
    WHERE created_at < now() - make_interval(hours => ${ANSWER_KEPT_HOURS})`.execute(db);
  return Number(result.numAffectedRows ?? 0);
}

type Claim =
  | { readonly kind: "ours"; readonly ticket: string }
  | { readonly kind: "answered"; readonly answer: KeptAnswer };

async function claimRequest(db: Db, name: RequestName): Promise<Claim> {
  // One statement decides between repeats that come at the same time. created_at is the ticket:
  // who was taken over can no longer write. Its commit waits for no disk: whatever the request makes
  // durable later comes after it in the log, and a claim for which nothing was done may be lost.
  const claimed = await sql<{ ticket: string }>`
    INSERT INTO idempotency (scope, key, request_hash, created_at, owner)
    SELECT ${name.scope}, ${rowKey(name)}, ${name.requestHash}::bytea, clock_timestamp(),
           ${name.owner ?? null}::uuid
    FROM set_config('synchronous_commit', 'off', true)
    ON CONFLICT (scope, key) DO UPDATE
      SET request_hash = excluded.request_hash, created_at = excluded.created_at,
          owner = excluded.owner, status = NULL, body = NULL, content_type = NULL
      WHERE idempotency.created_at < now() - make_interval(hours => ${ANSWER_KEPT_HOURS})
         OR (idempotency.status IS NULL
             AND idempotency.request_hash = excluded.request_hash
             AND (idempotency.created_at
                    < now() - make_interval(secs => ${TAKEOVER_AFTER_SECONDS})
                  OR (idempotency.owner IS NOT NULL AND NOT EXISTS (
                        SELECT FROM process p
                        WHERE p.id = idempotency.owner AND p.lease_until > clock_timestamp()))))
    RETURNING created_at::text AS ticket`.execute(db);
  const [row] = claimed.rows;
  if (row) return { kind: "ours", ticket: row.ticket };
  return { kind: "answered", answer: await readAnswer(db, name) };
}

async function readAnswer(db: Db, name: RequestName): Promise<KeptAnswer> {
  const row = await db
    .selectFrom("idempotency")
    .select(["request_hash", "status", "body", "is_deflated", "content_type"])
    .where("scope", "=", name.scope)
    .where("key", "=", rowKey(name))
    .executeTakeFirst();
  if (row && Buffer.compare(row.request_hash, name.requestHash) !== 0)
    throw new Problem(
      "idempotency-key-reused",
      "The key belongs to a request with other content; use a fresh key for a new request.",
      [{ at: "header/idempotency-key", what: "used before for another request" }],
    );
  if (!row || row.status === null || row.body === null)
    throw new Problem("idempotency-in-progress", "Repeat the request in a second or two.");
  const decrypted = decryptAnswer(name, row.body);
  const body = row.is_deflated
    ? inflateRawSync(decrypted, { maxOutputLength: KEPT_ANSWER_MAX_BYTES })
    : decrypted;
  return { status: row.status, contentType: row.content_type ?? "", body };
}

async function keepAnswer(
  db: Db,
  name: RequestName,
  ticket: string,
  answer: KeptAnswer,
): Promise<void> {
  await sql`
    UPDATE idempotency
    SET status = ${answer.status}, content_type = ${answer.contentType}, is_deflated = true,
        body = ${encryptAnswer(name, deflateRawSync(answer.body, { level: 1 }))}
    WHERE scope = ${name.scope} AND key = ${rowKey(name)}
      AND created_at = ${ticket}::timestamptz`.execute(db);
}

async function forgetRequest(db: Db, name: RequestName, ticket: string): Promise<void> {
  await sql`
    DELETE FROM idempotency
    WHERE scope = ${name.scope} AND key = ${rowKey(name)}
      AND created_at = ${ticket}::timestamptz`.execute(db);
}

const rowKey = ({ scope, key }: RequestName): string =>
  createHash("sha256").update(`${scope}\n${key}`).digest("hex");

const IV_BYTES = 12;
const TAG_BYTES = 16;

const answerKey = ({ scope, key }: RequestName): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", key, scope, "loa kept answer", 32));

function encryptAnswer(name: RequestName, body: Uint8Array): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", answerKey(name), iv);
  const sealed = Buffer.concat([cipher.update(body), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
}

function decryptAnswer(name: RequestName, stored: Uint8Array): Uint8Array {
  const iv = stored.subarray(0, IV_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", answerKey(name), iv);
  decipher.setAuthTag(stored.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(stored.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
}
