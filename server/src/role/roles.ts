// The roles of one installation, each a child process: started in the order in which they need each
// other, started again when they die, and ended in the order that loses nothing.
import type { ServerKeys } from "../account/server-keys.ts";
import type { Config } from "../config.ts";
import type { ConnectionOptions } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import type { Logger } from "../observe/log.ts";
import type { ChildState } from "../observe/process-report.ts";
import { Child } from "./child.ts";
import type { DoorOrder } from "./public-door.ts";
import type { RoleName, RoleOrder } from "./role.ts";
import { refuseToListen } from "./start-refused.ts";

export interface RolesOptions {
  readonly config: Config;
  readonly keys: ServerKeys;
  readonly log: Logger;
}

/** What the roles stand on, which is there only once the database is. */
export interface Ground {
  readonly connection: ConnectionOptions;
  readonly busPath: string;
  readonly loopbackUrl: string;
  /** Ends the lease of a process that is known to be dead, so that others need not wait for it. */
  readonly endLease: (processId: string) => void;
}

export interface Roles {
  /**
   * Lets the public read, before there is a database; resolves with how much there is to read.
   * @throws {StartRefused} when it cannot listen.
   */
  openDoor(): Promise<number>;
  /** Health says that the database is not reached. */
  sayAway(): void;
  /** Resolves when all are ready. @throws {StartRefused} when one cannot listen. */
  start(ground: Ground, signal: AbortSignal): Promise<void>;
  /** Origin of the API, and of the device edge. */
  api(): string;
  stream(): string;
  pids(): { role: RoleName; pid: number | undefined }[];
  /** Each child by the name that it keeps over restarts. */
  readonly states: () => ChildState[];
  stop(): Promise<void>;
}

export function superviseRoles(options: RolesOptions): Roles {
  const { config, log } = options;
  const children = new Map<string, { readonly role: RoleName; readonly child: Child }>();
  const portOf = (name: string) => children.get(name)?.child.port;
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const origin = (port: number | undefined) => `http://${host}:${port ?? 0}`;
  const api = () => config.publicUrl || origin(portOf("front"));
  const stream = () => config.streamUrl || origin(portOf("stream"));

  let ground: Ground | undefined;
  const order = (role: RoleName, failPoints: string): RoleOrder => {
    if (ground === undefined) throw new Error("a role is told to start before its database");
    return orderOn(ground, role, failPoints);
  };
  const orderOn = (
    { connection, busPath, loopbackUrl }: Ground,
    role: RoleName,
    failPoints: string,
  ): RoleOrder => ({
    role,
    processId: newId(),
    connection,
    busPath,
    keys: options.keys,
    dataFolder: config.data,
    logLevel: config.logLevel,
    failPoints,
    retentionDays: config.retentionDays,
    host: config.host,
    // Who comes back listens where they listened before.
    port: portOf("front") ?? config.port,
    streamPort: portOf("stream") ?? config.streamPort,
    publicUrl: config.publicUrl,
    streamUrl: stream(),
    loopbackUrl,
    loopbackOnceUrl: config.loopbackOnceUrl || loopbackUrl,
    loopbackSlice: config.loopbackSlice,
    loopbackAnswerMs: config.loopbackAnswerMs,
  });
  const door = (): DoorOrder => ({
    dataFolder: config.data,
    host: config.host,
    port: portOf("front") ?? config.port,
    publicUrl: config.publicUrl,
    capPublicKey: options.keys.cap.publicKey,
    logLevel: config.logLevel,
  });
  const makeChild = (role: RoleName, name: string = role): Child => {
    // Who died at a fail point must not die there again, or nothing would come of it.
    let failPoints = config.failPoints;
    const child = new Child({
      role,
      ...(role === "front" && { door }),
      order() {
        const first = order(role, failPoints);
        failPoints = "";
        return first;
      },
      refuse: (fault) =>
        refuseToListen(
          fault,
          role === "stream"
            ? { host: config.host, port: config.streamPort, setting: "LOA_STREAM_PORT" }
            : { host: config.host, port: config.port, setting: "LOA_PORT" },
        ),
      onRestartFailed: (error) => log.error({ role, err: error }, "a process could not be started"),
      onDeath(processId, how) {
        log.error({ role, how }, "a process died and is started again");
        if (processId !== undefined) ground?.endLease(processId);
      },
    });
    children.set(name, { role, child });
    return child;
  };
  const startChild = (role: RoleName, name?: string) => makeChild(role, name).start();

  return {
    api,
    stream,
    states: () =>
      [...children].map(([name, { role, child }]) => {
        const { pid, restarts } = child;
        return { name, role, pid, restarts };
      }),
    pids: () => [...children.values()].map(({ role, child }) => ({ role, pid: child.pid })),
    openDoor: () => makeChild("front").open(),
    sayAway: () => children.get("front")?.child.sayAway(),
    async start(on, signal) {
      ground = on;
      const workers = Array.from({ length: config.workers }, (_, i) => `worker-${i}`);
      await Promise.all([
        startChild("ledger"),
        ...workers.map((name) => startChild("worker", name)),
        startChild("stream"),
      ]);
      signal.throwIfAborted();
      // Last: it is told where the stream listens, and issues only when all others are there.
      await (children.get("front")?.child ?? makeChild("front")).start();
      signal.throwIfAborted();
    },
    async stop() {
      // The ledger ends last, so that what the others still write is counted; the front ends
      // first, so that nothing more is issued.
      const front = children.get("front");
      await front?.child.stop();
      for (const each of [...children.values()].toReversed())
        if (each !== front) await each.child.stop();
    },
  };
}
