// Which process serves a cluster, as postmaster.pid says and as the system confirms. A pid alone
// proves nothing: after a crash it may belong to any other program, which must neither be taken
// for a database nor be signalled.
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const POLL_MS = 25;
/** A fast shutdown writes what is dirty; after this the server is told to drop everything and recover at its next start. */
export const FAST_STOP_MS_MAX = 60_000;
/** After this again it is killed: nothing that was committed is lost even then. */
export const IMMEDIATE_STOP_MS_MAX = 10_000;
const hasProc = process.platform === "linux";

/** What postmaster.pid says. */
export interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly socketFolder: string;
}

/** Reads postmaster.pid; undefined when there is none or it is not complete yet. */
export function readPidFile(cluster: string): PidFile | undefined {
  let lines: string[];
  try {
    lines = fs.readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
  } catch {
    return undefined;
  }
  const [pid, , , port, socketFolder] = lines;
  if (!(Number(pid) > 1)) return undefined;
  return { pid: Number(pid), port: Number(port), socketFolder: socketFolder ?? "" };
}

/** Whether a process runs. One that ended and whose parent has not asked yet how is dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return !hasProc || !isZombie(pid);
}

function isZombie(pid: number): boolean {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name stands in brackets and may hold anything; the state follows it.
    return ["Z", "X"].includes(stat.charAt(stat.lastIndexOf(")") + 2));
  } catch {
    return true;
  }
}

/** Whether the process `pid` is a PostgreSQL that serves this very folder. */
export function serves(pid: number, cluster: string): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform === "win32") return true;
  try {
    if (!hasProc) return programOf(pid).startsWith("postgres");
    // By device and number, as the folder may have been renamed since.
    const [here, there] = [fs.statSync(`/proc/${pid}/cwd`), fs.statSync(cluster)];
    const isHere = here.ino === there.ino && here.dev === there.dev;
    return isHere && fs.readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("postgres");
  } catch {
    return false;
  }
}

function programOf(pid: number): string {
  const { stdout } = spawnSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" });
  return basename(stdout.trim());
}

/**
 * Lets PostgreSQL start although postmaster.pid names a process that is alive and no PostgreSQL.
 * Only the pid is replaced, by that of a process which just ended: the rest of the file is how
 * PostgreSQL finds out whether processes of the dead server still use its shared memory, and it
 * must go on to refuse then.
 */
export function disownPidFile(cluster: string): void {
  const path = join(cluster, "postmaster.pid");
  const [, ...rest] = fs.readFileSync(path, "utf8").split("\n");
  const { pid } = spawnSync(process.execPath, ["--version"]);
  fs.writeFileSync(path, [pid, ...rest].join("\n"));
}

/** Stops the postmaster of a cluster: a fast shutdown, which aborts what runs and loses nothing committed. */
export async function stopPostmaster(pid: number, cluster: string): Promise<void> {
  const steps = [
    ["SIGINT", FAST_STOP_MS_MAX],
    ["SIGQUIT", IMMEDIATE_STOP_MS_MAX],
    ["SIGKILL", IMMEDIATE_STOP_MS_MAX],
  ] as const;
  if (!serves(pid, cluster)) return;
  for (const [signal, patienceMs] of steps) {
    const deadline = performance.now() + patienceMs;
    if (serves(pid, cluster)) process.kill(pid, signal);
    // A process that is ending has left its folder already, and still is one.
    while (isAlive(pid) && performance.now() < deadline) await sleep(POLL_MS);
  }
}
