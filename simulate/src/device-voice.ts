// What the devices of a simulation say: that they got a message, once or twice or not at all, and
// sometimes what is not true. Everything is said again until the server answers, as a phone does.
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { chance } from "@loa/sink/behaviour.ts";
import type { DeviceHabits, DevicePerson } from "./witness-protocol.ts";

/** Receipts under way at once. */
export const RECEIPTS_AT_ONCE = 64;
/** A device whose receipt was not answered says it again after up to this. */
const AGAIN_MS = 120;
const AGAIN_MS_MIN = 50;
/** How long a device takes to show a message before it says so, up to this. */
const SHOWING_MS = 60;
/** A request that hangs, because the server was stopped, is given up and repeated. */
const ANSWER_MS = 3_000;
const ODDITIES_MAX = 50;

export interface DeviceVoice {
  begin(origin: string, habits: DeviceHabits): void;
  /** Somebody got a dispatch: they say so, as their habit is. */
  heard(person: DevicePerson, dispatch: string): void;
  /** Somebody says that they got what was not for them. */
  claim(person: DevicePerson, dispatch: string): void;
  /** Receipts without an answer. */
  readonly waiting: number;
  /** Who was believed, by dispatch. */
  acknowledged(): ReadonlyMap<string, ReadonlySet<number>>;
  /** What became of false claims. */
  claimVerdicts(): Readonly<Record<string, number>>;
  oddities(): readonly string[];
  close(): void;
}

export function createDeviceVoice(): DeviceVoice {
  const agent = new Agent({ keepAlive: true, maxSockets: RECEIPTS_AT_ONCE });
  const acknowledged = new Map<string, Set<number>>();
  let claimVerdicts: Record<string, number> = {};
  let oddities: string[] = [];
  let habits: DeviceHabits = { seed: 0, silentShare: 0, twiceShare: 0 };
  let origin = "";
  let waiting = 0;
  const end = new AbortController();

  /** Says one receipt until it is answered; answers the verdict. */
  const say = async (person: DevicePerson, dispatch: string): Promise<string> => {
    waiting += 1;
    try {
      for (;;) {
        const verdict = await postReceipt(agent, origin, person.token, dispatch);
        if (verdict !== undefined) return verdict;
        const againMs = AGAIN_MS_MIN + Math.random() * AGAIN_MS;
        await pause(againMs, undefined, { signal: end.signal });
      }
    } finally {
      waiting -= 1;
    }
  };

  const acknowledge = async (person: DevicePerson, dispatch: string) => {
    await pause(SHOWING_MS * chance(habits.seed + 3, person.ordinal));
    const times = chance(habits.seed + 1, person.ordinal) < habits.twiceShare ? 2 : 1;
    for (let i = 0; i < times; i += 1) {
      const verdict = await say(person, dispatch);
      if (verdict === "accepted" || verdict === "known") {
        const set = acknowledged.get(dispatch) ?? new Set();
        acknowledged.set(dispatch, set.add(person.ordinal));
      } else if (oddities.length < ODDITIES_MAX)
        oddities.push(`the receipt of ${person.ordinal} for ${dispatch} was answered ${verdict}`);
    }
  };

  return {
    begin(to, next) {
      origin = to;
      habits = next;
      acknowledged.clear();
      claimVerdicts = {};
      oddities = [];
    },
    heard(person, dispatch) {
      if (chance(habits.seed, person.ordinal) < habits.silentShare) return;
      acknowledge(person, dispatch).catch(() => {});
    },
    claim(person, dispatch) {
      say(person, dispatch).then(
        (verdict) => {
          claimVerdicts[verdict] = (claimVerdicts[verdict] ?? 0) + 1;
        },
        () => {},
      );
    },
    get waiting() {
      return waiting;
    },
    acknowledged: () => acknowledged,
    claimVerdicts: () => claimVerdicts,
    oddities: () => oddities,
    close() {
      end.abort();
      agent.destroy();
    },
  };
}

/** The verdict about one receipt of one device; undefined when it has to be said again. */
function postReceipt(
  agent: Agent,
  origin: string,
  token: string,
  dispatch: string,
): Promise<string | undefined> {
  const at = new Date().toISOString();
  const body = JSON.stringify({ receipts: [{ dispatch, plane: "delivered", at }] });
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const options = { method: "POST", agent, headers, timeout: ANSWER_MS };
  return new Promise((done) => {
    const post = request(`${origin}/v1/receipts`, options, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => {
        text += part;
      });
      answer.on("end", () => done(verdictOf(answer.statusCode ?? 0, text)));
      answer.on("error", () => done(undefined));
    });
    post.on("timeout", () => post.destroy());
    post.on("error", () => done(undefined));
    post.end(body);
  });
}

function verdictOf(status: number, text: string): string | undefined {
  if (status >= 500 || status === 429 || status === 408) return undefined;
  if (status !== 200) return `${status} ${text.slice(0, 200)}`;
  const { accepted, known, refused } = JSON.parse(text) as {
    accepted: number;
    known: number;
    refused: { reason: string }[];
  };
  if (accepted === 1) return "accepted";
  return known === 1 ? "known" : (refused[0]?.reason ?? "nothing");
}
