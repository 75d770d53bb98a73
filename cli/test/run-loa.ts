// Runs `loa` as a person or a program would: a process with arguments, its output and status.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isolatedEnvironment } from "../src/environment.ts";

const LOA = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface LoaRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LoaOptions {
  /** LOA_ORIGIN and LOA_KEY. */
  readonly origin?: string;
  readonly key?: string;
  /** Gets the process, to signal it. */
  readonly started?: (child: ChildProcess) => void;
}

/** Resolves when the process has ended and said all. */
export async function runLoa(args: readonly string[], options: LoaOptions = {}): Promise<LoaRun> {
  const child = spawn(process.execPath, [LOA, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: isolatedEnvironment({
      ...(options.origin !== undefined && { LOA_ORIGIN: options.origin }),
      ...(options.key !== undefined && { LOA_KEY: options.key }),
    }),
  });
  options.started?.(child);
  const closed = once(child, "close");
  const [stdout, stderr] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
  await closed;
  return {
    status: child.exitCode,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
}
