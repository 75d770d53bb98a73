// What came back: devices and gateways say that a message was delivered or read. This is the front
// door of the stage. Receipts of many senders are gathered for a moment and go to the ledger in one
// request; each sender is answered once the ledger said that its receipts are durable.
//
// A receipt may come twice, late, before the commit of "sent", or for somebody else's dispatch; the
// ledger, which knows who was in the audience, decides about each. Times are claims.
import { PLANES } from "@loa/model/delivery.ts";
import type { EndpointKind } from "@loa/model/endpoint.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Bus } from "../bus/bus.ts";
import { followComingWarnings } from "../bus/make-way.ts";
import { RECEIPT_VERDICTS, type ReceiptVerdictName } from "../dispatch/receipt-verdict.ts";
import type { Logger } from "../observe/log.ts";
import { type Entries, EntryList } from "./entry-list.ts";

/** How long receipts gather, so that one durable write of the ledger holds many. */
export const GATHER_MS = 3;
/** Receipts in one request to the ledger; a gateway's body is never split. */
export const REQUEST_RECEIPTS_MAX = 50_000;
/** Requests that wait for the ledger at once: one is written while the next gathers. */
export const REQUESTS_AT_ONCE = 4;
/** Receipts that may be here without an answer: about 20 MB. Above it senders are told to wait. */
export const RECEIPTS_WAITING_MAX = 1_000_000;

/** Receipts of one channel of one dispatch. */
export interface ReceiptBatch extends Entries {
  readonly dispatchId: string;
  readonly channel: EndpointKind;
}

/** The ledger's answer to a list of batches: each[b][i] is the code for receipt i of batch b. */
export interface ReceiptVerdict {
  readonly each: readonly Uint8Array[];
}

/** What became of the receipts of one sender. */
export interface ReceiptAnswer {
  readonly accepted: number;
  readonly known: number;
  readonly refused: readonly {
    readonly dispatch: string;
    readonly reason: ReceiptVerdictName;
    readonly count: number;
  }[];
}

/** One receipt of one person. */
export interface Receipt {
  readonly dispatchId: string;
  readonly plane: number;
  /** Milliseconds since the dispatch's issue. */
  readonly ms: number;
}

export interface ReceiptDesk {
  /**
   * Records what one device says of itself.
   * @throws {Problem} busy or unavailable; then nothing is known to be stored, and the device asks
   * again.
   */
  recordDevice(ordinal: number, receipts: readonly Receipt[]): Promise<ReceiptAnswer>;
  /** Records what a gateway says of its channel. @throws {Problem} as above. */
  recordGateway(batch: ReceiptBatch): Promise<ReceiptAnswer>;
  /** Receipts without an answer yet. */
  readonly waiting: number;
  close(): Promise<void>;
}

interface Group {
  readonly dispatchId: string;
  readonly channel: EndpointKind;
  readonly list: EntryList;
  verdicts: Uint8Array;
}

/** A sender and where its receipts lie. */
interface Waiter {
  readonly groups: readonly Group[];
  readonly places: readonly number[];
  readonly settle: (answer: ReceiptAnswer) => void;
  readonly fail: (problem: Problem) => void;
}

interface Gathering {
  readonly groups: Map<string, Group>;
  readonly waiters: Waiter[];
  size: number;
}

const NOTHING = new Uint8Array(0);
const gather = (): Gathering => ({ groups: new Map(), waiters: [], size: 0 });

export interface ReceiptDeskOptions {
  readonly bus: Pick<Bus, "request" | "subscribe">;
  readonly log: Logger;
}

/** Opens the desk over `bus`, where the ledger answers "ledger.receipts". */
export function openReceiptDesk({ bus, log }: ReceiptDeskOptions): ReceiptDesk {
  let gathering = gather();
  let timer: NodeJS.Timeout | undefined;
  let waiting = 0;
  let isAway = false;
  const underWay = new Set<Promise<void>>();
  const coming = followComingWarnings(bus);

  const ask = async (batches: readonly ReceiptBatch[]): Promise<readonly Uint8Array[]> => {
    // What comes back waits a moment for what goes out.
    await coming.passed();
    try {
      const verdict = (await bus.request("ledger.receipts", batches)) as ReceiptVerdict;
      if (batches.some((batch, b) => verdict.each[b]?.length !== batch.ordinals.length))
        throw new Error("the ledger answered for other receipts");
      if (isAway) log.info("receipts are taken again");
      isAway = false;
      return verdict.each;
    } catch (error) {
      // Once, not for each batch: while the ledger starts again, thousands are sent in vain.
      if (!isAway) log.warn({ err: error }, "receipts are not taken");
      isAway = true;
      throw new Problem("unavailable", "The ledger does not answer; send the receipts again.");
    }
  };

  const send = async ({ groups, waiters, size }: Gathering) => {
    const list = [...groups.values()];
    try {
      const each = await ask(list.map(batchOf));
      for (const [g, group] of list.entries()) group.verdicts = each[g] as Uint8Array;
      for (const waiter of waiters) waiter.settle(answerOf(waiter));
    } catch (problem) {
      for (const waiter of waiters) waiter.fail(problem as Problem);
    } finally {
      waiting -= size;
    }
  };

  const track = (work: Promise<void>) => {
    const tracked = work.finally(() => {
      underWay.delete(tracked);
      if (gathering.size > 0) flush();
    });
    underWay.add(tracked);
  };

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (gathering.size === 0 || underWay.size >= REQUESTS_AT_ONCE) return;
    const full = gathering;
    gathering = gather();
    track(send(full));
  };

  const admit = (count: number) => {
    if (waiting + count > RECEIPTS_WAITING_MAX)
      throw new Problem("busy", "Too many receipts wait for the ledger; send them again later.");
    waiting += count;
  };

  const groupOf = (dispatchId: string, channel: EndpointKind): Group => {
    const key = `${channel} ${dispatchId}`;
    const known = gathering.groups.get(key);
    if (known) return known;
    const group = { dispatchId, channel, list: new EntryList(), verdicts: NOTHING };
    gathering.groups.set(key, group);
    return group;
  };

  return {
    get waiting() {
      return waiting;
    },
    async recordDevice(ordinal, receipts) {
      admit(receipts.length);
      const groups = receipts.map((receipt) => groupOf(receipt.dispatchId, "live"));
      const places = receipts.map((receipt, i) =>
        (groups[i] as Group).list.push(ordinal, receipt.plane, receipt.ms),
      );
      gathering.size += receipts.length;
      const answer = new Promise<ReceiptAnswer>((settle, fail) => {
        gathering.waiters.push({ groups, places, settle, fail });
      });
      if (gathering.size >= REQUEST_RECEIPTS_MAX) flush();
      else timer ??= setTimeout(flush, GATHER_MS);
      return answer;
    },
    async recordGateway(batch) {
      const count = batch.ordinals.length;
      admit(count);
      const asked = ask([batch]).finally(() => {
        waiting -= count;
      });
      track(
        asked.then(
          () => {},
          () => {},
        ),
      );
      const [verdicts = NOTHING] = await asked;
      return countVerdicts(verdicts, () => batch.dispatchId);
    },
    async close() {
      flush();
      while (underWay.size > 0) await Promise.all(underWay);
      coming.close();
    },
  };
}

const batchOf = ({ dispatchId, channel, list }: Group): ReceiptBatch => ({
  dispatchId,
  channel,
  ...list.entries(),
});

function answerOf({ groups, places }: Waiter): ReceiptAnswer {
  const verdicts = groups.map((group, i) => group.verdicts[places[i] as number] as number);
  return countVerdicts(verdicts, (i) => (groups[i] as Group).dispatchId);
}

function countVerdicts(
  verdicts: ArrayLike<number>,
  dispatchOf: (i: number) => string,
): ReceiptAnswer {
  const counts = { accepted: 0, known: 0 };
  const refused = new Map<
    string,
    { dispatch: string; reason: ReceiptVerdictName; count: number }
  >();
  for (let i = 0; i < verdicts.length; i += 1) {
    const reason = RECEIPT_VERDICTS[verdicts[i] as number] as ReceiptVerdictName;
    if (reason === "accepted" || reason === "known") {
      counts[reason] += 1;
      continue;
    }
    const dispatch = dispatchOf(i);
    const known = refused.get(`${reason} ${dispatch}`);
    if (known) known.count += 1;
    else refused.set(`${reason} ${dispatch}`, { dispatch, reason, count: 1 });
  }
  return { ...counts, refused: [...refused.values()] };
}

/** What a device may say of itself. */
export const DEVICE_PLANES = [
  "delivered",
  "read",
] as const satisfies readonly (typeof PLANES)[number][];
