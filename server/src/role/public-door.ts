// What the public can read before the front has started, and while it cannot: pages and feeds from the
// copies in the data folder, on the address where the whole API will be. The database is not asked
// for anything. Once the front has started, the same socket serves everything, without a gap.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getHealth } from "@loa/api/health.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Db } from "../db/connection.ts";
import { openPublished } from "../feed/feed.ts";
import { NO_PLACES, openPlaces, type PlaceRecord, PLACES_VERSION } from "../feed/places.ts";
import { Site } from "../feed/site.ts";
import { type App, buildApp, problemResponse } from "../http/app.ts";
import { mountFeeds } from "../http/feeds.ts";
import { describeHealth } from "../http/health.ts";
import { CONNECTIONS_MAX, listen } from "../http/listen.ts";
import { mountPublicPages, renderProblemPage } from "../http/public.ts";
import { createLogger } from "../observe/log.ts";
import type { Reason } from "../observe/reason.ts";
import { readOpenFilesMax } from "../observe/vitals.ts";
import { limitSockets } from "../stream/socket-limit.ts";
import { LOA_VERSION } from "./version.ts";

/** Beside the database; may be deleted, and is then written again. */
export const PUBLISHED_FOLDER = "published";
/** The names of places, for the same purpose. */
const PLACES_FILE = "published-places.json";

const WANTED_SOCKETS = { socketsMax: CONNECTIONS_MAX, refusedSocketsMax: 0 };

/** What the door is opened with; plain data. */
export interface DoorOrder {
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string;
  readonly capPublicKey: string;
  readonly logLevel: string;
}

export interface PublicDoor {
  readonly port: number;
  readonly origin: string;
  /** How much there is to read. */
  readonly published: number;
  /** Health says from now on that the database is not reached, and since when. */
  sayAway(): void;
  /** From now on the whole application answers. */
  lead(app: Pick<App, "fetch">): void;
  close(): Promise<void>;
}

/** @throws when it cannot listen. */
export async function openDoor(order: DoorOrder): Promise<PublicDoor> {
  const feed = openPublished(join(order.dataFolder, PUBLISHED_FOLDER));
  let own = "";
  const site = new Site({
    feed,
    places: openPlaces(readPlaces(order.dataFolder)),
    origin: () => order.publicUrl || own,
    now: () => new Date(),
  });
  let reason: Reason = { code: "starting", since: new Date(), detail: "" };
  let serve: App["fetch"] = serveReaders(order, site, () => reason);
  const listening = await listen(
    { fetch: (request) => serve(request) },
    {
      host: order.host,
      port: order.port,
      connectionsMax: limitSockets(WANTED_SOCKETS, readOpenFilesMax()).socketsMax,
    },
  );
  own = listening.origin;
  return {
    port: listening.port,
    origin: own,
    published: feed.archive.size,
    sayAway() {
      if (reason.code !== "database-unreachable")
        reason = { code: "database-unreachable", since: new Date(), detail: "not reached yet" };
    },
    lead(app) {
      serve = app.fetch;
    },
    close: () => listening.close(),
  };
}

/** Readers are answered; everything that needs the database is refused as passing. */
function serveReaders(order: DoorOrder, site: Site, reason: () => Reason): App["fetch"] {
  const app = buildApp({
    // Nothing here is written or repeated, so the database is never asked.
    db: undefined as unknown as Db,
    log: createLogger(order.logLevel, "front"),
    authenticate: async () => {
      throw NOT_YET;
    },
    answerPeople: renderProblemPage,
  });
  mountFeeds(app, { site, capPublicKey: order.capPublicKey });
  mountPublicPages(app, { site });
  app.mount(getHealth, async () =>
    describeHealth({ at: new Date(), reasons: [reason()] }, LOA_VERSION),
  );
  return (request) => {
    const { pathname } = new URL(request.url);
    const isForLater = pathname.startsWith("/v1/") && pathname !== getHealth.path;
    return isForLater
      ? problemResponse(NOT_YET, pathname, { "cache-control": "no-store" })
      : app.fetch(request);
  };
}

const NOT_YET = new Problem(
  "unavailable",
  "Loa is starting, or does not reach its database; GET /v1/health says which. Try again.",
);

/** Writes the copy of the places; whole or not at all. */
export function writePlaces(dataFolder: string, record: PlaceRecord): void {
  const file = join(dataFolder, PLACES_FILE);
  const text = JSON.stringify(record);
  mkdirSync(dataFolder, { recursive: true });
  writeFileSync(`${file}.draft`, text, { flush: true, mode: 0o600 });
  renameSync(`${file}.draft`, file);
}

/** A copy that is missing or broken is none: lists of places are empty then, and nothing else. */
function readPlaces(dataFolder: string): PlaceRecord {
  try {
    const text = readFileSync(join(dataFolder, PLACES_FILE), "utf8");
    const record = JSON.parse(text) as PlaceRecord;
    return record.v === PLACES_VERSION ? record : NO_PLACES;
  } catch {
    return NO_PLACES;
  }
}
