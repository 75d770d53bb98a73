// Runs a real PostgreSQL 18 in a data folder, from the binaries that npm brought.
//
// Three things make this more than spawning a program:
// - PostgreSQL refuses to run as root, so root hands it to another user, who may be unable to
//   enter the folder or to run the binaries (embedded-cluster.ts).
// - A socket path has at most 107 bytes, so sockets live in a short runtime folder.
// - After `kill -9` of Loa the postmaster lives on. The next start adopts it when it
//   serves this very folder, and passes by a pid file that names anything else.
// Whoever starts it makes sure that nobody else starts one in the same folder (role/data-folder.ts).
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { ConnectionOptions } from "./connection.ts";
import {
  type Binaries,
  createCluster,
  hasSockets,
  keepPassword,
  locateBinaries,
  placement,
  prepareRuntimeFolder,
  type ServingUser,
  servingUser,
  USER,
} from "./embedded-cluster.ts";
import {
  disownPidFile,
  isAlive,
  POLL_MS,
  readPidFile,
  serves,
  stopPostmaster,
} from "./embedded-process.ts";

/** A server that replays a long log answers late; after this it is taken for hanging. */
const START_TIMEOUT_MS = 60_000;
/** How long processes of a dead postmaster may take to end: until then PostgreSQL refuses to start. */
const ORPHANS_MS_MAX = 15_000;
const ORPHANS_POLL_MS = 200;

/** A running embedded server. */
export interface EmbeddedPostgres {
  readonly options: ConnectionOptions;
  /** True when a server left behind by a killed Loa was taken over. */
  readonly adopted: boolean;
  /** Where sockets of this installation live: short, private, gone after a reboot. */
  readonly runtimeFolder: string;
  /** Whether its postmaster still serves the folder. */
  isAlive(): boolean;
  /** Ends the server and removes its runtime folder, which holds nothing that must last. */
  stop(): Promise<void>;
}

/** What every step of a start needs to know. */
interface Place {
  readonly cluster: string;
  readonly user: ServingUser;
  readonly runtimeFolder: string;
  readonly base: { readonly user: string; readonly password: string; readonly database: string };
}

/** Waits for a first connection; false when `hasEnded` before. */
async function isReady(
  options: () => ConnectionOptions,
  hasEnded: () => boolean,
): Promise<boolean> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const client = new pg.Client({ ...options(), connectionTimeoutMillis: 5000 });
    // Cut off while it connects: the next try tells.
    client.on("error", () => {});
    try {
      await client.connect();
      await client.end();
      return true;
    } catch (cause) {
      if (hasEnded()) return false;
      if (performance.now() > deadline)
        throw new Error("PostgreSQL did not accept a connection in time", { cause });
    }
    await sleep(POLL_MS);
  }
}

/**
 * Starts PostgreSQL in `dataFolder`/postgresql, creating the cluster on first use, or adopts the
 * one that already serves it.
 * @throws when the folder, the binaries or the user do not allow it, with what to do.
 */
export async function startEmbeddedPostgres(dataFolder: string): Promise<EmbeddedPostgres> {
  fs.mkdirSync(dataFolder, { recursive: true });
  const cluster = join(dataFolder, "postgresql");
  const user = servingUser(cluster);
  const runtimeFolder = prepareRuntimeFolder(fs.realpathSync(dataFolder), user);
  const password = keepPassword(dataFolder, () => randomBytes(24).toString("base64url"));
  const place = {
    cluster,
    user,
    runtimeFolder,
    base: { user: USER, password, database: "postgres" },
  };
  const adopted = await adopt(place);
  if (adopted) return adopted;

  const binaries = await locateBinaries(runtimeFolder, user);
  createCluster(cluster, binaries, user, runtimeFolder, password);
  const before = readPidFile(cluster);
  if (before && isAlive(before.pid)) disownPidFile(cluster);
  const deadline = performance.now() + ORPHANS_MS_MAX;
  for (;;) {
    const started = await launch(place, binaries);
    if (typeof started !== "string") return started;
    // Where there was no pid file, nobody can be in the way.
    if (!before || performance.now() > deadline)
      throw new Error(`PostgreSQL did not start: ${started}`);
    await sleep(ORPHANS_POLL_MS);
  }
}

/** Takes over the server that serves the folder; undefined when there is none, or it just ended. */
async function adopt(place: Place): Promise<EmbeddedPostgres | undefined> {
  const { cluster, runtimeFolder, base } = place;
  const running = readPidFile(cluster);
  if (!running || !serves(running.pid, cluster)) return undefined;
  const isServing = () => serves(running.pid, cluster);
  // One that was just starting may not have said yet where it listens.
  const at = () => readPidFile(cluster) ?? running;
  const options = () => ({ ...base, host: at().socketFolder || "127.0.0.1", port: at().port });
  if (!(await isReady(options, () => !isServing()))) return undefined;
  return {
    options: options(),
    adopted: true,
    runtimeFolder,
    isAlive: isServing,
    stop: () => endServer(running.pid, place),
  };
}

async function endServer(pid: number, { cluster, runtimeFolder }: Place): Promise<void> {
  await stopPostmaster(pid, cluster);
  fs.rmSync(runtimeFolder, { recursive: true, force: true });
}

/** Starts the server; answers why not when it ended before it accepted a connection. */
async function launch(place: Place, binaries: Binaries): Promise<EmbeddedPostgres | string> {
  const { cluster, user, runtimeFolder, base } = place;
  const port = hasSockets ? 5432 : await freePort();
  const host = hasSockets ? runtimeFolder : "127.0.0.1";
  const { path, options: spawnOptions } = placement(cluster, user);
  const settings: Record<string, string | number> = {
    port,
    listen_addresses: hasSockets ? "" : "127.0.0.1",
    unix_socket_directories: hasSockets ? runtimeFolder : "",
    max_connections: 100,
    shared_buffers: "256MB",
    // Fewer checkpoints write fewer full pages while a nation-wide dispatch runs.
    max_wal_size: "4GB",
    // A backup that is not taken away breaks off before the log that it needs fills the disk.
    max_slot_wal_keep_size: "4GB",
    log_timezone: "UTC",
    timezone: "UTC",
    logging_collector: "off",
    // Rows and statements that failed quote people; the log must not.
    log_error_verbosity: "terse",
    log_min_error_statement: "panic",
  };
  const args = ["-D", path];
  for (const [key, value] of Object.entries(settings)) args.push("-c", `${key}=${value}`);
  const logPath = join(dirname(cluster), "postgresql.log");
  const log = fs.openSync(logPath, "a", 0o600);
  // Its own session: Ctrl-C in a terminal must reach Loa, which then stops the database last.
  const child = spawn(binaries.postgres, args, {
    ...spawnOptions,
    detached: true,
    stdio: ["ignore", log, log],
  });
  fs.closeSync(log);
  let failure: string | undefined;
  child.once("error", (error) => (failure = error.message));
  child.once(
    "exit",
    (code, signal) => (failure ??= `it ended with ${signal ?? code}; see ${logPath}`),
  );
  child.unref();
  const options = { ...base, host, port };
  if (
    !(await isReady(
      () => options,
      () => failure !== undefined,
    ))
  )
    return failure as string;
  const pid = child.pid as number;
  return {
    options,
    adopted: false,
    runtimeFolder,
    isAlive: () => failure === undefined,
    stop: () => endServer(pid, place),
  };
}

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  return new Promise((done, fail) => {
    const probe = createServer().once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}
