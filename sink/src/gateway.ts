// The sink as a gateway: it posts what happened to messages (packed receipts) and to area
// orders (reports) to the server, in batches, and tries again while the server is away. It
// never blocks the counting: what waits is bounded, and what is above the bound is dropped
// and counted, so that no figure is silently short.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { GatewayAccess } from "@loa/api/loopback-control.ts";
import { encodeReceipts, PACKED_RECEIPTS_MEDIA_TYPE } from "@loa/api/packed-receipts.ts";
import { type Plane, planeBit } from "@loa/model/delivery.ts";
import { type PostAnswer, postUntilAnswered } from "./post.ts";

/** Receipts in one POST; the server takes at most 100,000. */
export const RECEIPTS_PER_POST = 50_000;
/** Receipts that may wait for a server that is away: about 160 MB. */
export const RECEIPTS_WAITING_MAX = 40_000_000;
/** Reports of area orders that may wait. */
export const REPORTS_WAITING_MAX = 100_000;
/** How long receipts gather before they are posted, so that small slices share a POST. */
export const GATHER_MS = 5;
/** Attempts at one report: the server may not yet have stored that the order was accepted. */
export const REPORT_ATTEMPTS_MAX = 40;
const REPORT_PAUSE_MS = 100;

/** The same plane at the same time for many people. */
export interface ReceiptRun {
  readonly dispatchId: string;
  readonly plane: Plane;
  readonly ordinals: Uint32Array;
  /** Milliseconds since the dispatch was issued. */
  readonly sinceIssueMs: number;
}

export interface OrderReport {
  readonly orderId: string;
  readonly body:
    | { readonly state: "carried-out"; readonly claimed: number; readonly evidence: string }
    | { readonly state: "refused"; readonly evidence: string };
}

export interface GatewayCounts {
  /** Receipts and reports that the server has not answered. */
  readonly waiting: number;
  /** Receipts and reports in bodies that it took. */
  readonly posted: number;
  /** Receipts and reports in bodies that it refused; `lastProblem` says why. */
  readonly refused: number;
  readonly dropped: number;
  readonly lastProblem: string;
}

export interface Gateway {
  readonly use: (access: GatewayAccess) => void;
  readonly addReceipts: (run: ReceiptRun) => void;
  readonly addReport: (report: OrderReport) => void;
  readonly counts: () => GatewayCounts;
  readonly close: () => Promise<void>;
}

/** Starts without access: what is added waits until `use`. */
export function createGateway(): Gateway {
  const stop = new AbortController();
  const receipts: ReceiptRun[] = [];
  const reports: OrderReport[] = [];
  let receiptsWaiting = 0;
  let reportsWaiting = 0;
  const done = { posted: 0, refused: 0, dropped: 0, lastProblem: "" };
  let access: GatewayAccess | undefined;

  const note = (answer: PostAnswer, size: number) => {
    if (answer.ok) done.posted += size;
    else {
      done.refused += size;
      done.lastProblem = answer.problem;
    }
  };

  const postReceipts = async (to: GatewayAccess) => {
    await pause(GATHER_MS, undefined, { signal: stop.signal });
    while (receipts.length > 0) {
      const batch = takeBatch(receipts);
      const size = sizeOf(batch);
      const answer = await postUntilAnswered(
        {
          url: to.receiptsUrl,
          key: to.receiptsKey,
          mediaType: PACKED_RECEIPTS_MEDIA_TYPE,
          body: packRuns(batch),
          idempotencyKey: randomUUID(),
        },
        stop.signal,
      );
      receiptsWaiting -= size;
      note(answer, size);
    }
  };

  const postReport = async (to: GatewayAccess, report: OrderReport): Promise<PostAnswer> => {
    const request = {
      url: `${to.areaOrdersUrl}/${report.orderId}/report`,
      key: to.areaOrdersKey,
      mediaType: "application/json",
      body: JSON.stringify(report.body),
    };
    for (let attempt = 1; ; attempt += 1) {
      const answer = await postUntilAnswered(
        { ...request, idempotencyKey: randomUUID() },
        stop.signal,
      );
      if (answer.ok || answer.status !== 409 || attempt === REPORT_ATTEMPTS_MAX) return answer;
      await pause(REPORT_PAUSE_MS, undefined, { signal: stop.signal });
    }
  };

  const postReports = async (to: GatewayAccess) => {
    for (let report = reports.shift(); report; report = reports.shift()) {
      const answer = await postReport(to, report);
      reportsWaiting -= 1;
      note(answer, 1);
    }
  };

  const driveReceipts = createDriver(stop.signal, postReceipts, () => receipts.length > 0);
  const driveReports = createDriver(stop.signal, postReports, () => reports.length > 0);
  return {
    use(given) {
      access = given;
      driveReceipts.drive(access);
      driveReports.drive(access);
    },
    addReceipts(run) {
      if (run.ordinals.length === 0) return;
      if (receiptsWaiting + run.ordinals.length > RECEIPTS_WAITING_MAX) {
        done.dropped += run.ordinals.length;
        return;
      }
      receiptsWaiting += run.ordinals.length;
      receipts.push(run);
      driveReceipts.drive(access);
    },
    addReport(report) {
      if (reportsWaiting >= REPORTS_WAITING_MAX) {
        done.dropped += 1;
        return;
      }
      reportsWaiting += 1;
      reports.push(report);
      driveReports.drive(access);
    },
    counts: () => ({ ...done, waiting: receiptsWaiting + reportsWaiting }),
    async close() {
      stop.abort();
      await Promise.all([driveReceipts.ended(), driveReports.ended()]);
    },
  };
}

/** Takes runs of the first run's dispatch from the front, as many as fit into one POST. */
function takeBatch(queue: ReceiptRun[]): ReceiptRun[] {
  const batch: ReceiptRun[] = [];
  let room = RECEIPTS_PER_POST;
  const dispatchId = queue[0]?.dispatchId;
  while (room > 0 && queue[0]?.dispatchId === dispatchId && queue.length > 0) {
    const run = queue.shift() as ReceiptRun;
    batch.push({ ...run, ordinals: run.ordinals.subarray(0, room) });
    if (run.ordinals.length > room)
      queue.unshift({ ...run, ordinals: run.ordinals.subarray(room) });
    room -= Math.min(room, run.ordinals.length);
  }
  return batch;
}

const sizeOf = (runs: readonly ReceiptRun[]): number =>
  runs.reduce((sum, run) => sum + run.ordinals.length, 0);

/** The body of one POST. */
function packRuns(batch: readonly ReceiptRun[]): Uint8Array {
  const size = sizeOf(batch);
  const ordinals = new Uint32Array(size);
  const planes = new Uint8Array(size);
  const ms = new Uint32Array(size);
  let at = 0;
  for (const run of batch) {
    ordinals.set(run.ordinals, at);
    planes.fill(planeBit(run.plane), at, at + run.ordinals.length);
    ms.fill(run.sinceIssueMs, at, at + run.ordinals.length);
    at += run.ordinals.length;
  }
  return encodeReceipts({ dispatchId: batch[0]?.dispatchId ?? "", ordinals, planes, ms });
}

/** Lets one worker at a time empty a queue, and starts it again for what came as it ended. */
function createDriver(
  signal: AbortSignal,
  work: (access: GatewayAccess) => Promise<void>,
  hasMore: () => boolean,
) {
  let task: Promise<void> | undefined;
  const drive = (access: GatewayAccess | undefined) => {
    if (task !== undefined || access === undefined || signal.aborted || !hasMore()) return;
    task = work(access)
      .catch((fault: unknown) => {
        if (!signal.aborted) throw fault;
      })
      .finally(() => {
        task = undefined;
        drive(access);
      });
  };
  return { drive, ended: () => task ?? Promise.resolve() };
}
