// The database of an installation: the embedded one, started and kept alive, or the one that
// DATABASE_URL names. Either way only one Loa may run on it.
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import pg from "pg";
import { type ConnectionOptions, parseDatabaseUrl } from "../db/connection.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../db/embedded.ts";
import type { Logger } from "../observe/log.ts";

/** No other lock may use this number (migrate, area-pack-store, subscriber-import have theirs). */
const INSTALLATION_LOCK = 0x10a_0004;
/** How often a database that should run is looked at. */
const WATCH_MS = 500;

export interface RunningDatabase {
  readonly options: ConnectionOptions;
  readonly adopted: boolean;
  /** Short private folder for sockets. */
  readonly runtimeFolder: string;
  stop(): Promise<void>;
}

/**
 * Opens the database of an installation and locks it for this process.
 * @throws when another Loa runs on it.
 */
export async function openDatabase(
  dataFolder: string,
  databaseUrl: string,
  log: Logger,
): Promise<RunningDatabase> {
  if (databaseUrl !== "") {
    const options = parseDatabaseUrl(databaseUrl);
    const unlock = await lockInstallation(options);
    const runtimeFolder = mkdtempSync(
      join(process.platform === "win32" ? tmpdir() : "/tmp", "loa-"),
    );
    return { options, adopted: false, runtimeFolder, stop: unlock };
  }
  let server = await startEmbeddedPostgres(dataFolder);
  let unlock = await lockInstallation(server.options);
  let stopping = false;
  let watching: Promise<void> | undefined;
  const watch = setInterval(() => {
    watching ??= revive().finally(() => {
      watching = undefined;
    });
  }, WATCH_MS);
  const revive = async () => {
    if (stopping || server.isAlive()) return;
    log.error("PostgreSQL died; starting it again");
    try {
      const next: EmbeddedPostgres = await startEmbeddedPostgres(dataFolder);
      server = next;
      unlock = await lockInstallation(next.options);
    } catch (error) {
      // Backends of the dead one may still be ending; the next look tries again.
      log.error({ err: error }, "PostgreSQL could not be started");
    }
  };
  return {
    options: server.options,
    adopted: server.adopted,
    runtimeFolder: server.runtimeFolder,
    async stop() {
      stopping = true;
      clearInterval(watch);
      await watching;
      await unlock();
      await server.stop();
    },
  };
}

/** Takes the lock on one connection, which holds it until it ends or dies. */
async function lockInstallation(options: ConnectionOptions): Promise<() => Promise<void>> {
  const client = new pg.Client({ ...options, application_name: "loa-supervisor-lock" });
  client.on("error", () => {});
  await client.connect();
  const { rows } = await client.query<{ held: boolean }>(
    "SELECT pg_try_advisory_lock($1) AS held",
    [INSTALLATION_LOCK],
  );
  if (rows[0]?.held !== true) {
    await client.end();
    throw new InstallationInUse(
      "Another Loa runs on this database. Stop it first, or give this one its own LOA_DATA.",
    );
  }
  return () => client.end().catch(() => {});
}

/** A second Loa on the same data: refused, and the first one is left alone. */
export class InstallationInUse extends Error {
  override name = "InstallationInUse";
}
