// What is left when a drill is killed: its server, and its folders. The witness notices, because
// the line between them breaks, and clears up; after a proper end there is nothing to do.
import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { endDatabase, signalProcess, STOP_MS_MAX } from "./instance.ts";

export interface Guarded {
  /** The server's process; 0 for none. */
  readonly pid: number;
  /** The server's folder first. */
  readonly folders: readonly string[];
}

const POLL_MS = 100;

/** Ends the server, as politely as there is time for, and removes the folders. */
export async function clearAfterDrill({ pid, folders }: Guarded): Promise<void> {
  if (pid > 1 && signalProcess(pid, "SIGTERM")) {
    const deadline = performance.now() + STOP_MS_MAX;
    while (signalProcess(pid, 0) && performance.now() < deadline) await pause(POLL_MS);
    signalProcess(pid, "SIGKILL");
  }
  const [server] = folders;
  if (server !== undefined) await endDatabase(server);
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}
