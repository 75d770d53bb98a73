// The database of an installation: the embedded one, started and kept alive, or the one that
// DATABASE_URL names. Either way only one Loa may run on it, which a lock in the database tells:
// it is taken before anything else, and taken again when the database was away.
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type ConnectionOptions, parseDatabaseUrl } from "../db/connection.ts";
import { startEmbeddedPostgres } from "../db/embedded.ts";
import type { Logger } from "../observe/log.ts";
import { StartRefused } from "./start-refused.ts";

/** No other lock may use this number (migrate, area-pack-store, subscriber-import have theirs). */
const INSTALLATION_LOCK = 0x10a_0004;
/** How often a database that should run, and our lock on it, are looked at. */
const WATCH_MS = 500;
/** The session of a Loa that was just killed ends within this; then the lock is free. */
export const LOCK_PATIENCE_MS = 2_000;
const LOCK_POLL_MS = 50;
const CONNECT_MS_MAX = 10_000;
/** Oldest PostgreSQL that Loa runs on, as it says itself. */
export const SERVER_VERSION_MIN = 150_000;

export interface RunningDatabase {
  readonly options: ConnectionOptions;
  readonly adopted: boolean;
  /** Short private folder for sockets. */
  readonly runtimeFolder: string;
  stop(): Promise<void>;
}

/**
 * Opens the database of an installation and locks it for this process. `onUsurped` is called when
 * the lock was lost, with the database, and another Loa took it.
 * @throws {StartRefused} when another Loa runs on it, or it is none that Loa can use.
 */
export async function openDatabase(
  dataFolder: string,
  databaseUrl: string,
  log: Logger,
  onUsurped: () => void,
): Promise<RunningDatabase> {
  const database =
    databaseUrl === "" ? await openEmbedded(dataFolder, log) : await openNamed(databaseUrl);
  let lock: HeldLock;
  try {
    lock = await lockInstallation(database.options, LOCK_PATIENCE_MS);
  } catch (fault) {
    // A server that was there already is the other Loa's.
    if (!database.adopted) await database.stop();
    throw fault;
  }
  let stopping = false;
  const look = async () => {
    await database.revive();
    if (stopping || lock.isHeld()) return;
    try {
      lock = await lockInstallation(database.options, LOCK_PATIENCE_MS);
    } catch (error) {
      if (!(error instanceof InstallationInUse)) throw error;
      log.fatal({ err: error }, "another Loa took the database while it was away");
      onUsurped();
    }
  };
  let looking: Promise<void> | undefined;
  const watch = setInterval(() => {
    // What fails is tried again at the next look: a database takes time to come back.
    looking ??= look()
      .catch((error) => log.error({ err: error }, "the database is away"))
      .finally(() => {
        looking = undefined;
      });
  }, WATCH_MS);
  return {
    ...database,
    async stop() {
      stopping = true;
      clearInterval(watch);
      await looking;
      await lock.release();
      await database.stop();
    },
  };
}

interface OpenedDatabase extends RunningDatabase {
  /** Starts it again when it died, where that is ours to do. */
  revive(): Promise<void>;
}

async function openEmbedded(dataFolder: string, log: Logger): Promise<OpenedDatabase> {
  let server = await startEmbeddedPostgres(dataFolder);
  return {
    options: server.options,
    adopted: server.adopted,
    runtimeFolder: server.runtimeFolder,
    async revive() {
      if (server.isAlive()) return;
      log.error("PostgreSQL died; starting it again");
      server = await startEmbeddedPostgres(dataFolder);
    },
    stop: () => server.stop(),
  };
}

async function openNamed(databaseUrl: string): Promise<OpenedDatabase> {
  const options = parseDatabaseUrl(databaseUrl);
  await requireUsable(options);
  const runtimeFolder = mkdtempSync(join(process.platform === "win32" ? tmpdir() : "/tmp", "loa-"));
  return {
    options,
    adopted: false,
    runtimeFolder,
    revive: async () => {},
    stop: async () => rmSync(runtimeFolder, { recursive: true, force: true }),
  };
}

/** @throws {StartRefused} when it cannot be reached, is too old, or cannot hold every letter. */
async function requireUsable(options: ConnectionOptions): Promise<void> {
  const { client, where } = await connect(options);
  try {
    const { rows } = await client.query<{ version: string; encoding: string }>(
      `SELECT current_setting('server_version_num') AS version,
              current_setting('server_encoding') AS encoding`,
    );
    const { version, encoding } = rows[0] as { version: string; encoding: string };
    if (Number(version) < SERVER_VERSION_MIN)
      throw new StartRefused({
        en: `DATABASE_URL names PostgreSQL ${Math.floor(Number(version) / 10_000)} (${where}); Loa needs 15 or later.`,
        vi: `DATABASE_URL trỏ tới PostgreSQL ${Math.floor(Number(version) / 10_000)} (${where}); Loa cần bản 15 trở lên.`,
      });
    if (encoding !== "UTF8")
      throw new StartRefused({
        en: `the database of DATABASE_URL (${where}) is encoded in ${encoding}; Loa needs UTF8.`,
        vi: `cơ sở dữ liệu trong DATABASE_URL (${where}) dùng bảng mã ${encoding}; Loa cần UTF8.`,
      });
  } finally {
    await client.end().catch(() => {});
  }
}

/** Connects. @throws {StartRefused} with what PostgreSQL said, and without the password. */
async function connect(options: ConnectionOptions): Promise<{ client: pg.Client; where: string }> {
  const where = `${options.host}:${options.port}/${options.database}`;
  const client = new pg.Client({
    ...options,
    application_name: "loa-supervisor-lock",
    connectionTimeoutMillis: CONNECT_MS_MAX,
    keepAlive: true,
  });
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    const why = message || code;
    throw new DatabaseAway(
      {
        en: `the database ${where} cannot be reached: ${why}. Check DATABASE_URL, and that PostgreSQL runs there.`,
        vi: `không kết nối được cơ sở dữ liệu ${where}: ${why}. Hãy kiểm tra DATABASE_URL và PostgreSQL ở đó có đang chạy không.`,
      },
      { cause },
    );
  }
  return { client, where };
}

interface HeldLock {
  isHeld(): boolean;
  release(): Promise<void>;
}

/** Takes the lock on one connection, which holds it until it ends or dies. */
async function lockInstallation(options: ConnectionOptions, patienceMs: number): Promise<HeldLock> {
  const { client } = await connect(options);
  let isHeld = true;
  const lose = () => {
    isHeld = false;
  };
  client.on("error", lose).on("end", lose);
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const { rows } = await client.query<{ held: boolean }>(
      "SELECT pg_try_advisory_lock($1) AS held",
      [INSTALLATION_LOCK],
    );
    if (rows[0]?.held === true) break;
    if (performance.now() > deadline) {
      await client.end();
      throw new InstallationInUse({
        en: "another Loa runs on this database. Stop it first, or give this one a LOA_DATA or DATABASE_URL of its own.",
        vi: "một Loa khác đang chạy trên cơ sở dữ liệu này. Hãy dừng Loa đó trước, hoặc đặt LOA_DATA hay DATABASE_URL riêng cho Loa này.",
      });
    }
    await sleep(LOCK_POLL_MS);
  }
  return { isHeld: () => isHeld, release: () => client.end().catch(() => {}) };
}

/** It does not answer, or refuses who asks: it may be back later. */
export class DatabaseAway extends StartRefused {
  override name = "DatabaseAway";
}

/** A second Loa on the same database: refused, and the first one is left alone. */
class InstallationInUse extends StartRefused {
  override name = "InstallationInUse";
}
