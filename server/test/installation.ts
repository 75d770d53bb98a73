// A whole installation as a child process, for stories across stages and for what happens to its
// processes: started as `npm start` does it, in a session of its own as a terminal's is, and looked
// at from outside.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@loa/api/client.ts";
import type { Demonstration, DemonstrationHolder } from "../src/account/demonstration.ts";
import { isAlive, readPidFile } from "../src/db/embedded-process.ts";
import { compiledCode } from "../src/observe/compiled-code.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
/** A first start makes a database and draws a province, on a machine that is busy with other tests. */
const READY_MS_MAX = 100_000;
/** For tests that start one or two. */
export const START_MS_MAX = 240_000;

export type Part = "front" | "stream" | "ledger" | "worker" | "sink" | "postgres";

export interface TestInstallation {
  readonly process: ChildProcess;
  readonly api: string;
  readonly stream: string;
  readonly demonstration: Demonstration;
  /** A client with the key of one holder of the demonstration. */
  as(holder: DemonstrationHolder): Client;
  /** Process ids of a part as they are now; several for workers, none for what is just dead. */
  pids(part: Part): number[];
  /** Everything that the supervisor started and is running, PostgreSQL and sink included. */
  everything(): number[];
  /** Where PostgreSQL and the bus have their sockets. */
  runtimeFolder(): string;
  /** What it said on stderr so far: its log. */
  said(): string;
  /** Sends a signal to the process group, as a terminal does, and waits; answers the exit status. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

export type Settings = Readonly<Record<string, string>>;

/** Makes another command of the one that starts Loa: with options of Node's, or limits of a shell's. */
export type Wrap = (command: readonly string[]) => readonly string[];

/** The environment of an installation that is nobody else's. */
function environmentOf(settings: Settings): NodeJS.ProcessEnv {
  const defaults = {
    ...compiledCode(),
    LOA_PORT: "0",
    LOA_STREAM_PORT: "0",
    LOA_DEMO_SUBSCRIBERS: "0",
    LOA_READY_JSON: "on",
    LOA_LOG_LEVEL: "error",
  };
  return { ...defaults, ...settings };
}

/** Starts one and does not wait for it. */
export function spawnLoa(
  settings: Settings,
  wrap: Wrap = (command) => command,
): { child: ChildProcess; said: () => string } {
  const [program = "", ...args] = wrap([process.execPath, MAIN]);
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: environmentOf(settings),
  });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return { child, said: () => said };
}

/** Starts one. @throws with what it said when it is not ready in time. */
export async function startTestInstallation(
  dataFolder: string,
  settings: Settings = {},
  wrap?: Wrap,
): Promise<TestInstallation> {
  const { child, said } = spawnLoa({ LOA_DATA: dataFolder, ...settings }, wrap);
  const limit = AbortSignal.timeout(READY_MS_MAX);
  const exited = once(child, "exit", { signal: limit }).then(() => {
    throw new Error(`it did not start: ${said()}`);
  });
  const lines = createInterface(child.stdout as NodeJS.ReadableStream);
  exited.catch(() => {});
  const [line] = await Promise.race([once(lines, "line", { signal: limit }), exited]).catch(
    (fault: unknown) => {
      child.kill("SIGKILL");
      throw fault;
    },
  );
  const { api, stream } = JSON.parse(String(line)) as { api: string; stream: string };
  const keys = join(dataFolder, "demo-keys.json");
  const demonstration = (
    existsSync(keys) ? JSON.parse(readFileSync(keys, "utf8")) : { keys: [], accounts: [] }
  ) as Demonstration;
  const keyOf = (holder: DemonstrationHolder) =>
    demonstration.keys.find((each) => each.holder === holder)?.key ?? "";
  const supervisor = child.pid as number;
  const cluster = join(dataFolder, "postgresql");
  const postmaster = () => readPidFile(cluster);
  return {
    process: child,
    api,
    stream,
    demonstration,
    as: (holder) => createClient({ origin: api, key: keyOf(holder) }),
    pids: (part) =>
      part === "postgres" ? [postmaster()?.pid ?? 0] : childrenOf(supervisor, PART_ARGUMENT[part]),
    everything: () => [
      ...new Set([
        ...childrenOf(supervisor, ""),
        ...(postmaster() ? [postmaster()?.pid ?? 0] : []),
      ]),
    ],
    runtimeFolder: () => postmaster()?.socketFolder ?? "",
    said,
    async end(signal = "SIGINT") {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, "exit");
      process.kill(-supervisor, signal);
      const [status] = (await ended) as [number | null];
      return status;
    },
  };
}

/** Runs one that is expected not to start; answers its end. */
export async function refusedStart(settings: Settings): Promise<{ status: number; said: string }> {
  const { child, said } = spawnLoa(settings);
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS_MAX);
  const [status] = (await once(child, "close")) as [number];
  clearTimeout(timer);
  return { status, said: said() };
}

const PART_ARGUMENT: Readonly<Record<Exclude<Part, "postgres">, string>> = {
  front: "--role front",
  stream: "--role stream",
  ledger: "--role ledger",
  worker: "--role worker",
  sink: "sink/src/main.ts",
};

function childrenOf(parent: number, argument: string): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8" });
  return stdout.split("\n").flatMap((line) => {
    const [, pid, ppid, state = "", args = ""] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const isHere = Number(ppid) === parent && !state.startsWith("Z") && !args.startsWith("ps ");
    return isHere && args.includes(argument) ? [Number(pid)] : [];
  });
}

/** Those of some processes that run. */
export const alive = (pids: readonly number[]): number[] => pids.filter((pid) => isAlive(pid));
