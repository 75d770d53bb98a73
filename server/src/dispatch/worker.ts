// A worker: claims shards and area orders, warnings strictly before notices, and runs one
// shard for each channel and lane at a time, so that a kill leaves one slice in doubt.
//
// Strictly means: while any warning could use this worker, no slice of a notice begins.
// A warning that waits because its own channel asked it to come later holds up notices of
// that channel only, so a channel that misbehaves harms only itself.
import { type Lane, LANES } from "@loa/model/bulletin-type.ts";
import type pg from "pg";
import type { Bus } from "../bus/bus.ts";
import type { AddressedChannel, AreaChannel, Channel } from "../channel/channel.ts";
import type { FailPoint } from "../observe/fail-point.ts";
import type { Logger } from "../observe/log.ts";
import { claimOrders, runOrder } from "./area-order.ts";
import { claimShard, type ClaimedShard } from "./claim.ts";
import { expireDispatches } from "./close.ts";
import { SliceCommitter } from "./commit.ts";
import { DispatchCache } from "./dispatch-cache.ts";
import type { Lease } from "./lease.ts";
import { runShard, type ShardRun } from "./run-shard.ts";

/** The bus may lose a wake-up; the database is looked at this often anyway. */
export const POLL_MS = 500;
/** Longest that a channel can make a shard wait before it is asked again. */
export const PAUSE_MAX_MS = 30_000;

export interface WorkerOptions {
  readonly pool: pg.Pool;
  /** The connections that claim (openClaims). */
  readonly claims: pg.Pool;
  readonly bus: Bus;
  readonly lease: Lease;
  /** The channels that this worker serves. */
  readonly channels: readonly Channel[];
  readonly failPoint: FailPoint;
  readonly log: Logger;
  /** Whether notices wait because something is short that warnings need. */
  readonly holdsNotices?: () => boolean;
}

interface Running {
  readonly claimed: ClaimedShard;
  readonly abort: AbortController;
  /** Waiting because its channel asked for it. */
  paused: boolean;
}

const laneOf = (channel: Channel, lane: Lane): string => `${lane} ${channel.name}`;

export class Worker {
  readonly #options: WorkerOptions;
  readonly #addressed: readonly AddressedChannel[];
  readonly #area: readonly AreaChannel[];
  readonly #dispatches: DispatchCache;
  readonly #committer: SliceCommitter;
  readonly #running = new Set<Running>();
  /** Ids of the orders that are under way. */
  readonly #orders = new Map<AreaChannel, Set<string>>();
  readonly #end = new AbortController();
  readonly #turns: { release: () => void; running: Running }[] = [];
  /**
   * Lanes of channels that had nothing to claim. They are asked again after a change, or at the next
   * look: asking all of them for each shard that ends would cost more than the shards.
   */
  readonly #empty = new Set<string>();
  /** performance.now() when closed and expired dispatches are looked for next; a change sets it to now. */
  #lookAt = 0;
  #wake: () => void = () => {};
  #loop: Promise<void> | undefined;
  #unsubscribe: () => void = () => {};

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#addressed = options.channels.filter((channel) => channel.form === "addressed");
    this.#area = options.channels.filter((channel) => channel.form === "area");
    this.#dispatches = new DispatchCache(options.pool);
    this.#committer = new SliceCommitter(options.pool, options.lease);
  }

  start(): void {
    const { bus, lease, log } = this.#options;
    this.#unsubscribe = bus.subscribe("dispatch.changed", () => {
      this.#lookAt = 0;
      this.#wake();
    });
    lease.onLost = () => {
      log.warn("the lease was lost");
      for (const { abort } of this.#running) abort.abort();
    };
    this.#loop = this.#run();
  }

  /** Ends after the slices under way are committed. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#end.abort();
    for (const { abort } of this.#running) abort.abort();
    this.#wake();
    this.#releaseTurns();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { log } = this.#options;
    while (!this.#end.signal.aborted) {
      const woken = new Promise<void>((wake) => {
        this.#wake = wake;
      });
      try {
        if (performance.now() >= this.#lookAt) await this.#lookForClosed();
        for (const lane of LANES) {
          if (lane === "notice" && (this.#warningWants(undefined) || this.#holdsNotices())) break;
          await Promise.all(this.#addressed.map((channel) => this.#claim(channel, lane)));
          await Promise.all(this.#area.map((channel) => this.#claimOrders(channel, lane)));
        }
      } catch (error) {
        log.error({ err: error }, "could not claim");
      }
      this.#releaseTurns();
      const poll = setTimeout(this.#wake, POLL_MS);
      await woken;
      clearTimeout(poll);
    }
    while (this.#running.size > 0)
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
  }

  async #claim(channel: AddressedChannel, lane: Lane): Promise<void> {
    const { claims, lease } = this.#options;
    const isBusy = [...this.#running].some(
      ({ claimed }) => claimed.channel === channel.name && claimed.lane === lane,
    );
    if (isBusy || !lease.holds || this.#empty.has(laneOf(channel, lane))) return;
    const claimed = await claimShard(claims, lease.id, lane, channel.name, channel.sliceSize);
    if (claimed) this.#start(channel, claimed);
    else this.#empty.add(laneOf(channel, lane));
  }

  #start(channel: AddressedChannel, claimed: ClaimedShard): void {
    const { pool, bus, lease, failPoint, log } = this.#options;
    const running: Running = { claimed, abort: new AbortController(), paused: false };
    const run: ShardRun = {
      pool,
      lease,
      failPoint,
      log,
      committer: this.#committer,
      dispatches: this.#dispatches,
      signal: running.abort.signal,
      turn: () => this.#turn(running),
      pause: (retryAfterMs) => this.#pause(running, retryAfterMs),
    };
    this.#running.add(running);
    void runShard(run, channel, claimed).then(() => {
      this.#running.delete(running);
      // What waited for the end of this shard (claim.ts) may begin.
      for (const lane of LANES) this.#empty.delete(laneOf(channel, lane));
      bus.publish("journal.appended", { dispatchId: claimed.dispatchId });
      this.#wake();
    });
  }

  async #claimOrders(channel: AreaChannel, lane: Lane): Promise<void> {
    const { pool, claims, lease, bus, log } = this.#options;
    const running = this.#orders.get(channel) ?? new Set();
    this.#orders.set(channel, running);
    const free = channel.ordersAtOnce - running.size;
    if (free <= 0 || !lease.holds || this.#empty.has(laneOf(channel, lane))) return;
    const orders = await claimOrders(claims, lease.id, lane, channel, free, [...running]);
    if (orders.length < free) this.#empty.add(laneOf(channel, lane));
    for (const order of orders) {
      running.add(order.orderId);
      const run = { pool, lease, log, dispatches: this.#dispatches, signal: this.#end.signal };
      void runOrder(run, channel, order).then(() => {
        running.delete(order.orderId);
        bus.publish("dispatch.changed", { dispatchId: order.dispatchId });
      });
    }
  }

  /** Whether a warning could use this worker now, or (with a channel) is unfinished on that channel. */
  #warningWants(channel: string | undefined): boolean {
    for (const { claimed, paused } of this.#running)
      if (claimed.lane === "warning" && (!paused || claimed.channel === channel)) return true;
    return false;
  }

  #holdsNotices(): boolean {
    return this.#options.holdsNotices?.() ?? false;
  }

  #turn(running: Running): Promise<void> {
    if (this.#mayBegin(running)) return Promise.resolve();
    return new Promise((release) => this.#turns.push({ release, running }));
  }

  #mayBegin({ claimed, abort }: Running): boolean {
    return (
      claimed.lane === "warning" ||
      abort.signal.aborted ||
      !(this.#warningWants(claimed.channel) || this.#holdsNotices())
    );
  }

  #releaseTurns(): void {
    for (const turn of this.#turns.splice(0))
      if (this.#mayBegin(turn.running)) turn.release();
      else this.#turns.push(turn);
  }

  #pause(running: Running, retryAfterMs: number): Promise<void> {
    // It was told to stop while the channel still answered: there is nothing to wait for.
    if (running.abort.signal.aborted) return Promise.resolve();
    running.paused = true;
    this.#wake();
    return new Promise((done) => {
      const resume = () => {
        clearTimeout(timer);
        running.paused = false;
        done();
      };
      const timer = setTimeout(resume, Math.min(retryAfterMs, PAUSE_MAX_MS));
      running.abort.signal.addEventListener("abort", resume, { once: true });
    });
  }

  /** Expires what is due, and stops shards of dispatches that were closed: no further slice begins. */
  async #lookForClosed(): Promise<void> {
    const { pool, bus } = this.#options;
    this.#lookAt = performance.now() + POLL_MS;
    this.#empty.clear();
    for (const dispatchId of await expireDispatches(pool))
      bus.publish("dispatch.changed", { dispatchId });
    const ids = [...new Set([...this.#running].map((each) => each.claimed.dispatchId))];
    if (ids.length === 0) return;
    const { rows } = await pool.query<{ id: string }>(
      "SELECT id FROM dispatch WHERE id = ANY($1::uuid[]) AND state <> 'open'",
      [ids],
    );
    for (const { id } of rows)
      for (const { claimed, abort } of this.#running) if (claimed.dispatchId === id) abort.abort();
  }
}
