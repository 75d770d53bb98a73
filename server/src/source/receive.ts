// What happens to one message of a source: kept once, checked, and turned into a draft, into the
// cancel of one, or into nothing. The same bytes again change nothing; the same identifier with
// other content is an alarm and is never processed. A message is looked at by one at a time for each
// source, so that two ways in cannot overtake each other.
import { createHash } from "node:crypto";
import type { CapMessage, CapProblem } from "@loa/cap/message.ts";
import { readCap } from "@loa/cap/read.ts";
import { verifyCap } from "@loa/cap/verify.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Actor } from "../account/actor.ts";
import { databaseTime } from "../bulletin/bulletin.ts";
import type { IssueDeps } from "../bulletin/bulletin-deps.ts";
import type { Pool } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import type { Logger } from "../observe/log.ts";
import { type ReceivedMessage, selectMessage, selectTwin } from "./message.ts";
import { processMessage } from "./process.ts";
import type { CapSource } from "./source.ts";
import { deleteRefused, insertMessage, type NewMessage, updateMessage } from "./store.ts";

/** Messages that one source may bring in an hour; protects the desk from one that went mad. */
export const MESSAGES_PER_HOUR_MAX = 500;
/** Reading one message; protects the process that everybody talks to. */
export const READ_MS_MAX = 2_000;
/** Errors of a message that its refusal lists. */
const ERRORS_TOLD_MAX = 5;
const REASON_MAX = 2_000;

export interface ReceiveDeps<A> extends IssueDeps<A> {
  readonly log: Logger;
}

export interface Reception {
  readonly message: ReceivedMessage;
  /** It was there before. */
  readonly isKnown: boolean;
}

export interface Arrival {
  readonly via: ReceivedMessage["via"];
  /** Who brings it by hand; the source itself otherwise. */
  readonly actor?: Actor;
}

/** Takes messages in; there is one for each process, and one process that has one. */
export class Receiver<A> {
  readonly #deps: ReceiveDeps<A>;
  /** The last turn of each source; sources are few, and admitted by hand. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: ReceiveDeps<A>) {
    this.#deps = deps;
  }

  /** @throws {Problem} source-suspended, busy; whatever is wrong with the message is its state. */
  receive(source: CapSource, bytes: Uint8Array, arrival: Arrival): Promise<Reception> {
    const before = this.#turns.get(source.id) ?? Promise.resolve();
    const turn = before.then(() => receiveOne(this.#deps, source, bytes, arrival));
    this.#turns.set(
      source.id,
      turn.catch(() => {}),
    );
    return turn;
  }
}

async function receiveOne<A>(
  deps: ReceiveDeps<A>,
  source: CapSource,
  bytes: Uint8Array,
  arrival: Arrival,
): Promise<Reception> {
  const { pool, log } = deps;
  if (source.suspendedAt !== null)
    throw new Problem("source-suspended", `The source ${source.name} is suspended.`);
  const sha256 = createHash("sha256").update(bytes).digest();
  const same = await selectMessage(pool, source.id, sha256);
  if (same?.state === "refused" && same.receivedAt < source.changedAt)
    await deleteRefused(pool, same.id);
  else if (same !== undefined && same.state !== "received") return { message: same, isKnown: true };
  else if (same === undefined) await requireRoom(pool, source);

  const { message, problems, verified } = readFrom(source, bytes);
  const contentSha256 = hashContent(message, sha256);
  const row = {
    id: same?.state === "received" ? same.id : newId(),
    sourceId: source.id,
    message,
    sha256,
    contentSha256,
    via: arrival.via,
    verified,
  };
  const keep = async (kept: Pick<NewMessage, "state" | "reason" | "body">) => {
    await insertMessage(pool, { ...row, ...kept });
    const stored = await selectMessage(pool, source.id, sha256);
    if (stored === undefined) throw new Error(`message ${row.id} was not kept`);
    return stored;
  };
  const errors = problems.filter(({ level }) => level === "error");
  if (message === undefined || errors.length > 0) {
    const reason = tellErrors(errors);
    log.warn({ source: source.name, reason }, "a CAP message was refused");
    return { message: await keep({ state: "refused", reason, body: NOTHING }), isKnown: false };
  }
  const twin = await selectTwin(pool, source.id, message);
  if (twin !== undefined && twin.id !== row.id) {
    if (twin.contentSha256.equals(contentSha256)) return { message: twin, isKnown: true };
    const reason = `${message.identifier} came before with other content; the first one holds.`;
    log.error({ source: source.name, reason }, "a CAP identifier came twice");
    return { message: await keep({ state: "alarm", reason, body: bytes }), isKnown: false };
  }
  const kept = await keep({ state: "received", reason: null, body: bytes });
  const wish = { source, message, problems, row: kept, arrival, now: await databaseTime(pool) };
  try {
    await updateMessage(pool, kept.id, await processMessage(deps, wish));
  } catch (fault) {
    // Our own fault leaves it as received; whoever brings it again begins here.
    if (!(fault instanceof Problem)) throw fault;
    const faults = fault.faults.map(({ at, what }) => `${at} ${what}`);
    const reason = [fault.message, ...faults].join(" ").slice(0, REASON_MAX);
    log.warn({ source: source.name, reason }, "a CAP message was refused");
    await updateMessage(pool, kept.id, { state: "refused", reason });
  }
  return {
    message: (await selectMessage(pool, source.id, sha256)) ?? kept,
    isKnown: false,
  };
}

const NOTHING = new Uint8Array(0);

async function requireRoom(pool: Pool, { id, name }: CapSource): Promise<void> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM cap_message
     WHERE source_id = $1 AND received_at > now() - interval '1 hour'`,
    [id],
  );
  if ((rows[0]?.count ?? 0) >= MESSAGES_PER_HOUR_MAX)
    throw new Problem("busy", `${name} has sent ${MESSAGES_PER_HOUR_MAX} messages in an hour.`);
}

/** Strictly, with what was granted; with a pinned key only what one of them signed has no error. */
function readFrom(
  { settings }: CapSource,
  bytes: Uint8Array,
): { message: CapMessage | undefined; problems: readonly CapProblem[]; verified: boolean } {
  const startMs = performance.now();
  const options = {
    repairs: settings.repairs,
    sender: settings.sender ?? undefined,
    isLate: () => performance.now() - startMs > READ_MS_MAX,
  };
  if (settings.keys.length === 0) return { ...readCap(bytes, options), verified: false };
  const keys = settings.keys.map(({ from, until, ...key }) => ({
    ...key,
    ...(from !== null && { from: new Date(from) }),
    ...(until !== null && { until: new Date(until) }),
  }));
  return verifyCap(bytes, { ...options, keys, grants: settings.grants });
}

/** Of what the message says, whatever way it is written and signed. */
function hashContent(message: CapMessage | undefined, sha256: Buffer): Buffer {
  if (message === undefined) return sha256;
  const { signatures: _signatures, unknown: _unknown, ...content } = message;
  return createHash("sha256").update(JSON.stringify(content)).digest();
}

const tellErrors = (errors: readonly CapProblem[]): string =>
  errors
    .slice(0, ERRORS_TOLD_MAX)
    .map(({ rule, line, message }) => `line ${Math.max(1, line)}: ${rule}, ${message}`)
    .join("; ")
    .slice(0, REASON_MAX);
