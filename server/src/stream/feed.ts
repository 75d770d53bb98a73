// Keeps the dispatches in memory equal to those in the database: a message on the bus says that
// something changed, and a look from time to time makes up for messages that were lost.
import type { Bus } from "../bus/bus.ts";
import type { LiveDispatch } from "../dispatch/live-feed.ts";
import type { Logger } from "../observe/log.ts";
import type { Broadcast } from "./broadcast.ts";
import type { Entry, InForce } from "./in-force.ts";

/** How often the database is looked at although nobody said that something changed. */
export const LOOK_EVERY_MS = 2_000;
/** How soon it is looked at again when it could not be read. */
export const LOOK_AGAIN_MS = 200;

/** How the stream reads dispatches (dispatch/live-feed.ts, with its database). */
export interface LiveFeed {
  /** All that is in force or ended lately, without content. */
  readStates(): Promise<readonly { dispatchId: string; state: LiveDispatch["state"] }[]>;
  load(dispatchIds: readonly string[]): Promise<readonly LiveDispatch[]>;
  /** Counts everybody whom it was to tell over live as failed; repeating it changes nothing. */
  fail(dispatchId: string): Promise<void>;
}

export interface FollowOptions {
  readonly feed: LiveFeed;
  readonly bus: Pick<Bus, "subscribe">;
  readonly inForce: InForce;
  readonly broadcast: Broadcast;
  readonly log: Logger;
}

export interface Following {
  /** Reads what was committed before the call, and begins to send it. Rejects when it cannot. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** Follows the dispatches until closed. The first reading is the caller's: `refresh`. */
export function followDispatches(options: FollowOptions): Following {
  const { feed, bus, inForce, broadcast, log } = options;
  /** Faulty dispatches of which the ledger knows that nobody is told. */
  const failed = new WeakSet<Entry>();
  let reading: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const read = async () => {
    const states = await feed.readStates();
    const unknown = states.filter(({ dispatchId }) => !inForce.find(dispatchId));
    const loaded = await feed.load(unknown.map(({ dispatchId }) => dispatchId));
    for (const { dispatchId, state } of states) inForce.setState(dispatchId, state);
    const present = new Set(states.map(({ dispatchId }) => dispatchId));
    for (const dispatchId of inForce.ids())
      if (!present.has(dispatchId)) inForce.forget(dispatchId);
    // In the same turn of the loop: whoever connects after it catches up, whoever was there is sent.
    for (const entry of inForce.add(loaded)) broadcast.add(entry);
    inForce.prune();
    for (const entry of inForce.faulty()) {
      if (failed.has(entry)) continue;
      await feed.fail(entry.dispatch.dispatchId);
      failed.add(entry);
    }
  };

  /** One reading at a time; who asks during one gets a further one, which sees what they saw. */
  const refresh = (): Promise<void> => {
    if (!reading) {
      reading = read().finally(() => {
        reading = undefined;
      });
      return reading;
    }
    next ??= reading
      .catch(() => {})
      .then(() => {
        next = undefined;
        return refresh();
      });
    return next;
  };

  let again: NodeJS.Timeout | undefined;
  const look = () => {
    refresh().catch((error: unknown) => {
      log.warn({ err: error }, "dispatches could not be read");
      again ??= setTimeout(() => {
        again = undefined;
        look();
      }, LOOK_AGAIN_MS);
    });
  };
  const unsubscribe = bus.subscribe("dispatch.changed", look);
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    refresh,
    async close() {
      unsubscribe();
      clearInterval(timer);
      await (next ?? reading)?.catch(() => {});
      clearTimeout(again);
    },
  };
}
