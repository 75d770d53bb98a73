// An engine in this process: a bus, a lease, workers and a ledger over a real database.
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import type { Bus } from "../src/bus/bus.ts";
import { joinBus } from "../src/bus/client.ts";
import { openHub } from "../src/bus/hub.ts";
import type { Channel } from "../src/channel/channel.ts";
import { openClaims } from "../src/dispatch/claim.ts";
import { Lease } from "../src/dispatch/lease.ts";
import { Ledger } from "../src/dispatch/ledger.ts";
import { Worker } from "../src/dispatch/worker.ts";
import { noFailPoint } from "../src/observe/fail-point.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

export const silent = pino({ level: "silent" });

export interface TestEngine extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly bus: Bus;
  readonly busPath: string;
  readonly ledger: Ledger;
  /** Starts a worker with these channels; it stops with the engine. */
  startWorker(channels: readonly Channel[]): Promise<{ worker: Worker; lease: Lease }>;
}

export async function startEngine(): Promise<TestEngine> {
  const database = await createTestDatabase();
  const folder = mkdtempSync("/tmp/loa-bus-");
  const busPath = join(folder, "bus.sock");
  const hub = await openHub(busPath);
  const bus = await joinBus(busPath);
  const ledger = await Ledger.open({ pool: database.pool, failPoint: noFailPoint, log: silent });
  const ends: (() => Promise<void>)[] = [];
  return {
    database,
    bus,
    busPath,
    ledger,
    async startWorker(channels) {
      const lease = await Lease.take(database.pool, "worker");
      const claiming = openClaims(database.options);
      const claims = claiming.pool;
      const options = { pool: database.pool, claims, bus, lease, channels };
      const worker = new Worker({ ...options, failPoint: noFailPoint, log: silent });
      worker.start();
      ends.push(async () => {
        await worker.stop();
        await claiming.close();
        await lease.end();
      });
      return { worker, lease };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(ends.map((end) => end()));
      bus.close();
      await hub.close();
      rmSync(folder, { recursive: true, force: true });
      await database.close();
    },
  };
}
