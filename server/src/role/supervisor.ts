// The supervisor: starts the database, the bus, the sink of the demonstration and the roles;
// starts again what dies; ends everything it started, in the order that loses nothing.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { loadServerKeys } from "../account/server-keys.ts";
import { openHub } from "../bus/hub.ts";
import type { Config } from "../config.ts";
import { openConnection } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import { migrate } from "../db/migrate.ts";
import { endLease } from "../dispatch/lease.ts";
import { createLogger } from "../observe/log.ts";
import { Child } from "./child.ts";
import { type Demonstration, installDemonstration } from "./demonstration.ts";
import { openDatabase } from "./postgres.ts";
import type { RoleName, RoleOrder } from "./role.ts";
import { startSink } from "./sink-process.ts";

/** Connections of the supervisor itself: migrations, the demonstration, ended leases. */
const POOL = 2;

export interface Installation {
  readonly api: string;
  readonly stream: string;
  readonly dataFolder: string;
  readonly databaseAdopted: boolean;
  /** The demonstration's keys, when this installation has one. */
  readonly demonstration: Demonstration | undefined;
  /** Process ids of the children by role, for those who test what a kill does. */
  readonly pids: () => { role: RoleName; pid: number | undefined }[];
  stop(): Promise<void>;
}

/** Starts an installation; on a fault everything that was started is ended again. */
export async function startInstallation(
  config: Config,
  say: (line: string) => void,
): Promise<Installation> {
  const log = createLogger(config.logLevel, "supervisor");
  const ending: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of ending.splice(0).toReversed())
      await end().catch((error) => log.error({ err: error }, "while ending"));
  };
  try {
    mkdirSync(config.data, { recursive: true });
    const keys = loadServerKeys(config.data);
    const database = await openDatabase(config.data, config.databaseUrl, log);
    ending.push(() => database.stop());
    const connection = openConnection(database.options, "loa-supervisor", POOL);
    ending.push(() => connection.close());
    const applied = await migrate(connection.pool);
    if (applied.length > 0) say(`Database ready: ${applied.length} migrations applied.`);
    const demonstration =
      config.demo === "on" ? await installDemonstration(connection, config, say) : undefined;

    const busPath =
      process.platform === "win32"
        ? `\\\\.\\pipe\\loa-${process.pid}`
        : join(database.runtimeFolder, "bus.sock");
    const hub = await openHub(busPath);
    ending.push(() => hub.close());

    let loopbackUrl = config.loopbackUrl;
    const sink = loopbackUrl === "" ? await startSink(log) : undefined;
    if (sink) {
      ending.push(() => sink.stop());
      loopbackUrl = `127.0.0.1:${sink.port}`;
    }

    const children = new Map<string, Child>();
    const startChild = async (role: RoleName, name: string = role): Promise<Child> => {
      const child = new Child({
        role,
        order: (): RoleOrder => ({
          role,
          processId: newId(),
          connection: database.options,
          busPath,
          keys,
          logLevel: config.logLevel,
          failPoints: config.failPoints,
          host: config.host,
          port: children.get("front")?.port ?? config.port,
          streamPort: children.get("stream")?.port ?? config.streamPort,
          publicUrl: config.publicUrl,
          streamUrl: streamOrigin(),
          loopbackUrl,
        }),
        onDeath(processId, how) {
          log.error({ role, how }, "a process died and is started again");
          void endLease(connection.pool, processId).catch(() => {});
        },
      });
      children.set(name, child);
      ending.push(() => child.stop());
      await child.start();
      return child;
    };
    const origin = (port: number | undefined) => `http://${config.host}:${port ?? 0}`;
    const streamOrigin = () => config.streamUrl || origin(children.get("stream")?.port);

    // The ledger ends last, so that what the others still write is counted; the front ends first,
    // so that nothing more is issued.
    await startChild("ledger");
    await Promise.all(
      Array.from({ length: config.workers }, (_, i) => startChild("worker", `worker-${i}`)),
    );
    await startChild("stream");
    await startChild("front");
    const api = config.publicUrl || origin(children.get("front")?.port);
    if (sink && demonstration)
      await sink.useGateway(api, streamOrigin(), demonstration.gatewayKeys);
    return {
      api,
      stream: streamOrigin(),
      dataFolder: config.data,
      databaseAdopted: database.adopted,
      demonstration,
      pids: () =>
        [...children].map(([name, child]) => ({
          role: name.replace(/-\d+$/, "") as RoleName,
          pid: child.pid,
        })),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
