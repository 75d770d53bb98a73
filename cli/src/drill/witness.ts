// The witness: the receiving side of a drill, in a process of its own. It holds the live people's
// connections and the sink behind the loopback channels, counts what each person gets, and
// acknowledges as their devices would. It never sees what the server thinks that it sent.
import { openSink, type Sink } from "@loa/sink/sink.ts";
import { monotonicNowMs } from "@loa/sink/clock.ts";
import { createLiveCrowd } from "./live-crowd.ts";
import { createBodyBook } from "./body-book.ts";
import { clearAfterDrill, type Guarded } from "./guard.ts";
import { answerParent } from "../process-link.ts";
import type { AnswerOf, Counts, Question, Testimony } from "./witness-protocol.ts";

const bodies = createBodyBook();
const crowd = createLiveCrowd(bodies);
let sink: Sink | undefined;
let guarded: Guarded = { pid: 0, folders: [] };

// Without the drill nobody would read the testimony, or end what it started.
answerParent(
  (question) => respond(question as Question),
  () => clearAfterDrill(guarded),
);

async function respond(question: Question): Promise<AnswerOf[keyof AnswerOf]> {
  switch (question.kind) {
    case "open":
      sink = await openSink({ port: 0, host: "127.0.0.1" });
      return { port: sink.port };
    case "clock":
      return { nowMs: monotonicNowMs() };
    case "sink":
      openedSink().behave(question.behaviour);
      openedSink().useGateway(question.gateway);
      return "done";
    case "connect":
      return {
        connected: await crowd.connect(
          question.stream,
          question.people,
          question.lanes ?? ["warning"],
        ),
      };
    case "guard":
      guarded = question;
      return "done";
    case "count":
      return count(question.dispatchId);
    case "testify":
      return testify(question.dispatchId);
    case "close":
      await crowd.close();
      await sink?.close();
      return "done";
  }
}

function openedSink(): Sink {
  if (sink === undefined) throw new Error("the sink is not open");
  return sink;
}

function count(dispatchId: string): Counts {
  const totals = openedSink().dispatch(dispatchId)?.totals();
  const gateway = openedSink().gateway();
  const live = crowd.counts(dispatchId);
  return {
    connected: live.connected,
    liveMessages: live.messages,
    liveAcknowledged: live.acknowledged,
    loopbackMessages: totals?.messages ?? 0,
    waiting: gateway.waiting + live.waiting,
    notTaken: gateway.refused + gateway.dropped + live.refused,
    lastProblem: gateway.lastProblem || live.lastProblem,
  };
}

function testify(dispatchId: string): Testimony {
  const counter = openedSink().dispatch(dispatchId);
  const ordinal = counter?.people() ?? new Uint32Array();
  for (const seen of counter?.bodies() ?? []) bodies.note(seen.body, "loopback", seen.messages);
  const orders = openedSink()
    .orders()
    .filter(({ order }) => order.dispatchId === dispatchId);
  for (const { order, timesAsked } of orders) bodies.note(order.message, "area", timesAsked);
  return {
    live: crowd.testimony(dispatchId),
    loopback: {
      ordinal,
      times: Uint8Array.from(ordinal, (each) => counter?.timesOf(each) ?? 0),
      firstAtMs: Float64Array.from(ordinal, (each) => counter?.firstAtMsOf(each) ?? 0),
    },
    bodies: bodies.seen(),
    orders: orders.map(({ order, timesAsked, fate, claimed }) => ({
      areaCode: order.areaCode,
      timesAsked,
      fate,
      claimed,
      bodySha256: bodies.hash(order.message),
    })),
    oddities: [
      ...crowd.oddities(),
      ...openedSink()
        .dispatches()
        .filter((each) => each.dispatchId !== dispatchId)
        .map((each) => strangeDispatch("the sink", each.dispatchId)),
      ...crowd
        .dispatches()
        .filter((each) => each !== dispatchId)
        .map((each) => strangeDispatch("somebody who is connected", each)),
    ],
  };
}

const strangeDispatch = (who: string, dispatchId: string): string =>
  `${who} got the dispatch ${dispatchId}, which nobody issued`;
