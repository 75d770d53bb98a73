// A worker in a process of its own, for tests that kill it. Reads one JSON line of options
// from its first argument; prints "ready" when it works.
import { openLoopbackChannel } from "../src/channel/loopback.ts";
import type { AddressedChannel } from "../src/channel/channel.ts";
import { joinBus } from "../src/bus/client.ts";
import { type ConnectionOptions, openConnection } from "../src/db/connection.ts";
import { Lease } from "../src/dispatch/lease.ts";
import { openClaims } from "../src/dispatch/claim.ts";
import { Worker } from "../src/dispatch/worker.ts";
import { createFailPoints } from "../src/observe/fail-point.ts";
import { createLogger } from "../src/observe/log.ts";

export interface EngineProcessOptions {
  readonly connection: ConnectionOptions;
  readonly busPath: string;
  readonly sinkPort: number;
  readonly failPoints: string;
  readonly processId: string;
  /** "unsure" makes the loopback channel behave like one where a copy costs money or fear. */
  readonly onCrash: "resend" | "unsure";
  readonly sliceSize: number;
}

const options = JSON.parse(process.argv[2] ?? "{}") as EngineProcessOptions;
const { pool } = openConnection(options.connection, "engine-process");
const bus = await joinBus(options.busPath);
const lease = await Lease.take(pool, "worker", options.processId);
const log = createLogger("silent", "worker");
const loopback = openLoopbackChannel({ host: "127.0.0.1", port: options.sinkPort, log });
const channel: AddressedChannel = {
  ...loopback,
  onCrash: options.onCrash,
  sliceSize: options.sliceSize,
};
const worker = new Worker({
  pool,
  claims: openClaims(options.connection).pool,
  bus,
  lease,
  channels: [channel],
  failPoint: createFailPoints(options.failPoints),
  log,
});
worker.start();
process.stdout.write("ready\n");
