// Sending a dispatch to everybody who is connected and concerned: slice by slice, giving way to the
// rest of the process every few milliseconds, and a notice to a waiting warning at every slice.
import type { Lane } from "@loa/model/bulletin-type.ts";
import { type AddressedChannel, outcomeCode, type Slice } from "../channel/channel.ts";
import type { Logger } from "../observe/log.ts";
import type { Connections } from "./connections.ts";
import type { Entry, InForce } from "./in-force.ts";
import type { OutcomeLog } from "./outcome-log.ts";

/** Longest that sending keeps the loop from reading requests, receipts and news of a warning. */
export const TURN_MS = 5;
/** Connected people who are looked at for one slice; few of them may be concerned. */
const LOOKED_AT_MAX = 8_192;
const SENT = outcomeCode("sent");

/** One dispatch on its way to the sockets that were open when it came. */
interface Job {
  readonly entry: Entry;
  readonly ordinals: Uint32Array;
  readonly serial: number;
  next: number;
}

export interface BroadcastOptions {
  readonly connections: Connections;
  readonly inForce: InForce;
  readonly outcomes: OutcomeLog;
  readonly channel: AddressedChannel;
  readonly log: Logger;
}

export class Broadcast {
  readonly #options: BroadcastOptions;
  /** In order of sequence; the first of a lane is under way. */
  readonly #jobs: Record<Lane, Job[]> = { warning: [], notice: [] };
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  /** Begins to send to all who are connected now; who connects from here on catches up. */
  add(entry: Entry): void {
    const { connections } = this.#options;
    if (this.#stop.signal.aborted) return;
    this.#jobs[entry.dispatch.lane].push({
      entry,
      ordinals: connections.ordinals(),
      serial: connections.serial,
      next: 0,
    });
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /**
   * Up to which number everything in a lane has gone out to all sockets. An event of the other lane
   * may claim no more: its id is a cursor.
   */
  floor(lane: Lane): number {
    const first = this.#jobs[lane][0];
    return first ? first.entry.dispatch.seq - 1 : this.#options.inForce.highest(lane);
  }

  /** The newest connection that the sending of an entry reaches; later ones caught up. */
  serialOf(entry: Entry): number {
    const job = this.#jobs[entry.dispatch.lane].find((each) => each.entry === entry);
    return job?.serial ?? this.#options.connections.serial;
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#jobs.warning.length = 0;
    this.#jobs.notice.length = 0;
    await this.#running;
  }

  async #run(): Promise<void> {
    // Everything that is loaded together is in its lane before the first of it is sent.
    await Promise.resolve();
    let turnEndsAt = performance.now() + TURN_MS;
    for (;;) {
      // Asked again for every slice: a warning never waits for more than one slice of a notice.
      const job = this.#jobs.warning[0] ?? this.#jobs.notice[0];
      if (!job) return;
      try {
        if (!(await this.#sendSlice(job))) this.#end(job);
      } catch (error) {
        this.#options.log.error({ err: error, dispatch: job.entry.dispatch.dispatchId }, "live");
        this.#end(job);
      }
      if (performance.now() < turnEndsAt) continue;
      await new Promise((next) => setImmediate(next));
      turnEndsAt = performance.now() + TURN_MS;
    }
  }

  #end(job: Job): void {
    const lane = this.#jobs[job.entry.dispatch.lane];
    const at = lane.indexOf(job);
    if (at >= 0) lane.splice(at, 1);
  }

  /** Sends the next slice of a job; false when there is no more to send. */
  async #sendSlice(job: Job): Promise<boolean> {
    const { channel, inForce, outcomes } = this.#options;
    const { entry } = job;
    // Cancelled or expired while it was going out: whoever has it gets the Cancel, the others nothing.
    if (!inForce.isInForce(entry)) return false;
    const { dispatchId, type, lane, message, expiresAtMs } = entry.dispatch;
    const ordinals = this.#nextConcerned(job);
    if (ordinals.length > 0) {
      const expiresAt = new Date(expiresAtMs);
      const slice: Slice = { dispatchId, type, lane, message, ordinals, expiresAt };
      const outcome = await channel.handOver(slice, this.#stop.signal);
      for (let i = 0; i < ordinals.length; i += 1)
        if (outcome.kind === "each" && outcome.outcomes[i] === SENT)
          outcomes.told(entry, ordinals[i] as number);
    }
    return job.next < job.ordinals.length;
  }

  #nextConcerned(job: Job): Uint32Array {
    const { sliceSize } = this.#options.channel;
    const concerned: number[] = [];
    const end = Math.min(job.ordinals.length, job.next + LOOKED_AT_MAX);
    while (job.next < end && concerned.length < sliceSize) {
      const ordinal = job.ordinals[job.next] as number;
      job.next += 1;
      if (this.#concerns(job.entry, ordinal)) concerned.push(ordinal);
    }
    return Uint32Array.from(concerned);
  }

  #concerns(entry: Entry, ordinal: number): boolean {
    const { connections, inForce } = this.#options;
    return inForce.concerns(entry, ordinal, connections.of(ordinal));
  }
}
