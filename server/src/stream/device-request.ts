// Who is asking for a stream, and what for: from the query and the header fields of
// GET /v1/stream, whoever parsed them.
import { type Fault, Problem } from "@loa/model/problem.ts";
import { type TokenClaim, type TokenKey, verifyToken } from "../registry/token.ts";
import type { Device } from "./connection.ts";
import { type Cursor, NO_CURSOR, parseCursor } from "./event.ts";
import type { Tickets } from "./ticket.ts";

/** Dispatches that a device may list as had: more than can be in force for one person. */
export const HAVE_MAX = 64;
/** Communes that a device may say it is in. */
export const AT_MAX = 16;
/** Verified tokens that are remembered: a phone shows the same one with each receipt. */
export const VERIFIED_MAX = 20_000;

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const CODE = /^[\w.:-]{1,64}$/;
const NAMES = ["ticket", "cursor", "have", "at"] as const;
const NOTHING: ReadonlySet<string> = new Set();

export interface Identity {
  readonly tokenKeys: readonly TokenKey[];
  /** Whether a generation is still in force for this ordinal. */
  isValid(ordinal: number, generation: number): boolean;
}

/** Checks device tokens, and remembers those that it checked. */
export class DeviceGate {
  readonly #identity: Identity;
  readonly #tickets: Tickets;
  readonly #verified = new Map<string, TokenClaim>();

  constructor(identity: Identity, tickets: Tickets) {
    this.#identity = identity;
    this.#tickets = tickets;
  }

  isValid(claim: TokenClaim): boolean {
    return this.#identity.isValid(claim.ordinal, claim.generation);
  }

  /** Whose device this is, by its Authorization field. @throws {Problem} key-missing, token-invalid. */
  claimOf(authorization: string | undefined): TokenClaim {
    if (authorization === undefined)
      throw new Problem("key-missing", "Send the device's token as Authorization: Bearer ….");
    const token = /^Bearer ([\w.-]+)$/i.exec(authorization)?.[1] ?? "";
    const claim = this.#verified.get(token) ?? this.#verify(token);
    if (!claim || !this.isValid(claim))
      throw new Problem("token-invalid", "This token is not one of ours, or it was revoked.");
    return claim;
  }

  /**
   * The device that wants a stream.
   * @throws {Problem} key-missing, token-invalid, request-invalid with what is wrong in the query.
   */
  read(query: string, authorization: string | undefined, lastEventId: string | undefined): Device {
    const given = readQuery(query);
    const faults: Fault[] = [];
    const cursor = readCursor(given.get("cursor"), lastEventId, faults);
    const have = readList(given.get("have"), "have", HAVE_MAX, UUID, faults);
    const places = readList(given.get("at"), "at", AT_MAX, CODE, faults);
    if (faults.length > 0) throw invalid(faults);
    const claim = this.#holderOf(given.get("ticket"), authorization);
    return {
      ordinal: claim.ordinal,
      generation: claim.generation,
      standing: claim.standing,
      cursor,
      have: have.length > 0 ? new Set(have) : NOTHING,
      places,
    };
  }

  #holderOf(ticket: string | undefined, authorization: string | undefined): TokenClaim {
    if (ticket === undefined || authorization !== undefined) return this.claimOf(authorization);
    const holder = this.#tickets.redeem(ticket);
    if (!holder || !this.isValid(holder))
      throw new Problem("token-invalid", "This ticket was used, is too old, or is not ours.", [
        { at: "query/ticket", what: "not a ticket that is open" },
      ]);
    return holder;
  }

  #verify(token: string): TokenClaim | undefined {
    const claim = verifyToken(this.#identity.tokenKeys, token);
    if (!claim) return undefined;
    if (this.#verified.size >= VERIFIED_MAX) this.#verified.clear();
    this.#verified.set(token, claim);
    return claim;
  }
}

function readQuery(query: string): Map<string, string> {
  const given = new Map<string, string>();
  if (query === "") return given;
  for (const [name, value] of new URLSearchParams(query)) {
    if (!(NAMES as readonly string[]).includes(name))
      throw invalid([{ at: `query/${name.slice(0, 64)}`, what: "unknown" }]);
    if (given.has(name)) throw invalid([{ at: `query/${name}`, what: "given twice" }]);
    given.set(name, value);
  }
  return given;
}

/** EventSource sends Last-Event-ID when it reconnects; it is newer than what the URL says. */
function readCursor(
  fromQuery: string | undefined,
  lastEventId: string | undefined,
  faults: Fault[],
): Cursor {
  const text = lastEventId || fromQuery;
  if (!text) return NO_CURSOR;
  const cursor = parseCursor(text);
  if (!cursor)
    faults.push({
      at: lastEventId ? "header/last-event-id" : "query/cursor",
      what: "the id of an event of this stream is wanted, as w12.n3",
    });
  return cursor ?? NO_CURSOR;
}

function readList(
  text: string | undefined,
  name: string,
  max: number,
  form: RegExp,
  faults: Fault[],
): readonly string[] {
  if (text === undefined || text === "") return [];
  const items = text.split(",", max + 1);
  if (items.length > max) faults.push({ at: `query/${name}`, what: `at most ${max} are taken` });
  else if (!items.every((item) => form.test(item)))
    faults.push({ at: `query/${name}`, what: "holds something that cannot be one" });
  return items;
}

function invalid(faults: readonly Fault[]): Problem {
  const [first] = faults;
  return new Problem("request-invalid", `${first?.at}: ${first?.what}.`, faults);
}
