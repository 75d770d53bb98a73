// The front door of publishing. What was issued is made public once and for ever: looked for when
// somebody says that a dispatch changed, and from time to time. Everything is answered from memory
// and disk; the database is only asked for what is new.
import type { CapSigner } from "@loa/cap/sign.ts";
import { makeShortCode } from "@loa/model/short-code.ts";
import { followComingWarnings } from "../bus/make-way.ts";
import type { Bus } from "../bus/bus.ts";
import type { Connection } from "../db/connection.ts";
import { readAccount } from "../account/account.ts";
import { loadBulletin, readResolved } from "../bulletin/bulletin-row.ts";
import { readIncident } from "../bulletin/incident.ts";
import type { Logger } from "../observe/log.ts";
import { Archive, type Entry } from "./archive.ts";
import { type CapThread, startCapThread } from "./cap-thread.ts";
import { composePublication, type NamedPlaces } from "./compose.ts";
import type { Publication } from "./publication.ts";
import {
  Folder,
  insertPublication,
  isCodeTaken,
  HEADS_BATCH,
  selectHeads,
  selectPublished,
  selectUnpublished,
} from "./store.ts";

/** How often is looked for what was issued, although nobody said that there is anything. */
export const LOOK_EVERY_MS = 1_000;
/** How long after somebody said so: whoever issues is answered first, in the same process. */
export const LOOK_AFTER_MS = 100;
/** A code that is taken is tried with the next number; more than a few is no chance any more. */
const CODE_ATTEMPTS_MAX = 8;

export interface FeedDeps extends Pick<Connection, "db" | "pool"> {
  readonly bus: Pick<Bus, "subscribe">;
  readonly log: Logger;
  readonly places: () => NamedPlaces;
  /** Where the copy on disk is kept. */
  readonly folder: string;
  /** Origin of the public pages; asked when something is published, and then fixed in it. */
  readonly origin: () => string;
  readonly signer: CapSigner | undefined;
}

/** What was published, to be read. */
export interface Published {
  readonly archive: Archive;
  /** The CAP document as it was published; undefined only where disk and database have lost it. */
  cap(entry: Entry): Promise<Buffer | undefined>;
}

export interface Feed extends Published {
  /** Publishes what was issued and reads what was published; one at a time. */
  catchUp(): Promise<void>;
  /** Begins to look by itself. */
  follow(): void;
  close(): Promise<void>;
}

/** What is on disk and nothing else, for as long as the database was never reached. */
export function openPublished(folder: string): Published {
  const { archive, copies } = readCopies(folder);
  return { archive, cap: async ({ code }) => copies.readCap(code) };
}

function readCopies(path: string): { readonly archive: Archive; readonly copies: Folder } {
  const copies = new Folder(path);
  const archive = new Archive((code) => copies.read(code));
  for (const publication of copies.readAll()) archive.add(publication);
  return { archive, copies };
}

/** Reads what is on disk; from then on it answers. */
export function openFeed(deps: FeedDeps): Feed {
  const { archive, copies: folder } = readCopies(deps.folder);
  const capThread = startCapThread(deps.signer);
  /** Publications up to this number are in memory and on disk. */
  let position = 0;
  const failed = new Set<string>();
  const coming = followComingWarnings(deps.bus);

  const publish = async (): Promise<void> => {
    for (;;) {
      // What this refers to must be known first.
      await read();
      const ids = await selectUnpublished(deps.pool, [...failed]);
      for (const id of ids)
        try {
          // Pages and documents of what was issued must not hold up the next warning.
          await coming.passed();
          await publishBulletin(deps, archive, capThread, id);
          await read();
        } catch (error) {
          // One that cannot be published must not hold up the others; it is tried after a restart.
          failed.add(id);
          deps.log.error({ err: error, bulletinId: id }, "a bulletin could not be published");
        }
      if (ids.length === 0) return;
    }
  };
  const read = async (): Promise<void> => {
    for (;;) {
      const heads = await selectHeads(deps.pool, position);
      for (const { seq, code } of heads) {
        if (archive.byCode(code) === undefined) await take(code);
        position = seq;
      }
      if (heads.length < HEADS_BATCH) return;
    }
  };
  /** What is shown is what the table has, also when another process was first. */
  const take = async (code: string): Promise<void> => {
    const published = await selectPublished(deps.pool, code);
    if (!published) throw new Error(`publication ${code} is gone`);
    archive.add(published.publication);
    try {
      folder.write(published.publication, published.cap);
    } catch (error) {
      deps.log.error({ err: error, code }, "a publication could not be copied to disk");
    }
  };

  let running: Promise<void> | undefined;
  let isAskedAgain = false;
  const catchUp = (): Promise<void> => {
    isAskedAgain = true;
    running ??= (async () => {
      try {
        while (isAskedAgain) {
          isAskedAgain = false;
          await publish();
        }
      } finally {
        running = undefined;
      }
    })();
    return running;
  };
  let timer: NodeJS.Timeout | undefined;
  const look = (): void =>
    void catchUp().catch((error: unknown) =>
      deps.log.warn({ err: error }, "could not look for what was issued"),
    );
  let soon: NodeJS.Timeout | undefined;
  const unsubscribe = deps.bus.subscribe("dispatch.changed", () => {
    if (timer === undefined) return;
    soon ??= setTimeout(() => {
      soon = undefined;
      look();
    }, LOOK_AFTER_MS);
  });
  return {
    archive,
    catchUp,
    async cap(entry) {
      const file = folder.readCap(entry.code);
      if (file) return file;
      return (await selectPublished(deps.pool, entry.code))?.cap;
    },
    follow() {
      timer ??= setInterval(look, LOOK_EVERY_MS);
      look();
    },
    async close() {
      clearInterval(timer);
      clearTimeout(soon);
      unsubscribe();
      coming.close();
      await running?.catch(() => {});
      await capThread.close();
    },
  };
}

async function publishBulletin(
  deps: FeedDeps,
  archive: Archive,
  capThread: CapThread,
  id: string,
): Promise<void> {
  const bulletin = await loadBulletin(deps.pool, id);
  const resolved = await readResolved(deps.pool, id);
  if (resolved === null) throw new Error(`bulletin ${id} was never submitted`);
  const { handle, name } = await readAccount(deps.db, bulletin.accountId);
  const { incidentId } = bulletin.content;
  const { publication, document } = composePublication({
    bulletin,
    resolved,
    account: { handle, name },
    incident: incidentId === null ? null : await readIncident(deps.db, incidentId),
    code: await freeCode(deps, id),
    origin: deps.origin(),
    references: bulletin.referenceIds.flatMap((reference): Publication[] => {
      const entry = archive.byId(reference);
      const known = entry && archive.publication(entry);
      return known ? [known] : [];
    }),
    places: deps.places(),
    capSigned: deps.signer !== undefined,
  });
  await insertPublication(deps.pool, publication, await capThread.write(document));
}

async function freeCode(deps: FeedDeps, id: string): Promise<string> {
  for (let attempt = 0; attempt < CODE_ATTEMPTS_MAX; attempt++) {
    const code = makeShortCode(id, attempt);
    if (!(await isCodeTaken(deps.pool, code, id))) return code;
  }
  throw new Error(`no short code is free for ${id}`);
}
