// Measures the naive WebSocket server with the same crowd and a message of the same length.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { clockMs } from "../clock.ts";
import type { Crowd } from "../crowd/crowd.ts";
import { endProcess } from "../installation.ts";
import { readCost } from "../process-cost.ts";

const PROGRAM = fileURLToPath(new URL("ws-server.ts", import.meta.url));
/** About what a warning in two languages takes. */
const MESSAGE_BYTES = 6_000;
const MARK = "event: warning";

export interface WsRun {
  readonly lastMs: number;
  readonly cpuMicrosPerSend: number;
  readonly connectionBytes: number;
}

export async function measureWs(crowd: Crowd, count: number, runs: number): Promise<WsRun[]> {
  const child = fork(PROGRAM, [], { stdio: ["ignore", "ignore", "inherit", "ipc"], env: {} });
  try {
    const [port] = (await once(child, "message")) as [number];
    const cost = () =>
      readCost([child.pid as number]) ?? { cpuSeconds: Number.NaN, bytes: Number.NaN };
    const idle = cost();
    const request = `GET / HTTP/1.1\r\nHost: peer\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
    await crowd.ask({
      kind: "open",
      target: {
        host: "127.0.0.1",
        port,
        requests: Array.from({ length: count }, () => request),
        greeting: "101 Switching",
        message: MARK,
      },
    });
    const connectionBytes = (cost().bytes - idle.bytes) / count;
    const measured: WsRun[] = [];
    for (let run = 0; run <= runs; run++) {
      await crowd.ask({ kind: "forget" });
      const before = cost();
      const sentMs = clockMs();
      child.send(MARK.padEnd(MESSAGE_BYTES, "."));
      const last = await crowd.hear(1);
      const cpuMicrosPerSend = ((cost().cpuSeconds - before.cpuSeconds) / count) * 1e6;
      if (run > 0) measured.push({ lastMs: last - sentMs, cpuMicrosPerSend, connectionBytes });
    }
    return measured;
  } finally {
    await endProcess(child);
  }
}
