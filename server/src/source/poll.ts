// Asks sources that do not push, each at its time. The next time is kept in the database, so a restart
// asks nobody twice as often, and spread a little, so that many installations do not come at once.
// What a feed says of a message is only where it is: an entry that vanished cancels nothing.
import { Problem } from "@loa/model/problem.ts";
import type { Pool } from "../db/connection.ts";
import type { Logger } from "../observe/log.ts";
import { isPublicAddress } from "./address.ts";
import { type Feed, type FeedEntry, readFeed } from "./feed.ts";
import { type Fetched, fetchDocument } from "./fetch.ts";
import { listUnfinished } from "./message.ts";
import type { Receiver } from "./receive.ts";
import { type CapSource, listDueSources, readSource } from "./source.ts";
import { deleteEntriesBut, insertEntry, type PollEnd, updatePolled } from "./store.ts";

/** How often it is looked whose time has come. */
export const LOOK_EVERY_MS = 1_000;
/** Sources that are asked at the same time; protects sockets and memory. */
export const POLLS_AT_ONCE_MAX = 4;
/** Messages that one poll fetches; the rest waits for the next, which comes at once. */
export const FETCHES_PER_POLL_MAX = 50;
/** Part of the interval by which a poll comes earlier or later. */
export const JITTER = 0.1;
/** A source that fails is asked ever more rarely, up to this. */
export const BACKOFF_SECONDS_MAX = 3_600;
/** Messages that a crash cut short and that are taken up at once; protects the start. */
export const UNFINISHED_AT_ONCE = 20;
/** How often it is looked for them: a fault of ours must not fill the log. */
export const RESUME_EVERY_MS = 60_000;

export interface PollDeps<A> {
  readonly pool: Pool;
  readonly log: Logger;
  readonly receiver: Receiver<A>;
  /** From 0 up to 1. */
  readonly random?: () => number;
  readonly signal?: AbortSignal;
}

type Body = Extract<Fetched, { kind: "body" }>;

/** Asks one source now; answers what is kept of how it went. */
export async function pollSource<A>(deps: PollDeps<A>, source: CapSource): Promise<PollEnd> {
  const { intervalSeconds } = source.settings;
  const end = await pollOnce(deps, source).catch((error: unknown) => {
    if (!(error instanceof Problem))
      deps.log.error({ err: error, source: source.name }, "a source could not be polled");
    return { fault: error instanceof Problem ? error.message : "a fault of ours; see the log" };
  });
  const backoff = end.fault === null ? 1 : 2 ** Math.min(source.faults + 1, 12);
  const wanted = "more" in end && end.more ? 1 : intervalSeconds * backoff;
  const spread = 1 + JITTER * (2 * (deps.random ?? Math.random)() - 1);
  const waitSeconds = Math.min(wanted, Math.max(BACKOFF_SECONDS_MAX, intervalSeconds)) * spread;
  if (end.fault !== null) deps.log.warn({ source: source.name, fault: end.fault }, "a poll failed");
  const kept = { waitSeconds, ...end };
  await updatePolled(deps.pool, source.id, kept);
  return kept;
}

interface Polled extends Omit<PollEnd, "waitSeconds"> {
  /** There is more to fetch. */
  readonly more?: boolean;
}

async function pollOnce<A>(deps: PollDeps<A>, source: CapSource): Promise<Polled> {
  if (source.url === null) throw new Error("a source without an address is not polled");
  const got = await get(deps, source, source.url, true);
  if (got.kind === "unchanged") return { fault: null };
  if (got.kind === "fault") return { fault: got.fault };
  const validators = { etag: got.etag, lastModified: got.lastModified };
  const feed = readFeed(got.bytes, got.url);
  if (feed.kind === "fault") return { fault: feed.fault };
  if (feed.kind === "message") {
    await deps.receiver.receive(source, got.bytes, { via: "poll" });
    return { fault: null, validators };
  }
  const { fault, more } = await takeEntries(deps, source, feed);
  // Without its validators the feed is read again, and what is missing is fetched then.
  if (fault !== null || more) return { fault, more };
  if (feed.left > 0) deps.log.warn({ source: source.name, left: feed.left }, "a feed is too long");
  return { fault: null, validators };
}

async function takeEntries<A>(
  { pool, ...deps }: PollDeps<A>,
  source: CapSource,
  { entries }: Extract<Feed, { kind: "feed" }>,
): Promise<{ readonly fault: string | null; readonly more: boolean }> {
  const { rows } = await pool.query<FeedEntry>(
    "SELECT link, stamp FROM cap_source_entry WHERE source_id = $1",
    [source.id],
  );
  const seen = new Map(rows.map(({ link, stamp }) => [link, stamp]));
  const fresh = entries.filter(({ link, stamp }) => seen.get(link) !== stamp);
  const bodies: { readonly entry: FeedEntry; readonly body: Body }[] = [];
  let fault: string | null = null;
  // Feeds list the newest first; what was sent first is taken first, so that chains come in order.
  for (const entry of fresh.slice(0, FETCHES_PER_POLL_MAX).toReversed()) {
    const got = await get({ pool, ...deps }, source, entry.link, false);
    if (got.kind === "body") bodies.push({ entry, body: got });
    // The others are not held back by one that cannot be had.
    else if (got.kind === "fault") fault = `${entry.link}: ${got.fault}`;
  }
  for (const { entry, body } of bodies) {
    await deps.receiver.receive(source, body.bytes, { via: "poll" });
    await insertEntry(pool, source.id, entry);
  }
  await deleteEntriesBut(
    pool,
    source.id,
    entries.map(({ link }) => link),
  );
  return { fault, more: fresh.length > FETCHES_PER_POLL_MAX };
}

const get = <A>(
  { signal }: PollDeps<A>,
  source: CapSource,
  link: string,
  isConditional: boolean,
): Promise<Fetched> =>
  fetchDocument(new URL(link), {
    bytesMax: source.settings.bytesMax,
    isAllowed: source.settings.privateAllowed ? () => true : isPublicAddress,
    ...(isConditional && { etag: source.etag, lastModified: source.lastModified }),
    ...(signal && { signal }),
  });

/** Asks everybody whose time has come; answers how many. */
export async function pollDue<A>(deps: PollDeps<A>): Promise<number> {
  const due = await listDueSources(deps.pool, POLLS_AT_ONCE_MAX);
  await Promise.all(due.map((source) => pollSource(deps, source)));
  return due.length;
}

/** Takes up what a crash cut short. */
export async function resumeUnfinished<A>(deps: PollDeps<A>): Promise<void> {
  for (const { sourceId, body, via } of await listUnfinished(deps.pool, UNFINISHED_AT_ONCE))
    await deps.receiver.receive(await readSource(deps.pool, sourceId), body, { via });
}

/** Polls until it is closed. */
export function openPoller<A>(deps: PollDeps<A>): { close(): Promise<void> } {
  const closing = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let isRunning = false;
  let resumeAtMs = 0;
  const once = { ...deps, signal: closing.signal };
  const resumeSometimes = async (): Promise<void> => {
    if (performance.now() < resumeAtMs) return;
    resumeAtMs = performance.now() + RESUME_EVERY_MS;
    await resumeUnfinished(once).catch((error: unknown) =>
      deps.log.error({ err: error }, "a message could not be taken up"),
    );
  };
  const look = (): void => {
    if (isRunning) return;
    isRunning = true;
    running = resumeSometimes()
      .then(() => pollDue(once))
      .catch((error: unknown) => {
        if (!closing.signal.aborted) deps.log.warn({ err: error }, "sources were not polled");
      })
      .finally(() => {
        isRunning = false;
      });
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    async close() {
      clearInterval(timer);
      closing.abort();
      await running;
    },
  };
}
