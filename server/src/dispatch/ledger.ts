// The ledger: the one owner of every recipient's planes. It takes receipts, reads the
// journal that workers and the stream write, answers figures at once, and folds and seals.
//
// It holds nothing that the database does not: killed at any instant, it loads a dispatch
// again from its folds and its journal. A receipt is acknowledged after its row is durable.
import { planeBit } from "@loa/model/delivery.ts";
import type { DispatchSummary } from "@loa/model/delivery.ts";
import type pg from "pg";
import { RoaringBitmap32, roaringLibraryInitialize } from "roaring-wasm";
import { ordinalsOf } from "../audience/container.ts";
import type { Position } from "../db/commit-order.ts";
import type { FailPoint } from "../observe/fail-point.ts";
import type { Logger } from "../observe/log.ts";
import { DispatchPlanes } from "./dispatch-planes.ts";
import { foldChannel } from "./fold.ts";
import { findReducible, readFigures, reduceDispatch, RETENTION_DAYS } from "./reduce.ts";
import { verdictCode } from "./receipt-verdict.ts";
import {
  appendRows,
  journalPosition,
  type NewJournalRow,
  pickPoints,
  type Points,
  pointRows,
  tailRows,
} from "./journal.ts";

/** Journal rows of one channel after which it is folded while still running. */
export const FOLD_AFTER_ROWS = 20_000;
/** How often what is finished is looked for. */
export const SEAL_EVERY_MS = 5_000;
/** How often the journal is read although nobody said that it grew. */
export const TAIL_EVERY_MS = 250;
/** How long after its end a dispatch still takes receipts before it is sealed. */
export const SEAL_GRACE_MS = 15 * 60_000;
/** Finished dispatches are not resident: what nobody asked for in this time is dropped. */
export const RESIDENT_MS = 10 * 60_000;

/** Receipts for one channel of one dispatch; columns of equal length. */
export interface ReceiptGroup extends Points {
  readonly dispatchId: string;
  readonly channel: string;
}

export type RefusalReason = "foreign" | "unknown-dispatch" | "sealed";

/** What became of receipts, in their order: counts, and refusals by dispatch. */
export interface ReceiptVerdict {
  accepted: number;
  known: number;
  refused: { dispatchId: string; channel: string; reason: RefusalReason; count: number }[];
  /** The code (receipt-verdict.ts) of every receipt: each[g][i] for receipt i of group g. */
  each: Uint8Array[];
}

const ACCEPTED = verdictCode("accepted");
const KNOWN = verdictCode("known");

interface Resident {
  readonly planes: DispatchPlanes;
  readonly sealed: boolean;
  usedAt: number;
}

/** A journal row of receipts, and whose planes have them set already. */
interface Taken {
  readonly row: NewJournalRow;
  readonly resident: Resident;
}

export interface LedgerOptions {
  readonly pool: pg.Pool;
  /** Days after its end for which a dispatch keeps facts of single persons. */
  readonly retentionDays?: number;
  /** Resolves when no warning is being issued for which a notice makes way. */
  readonly makeWay?: () => Promise<void>;
  readonly failPoint: FailPoint;
  readonly log: Logger;
}

export class Ledger {
  readonly #pool: pg.Pool;
  readonly #failPoint: FailPoint;
  readonly #log: Logger;
  readonly #retentionDays: number;
  readonly #makeWay: LedgerOptions["makeWay"];
  readonly #resident = new Map<string, Promise<Resident | undefined>>();
  /** Receipts under way: settled once what they set is durable, or is not. */
  readonly #receiving = new Set<Promise<void>>();
  /** Rows of receipts that were committed here since the journal was last read. */
  #written: (Pick<NewJournalRow, "dispatchId" | "channel"> & {
    readonly id: number;
    readonly resident: Resident;
  })[] = [];
  #position: Position;
  #tailing: Promise<void> | undefined;
  #tailAgain = false;
  #rowsSinceFold = new Map<string, number>();

  private constructor(options: LedgerOptions, position: Position) {
    this.#pool = options.pool;
    this.#failPoint = options.failPoint;
    this.#log = options.log;
    this.#retentionDays = options.retentionDays ?? RETENTION_DAYS;
    this.#makeWay = options.makeWay;
    this.#position = position;
  }

  static async open(options: LedgerOptions): Promise<Ledger> {
    await roaringLibraryInitialize();
    return new Ledger(options, await journalPosition(options.pool));
  }

  async #load(dispatchId: string): Promise<Resident | undefined> {
    let entry = this.#resident.get(dispatchId);
    if (entry === undefined) {
      entry = this.#read(dispatchId);
      this.#resident.set(dispatchId, entry);
      // What does not exist yet, or could not be read, is asked for again next time.
      entry.then(
        (found) => found ?? this.#resident.delete(dispatchId),
        () => this.#resident.delete(dispatchId),
      );
    }
    const resident = await entry;
    if (resident) resident.usedAt = performance.now();
    return resident;
  }

  async #read(dispatchId: string): Promise<Resident | undefined> {
    const planes = await DispatchPlanes.load(this.#pool, dispatchId, this.#makeWay);
    if (planes === undefined) return undefined;
    const { rows } = await this.#pool.query<{ state: string }>(
      "SELECT state FROM dispatch WHERE id = $1",
      [dispatchId],
    );
    return { planes, sealed: rows[0]?.state === "sealed", usedAt: performance.now() };
  }

  /** Reads what was committed to the journal since last time. Calls that come meanwhile share the next reading. */
  catchUp(): Promise<void> {
    if (this.#tailing !== undefined) {
      this.#tailAgain = true;
      return this.#tailing.then(() => this.#tailing ?? Promise.resolve());
    }
    this.#tailing = this.#tail().finally(() => {
      this.#tailing = undefined;
      if (this.#tailAgain) {
        this.#tailAgain = false;
        void this.catchUp().catch((error) => this.#log.error({ err: error }, "journal not read"));
      }
    });
    return this.#tailing;
  }

  async #tail(): Promise<void> {
    const { rows, position } = await tailRows(this.#pool, this.#position, await this.#applied());
    for (const row of rows) {
      const resident = await this.#resident.get(row.dispatchId);
      // A dispatch that is not resident reads all its rows when it is asked for.
      resident?.planes.apply(row);
      this.#count(row.dispatchId, row.channel, 1);
    }
    this.#position = position;
  }

  /**
   * Own rows whose receipts are set in what is resident: half a million a second are not read again.
   * A dispatch that was loaded meanwhile may have read the journal before such a row was committed.
   */
  async #applied(): Promise<number[]> {
    const written = this.#written;
    this.#written = [];
    const applied: number[] = [];
    for (const { id, dispatchId, channel, resident } of written) {
      if ((await this.#resident.get(dispatchId)) !== resident) continue;
      applied.push(id);
      this.#count(dispatchId, channel, 1);
    }
    return applied;
  }

  #count(dispatchId: string, channel: string, rows: number): void {
    const key = `${dispatchId} ${channel}`;
    this.#rowsSinceFold.set(key, (this.#rowsSinceFold.get(key) ?? 0) + rows);
  }

  /** Exact figures of a dispatch, at this moment; undefined when there is no such dispatch. */
  async summarize(dispatchId: string): Promise<DispatchSummary | undefined> {
    await this.catchUp();
    const resident = await this.#load(dispatchId);
    if (resident === undefined) return undefined;
    const { rows } = await this.#pool.query<{ channel: string; reason: string; refused: number }>(
      "SELECT channel, reason, refused FROM receipt_refusal WHERE dispatch_id = $1",
      [dispatchId],
    );
    const figures = resident.sealed ? await readFigures(this.#pool, dispatchId) : undefined;
    return figures ? { ...figures, refusals: rows } : resident.planes.summarize(rows);
  }

  /** Whom a dispatch told or may have told (sent, delivered, read, unsure): portable Roaring by channel. */
  async reached(dispatchId: string): Promise<Map<string, Uint8Array>> {
    await this.catchUp();
    const resident = await this.#load(dispatchId);
    const reached = new Map<string, Uint8Array>();
    const told = planeBit("sent") | planeBit("unsure");
    for (const [channel, { shards }] of resident?.planes.channels ?? []) {
      const bitmap = new RoaringBitmap32();
      for (const [shard, { index, planes }] of shards) {
        const lows = index.toLows().filter((_, rank) => ((planes[rank] as number) & told) !== 0);
        bitmap.addMany(ordinalsOf(shard, lows));
      }
      bitmap.runOptimize();
      reached.set(channel, bitmap.serialize("portable"));
      bitmap.dispose();
    }
    return reached;
  }

  /**
   * Takes receipts: refuses and counts the foreign, forgets the known, and makes the rest durable
   * before it answers. Planes are set first, so that of two equal receipts under way one is known;
   * if they cannot be made durable, the dispatch is read again from the database.
   */
  async receive(groups: readonly ReceiptGroup[]): Promise<ReceiptVerdict> {
    const durable = Promise.withResolvers<void>();
    durable.promise.catch(() => {});
    this.#receiving.add(durable.promise);
    try {
      const { verdict, taken } = await this.#takeAll(groups);
      const others = [...this.#receiving].filter((each) => each !== durable.promise);
      await this.#append(taken);
      durable.resolve();
      // What is known may be so from receipts that are not durable yet; own ones are, so two that
      // know each other's do not wait for ever.
      if (verdict.known > 0) await Promise.all(others);
      await this.#storeRefusals(verdict);
      return verdict;
    } catch (error) {
      // Some may be set in memory that are nowhere else: to call those known would lose them.
      for (const { dispatchId } of groups) this.#resident.delete(dispatchId);
      durable.reject(error);
      throw error;
    } finally {
      this.#receiving.delete(durable.promise);
    }
  }

  async #takeAll(
    groups: readonly ReceiptGroup[],
  ): Promise<{ verdict: ReceiptVerdict; taken: Taken[] }> {
    const verdict: ReceiptVerdict = { accepted: 0, known: 0, refused: [], each: [] };
    const taken: Taken[] = [];
    for (const group of groups) {
      const resident = await this.#load(group.dispatchId);
      const codes = new Uint8Array(group.ordinals.length);
      verdict.each.push(codes);
      const { dispatchId, channel } = group;
      if (resident === undefined) {
        const reason = "unknown-dispatch";
        codes.fill(verdictCode(reason));
        verdict.refused.push({ dispatchId, channel, reason, count: codes.length });
        continue;
      }
      const news = await this.#take(resident, group, verdict, codes);
      for (const row of pointRows(dispatchId, channel, news)) taken.push({ row, resident });
    }
    return { verdict, taken };
  }

  async #append(taken: readonly Taken[]): Promise<void> {
    this.#failPoint("receipts-taken");
    const ids = await appendRows(
      this.#pool,
      taken.map(({ row }) => row),
    );
    for (const [i, { row, resident }] of taken.entries()) {
      const { dispatchId, channel } = row;
      this.#written.push({ id: ids[i] as number, dispatchId, channel, resident });
    }
    this.#failPoint("committed");
  }

  /** Sets what is news of one group and answers it. */
  async #take(
    resident: Resident,
    group: ReceiptGroup,
    verdict: ReceiptVerdict,
    codes: Uint8Array,
  ): Promise<Points> {
    const { dispatchId, channel, ordinals, planes } = group;
    // Nobody may be planned on the channel, and still somebody may have joined later.
    const own = resident.planes.channels.get(channel);
    const kept: number[] = [];
    const strangers: number[] = [];
    const refused = { foreign: 0, sealed: 0 };
    for (let i = 0; i < ordinals.length; i++) {
      const ordinal = ordinals[i] as number;
      const plane = planes[i] as number;
      const was = resident.sealed ? own?.look(ordinal, plane) : own?.setOrdinal(ordinal, plane);
      if (was === "known") {
        verdict.known++;
        codes[i] = KNOWN;
      } else if (was !== "set") strangers.push(i);
      else if (resident.sealed) {
        refused.sealed++;
        codes[i] = verdictCode("sealed");
      } else {
        kept.push(i);
        codes[i] = ACCEPTED;
      }
    }
    const { joinedLater } = resident.planes;
    // Whoever joined later may say so before we read the row that tells of it.
    if (strangers.some((i) => !joinedLater.has(ordinals[i] as number))) await this.catchUp();
    for (const i of strangers)
      if (joinedLater.has(ordinals[i] as number)) {
        // They were told, and may say so; but they are outside every sum.
        verdict.known++;
        codes[i] = KNOWN;
      } else {
        refused.foreign++;
        codes[i] = verdictCode("foreign");
      }
    verdict.accepted += kept.length;
    for (const reason of ["foreign", "sealed"] as const)
      if (refused[reason] > 0)
        verdict.refused.push({ dispatchId, channel, reason, count: refused[reason] });
    return pickPoints(group, kept);
  }

  /** Refusals are counted for dispatches that exist; a stranger cannot fill a table with invented ids. */
  async #storeRefusals(verdict: ReceiptVerdict): Promise<void> {
    for (const { dispatchId, channel, reason, count } of verdict.refused) {
      if (reason === "unknown-dispatch") continue;
      await this.#pool.query({
        name: "refusal-count",
        text: `INSERT INTO receipt_refusal (dispatch_id, channel, reason, refused) VALUES ($1, $2, $3, $4)
               ON CONFLICT (dispatch_id, channel, reason)
               DO UPDATE SET refused = receipt_refusal.refused + EXCLUDED.refused`,
        values: [dispatchId, channel, reason, count],
      });
    }
  }

  /** Folds journals that have grown long, seals what is over, drops what nobody asks for. */
  async tidy(): Promise<void> {
    for (const [key, rows] of this.#rowsSinceFold) {
      if (rows < FOLD_AFTER_ROWS) continue;
      const [dispatchId = "", channel = ""] = key.split(" ");
      await foldChannel(this.#pool, dispatchId, channel, this.#failPoint);
      this.#rowsSinceFold.delete(key);
      // Rows that were folded before they were read here will never be: what is held is read anew.
      this.#resident.delete(dispatchId);
    }
    for (const dispatchId of await this.#readyToSeal()) await this.seal(dispatchId);
    for (const dispatchId of await findReducible(this.#pool, this.#retentionDays))
      await this.reduce(dispatchId);
    const now = performance.now();
    for (const [dispatchId, entry] of this.#resident) {
      const resident = await entry;
      if (resident && now - resident.usedAt > RESIDENT_MS) this.#resident.delete(dispatchId);
    }
  }

  async #readyToSeal(): Promise<string[]> {
    const { rows } = await this.#pool.query<{ id: string }>(
      `SELECT id FROM dispatch d
       WHERE state IN ('cancelled', 'expired') AND closed_at < now() - $1 * interval '1 ms'
         AND NOT EXISTS (SELECT FROM shard s WHERE s.dispatch_id = d.id AND s.state <> 'closed')`,
      [SEAL_GRACE_MS],
    );
    return rows.map((row) => row.id);
  }

  /** Folds every channel of a dispatch that is over and ends it: its sums stand from now on. */
  async seal(dispatchId: string): Promise<void> {
    const resident = await this.#load(dispatchId);
    for (const channel of resident?.planes.channels.keys() ?? [])
      await foldChannel(this.#pool, dispatchId, channel, this.#failPoint);
    await this.#pool.query("UPDATE dispatch SET state = 'sealed' WHERE id = $1", [dispatchId]);
    this.#resident.delete(dispatchId);
    this.#log.info({ dispatch: dispatchId }, "sealed");
  }

  /** Turns the facts of single persons of a sealed dispatch into its figures, for good. */
  async reduce(dispatchId: string): Promise<void> {
    const summary = await this.summarize(dispatchId);
    if (summary === undefined) return;
    await reduceDispatch(this.#pool, summary);
    this.#resident.delete(dispatchId);
    this.#log.info({ dispatch: dispatchId }, "reduced to figures");
  }
}
