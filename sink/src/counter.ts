// What the sink counts: for every dispatch and every person how many times the message came
// and when first. Pages of 65,536 people are made when the first of them appears, so memory
// follows the audience. The counts are the truth that the ledger is held against; they use
// nothing of the server.
import { createHash } from "node:crypto";

const PAGE_BITS = 16;
const PAGE_SIZE = 1 << PAGE_BITS;
/** A count above this stays at it: that many copies are wrong in any case. */
const COUNT_MAX = 255;
/** Different bodies of one dispatch that are kept: one is right, a few show what went wrong. */
export const BODIES_MAX = 20;

interface Page {
  readonly counts: Uint8Array;
  /** Tenths of a millisecond since the dispatch was first seen. */
  readonly firstTenths: Uint32Array;
}

export interface DispatchTotals {
  readonly people: number;
  readonly messages: number;
  /** Messages beyond the first of each person. */
  readonly copies: number;
  /** SHA-256, hex, of every message body of this dispatch: one, if all is well. */
  readonly hashes: readonly string[];
  /** Milliseconds since the Unix epoch, on this process's monotonic clock. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** The counts of one dispatch. */
export interface DispatchCounter {
  readonly dispatchId: string;
  /** Counts one message for each ordinal, all at the same instant. */
  count(ordinals: Uint32Array, message: Uint8Array, atMs: number): void;
  /** How many times this person got the message, at most 255. */
  timesOf(ordinal: number): number;
  /** When this person got it first, or undefined. */
  firstAtMsOf(ordinal: number): number | undefined;
  /** Everybody who got it, ascending. */
  people(): Uint32Array;
  totals(): DispatchTotals;
  /** The different message bodies, at most BODIES_MAX, and how many messages had each. */
  bodies(): readonly { readonly body: Uint8Array; readonly messages: number }[];
}

export function createDispatchCounter(dispatchId: string, startMs: number): DispatchCounter {
  const pages: (Page | undefined)[] = [];
  const bodies: { body: Uint8Array; hash: string; messages: number }[] = [];
  let last: (typeof bodies)[number] | undefined;
  let people = 0;
  let messages = 0;
  let lastAtMs = startMs;

  const pageOf = (shard: number): Page => {
    const page = pages[shard] ?? {
      counts: new Uint8Array(PAGE_SIZE),
      firstTenths: new Uint32Array(PAGE_SIZE),
    };
    pages[shard] = page;
    return page;
  };

  /** Looks a body up only when it differs from the one before: all of a dispatch are the same. */
  const note = (body: Uint8Array, times: number) => {
    if (last === undefined || Buffer.compare(last.body, body) !== 0) {
      const hash = createHash("sha256").update(body).digest("hex");
      last = bodies.find((each) => each.hash === hash);
      if (last === undefined) {
        last = { body: Uint8Array.from(body), hash, messages: 0 };
        if (bodies.length < BODIES_MAX) bodies.push(last);
      }
    }
    last.messages += times;
  };

  return {
    dispatchId,
    count(ordinals, message, atMs) {
      note(message, ordinals.length);
      const tenths = Math.max(0, Math.round((atMs - startMs) * 10));
      lastAtMs = Math.max(lastAtMs, atMs);
      messages += ordinals.length;
      let shard = -1;
      let page: Page | undefined;
      for (let i = 0; i < ordinals.length; i += 1) {
        const ordinal = ordinals[i] as number;
        if (ordinal >>> PAGE_BITS !== shard || page === undefined) {
          shard = ordinal >>> PAGE_BITS;
          page = pageOf(shard);
        }
        const at = ordinal & (PAGE_SIZE - 1);
        const times = page.counts[at] as number;
        if (times === 0) {
          people += 1;
          page.firstTenths[at] = tenths;
        }
        if (times < COUNT_MAX) page.counts[at] = times + 1;
      }
    },
    timesOf: (ordinal) => pages[ordinal >>> PAGE_BITS]?.counts[ordinal & (PAGE_SIZE - 1)] ?? 0,
    firstAtMsOf(ordinal) {
      const page = pages[ordinal >>> PAGE_BITS];
      const at = ordinal & (PAGE_SIZE - 1);
      if (page === undefined || page.counts[at] === 0) return undefined;
      return startMs + (page.firstTenths[at] as number) / 10;
    },
    people() {
      const all = new Uint32Array(people);
      let rank = 0;
      for (const [shard, page] of pages.entries())
        if (page !== undefined)
          for (let at = 0; at < PAGE_SIZE; at += 1)
            if (page.counts[at] !== 0) all[rank++] = shard * PAGE_SIZE + at;
      return all;
    },
    totals: () => ({
      people,
      messages,
      copies: messages - people,
      hashes: bodies.map(({ hash }) => hash),
      firstAtMs: startMs,
      lastAtMs,
    }),
    bodies: () => bodies.map(({ body, messages }) => ({ body, messages })),
  };
}
