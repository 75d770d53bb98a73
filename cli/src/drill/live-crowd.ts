// The live people of a drill: each holds a real connection to the stream with a token of their
// own, notes every message, and acknowledges it with a receipt as a device does. Nobody comes back
// by themselves: in a drill no connection should end.
import { Agent, request } from "node:http";
import { hearStream, type StreamEvent, type StreamHandle } from "@loa/api/stream-client.ts";
import { monotonicNowMs } from "@loa/sink/clock.ts";
import type { BodyBook } from "./body-book.ts";
import type { LivePerson, Testimony } from "./witness-protocol.ts";

/** Connections that are being opened at once: a server's backlog is short. */
export const OPENING_MAX = 100;
/** Receipts under way at once; each is a request of its own, as from as many phones. */
export const RECEIPTS_AT_ONCE = 64;
/**
 * Devices show a message before they acknowledge it, each in its own time: up to this long. All at
 * once would measure how fast one process posts, in the very moment when arrivals are measured.
 */
export const SHOWING_MS_MAX = 500;
/** Everybody must be greeted within this. */
export const GREETED_MS_MAX = 60_000;
/** Oddities that are kept; one is too many already. */
const ODDITIES_MAX = 50;
const TIMES_MAX = 255;

export interface LiveCounts {
  readonly connected: number;
  readonly messages: number;
  readonly acknowledged: number;
  readonly waiting: number;
  readonly refused: number;
  readonly lastProblem: string;
}

export interface LiveCrowd {
  /** Resolves with how many are connected when all are; rejects when one cannot connect. */
  connect(stream: string, people: readonly LivePerson[], lanes: readonly string[]): Promise<number>;
  /** How many messages of one dispatch came; the rest counts over all of them. */
  counts(dispatchId: string): LiveCounts;
  testimony(dispatchId: string): Testimony["live"];
  /** Dispatches of which anything came. */
  dispatches(): readonly string[];
  oddities(): readonly string[];
  close(): Promise<void>;
}

/** What one device has of one dispatch. */
interface Got {
  times: number;
  firstAtMs: number;
  isAcknowledged: boolean;
}

interface Device extends LivePerson {
  readonly got: Map<string, Got>;
  handle?: StreamHandle;
}

const NOTHING: Got = { times: 0, firstAtMs: 0, isAcknowledged: false };

export function createLiveCrowd(bodies: BodyBook): LiveCrowd {
  const agent = new Agent({ keepAlive: true, maxSockets: RECEIPTS_AT_ONCE });
  const devices: Device[] = [];
  const oddities: string[] = [];
  const counts = { connected: 0, waiting: 0, refused: 0 };
  const messages = new Map<string, { messages: number; acknowledged: number }>();
  let expectedLanes: readonly string[] = [];
  let lastProblem = "";
  let isClosing = false;
  let origin = "";

  const note = (oddity: string) => {
    if (!isClosing && oddities.length < ODDITIES_MAX) oddities.push(oddity);
  };

  const totalsOf = (dispatch: string) => {
    const known = messages.get(dispatch) ?? { messages: 0, acknowledged: 0 };
    messages.set(dispatch, known);
    return known;
  };

  const acknowledge = async (device: Device, dispatch: string) => {
    const problem = await postReceipt(agent, origin, device.token, dispatch);
    counts.waiting -= 1;
    if (problem === undefined) {
      const got = device.got.get(dispatch);
      if (got) got.isAcknowledged = true;
      totalsOf(dispatch).acknowledged += 1;
    } else {
      counts.refused += 1;
      lastProblem = problem;
    }
  };

  const hear = (device: Device, event: StreamEvent) => {
    if (event.event === "hello") return;
    if (event.event === "bye")
      return note(`the server said bye to ${device.index}: ${String(event.data)}`);
    const atMs = monotonicNowMs();
    if (!expectedLanes.includes(event.event)) note(`${device.index} heard a ${event.event}`);
    bodies.note(event.data, "live", 1);
    const dispatch = dispatchOf(event.data);
    if (dispatch === undefined) return note(`${device.index} heard something without a dispatch`);
    const got = device.got.get(dispatch) ?? { ...NOTHING, firstAtMs: atMs };
    device.got.set(dispatch, got);
    got.times = Math.min(got.times + 1, TIMES_MAX);
    totalsOf(dispatch).messages += 1;
    if (!device.isSilent) {
      counts.waiting += 1;
      setTimeout(() => void acknowledge(device, dispatch), Math.random() * SHOWING_MS_MAX);
    }
  };

  /** Resolves when this device was greeted. */
  const open = (device: Device): Promise<void> =>
    new Promise((done, fail) => {
      const timer = setTimeout(
        () => fail(new Error(`${device.index} was not greeted in time`)),
        GREETED_MS_MAX,
      );
      device.handle = hearStream(
        { url: `${origin}/v1/stream`, token: device.token },
        {
          event(event) {
            if (event.event === "hello") {
              clearTimeout(timer);
              counts.connected += 1;
              done();
            }
            hear(device, event);
          },
          end(reason) {
            clearTimeout(timer);
            note(`the connection of ${device.index} ended: ${reason?.message ?? "no reason"}`);
            fail(reason ?? new Error(`the connection of ${device.index} ended`));
          },
        },
      );
    });

  return {
    async connect(stream, people, lanes) {
      origin = stream;
      expectedLanes = lanes;
      const waiting = people.map((person) => ({
        ...person,
        got: new Map<string, Got>(),
      }));
      devices.push(...waiting);
      const openNext = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) await open(next);
      };
      await Promise.all(Array.from({ length: OPENING_MAX }, openNext));
      return counts.connected;
    },
    counts: (dispatchId) => ({
      ...counts,
      ...(messages.get(dispatchId) ?? { messages: 0, acknowledged: 0 }),
      lastProblem,
    }),
    testimony: (dispatchId) => testimonyOf(devices, dispatchId),
    dispatches: () => [...messages.keys()],
    oddities: () => oddities,
    close() {
      isClosing = true;
      for (const device of devices) device.handle?.close();
      agent.destroy();
      return Promise.resolve();
    },
  };
}

/** What all devices have of one dispatch. */
function testimonyOf(devices: readonly Device[], dispatchId: string): Testimony["live"] {
  const all = devices.map((device) => device.got.get(dispatchId) ?? NOTHING);
  return {
    index: Uint32Array.from(devices, (device) => device.index),
    times: Uint8Array.from(all, ({ times }) => times),
    firstAtMs: Float64Array.from(all, ({ firstAtMs }) => firstAtMs),
    acknowledged: Uint8Array.from(all, ({ isAcknowledged }) => Number(isAcknowledged)),
  };
}

/** One receipt of one device. Answers the problem, or undefined when it counted. */
function postReceipt(
  agent: Agent,
  origin: string,
  token: string,
  dispatch: string,
): Promise<string | undefined> {
  const at = new Date(monotonicNowMs()).toISOString();
  const body = JSON.stringify({ receipts: [{ dispatch, plane: "delivered", at }] });
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return new Promise((done) => {
    const post = request(`${origin}/v1/receipts`, { method: "POST", agent, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        text += part;
      });
      answer.on("end", () => done(problemIn(answer.statusCode ?? 0, text)));
      answer.on("error", (fault) => done(fault.message));
    });
    post.on("error", (fault) => done(fault.message));
    post.end(body);
  });
}

function problemIn(status: number, text: string): string | undefined {
  if (status !== 200) return `${status} ${text}`;
  const { accepted } = JSON.parse(text) as { accepted?: unknown };
  return accepted === 1 ? undefined : text;
}

function dispatchOf(data: Uint8Array): string | undefined {
  try {
    const { dispatch } = JSON.parse(new TextDecoder().decode(data)) as { dispatch?: unknown };
    return typeof dispatch === "string" ? dispatch : undefined;
  } catch {
    return undefined;
  }
}
