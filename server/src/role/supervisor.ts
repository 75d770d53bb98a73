// The supervisor: starts the database, the bus, the sink of the demonstration and the roles;
// starts again what dies; ends everything it started, in the order that loses nothing.
import { join } from "node:path";
import { loadServerKeys, type ServerKeys } from "../account/server-keys.ts";
import { joinBus } from "../bus/client.ts";
import { openHub } from "../bus/hub.ts";
import type { Config } from "../config.ts";
import { openConnection } from "../db/connection.ts";
import { migrate } from "../db/migrate.ts";
import { acceptRestored } from "../backup/restored.ts";
import { endLease } from "../dispatch/lease.ts";
import { createLogger } from "../observe/log.ts";
import { holdDataFolder, prepareDataFolder, unwritable } from "./data-folder.ts";
import { type Demonstration, installDemonstration } from "./demonstration.ts";
import { openDatabase } from "./postgres.ts";
import { superviseRoles } from "./roles.ts";
import type { RoleName } from "./role.ts";
import { startSink } from "./sink-process.ts";
import { startSupervisorReport } from "./supervisor-report.ts";

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

/** What an installation tells whoever runs it. */
export interface InstallationWatcher {
  /** A line for a person who waits. */
  readonly say: (line: string) => void;
  /** It cannot go on, and must be stopped: another Loa has its database. */
  readonly onUsurped: () => void;
  /** Aborts a start between two steps. */
  readonly signal: AbortSignal;
}

/**
 * Starts an installation; on a fault everything that was started is ended again.
 * @throws {StartRefused} for what a person can put right; the signal's reason when it aborts.
 */
export async function startInstallation(
  config: Config,
  watcher: InstallationWatcher,
): Promise<Installation> {
  const { say, signal } = watcher;
  const log = createLogger(config.logLevel, "supervisor");
  const ending: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of ending.splice(0).toReversed())
      await end().catch((error) => log.error({ err: error }, "while ending"));
  };
  try {
    prepareDataFolder(config.data);
    ending.push(await holdDataFolder(config.data));
    const keys = writeKeys(config.data);
    const database = await openDatabase(config.data, config.databaseUrl, log, watcher.onUsurped);
    ending.push(() => database.stop());
    signal.throwIfAborted();
    const connection = openConnection(database.options, "loa-supervisor", POOL);
    ending.push(() => connection.close());
    const applied = await migrate(connection.pool);
    if (applied.length > 0) say(`Database ready: ${applied.length} migrations applied.`);
    signal.throwIfAborted();
    await acceptRestored(connection.pool, config.data, say);
    const demonstration =
      config.demo === "on" ? await installDemonstration(connection, config, say) : undefined;
    signal.throwIfAborted();

    const busPath =
      process.platform === "win32"
        ? `\\\\.\\pipe\\loa-${process.pid}`
        : join(database.runtimeFolder, "bus.sock");
    const hub = await openHub(busPath);
    ending.push(() => hub.close());
    const sink = config.loopbackUrl === "" ? await startSink(log) : undefined;
    if (sink) ending.push(() => sink.stop());
    signal.throwIfAborted();

    const roles = superviseRoles({
      config,
      keys,
      busPath,
      log,
      connection: database.options,
      loopbackUrl: sink ? `127.0.0.1:${sink.port}` : config.loopbackUrl,
      endLease: (processId) => void endLease(connection.pool, processId).catch(() => {}),
    });
    ending.push(() => roles.stop());
    const bus = await joinBus(busPath);
    const stopReporting = startSupervisorReport({
      bus,
      dataFolder: config.data,
      diskLowBytes: config.diskLowMib * 1024 ** 2,
      children: roles.states,
    });
    ending.push(async () => {
      stopReporting();
      bus.close();
    });
    await roles.start(signal);
    if (sink && demonstration)
      await sink.useGateway(roles.api(), roles.stream(), demonstration.gatewayKeys);
    return {
      api: roles.api(),
      stream: roles.stream(),
      dataFolder: config.data,
      databaseAdopted: database.adopted,
      demonstration,
      pids: () => roles.pids(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function writeKeys(dataFolder: string): ServerKeys {
  try {
    return loadServerKeys(dataFolder);
  } catch (error) {
    // Anything else is about a key that is there, and must not be taken for a matter of rights.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EROFS" || code === "EPERM" || code === "ENOSPC")
      throw unwritable(dataFolder, error);
    throw error;
  }
}
