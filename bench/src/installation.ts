// An installation to measure: the real processes, started as an operator starts them, on a data
// folder that is kept between runs, and a look into its database for what only that can say.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  type Connection,
  type ConnectionOptions,
  openConnection,
} from "../../server/src/db/connection.ts";
import { startEmbeddedPostgres } from "../../server/src/db/embedded.ts";
import { compiledCode } from "../../server/src/observe/compiled-code.ts";
import { findChildren, type ProcessCost, readCost } from "./process-cost.ts";

const SERVER = fileURLToPath(new URL("../../server/src/main.ts", import.meta.url));
/** Thirty-three million people are read from their snapshot in this; slower is broken. */
export const READY_MS_MAX = 300_000;
/** A server that does not end in this time is killed. */
export const STOP_MS_MAX = 60_000;

export interface InstallationOptions {
  readonly folder: string;
  readonly profileFolder?: string | undefined;
  /** host:port of a sink of the caller's; otherwise the server starts its own. */
  readonly loopbackUrl?: string | undefined;
}

export interface Costs {
  /** The supervisor and its roles; not the sink, which stands for somebody else's machine. */
  readonly server: ProcessCost;
  readonly postgres: ProcessCost;
}

export interface BenchInstallation {
  readonly api: string;
  readonly stream: string;
  readonly folder: string;
  readonly database: ConnectionOptions;
  readonly connection: Connection;
  /** The processes of a role, or of all roles, that run at this moment. Linux only. */
  rolePids(role?: string): number[];
  /** From the start of the process to its word that it is ready. */
  readonly readyMs: number;
  costs(): Costs | undefined;
  stop(): Promise<void>;
}

const servers = new Set<ChildProcess>();

/** Ends every server that still runs, for somebody who is told to end early. */
export async function endInstallations(): Promise<void> {
  await Promise.all([...servers].map(endProcess));
}

/** Starts the server on this folder. @throws when it is not ready in time. */
export async function startBenchInstallation(
  options: InstallationOptions,
): Promise<BenchInstallation> {
  const { folder, profileFolder, loopbackUrl } = options;
  const profiling = profileFolder ? ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`] : [];
  const startedMs = performance.now();
  const server = spawn(process.execPath, [...profiling, SERVER], {
    stdio: ["ignore", "pipe", "inherit"],
    // Ctrl-C in a terminal must reach the benchmark alone, which then ends things in their order.
    detached: process.platform !== "win32",
    env: {
      ...compiledCode(),
      LOA_DATA: folder,
      LOA_PORT: "0",
      LOA_STREAM_PORT: "0",
      LOA_DEMO_SUBSCRIBERS: "0",
      LOA_READY_JSON: "on",
      ...(loopbackUrl && { LOA_LOOPBACK_URL: loopbackUrl }),
    },
  });
  servers.add(server);
  server.once("exit", () => servers.delete(server));
  try {
    const ready = await readyLine(server);
    const readyMs = performance.now() - startedMs;
    // It runs already, so this only finds out where it is.
    const { options: database } = await startEmbeddedPostgres(folder);
    const connection = openConnection(database, "loa-bench");
    const postmaster = Number(
      readFileSync(join(folder, "postgresql", "postmaster.pid"), "utf8").split("\n")[0],
    );
    return {
      api: ready.api,
      stream: ready.stream,
      folder,
      database,
      connection,
      rolePids: (role = "") => findChildren(server.pid as number, `--role\0${role}`),
      readyMs,
      costs() {
        const own = readCost(
          [server.pid as number],
          // A PostgreSQL that was not there before is a child of the supervisor.
          (line, pid) => pid === postmaster || line.includes("/sink/"),
        );
        const postgres = readCost([postmaster]);
        return own && postgres && { server: own, postgres };
      },
      async stop() {
        await connection.close();
        await endProcess(server);
      },
    };
  } catch (fault) {
    await endProcess(server);
    throw fault;
  }
}

interface ReadyLine {
  readonly api: string;
  readonly stream: string;
}

async function readyLine(server: ChildProcess): Promise<ReadyLine> {
  if (server.stdout === null) throw new Error("no stdout");
  const signal = AbortSignal.timeout(READY_MS_MAX);
  const ended = once(server, "exit", { signal }).then(([code]) => {
    throw new Error(`the server ended with ${code}`);
  });
  const line = once(createInterface(server.stdout), "line", { signal });
  const [text] = (await Promise.race([line, ended])) as [string];
  ended.catch(() => {});
  return JSON.parse(text) as ReadyLine;
}

/** SIGTERM, patience, SIGKILL. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await ended;
  clearTimeout(timer);
}
