// What was handed to sockets, on its way to the journal: gathered for a moment, appended in groups,
// kept until the journal has it. Nothing here delays a send. If the journal stays away for long,
// the oldest facts are let go and forgotten as told, so that the device's own word brings them
// back when it reconnects.
import { planeBit } from "@loa/model/delivery.ts";
import type { Logger } from "../observe/log.ts";
import { type Entries, EntryList } from "../receipt/entry-list.ts";
import type { Entry } from "./in-force.ts";

/**
 * How long facts gather, so that one commit holds many and the phones of one broadcast do not wait for
 * those before them to be written down. Facts that a crash takes come back from the device's own word.
 */
export const GATHER_MS = 250;
/** Pauses between attempts while the journal is away grow from the first to the second. */
export const RETRY_MS_MIN = 100;
export const RETRY_MS_MAX = 5_000;
/** Facts that may wait for a journal that is away: about 36 MB. */
export const OUTCOMES_WAITING_MAX = 4_000_000;

/** Makes facts durable; resolves once they are. Rejects when the journal is away. */
export type RecordOutcomes = (dispatchId: string, entries: Entries) => Promise<void>;

const SENT = planeBit("sent");

interface Batch {
  readonly entry: Entry;
  readonly joined: boolean;
  readonly list: EntryList;
}

export interface OutcomeLogOptions {
  readonly record: RecordOutcomes;
  /** For people outside the audience who were told by place. */
  readonly recordJoined: RecordOutcomes;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly log: Logger;
}

export class OutcomeLog {
  readonly #options: OutcomeLogOptions;
  #gathering = new Map<Entry, Batch>();
  #gatheringJoined = new Map<Entry, Batch>();
  readonly #waiting: Batch[] = [];
  #entries = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #pauseMs = RETRY_MS_MIN;
  #closed = false;

  constructor(options: OutcomeLogOptions) {
    this.#options = options;
  }

  /** Facts that are not durable yet. */
  get size(): number {
    return this.#entries;
  }

  /** This person was handed this dispatch now, or says to have it. Counted once. */
  told(entry: Entry, ordinal: number): void {
    const { dispatch } = entry;
    if (!entry.told.add(ordinal)) return;
    const joined = !dispatch.has(ordinal);
    const gathering = joined ? this.#gatheringJoined : this.#gathering;
    let batch = gathering.get(entry);
    if (!batch) {
      batch = { entry, joined, list: new EntryList() };
      gathering.set(entry, batch);
    }
    const ms = Math.max(0, Math.round(this.#options.now() - dispatch.issuedAtMs));
    batch.list.push(ordinal, SENT, Math.min(ms, 0xffff_ffff));
    this.#entries += 1;
    if (!this.#timer && !this.#writing) this.#arm(GATHER_MS);
  }

  /** Resolves when everything that was told before is durable, or cannot be for now. */
  async flush(): Promise<void> {
    if (this.#writing) await this.#writing;
    await this.#write();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.flush();
    if (this.#entries > 0)
      this.#options.log.error({ outcomes: this.#entries }, "outcomes were not recorded");
  }

  #arm(delayMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, delayMs);
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#entries > 0) this.#arm(this.#waiting.length > 0 ? this.#pauseMs : GATHER_MS);
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    this.#waiting.push(...this.#gathering.values(), ...this.#gatheringJoined.values());
    this.#gathering = new Map();
    this.#gatheringJoined = new Map();
    this.#bound();
    const batches = this.#waiting.splice(0);
    const failed = await Promise.all(batches.map((batch) => this.#writeOne(batch)));
    this.#waiting.unshift(...failed.filter((batch) => batch !== undefined));
    this.#pauseMs =
      this.#waiting.length > 0 ? Math.min(this.#pauseMs * 2, RETRY_MS_MAX) : RETRY_MS_MIN;
  }

  /** Answers the batch itself when it has to be tried again. */
  async #writeOne(batch: Batch): Promise<Batch | undefined> {
    const record = batch.joined ? this.#options.recordJoined : this.#options.record;
    const { dispatchId } = batch.entry.dispatch;
    try {
      await record(dispatchId, batch.list.entries());
      this.#entries -= batch.list.length;
      return undefined;
    } catch (error) {
      this.#options.log.warn({ err: error, dispatch: dispatchId }, "outcomes wait for the journal");
      return batch;
    }
  }

  #bound(): void {
    while (this.#entries > OUTCOMES_WAITING_MAX && this.#waiting.length > 1) {
      const { entry, list } = this.#waiting.shift() as Batch;
      for (const ordinal of list.entries().ordinals) entry.told.forget(ordinal);
      this.#entries -= list.length;
      this.#options.log.error({ outcomes: list.length }, "the journal is away: outcomes let go");
    }
  }
}
