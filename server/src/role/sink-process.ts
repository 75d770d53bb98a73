// The sink beside the server: the far side of the loopback channels in the demonstration, a
// process of its own, as a carrier would be. When it dies it is started again on the same port;
// what it had counted is gone, as it would be with a carrier that lost its memory.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createLoopbackDecoder, encodeLoopbackFrame } from "@loa/api/loopback.ts";
import type { LoopbackControl } from "@loa/api/loopback-control.ts";
import { compiledCode } from "../observe/compiled-code.ts";
import type { Logger } from "../observe/log.ts";

const PROGRAM = fileURLToPath(import.meta.resolve("@loa/sink/main.ts"));
/** A sink that does not end in this time when told to is killed. */
const STOP_MS = 5_000;
/** Wait before a sink that died is started again. */
const RESTART_MS = 500;

/** Keys of the gateways of the two loopback channels. */
export interface GatewayKeys {
  readonly loopback: string;
  readonly areaLoopback: string;
}

export interface SinkProcess {
  readonly port: number;
  /** Tells it where and as whom to report what arrived. */
  useGateway(api: string, stream: string, keys: GatewayKeys): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the sink on any free port. It ends when this process does: its stdin closes then. */
export async function startSink(log: Logger): Promise<SinkProcess> {
  let isStopping = false;
  let gateway: LoopbackControl | undefined;
  let timer: NodeJS.Timeout | undefined;
  let { child, port } = await spawnSink(0);
  const watch = () => {
    child.once("exit", (code, signal) => {
      if (isStopping) return;
      log.error({ how: signal ?? code }, "the sink died and is started again");
      timer = setTimeout(() => void startAgain(), RESTART_MS);
    });
  };
  const startAgain = async () => {
    try {
      ({ child } = await spawnSink(port));
      if (isStopping) return void child.kill("SIGKILL");
      watch();
      if (gateway) await tellSink(port, gateway);
    } catch (error) {
      log.error({ err: error }, "the sink could not be started");
      if (!isStopping) timer = setTimeout(() => void startAgain(), RESTART_MS);
    }
  };
  watch();
  return {
    port,
    async useGateway(api, stream, keys) {
      gateway = {
        op: "gateway",
        gateway: {
          receiptsUrl: `${stream}/v1/gateways/loopback/receipts`,
          receiptsKey: keys.loopback,
          areaOrdersUrl: `${api}/v1/area-orders`,
          areaOrdersKey: keys.areaLoopback,
        },
      };
      await tellSink(port, gateway);
    },
    async stop() {
      isStopping = true;
      clearTimeout(timer);
      await stopProcess(child);
    },
  };
}

/** Starts the program; resolves when it listens. */
async function spawnSink(wanted: number): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [PROGRAM, "--port", String(wanted), "--while-stdin"], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: process.platform !== "win32",
    env: compiledCode(),
  });
  child.stdin.on("error", () => {});
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the sink ended with ${code} before it listened`);
  });
  const line = once(createInterface(child.stdout), "line") as Promise<[string]>;
  const [text] = await Promise.race([line, ended]);
  ended.catch(() => {});
  return { child, port: (JSON.parse(text) as { port: number }).port };
}

async function tellSink(port: number, body: LoopbackControl): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    const answered = new Promise<void>((done, fail) => {
      const decode = createLoopbackDecoder(() => done());
      socket.on("data", (chunk: Buffer) => decode(chunk));
      socket.on("error", fail);
      socket.on("close", () => fail(new Error("the sink hung up")));
    });
    socket.write(encodeLoopbackFrame({ kind: "control", id: 1, body }));
    await answered;
  } finally {
    socket.destroy();
  }
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  child.kill("SIGTERM");
  await ended;
  clearTimeout(timer);
}
