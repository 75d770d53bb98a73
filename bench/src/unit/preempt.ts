// A warning while a notice to everybody is under way: the notice runs on live and loopback, every
// message of it is acknowledged at once by a gateway (the storm of receipts), and then a warning is
// issued. How soon the first of it arrives, and how soon it has nearly all of the sending.
//
// The sink stands in this process, where each arrival is counted when it is seen.
import { createKey } from "@loa/api/accounts.ts";
import { createClient } from "@loa/api/client.ts";
import { openSink, type Sink } from "@loa/sink/sink.ts";
import { setTimeout as pause } from "node:timers/promises";
import { clockMs, clockMsOf } from "../clock.ts";
import { clearDispatches } from "../dispatch-tables.ts";
import { openDesk } from "../desk.ts";
import { type OpenSet, openPeopleSet, keyOfDemonstration } from "../people-set.ts";
import { check, figure, type Unit } from "../unit.ts";
import { waitUntil } from "../wait.ts";

const RUNNING_MS_MAX = 120_000;
const ARRIVE_MS_MAX = 60_000;
/** How long arrivals are looked at after the first of the warning. */
const LOOK_MS = 1_000;
const SAMPLE_MS = 10;
/** A window in which the shares of both are compared. */
const WINDOW_MS = 50;
const CAPACITY_SHARE = 0.95;
/** Each slice takes the far side so long that the notice is under way when the warning comes. */
const ANSWER_LAG_MS = 5;
const NATURE = "loopback";

interface Sample {
  readonly atMs: number;
  readonly notice: number;
  readonly warning: number;
}

export const preempt: Unit = {
  name: "preempt",
  title: "A warning while a notice to everybody is sent, under a storm of receipts",
  async run(context) {
    const sink = await openSink({ port: 0, host: "127.0.0.1" });
    sink.behave({ answerLagMs: ANSWER_LAG_MS });
    const open = await openPeopleSet(context, { loopbackUrl: `127.0.0.1:${sink.port}` });
    try {
      await useGateway(open, sink);
      const firstAfterRequest: number[] = [];
      const firstAfterIssue: number[] = [];
      const capacity: number[] = [];
      let isComplete = true;
      for (let run = 0; run < context.runs; run++) {
        const one = await runOnce(open, sink);
        firstAfterRequest.push(one.firstAfterRequestMs);
        firstAfterIssue.push(one.firstAfterIssueMs);
        capacity.push(one.capacityMs);
        isComplete &&= one.isComplete;
      }
      const target = (atMost: number) => (context.isSmall ? {} : { target: { atMost } });
      const hasCapacity = capacity.filter(Number.isFinite);
      return {
        figures: [
          figure("request to issue until the first is sent", "ms", firstAfterRequest, NATURE),
          figure("issued until the first is sent", "ms", firstAfterIssue, NATURE, {
            ...target(100),
            note: "from the instant that the bulletin bears, before its plan is durable",
          }),
          figure(
            "from then until the warning has 95 % of what is sent",
            "ms",
            hasCapacity,
            NATURE,
            target(250),
          ),
        ],
        checks: [check("preempt: both were sent to everybody whom they were for", isComplete)],
      };
    } finally {
      await open.installation.stop();
      await sink.close();
    }
  },
};

async function runOnce(open: OpenSet, sink: Sink) {
  const { pool } = open.installation.connection;
  await clearDispatches(pool);
  const desk = openDesk(open);
  const noticeId = await desk.prepare({ channels: ["live", "loopback"], kind: "notice" });
  const warningId = await desk.prepare({ channels: ["live", "loopback"] });
  const notice = await desk.issue(noticeId);
  const sent = (id: string) => sink.dispatch(id)?.totals().messages ?? 0;
  await waitUntil(RUNNING_MS_MAX, () => sent(notice.dispatchId) > 0);
  const samples: Sample[] = [];
  let warningDispatch = "";
  const sampling = setInterval(() => {
    const warning = warningDispatch === "" ? 0 : sent(warningDispatch);
    samples.push({ atMs: clockMs(), notice: sent(notice.dispatchId), warning });
  }, SAMPLE_MS);
  const warning = await desk.issue(warningId);
  warningDispatch = warning.dispatchId;
  await waitUntil(ARRIVE_MS_MAX, () => sent(warningDispatch) > 0);
  // The sink notes when the first came, in case that was before the answer to the request.
  const firstAtMs = clockMsOf(sink.dispatch(warningDispatch)?.totals().firstAtMs ?? Number.NaN);
  await pause(LOOK_MS);
  clearInterval(sampling);
  const planned = async (id: string) => (await desk.summary(id)).channels.loopback?.planned ?? -1;
  const wanted = [await planned(notice.dispatchId), await planned(warningDispatch)];
  await waitUntil(RUNNING_MS_MAX, () => sent(warningDispatch) >= (wanted[1] ?? 0));
  await waitUntil(RUNNING_MS_MAX * 5, () => sent(notice.dispatchId) >= (wanted[0] ?? 0));
  return {
    firstAfterRequestMs: firstAtMs - warning.askedMs,
    firstAfterIssueMs: firstAtMs - warning.issuedMs,
    capacityMs: timeToCapacity(samples, firstAtMs),
    isComplete: sent(notice.dispatchId) === wanted[0] && sent(warningDispatch) === wanted[1],
  };
}

/**
 * From the first message of the warning to the end of the first window in which it has its share of
 * all that arrives; 0 when there was no notice beside it any more, NaN when it never had.
 */
function timeToCapacity(samples: readonly Sample[], firstAtMs: number): number {
  for (const [index, from] of samples.entries()) {
    if (from.atMs < firstAtMs) continue;
    const to = samples.slice(index).find((each) => each.atMs >= from.atMs + WINDOW_MS);
    if (to === undefined) break;
    const warning = to.warning - from.warning;
    const all = warning + to.notice - from.notice;
    if (all > 0 && warning / all >= CAPACITY_SHARE) return Math.max(0, from.atMs - firstAtMs);
  }
  return Number.NaN;
}

async function useGateway({ installation }: OpenSet, sink: Sink): Promise<void> {
  const { api, stream, folder } = installation;
  const operator = createClient({ origin: api, key: keyOfDemonstration(folder, "operator") });
  const body = { holder: { gateway: "loopback" as const }, label: "benchmark" };
  const { key } = await operator.ask(createKey, { body });
  sink.useGateway({
    receiptsUrl: `${stream}/v1/gateways/loopback/receipts`,
    receiptsKey: key,
    areaOrdersUrl: `${api}/v1/area-orders`,
    areaOrdersKey: keyOfDemonstration(folder, "gatewayAreaLoopback"),
  });
}
