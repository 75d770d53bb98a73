// The installation that a simulation torments: started once for many runs, with small slices, short
// waits, clocks that can be shifted and fail points that can be armed. When its supervisor is
// killed it is started again on the same data and the same ports, as an operator's system would.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import {
  type DemonstrationKeys,
  endDatabase,
  endProcess,
  readDemonstration,
  signalProcess,
  spawnServer,
  whenReady,
} from "@loa/cli/drill/instance.ts";
import { ARMED_IN, armedFile } from "../../server/src/observe/fail-point.ts";
import type { RunEvent, Victim } from "./plan.ts";
import { findAll, findVictims, listProcesses } from "./processes.ts";
import { ANSWER_MS } from "./witness-protocol.ts";

/** Recipients in one hand-over: small, so that there are many instants between two of them. */
export const SLICE_SIZE = 64;
export const WORKERS = 2;
/** A supervisor that was killed is started again after this. */
const RESTART_MS = 200;
/** Its predecessor's children or lock may still be there for a moment. */
const RESTARTS_MAX = 20;

export interface Installation {
  readonly folder: string;
  readonly api: string;
  readonly stream: string;
  readonly demonstration: DemonstrationKeys;
  /** Process ids of a role now. */
  find(victim: Victim): number[];
  /** Ids of processes that are stopped. */
  stopped(): number[];
  kill(pid: number): void;
  /** Kills the supervisor; resolves when the next one is ready. */
  killSupervisor(): Promise<void>;
  arm(event: Extract<RunEvent, { kind: "arm" }>): void;
  /** Takes every armed fail point away; answers how many there were. */
  disarm(): number;
  shiftClocks(ms: number): void;
  /** Ends everything; the folder stays. Safe to call twice. */
  end(): Promise<void>;
  /** Ends everything and removes the folder. */
  stop(): Promise<void>;
}

export interface InstallationOptions {
  /** host:port of the two far sides. */
  readonly loopbackUrl: string;
  readonly onceUrl: string;
  /** Told of the process and the folder as soon as somebody must end them. */
  readonly begun: (pid: number, folder: string) => Promise<unknown>;
  readonly signal: AbortSignal;
}

/** Starts one. @throws when it does not become ready; nothing is left over then. */
export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const { signal, begun } = options;
  const folder = await mkdtemp(join(tmpdir(), "loa-simulate-"));
  const armed = join(folder, "armed");
  const clock = join(folder, "clock");
  mkdirSync(armed);
  writeFileSync(clock, "0");
  const [port, streamPort] = [await freePort(), await freePort()];
  const preload = new URL("clock-preload.ts", import.meta.url);
  preload.searchParams.set("shift", pathToFileURL(clock).href);
  const spawn = () =>
    spawnServer(
      folder,
      {
        LOA_PORT: String(port),
        LOA_STREAM_PORT: String(streamPort),
        LOA_LOOPBACK_URL: options.loopbackUrl,
        LOA_LOOPBACK_ONCE_URL: options.onceUrl,
        LOA_LOOPBACK_SLICE: String(SLICE_SIZE),
        LOA_LOOPBACK_ANSWER_MS: String(ANSWER_MS),
        LOA_WORKERS: String(WORKERS),
        LOA_FAIL_POINTS: ARMED_IN + armed,
      },
      ["--import", preload.href],
    );
  let server: ChildProcess = await spawn();
  const ending = new AbortController();
  const goesOn = AbortSignal.any([signal, ending.signal]);
  let restarted: Promise<void> = Promise.resolve();
  const everybody = () => findAll(listProcesses(), server.pid ?? 0, folder);
  const letGo = () => {
    for (const { pid, isStopped } of everybody()) if (isStopped) signalProcess(pid, "SIGCONT");
  };
  const restart = async () => {
    const ended = once(server, "exit");
    // A child that is stopped does not notice; it would keep the port for ever.
    letGo();
    server.kill("SIGKILL");
    await ended;
    for (let attempt = 1; ; attempt += 1) {
      await pause(RESTART_MS, undefined, { signal: goesOn });
      server = await spawn();
      await begun(server.pid ?? 0, folder);
      const isReady = await whenReady(server, folder, goesOn).catch((fault: unknown) => fault);
      if (!(isReady instanceof Error)) return;
      await endProcess(server);
      if (attempt === RESTARTS_MAX) throw isReady;
    }
  };
  const end = async () => {
    // A supervisor that is just being started again would outlive everything.
    ending.abort();
    await restarted.catch(() => {});
    letGo();
    await endProcess(server);
    await endDatabase(folder);
  };
  const stop = async () => {
    await end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await begun(server.pid ?? 0, folder);
    const { api, stream } = await whenReady(server, folder, signal);
    return {
      folder,
      api,
      stream,
      demonstration: await readDemonstration(folder),
      find: (victim) => findVictims(listProcesses(), victim, server.pid ?? 0, folder),
      stopped: () => everybody().flatMap(({ pid, isStopped }) => (isStopped ? [pid] : [])),
      kill: (pid) => void signalProcess(pid, "SIGKILL"),
      killSupervisor: () => (restarted = restart()),
      arm({ point, hit, action }) {
        for (let left = hit; left >= 1; left -= 1)
          writeFileSync(join(armed, armedFile(point, left, action)), "");
      },
      disarm() {
        const files = readdirSync(armed);
        for (const file of files) rmSync(join(armed, file), { force: true });
        return files.filter((file) => file.includes(".1.")).length;
      },
      shiftClocks(ms) {
        // In one step: half a number would be another jump.
        writeFileSync(`${clock}.next`, String(ms));
        renameSync(`${clock}.next`, clock);
      },
      end,
      stop,
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, "127.0.0.1"), "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
