// How the supervisor and its children talk: the supervisor says what to be, the child says
// when it is ready. A child reads no environment; everything it needs is in its order. When
// the channel to the supervisor breaks, the supervisor is dead and the child ends at once.
import { flushCompileCache } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Bus, type BusBody } from "../bus/bus.ts";
import { joinBus } from "../bus/client.ts";
import { type Connection, type ConnectionOptions, openConnection } from "../db/connection.ts";
import { createFailPoints, type FailPoint } from "../observe/fail-point.ts";
import { createLogger, type Logger } from "../observe/log.ts";
import { Lease } from "../dispatch/lease.ts";
import { type ListenFault, listenFaultOf } from "./start-refused.ts";
import type { DoorOrder } from "./public-door.ts";
import type { ServerKeys } from "../account/server-keys.ts";

/** How often a database that is not reached is tried again, and how long one try may take. */
const REACH_EVERY_MS = 500;
const REACH_MS_MAX = 5_000;

export const ROLE_NAMES = ["front", "stream", "ledger", "worker"] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

/** What a child is told once, after it was forked. Plain data. */
export interface RoleOrder {
  readonly role: RoleName;
  /** Id of its row in `process`; the supervisor ends that lease when the child dies. */
  readonly processId: string;
  readonly connection: ConnectionOptions;
  readonly busPath: string;
  readonly keys: ServerKeys;
  readonly dataFolder: string;
  readonly logLevel: string;
  readonly failPoints: string;
  readonly retentionDays: number;
  readonly host: string;
  readonly port: number;
  readonly streamPort: number;
  readonly publicUrl: string;
  readonly streamUrl: string;
  readonly loopbackUrl: string;
  readonly loopbackOnceUrl: string;
  readonly loopbackSlice: number;
  readonly loopbackAnswerMs: number;
}

export type ToChild =
  /** To a role with a door, before anything else: answers readers, who need no database. */
  | { readonly kind: "open"; readonly order: DoorOrder }
  /** The supervisor does not reach the database. */
  | { readonly kind: "away" }
  | { readonly kind: "start"; readonly order: RoleOrder }
  | { readonly kind: "stop" };
export type FromChild =
  /** Its door is open; it may take any time from here until it is ready. */
  | { readonly kind: "opened"; readonly port: number; readonly published: number }
  /** It has reached the database, and is ready soon. */
  | { readonly kind: "starting" }
  | {
      readonly kind: "ready";
      /** The port it listens on, for roles that do. */
      readonly port?: number | undefined;
    }
  /** It ends at once, because it cannot listen. */
  | { readonly kind: "refused"; readonly fault: ListenFault };

/** What every role is given. */
export interface RoleContext {
  readonly order: RoleOrder;
  readonly connection: Connection;
  readonly bus: Bus;
  readonly lease: Lease;
  readonly log: Logger;
  readonly failPoint: FailPoint;
}

/** A running role. */
export interface RunningRole {
  readonly port?: number;
  stop(): Promise<void>;
}

/** What a role has open before it starts. */
export interface Door {
  readonly port: number;
  readonly published: number;
  sayAway(): void;
  close(): Promise<void>;
}

/** Runs this process as a child: waits for its order, starts the role, stops when told. */
export function serveRole(start: (context: RoleContext) => Promise<RunningRole>): void {
  serve(undefined, (order) => open(order, start));
}

/** The same for a role that answers readers before it starts, also while it cannot start. */
export function serveRoleBehindDoor<D extends Door>(
  openDoor: (order: DoorOrder) => Promise<D>,
  start: (context: RoleContext, door: D) => Promise<RunningRole>,
): void {
  let door: Promise<D> | undefined;
  const stopping = new AbortController();
  serve(
    {
      async open(order) {
        door = openDoor(order);
        const { port, published } = await door;
        process.send?.({ kind: "opened", port, published } satisfies FromChild);
      },
      away: () => void door?.then((opened) => opened.sayAway()),
      stop: () => stopping.abort(),
    },
    async (order) => {
      const opened = await (door as Promise<D>);
      await untilReached(order.connection, () => opened.sayAway(), stopping.signal);
      process.send?.({ kind: "starting" } satisfies FromChild);
      return open(order, (context) => start(context, opened));
    },
  );
}

interface DoorKeeper {
  open(order: DoorOrder): Promise<void>;
  away(): void;
  stop(): void;
}

function serve(
  keeper: DoorKeeper | undefined,
  begin: (order: RoleOrder) => Promise<() => Promise<void>>,
): void {
  // The supervisor decides the order in which children end, and its own end is noticed below.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  // A terminal or a pipe that is gone takes what is said to it, and nothing else.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  process.on("disconnect", () => process.exit(1));
  // It may have died while this process loaded its code.
  if (!process.connected) process.exit(1);
  let opening: Promise<() => Promise<void>> | undefined;
  process.on("message", (message: ToChild) => {
    if (message.kind === "open")
      keeper?.open(message.order).catch((error: unknown) => leave("front", error));
    else if (message.kind === "away") keeper?.away();
    else if (message.kind === "start") {
      opening = begin(message.order);
      opening.catch((error: unknown) => {
        // Told to stop while it waited: there is nothing to end.
        if (error instanceof StoppedEarly) process.exit(0);
        leave(message.order.role, error);
      });
    } else {
      keeper?.stop();
      if (!opening) process.exit(0);
      opening.then(
        (stop) => stop(),
        () => {},
      );
    }
  });
}

class StoppedEarly extends Error {}

/** Waits until the database answers. @throws {StoppedEarly} */
async function untilReached(
  options: ConnectionOptions,
  sayAway: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    if (signal.aborted) throw new StoppedEarly();
    const client = new pg.Client({
      ...options,
      application_name: "loa-front-door",
      connectionTimeoutMillis: REACH_MS_MAX,
      query_timeout: REACH_MS_MAX,
    });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query("SELECT 1");
      return;
    } catch {
      sayAway();
      await sleep(REACH_EVERY_MS, undefined, { signal }).catch(() => {});
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** Says why the role cannot start, and ends. */
function leave(role: RoleName, error: unknown): void {
  const fault = listenFaultOf(error);
  if (fault === undefined) process.stderr.write(`${role} could not start: ${describe(error)}\n`);
  const end = () => process.exit(1);
  if (fault === undefined || process.send === undefined) end();
  else process.send({ kind: "refused", fault } satisfies FromChild, end);
}

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** Starts the role; answers how to stop it, which ends the process. */
async function open(
  order: RoleOrder,
  start: (context: RoleContext) => Promise<RunningRole>,
): Promise<() => Promise<void>> {
  const log = createLogger(order.logLevel, order.role);
  const connection = openConnection(order.connection, `loa-${order.role}`);
  const bus = await joinBus(order.busPath);
  // A connection of its own: a renewal must not wait behind work that waits for the database.
  const lifeline = openConnection(order.connection, `loa-${order.role}-lease`, 1);
  const lease = await Lease.take(lifeline.pool, order.role, order.processId);
  const failPoint = createFailPoints(order.failPoints);
  const running = await start({ order, connection, bus, lease, log, failPoint });
  process.send?.({ kind: "ready", port: running.port } satisfies FromChild);
  // Now, because a process that is killed keeps nothing.
  flushCompileCache();
  return async () => {
    try {
      await running.stop();
      await lease.end();
      bus.close();
      await connection.close();
      await lifeline.close();
      process.exit(0);
    } catch (error) {
      log.error({ err: error }, "did not stop cleanly");
      process.exit(1);
    }
  };
}

/** A string field of a bus body, or undefined: bodies come from other processes. */
export function textField(body: BusBody, name: string): string | undefined {
  const value = (body as Record<string, unknown> | null)?.[name];
  return typeof value === "string" ? value : undefined;
}
