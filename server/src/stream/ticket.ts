// One-use tickets: a browser's EventSource can send no header, and a lasting secret in a URL ends
// up in logs. So a device shows its token once, in a header, and gets a ticket for the URL that is
// worth one connection within a minute. Tickets live in this process's memory alone.
import { randomBytes } from "node:crypto";
import { Problem } from "@loa/model/problem.ts";
import type { TokenClaim } from "../registry/token.ts";

export const TICKET_LIFE_MS = 60_000;
/** Tickets that may be open at once: bounds memory at about 20 MB. */
export const TICKETS_MAX = 100_000;
/** Open tickets of one device; a further one voids the oldest. Nobody fills the table alone. */
export const TICKETS_PER_ORDINAL_MAX = 4;

interface Ticket {
  readonly claim: TokenClaim;
  readonly expiresAtMs: number;
}

/** The open tickets. `now` is monotonic milliseconds. */
export class Tickets {
  /** In order of issue, hence of expiry. */
  readonly #open = new Map<string, Ticket>();
  readonly #ofOrdinal = new Map<number, string[]>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Gives out a ticket. @throws {Problem} busy, when TICKETS_MAX are open. */
  issue(claim: TokenClaim): string {
    this.#dropExpired();
    const { ordinal } = claim;
    const own = this.#ofOrdinal.get(ordinal) ?? [];
    if (own.length >= TICKETS_PER_ORDINAL_MAX) this.#drop(own[0] as string);
    if (this.#open.size >= TICKETS_MAX)
      throw new Problem("busy", "Too many stream tickets are open; try again in a few seconds.");
    const text = randomBytes(24).toString("base64url");
    this.#open.set(text, { claim, expiresAtMs: this.#now() + TICKET_LIFE_MS });
    const kept = this.#ofOrdinal.get(ordinal);
    if (kept) kept.push(text);
    else this.#ofOrdinal.set(ordinal, [text]);
    return text;
  }

  /** Takes a ticket away and says whose it was; undefined when it is unknown, used or too old. */
  redeem(text: string): TokenClaim | undefined {
    const ticket = this.#open.get(text);
    if (!ticket) return undefined;
    this.#drop(text);
    return ticket.expiresAtMs > this.#now() ? ticket.claim : undefined;
  }

  #dropExpired(): void {
    const now = this.#now();
    for (const [text, ticket] of this.#open) {
      if (ticket.expiresAtMs > now) return;
      this.#drop(text);
    }
  }

  #drop(text: string): void {
    const ticket = this.#open.get(text);
    if (!ticket) return;
    this.#open.delete(text);
    const { ordinal } = ticket.claim;
    const rest = (this.#ofOrdinal.get(ordinal) ?? []).filter((each) => each !== text);
    if (rest.length > 0) this.#ofOrdinal.set(ordinal, rest);
    else this.#ofOrdinal.delete(ordinal);
  }
}
