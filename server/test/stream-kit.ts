// A device edge on a loopback port for tests, with a ledger, a journal and dispatches in memory:
// the sockets are real. Dispatches are issued as the front would issue them.
import { createHash } from "node:crypto";
import { connectStream, type StreamConnection, type StreamWish } from "@loa/api/stream-client.ts";
import type { ChainStep } from "@loa/model/chain-step.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Bus } from "../src/bus/bus.ts";
import { createLocalBus } from "./bulletin-world.ts";
import { newId } from "../src/db/id.ts";
import type { LiveDispatch } from "../src/dispatch/live-feed.ts";
import { verdictCode } from "../src/dispatch/receipt-verdict.ts";
import { createLogger } from "../src/observe/log.ts";
import type { Entries } from "../src/receipt/entry-list.ts";
import type { ReceiptBatch, ReceiptVerdict } from "../src/receipt/receipt.ts";
import { createToken, type TokenKey } from "../src/registry/token.ts";
import type { LiveFeed } from "../src/stream/feed.ts";
import { openStream, type Stream, type StreamOptions } from "../src/stream/stream.ts";

export const TOKEN_KEY: TokenKey = {
  keyId: "t1",
  secret: createHash("sha256").update("a secret of tests").digest(),
};
export const GATEWAY_KEY = "gateway-of-loopback";

/** What a test says of a dispatch; the rest is filled in. */
export interface NewDispatch extends Partial<Omit<LiveDispatch, "has" | "seq">> {
  readonly audience?: Iterable<number>;
  readonly msgType?: "Alert" | "Update" | "Cancel";
  readonly step?: ChainStep;
  /** Bytes of text in the message. */
  readonly size?: number;
}

/** One recorded outcome. */
export interface Told {
  readonly dispatchId: string;
  readonly ordinal: number;
  readonly plane: number;
  readonly ms: number;
}

/** Dispatches as the database would hold them. */
export interface DispatchBook extends Pick<LiveFeed, "readStates" | "load"> {
  find(dispatchId: string): LiveDispatch | undefined;
  /** Commits a dispatch; a Cancel closes what it names. */
  commit(dispatch: NewDispatch): LiveDispatch;
  close(dispatchId: string, state: LiveDispatch["state"]): void;
}

export function createDispatchBook(): DispatchBook {
  const dispatches = new Map<string, LiveDispatch>();
  const seqs = { warning: 0, notice: 0 };
  const close = (dispatchId: string, state: LiveDispatch["state"]) => {
    const dispatch = dispatches.get(dispatchId);
    if (dispatch) dispatches.set(dispatchId, { ...dispatch, state });
  };
  return {
    readStates: async () =>
      [...dispatches.values()].map(({ dispatchId, state }) => ({ dispatchId, state })),
    load: async (ids) => ids.map((id) => dispatches.get(id) as LiveDispatch),
    find: (dispatchId) => dispatches.get(dispatchId),
    commit({ audience = [], msgType = "Alert", step = "alert", size = 200, ...given }) {
      const lane = given.lane ?? "warning";
      seqs[lane] += 1;
      const dispatchId = given.dispatchId ?? newId();
      const members = new Set(audience);
      const text = "A flood. ".repeat(Math.ceil(size / 9)).slice(0, size);
      const message = Buffer.from(
        JSON.stringify({ v: 1, dispatch: dispatchId, msgType, step, text }),
      );
      const dispatch: LiveDispatch = {
        dispatchId,
        bulletinId: newId(),
        purpose: "main",
        type: "Actual",
        lane,
        seq: seqs[lane],
        issuedAtMs: Date.now(),
        expiresAtMs: Date.now() + 3_600_000,
        message,
        state: "open",
        supersedes: [],
        communeCodes: new Set(),
        areaFault: undefined,
        planned: members.size,
        has: (ordinal) => members.has(ordinal),
        ...given,
      };
      dispatches.set(dispatchId, dispatch);
      if (msgType === "Cancel") for (const id of dispatch.supersedes) close(id, "cancelled");
      return dispatch;
    },
    close,
  };
}

/** A ledger that decides as the real one does. */
export function createLedger(
  book: DispatchBook,
): (batches: readonly ReceiptBatch[]) => ReceiptVerdict {
  const known = new Set<string>();
  const decide = (dispatchId: string, ordinal: number, plane: number) => {
    const dispatch = book.find(dispatchId);
    if (!dispatch) return verdictCode("unknown-dispatch");
    if (!dispatch.has(ordinal)) return verdictCode("foreign");
    const key = `${dispatchId} ${ordinal} ${plane}`;
    if (known.has(key)) return verdictCode("known");
    known.add(key);
    return verdictCode("accepted");
  };
  return (batches) => ({
    each: batches.map(({ dispatchId, ordinals, planes }) =>
      Uint8Array.from(ordinals, (ordinal, i) => decide(dispatchId, ordinal, planes[i] as number)),
    ),
  });
}

export interface StreamWorld extends AsyncDisposable {
  readonly stream: Stream;
  readonly origin: string;
  readonly book: DispatchBook;
  /** What the journal has of people in audiences, and of those who were told by place. */
  readonly told: Told[];
  readonly joined: Told[];
  /** Dispatches of which the ledger knows that they go to nobody over live. */
  readonly failed: string[];
  /** What the ledger was asked. */
  readonly batches: ReceiptBatch[][];
  readonly revoked: Set<number>;
  readonly exercise: Set<number>;
  /** Makes the ledger, the journal or the reading of dispatches reject. */
  readonly away: { ledger: boolean; journal: boolean; database: boolean };
  /** Says something on the bus. */
  readonly publish: Bus["publish"];
  /** Commits a dispatch and tells the stream on the bus. */
  issue(dispatch: NewDispatch): LiveDispatch;
  token(ordinal: number, generation?: number): string;
  connect(ordinal: number, wish?: Partial<StreamWish>): Promise<StreamConnection>;
  /** Ends the stream and starts another, which knows what is committed and an empty journal. */
  restart(): Promise<void>;
}

const recordIn =
  (list: Told[], away: { readonly journal: boolean }) =>
  async (dispatchId: string, { ordinals, planes, ms }: Entries): Promise<void> => {
    if (away.journal) throw new Error("the journal is away");
    for (const [i, ordinal] of ordinals.entries())
      list.push({ dispatchId, ordinal, plane: planes[i] as number, ms: ms[i] as number });
  };

async function gatewayOf(key: string): Promise<{ channel: string }> {
  if (key !== GATEWAY_KEY) throw new Problem("key-unknown", "This key is not known.");
  return { channel: "loopback" };
}

/** Opens a world; `more` overrides what the stream is given. */
export async function openStreamWorld(more: Partial<StreamOptions> = {}): Promise<StreamWorld> {
  const book = createDispatchBook();
  const ledger = createLedger(book);
  const { publish, subscribe } = createLocalBus();
  const facts = {
    book,
    told: [] as Told[],
    joined: [] as Told[],
    failed: [] as string[],
    batches: [] as ReceiptBatch[][],
    revoked: new Set<number>(),
    exercise: new Set<number>(),
    away: { ledger: false, journal: false, database: false },
  };
  const bus: Pick<Bus, "request" | "subscribe"> = {
    subscribe,
    async request(_subject, body) {
      facts.batches.push(body as ReceiptBatch[]);
      if (facts.away.ledger) throw new Error("nobody answers");
      return ledger(body as ReceiptBatch[]);
    },
  };
  const options: StreamOptions = {
    host: "127.0.0.1",
    port: 0,
    publicOrigin: "https://loa.example",
    tokenKeys: [TOKEN_KEY],
    isValid: (ordinal, generation) => generation === 0 && !facts.revoked.has(ordinal),
    bus,
    feed: {
      load: (ids) => book.load(ids),
      async readStates() {
        if (facts.away.database) throw new Error("the database is away");
        return book.readStates();
      },
      fail: async (dispatchId) => void facts.failed.push(dispatchId),
    },
    record: recordIn(facts.told, facts.away),
    recordJoined: recordIn(facts.joined, facts.away),
    gatewayOf,
    log: createLogger("silent", "stream"),
    ...more,
  };
  let stream = await openStream(options);
  const token = (ordinal: number, generation = 0) => {
    const standing = facts.exercise.has(ordinal) ? "exercise" : "public";
    return createToken(TOKEN_KEY, { standing, ordinal, generation });
  };
  const origin = () => `http://127.0.0.1:${stream.port}`;
  return {
    ...facts,
    publish,
    get stream() {
      return stream;
    },
    get origin() {
      return origin();
    },
    issue(given) {
      const dispatch = book.commit(given);
      publish("dispatch.changed", {});
      return dispatch;
    },
    token,
    connect: (ordinal, wish = {}) =>
      connectStream({ url: `${origin()}/v1/stream`, token: token(ordinal), ...wish }),
    async restart() {
      await stream.close();
      facts.told.length = 0;
      facts.joined.length = 0;
      stream = await openStream(options);
    },
    async [Symbol.asyncDispose]() {
      await stream.close();
    },
  };
}

/** The next `count` events as tests compare them: name and dispatch, or reason. */
export async function take(connection: StreamConnection, count: number): Promise<string[]> {
  const events: string[] = [];
  while (events.length < count) {
    const event = await connection.next();
    if (!event) return [...events, "end"];
    const data = JSON.parse(event.data.toString()) as { dispatch?: string; reason?: string };
    const what = data.dispatch ?? data.reason;
    events.push(what === undefined ? event.event : `${event.event} ${what}`);
  }
  return events;
}

/** Resolves once `holds` does; looks at every turn of the loop. @throws after ten seconds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const stopAt = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > stopAt) throw new Error(`waited in vain until ${what}`);
    await new Promise((next) => setImmediate(next));
  }
}
