// The witness: the receiving side of a simulation, in a process of its own that nobody kills. It is
// the far side of both loopback channels and holds the devices; what it wrote down is what the
// ledger is held against.
import { setTimeout as pause } from "node:timers/promises";
import { clearAfterDrill, type Guarded } from "@loa/cli/drill/guard.ts";
import { answerParent } from "@loa/cli/process-link.ts";
import { KIND_BEHAVIOUR } from "@loa/sink/behaviour.ts";
import { openSink, type Sink } from "@loa/sink/sink.ts";
import { createArrivalLog } from "./arrival-log.ts";
import { Crowd } from "./crowd.ts";
import { createDeviceVoice } from "./device-voice.ts";
import { type Way, WAYS } from "./plan.ts";
import {
  ANSWER_MS,
  type AnswerOf,
  type Counts,
  type Question,
  type Testimony,
} from "./witness-protocol.ts";

/** A slice that was not answered is handed over again within this. */
const AGAIN_MS_MAX = 500;

const log = createArrivalLog();
const voice = createDeviceVoice();
const crowd = new Crowd(log, voice);
const sinks = new Map<Way, Sink>();
/** When a far side last took a slice and kept silent. */
let withheldAtMs = Number.NEGATIVE_INFINITY;
let origin = "";
let guarded: Guarded = { pid: 0, folders: [] };

// Without the simulation nobody would end what it started.
answerParent(
  (question) => respond(question as Question),
  () => clearAfterDrill(guarded),
);

async function respond(question: Question): Promise<AnswerOf[Question["kind"]]> {
  switch (question.kind) {
    case "open":
      for (const way of WAYS) sinks.set(way, await open(way));
      return { loopback: sinkOf("loopback").port, once: sinkOf("loopback-once").port };
    case "guard":
      guarded = question;
      return "done";
    case "gateway":
      sinkOf(question.way).useGateway(question.gateway);
      return "done";
    case "connect":
      origin = question.stream;
      await crowd.connect(origin, question.people);
      return "done";
    case "begin":
      log.clear();
      voice.begin(origin, question.habits);
      crowd.begin();
      for (const sink of sinks.values()) {
        sink.forget();
        const { populations: _kept, ...kind } = KIND_BEHAVIOUR;
        sink.behave(kind);
      }
      return "done";
    case "behave":
      sinkOf(question.way).behave(question.behaviour);
      return "done";
    case "vanish":
      return crowd.vanish(question);
    case "claim":
      for (const ordinal of question.ordinals) {
        const person = crowd.find(ordinal);
        if (person !== undefined) voice.claim(person, question.dispatchId);
      }
      return "done";
    case "count":
      return count();
    case "testify":
      return testify();
    case "close":
      crowd.close();
      voice.close();
      for (const sink of sinks.values()) await sink.close();
      await pause(0);
      return "done";
  }
}

const open = (way: Way): Promise<Sink> =>
  openSink({
    port: 0,
    host: "127.0.0.1",
    arrived: ({ slice, got, line, isWithheld }) => {
      log.note(slice.dispatchId, way, got, line, slice.message);
      if (isWithheld) withheldAtMs = performance.now();
    },
  });

function sinkOf(way: Way): Sink {
  const sink = sinks.get(way);
  if (sink === undefined) throw new Error("the far sides are not open");
  return sink;
}

function count(): Counts {
  return {
    connected: crowd.connected,
    devices: crowd.devices,
    arrivals: log.size,
    waiting: {
      live: voice.waiting,
      loopback: sinkOf("loopback").gateway().waiting,
      "loopback-once": sinkOf("loopback-once").gateway().waiting,
    },
    isWithholding: performance.now() - withheldAtMs < ANSWER_MS + AGAIN_MS_MAX,
    acknowledged: Object.fromEntries([...voice.acknowledged()].map(([id, set]) => [id, set.size])),
  };
}

function testify(): Testimony {
  return {
    arrivals: log.arrivals(),
    bodies: log.bodies(),
    acknowledged: Object.fromEntries(
      [...voice.acknowledged()].map(([id, set]) => [id, Uint32Array.from(set)]),
    ),
    claimVerdicts: voice.claimVerdicts(),
    orders: sinkOf("loopback")
      .orders()
      .map(({ order, timesAsked, fate, claimed }) => ({
        dispatchId: order.dispatchId,
        areaCode: order.areaCode,
        timesAsked,
        fate,
        claimed,
      })),
    oddities: [
      ...crowd.oddities,
      ...voice.oddities(),
      ...[...sinks].flatMap(([way, sink]) => {
        const { refused, dropped, lastProblem } = sink.gateway();
        return refused + dropped > 0
          ? [`${way}: ${refused} refused and ${dropped} dropped of its receipts: ${lastProblem}`]
          : [];
      }),
    ],
  };
}
