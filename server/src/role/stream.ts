// The role of the device edge: joins sockets, tokens, the journal and the ledger's receipts.
import { createAuthenticator } from "../account/actor.ts";
import { failChannel } from "../dispatch/close.ts";
import { appendRows, JOINED_LATER, pointRows } from "../dispatch/journal.ts";
import { loadLiveDispatches, readLiveStates } from "../dispatch/live-feed.ts";
import { openTokenGenerations } from "../registry/token.ts";
import { Problem } from "@loa/model/problem.ts";
import { Counters, gauge } from "../observe/counters.ts";
import { readOpenFilesMax } from "../observe/vitals.ts";
import { limitSockets } from "../stream/socket-limit.ts";
import { openStream, REFUSED_SOCKETS_MAX, SOCKETS_MAX } from "../stream/stream.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { startReporting } from "./process-reporter.ts";
import type { RoleContext, RunningRole } from "./role.ts";

/** How often revocations and new people are looked for although nobody said that there are any. */
const LOOK_EVERY_MS = 2_000;
/** A question to PostgreSQL's clock that takes longer is not believed. */
const CLOCK_ROUND_MS_MAX = 500;

export async function startStream(context: RoleContext): Promise<RunningRole> {
  const { order, connection, bus, log, lease, failPoint } = context;
  const { pool } = connection;
  const generations = await openTokenGenerations(pool);
  const authenticator = createAuthenticator(connection.db, bus);
  const clock = await readDatabaseClock(pool);
  const counters = new Counters();
  const wanted = { socketsMax: SOCKETS_MAX, refusedSocketsMax: REFUSED_SOCKETS_MAX };
  const stream = await openStream({
    ...limitSockets(wanted, readOpenFilesMax()),
    onStreamEnded: (reason) => counters.add("loa_streams_ended_total", { reason }),
    host: order.host,
    port: order.streamPort,
    publicOrigin: order.publicUrl || `http://${order.host}:${order.port}`,
    bus,
    log,
    tokenKeys: [order.keys.token],
    isValid: (ordinal, generation) => generations.isCurrent({ ordinal, generation }),
    feed: {
      readStates: () => readLiveStates(pool),
      load: (ids) => loadLiveDispatches(pool, ids),
      async fail(dispatchId) {
        await failChannel(pool, dispatchId, "live");
        bus.publish("journal.appended", { dispatchId });
      },
    },
    async record(dispatchId, entries) {
      failPoint("live-told");
      await appendRows(pool, pointRows(dispatchId, "live", entries));
      bus.publish("journal.appended", { dispatchId });
    },
    async recordJoined(dispatchId, entries) {
      await appendRows(pool, pointRows(dispatchId, "live", entries, JOINED_LATER));
      bus.publish("journal.appended", { dispatchId });
    },
    async gatewayOf(key) {
      const holder = await authenticator.authenticate(key);
      if (holder.kind !== "gateway")
        throw new Problem(
          "gateway-key-scope",
          "Receipts of a channel are reported by its gateway.",
        );
      return holder.who;
    },
    now: () => clock.now(),
  });
  const look = oneAtATime(async () => {
    await clock.read();
    if ((await generations.catchUp()).length > 0) stream.dropRevoked();
  });
  const lookAndSay = () =>
    void look().catch((error) => log.warn({ err: error }, "the registry could not be read"));
  const unsubscribe = bus.subscribe("registry.changed", lookAndSay);
  const stopReporting = startReporting({
    bus,
    role: order.role,
    counters,
    pool,
    lease,
    gauges() {
      const figures = stream.figures();
      return [
        gauge("loa_live_connections", figures.connections),
        gauge("loa_live_sockets", figures.sockets),
        gauge("loa_live_outcomes_waiting", figures.outcomesWaiting),
        gauge("loa_receipts_waiting", figures.receiptsWaiting),
      ];
    },
  });
  const timer = setInterval(lookAndSay, LOOK_EVERY_MS);
  // A lost lease means nothing here: a stream owns no shard, and whoever it told while it was
  // thought dead was told a fact. Ending it would send every device back at once, to a busy server.
  return {
    port: stream.port,
    async stop() {
      unsubscribe();
      stopReporting();
      clearInterval(timer);
      await stream.close();
      authenticator.close();
    },
  };
}

interface DatabaseClock {
  /** Milliseconds since the epoch, by PostgreSQL's clock. */
  now(): number;
  /** Learns what PostgreSQL's clock says now. */
  read(): Promise<void>;
}

/**
 * PostgreSQL's clock, carried on by this process's monotonic one: whoever sets the clock of this
 * machine neither ends what is in force nor revives what has expired.
 */
async function readDatabaseClock(pool: RoleContext["connection"]["pool"]): Promise<DatabaseClock> {
  let ahead = 0;
  const clock: DatabaseClock = {
    now: () => performance.now() + ahead,
    async read() {
      const before = performance.now();
      const { rows } = await pool.query<{ at: Date }>("SELECT clock_timestamp() AS at");
      const after = performance.now();
      // An answer that took long says little about when it was made.
      if (after - before <= CLOCK_ROUND_MS_MAX || ahead === 0)
        ahead = (rows[0] as { at: Date }).at.getTime() - (before + after) / 2;
    },
  };
  await clock.read();
  return clock;
}
