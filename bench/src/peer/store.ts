// Where a queue keeps its jobs, each fresh and with the same promise as ours: a job that is said to be
// enqueued or done is on the disk. PostgreSQL is the installation's own, with a database for the
// queue; Redis is started for it, where `redis-server` is found, and syncs its log before it answers.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ConnectionOptions } from "../../../server/src/db/connection.ts";
import { type BenchInstallation, endProcess } from "../installation.ts";
import { readCost } from "../process-cost.ts";

/** A Redis that is not ready after this is broken. */
const REDIS_READY_MS_MAX = 10_000;

/** How a peer reaches its store. */
export type StoreAddress = ConnectionOptions | { readonly socket: string };

export interface Store extends AsyncDisposable {
  readonly address: StoreAddress;
  /** Processor time of the store so far; undefined where nobody counts it. */
  cpuSeconds(): number | undefined;
}

/** Undefined when this machine has no such store. */
export type OpenStore = (installation: BenchInstallation) => Promise<Store | undefined>;

/** A database of its own in the installation's PostgreSQL. */
export async function openPostgresStore(installation: BenchInstallation): Promise<Store> {
  const database = "peer";
  const { pool } = installation.connection;
  await pool.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await pool.query(`CREATE DATABASE ${database}`);
  return {
    address: { ...installation.database, database },
    cpuSeconds: () => installation.costs()?.postgres.cpuSeconds,
    async [Symbol.asyncDispose]() {
      await pool.query(`DROP DATABASE ${database} WITH (FORCE)`);
    },
  };
}

/** A Redis of its own on a socket, where the machine has `redis-server`. */
export async function openRedisStore(): Promise<Store | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "loa-redis-"));
  const socket = join(folder, "redis.sock");
  const settings = { port: 0, unixsocket: socket, dir: folder, save: "", appendonly: "yes" };
  const server = spawn(
    "redis-server",
    Object.entries({ ...settings, appendfsync: "always" }).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ]),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const isHere = await accepts(server);
  if (!isHere) {
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
  return {
    address: { socket },
    cpuSeconds: () => readCost([server.pid as number])?.cpuSeconds,
    async [Symbol.asyncDispose]() {
      await endProcess(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Resolves once the server accepts connections; false when there is no such program.
 * @throws when it ends, or is not ready in time.
 */
async function accepts(server: ChildProcess): Promise<boolean> {
  const signal = AbortSignal.timeout(REDIS_READY_MS_MAX);
  const isMissing = once(server, "error", { signal }).then(([fault]) => {
    if ((fault as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw fault as Error;
  });
  const ended = once(server, "exit", { signal }).then(([code]) => {
    throw new Error(`redis-server ended with ${code}`);
  });
  // Its lines go on being read: a log that nobody reads would stop the server.
  const lines = createInterface(server.stdout as NodeJS.ReadableStream);
  const isReady = new Promise<boolean>((accept) =>
    lines.on("line", (line) => {
      if (/ready to accept connections/i.test(line)) accept(true);
    }),
  );
  const first = await Promise.race([isReady, isMissing, ended]);
  for (const late of [isMissing, ended]) late.catch(() => {});
  return first;
}
