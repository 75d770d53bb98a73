// An instance of Loa of the drill's own: its own data folder, ports and settings, started as a
// child and gone without a trace when the drill ends, however it ends.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isolatedEnvironment } from "../environment.ts";

/** A first start makes a database and imports an area pack; slower machines than that are broken. */
export const READY_MS_MAX = 180_000;
/** A server that does not end in this time is killed. */
export const STOP_MS_MAX = 30_000;
const DATABASE_POLL_MS = 50;
/** What a server that could not start said last, for the person who must find out why. */
const LAST_WORDS_CHARACTERS_MAX = 4_000;

const SERVER = fileURLToPath(new URL("../../../server/src/main.ts", import.meta.url));

/** Who may do what in the demonstration; a name for each key. */
export interface DemonstrationKeys {
  readonly keys: readonly { readonly holder: string; readonly key: string }[];
  readonly accounts: readonly {
    readonly id: string;
    readonly agencyId: string;
    readonly handle: string;
  }[];
}

export interface Instance {
  /** Origin of the API. */
  readonly api: string;
  /** Origin for devices and gateways. */
  readonly stream: string;
  readonly demonstration: DemonstrationKeys;
  /** Ends the server with all that it started, and removes the folder. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts an instance whose loopback channels lead to `loopbackUrl`. `begun` is told its process
 * and its folder as soon as there is something that somebody must end.
 * @throws when it is not ready in time, or ends before; nothing is left over then.
 */
export async function startInstance(
  loopbackUrl: string,
  begun: (pid: number, folder: string) => Promise<unknown>,
  signal: AbortSignal,
): Promise<Instance> {
  const folder = await mkdtemp(join(tmpdir(), "loa-drill-"));
  const server = await spawnServer(folder, {
    LOA_PORT: "0",
    LOA_STREAM_PORT: "0",
    LOA_LOOPBACK_URL: loopbackUrl,
  });
  const stop = async () => {
    await endProcess(server);
    await endDatabase(folder);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await begun(server.pid ?? 0, folder);
    const { api, stream } = await whenReady(server, folder, signal);
    return { api, stream, demonstration: await readDemonstration(folder), stop };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

/**
 * Starts a server with the demonstration and nobody registered, its data in `folder`/data, its log
 * in `folder`/server.log.
 */
export async function spawnServer(
  folder: string,
  settings: Readonly<Record<string, string>>,
  nodeOptions: readonly string[] = [],
): Promise<ChildProcess> {
  const log = await open(join(folder, "server.log"), "a");
  const server = spawn(process.execPath, [...nodeOptions, SERVER], {
    // Ctrl-C in a terminal must reach the drill alone, which then ends things in their order.
    detached: process.platform !== "win32",
    // Its log outlives the drill, should that be killed: a broken pipe would end the server badly.
    stdio: ["ignore", "pipe", log.fd],
    env: isolatedEnvironment({
      LOA_DATA: join(folder, "data"),
      LOA_DEMO: "on",
      LOA_DEMO_SUBSCRIBERS: "0",
      LOA_READY_JSON: "on",
      ...settings,
    }),
  });
  await log.close();
  return server;
}

/** What a server says when it is ready. @throws with its last words when it does not become so. */
export const whenReady = (
  server: ChildProcess,
  folder: string,
  signal: AbortSignal,
): Promise<ReadyLine> =>
  readyLine(server, signal).catch(async (cause: unknown) => {
    const log = await readFile(join(folder, "server.log"), "utf8");
    const said = log.slice(-LAST_WORDS_CHARACTERS_MAX);
    throw new Error(`The server did not start. It said:\n${said}`, { cause });
  });

/** The keys of a server whose data are in `folder`/data, once it is ready. */
export const readDemonstration = async (folder: string): Promise<DemonstrationKeys> =>
  JSON.parse(await readFile(join(folder, "data", "demo-keys.json"), "utf8")) as DemonstrationKeys;

/** The key of one holder of the demonstration. @throws when there is none. */
export function keyOf(demonstration: DemonstrationKeys, holder: string): string {
  const found = demonstration.keys.find((each) => each.holder === holder);
  if (found === undefined) throw new Error(`the demonstration has no key for ${holder}`);
  return found.key;
}

export interface ReadyLine {
  readonly api: string;
  readonly stream: string;
  readonly dataFolder: string;
}

async function readyLine(server: ChildProcess, signal: AbortSignal): Promise<ReadyLine> {
  if (server.stdout === null) throw new Error("no stdout");
  const limit = AbortSignal.any([signal, AbortSignal.timeout(READY_MS_MAX)]);
  const ended = once(server, "exit", { signal: limit }).then(([code]) => {
    throw new Error(`it ended with ${code}`);
  });
  const line = once(createInterface(server.stdout), "line", { signal: limit });
  const [text] = (await Promise.race([line, ended])) as [string];
  ended.catch(() => {});
  return JSON.parse(text) as ReadyLine;
}

/** SIGTERM, patience, SIGKILL. */
export async function endProcess(child: ChildProcess, patienceMs = STOP_MS_MAX): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  await ended;
  clearTimeout(timer);
}

/**
 * A server that had to be killed leaves its database running, which is in a session of its own.
 * Its pid file is gone after a proper end.
 */
export async function endDatabase(folder: string): Promise<void> {
  const file = join(folder, "data", "postgresql", "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  if (pid > 1 && signalProcess(pid, "SIGINT"))
    while (signalProcess(pid, 0)) await pause(DATABASE_POLL_MS);
}

/** Whether the process was there to be signalled. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
