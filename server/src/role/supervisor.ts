// The supervisor: starts the database, the bus, the sink of the demonstration and the roles;
// starts again what dies; ends everything it started, in the order that loses nothing.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadServerKeys, type ServerKeys } from "../account/server-keys.ts";
import { joinBus } from "../bus/client.ts";
import { openHub } from "../bus/hub.ts";
import type { Config } from "../config.ts";
import { openConnection } from "../db/connection.ts";
import { migrate } from "../db/migrate.ts";
import { acceptRestored } from "../backup/restored.ts";
import { endLease } from "../dispatch/lease.ts";
import { createLogger, type Logger } from "../observe/log.ts";
import { holdDataFolder, prepareDataFolder, unwritable } from "./data-folder.ts";
import { type Demonstration, installDemonstration } from "./demonstration.ts";
import { DatabaseAway, openDatabase, type RunningDatabase } from "./postgres.ts";
import { type Roles, superviseRoles } from "./roles.ts";
import type { RoleName } from "./role.ts";
import { StartRefused } from "./start-refused.ts";
import { startSink } from "./sink-process.ts";
import { startSupervisorReport } from "./supervisor-report.ts";

/** How often a database that is away at the start is tried again. */
export const DATABASE_RETRY_MS = 1_000;
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
    const roles = superviseRoles({ config, keys, log });
    ending.push(() => roles.stop());
    const published = await roles.openDoor();
    signal.throwIfAborted();
    const database = await openDatabaseInTime(
      config,
      watcher,
      log,
      published > 0 ? roles : undefined,
    );
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

    // From here on the roles end before what they stand on; to end them twice does no harm.
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
    await roles.start(
      {
        busPath,
        connection: database.options,
        loopbackUrl: sink ? `127.0.0.1:${sink.port}` : config.loopbackUrl,
        endLease: (processId) => void endLease(connection.pool, processId).catch(() => {}),
      },
      signal,
    );
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

/**
 * Opens the database. Where the public has something to read that goes on being served, a database
 * that is away is waited for; otherwise whoever starts Loa is told at once.
 */
async function openDatabaseInTime(
  config: Config,
  { say, signal, onUsurped }: InstallationWatcher,
  log: Logger,
  readers: Pick<Roles, "api" | "sayAway"> | undefined,
): Promise<RunningDatabase> {
  for (let isSaid = false; ; isSaid = true)
    try {
      return await openDatabase(config.data, config.databaseUrl, log, onUsurped);
    } catch (error) {
      const isAway = error instanceof DatabaseAway || !(error instanceof StartRefused);
      if (readers === undefined || !isAway) throw error;
      readers.sayAway();
      if (!isSaid) {
        log.error({ err: error }, "the database is away; the public pages are served meanwhile");
        say(`The database is away. ${readers.api()}/ serves what was published until it is back.`);
        say("Chưa kết nối được cơ sở dữ liệu. Trang công khai vẫn đọc được trong lúc chờ.");
      }
      await sleep(DATABASE_RETRY_MS, undefined, { signal });
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
