// What happens in a run, worked out from its seed before anything happens: what is sent where, what
// follows it, how the far sides misbehave, and which process is killed or stopped when. The same
// seed gives the same plan for ever; what a plan meets when it is carried out depends on timing.
import {
  FAIL_ACTIONS,
  type FailAction,
  type FailPointName,
} from "../../server/src/observe/fail-point.ts";
import type { Behaviour } from "@loa/api/loopback-control.ts";
import { type Random, seedRandom } from "@loa/model/random.ts";

/** Who can be killed or stopped. A backend is one of PostgreSQL's own processes. */
export const VICTIMS = [
  "worker",
  "stream",
  "front",
  "ledger",
  "supervisor",
  "postgres",
  "backend",
] as const;
export type Victim = (typeof VICTIMS)[number];

/** The two far sides that take messages for single people. */
export const WAYS = ["loopback", "loopback-once"] as const;
export type Way = (typeof WAYS)[number];

export type RunEvent =
  | { readonly kind: "kill"; readonly victim: Victim; readonly which: number }
  | {
      readonly kind: "stop";
      readonly victim: Victim;
      readonly which: number;
      readonly forMs: number;
    }
  /** Some process fails at a named instant, at this hit from now on. */
  | {
      readonly kind: "arm";
      readonly point: FailPointName;
      readonly hit: number;
      readonly action: FailAction;
      /** How long one that stops there stays so. */
      readonly forMs: number;
    }
  | { readonly kind: "sink"; readonly way: Way; readonly behaviour: Partial<Behaviour> }
  | { readonly kind: "vanish"; readonly share: number; readonly forMs: number }
  | { readonly kind: "clock"; readonly byMs: number };

export type TimedEvent = RunEvent & { readonly atMs: number };

/** What follows the warning: "race" is an update and a cancel that are issued at once. */
export const SEQUELS = ["none", "update", "cancel", "update-cancel", "race"] as const;
export type Sequel = (typeof SEQUELS)[number];

export interface RunPlan {
  readonly seed: number;
  /** Codes of communes that the warning is for. */
  readonly areas: readonly string[];
  /** What an update is for. */
  readonly updatedAreas: readonly string[];
  readonly rule: "residents" | "both";
  /** Whether a notice to the whole province goes out just before. */
  readonly hasNotice: boolean;
  readonly sequel: Sequel;
  /** Milliseconds after the warning's issue. */
  readonly sequelAtMs: number;
  readonly cancelAtMs: number;
  /** Share of the devices that get a message and never say so. */
  readonly silentShare: number;
  /** Share of those who say so twice. */
  readonly twiceShare: number;
  /** How many whom the warning is not for claim that they got it. */
  readonly foreign: number;
  /** In order of time. */
  readonly events: readonly TimedEvent[];
}

/** The seed of one run: neighbours share nothing. */
export const seedOfRun = (seed: number, run: number): number =>
  (Math.imul(seed + 1, 0x9e37_79b1) ^ Math.imul(run + 1, 0x85eb_ca6b)) >>> 0;

const AREAS_MAX = 20;
/** Faults begin within this time of the issue: then most of the sending is under way. */
const FAULT_WINDOW_MS = 450;
/** Share of the runs in which nobody is killed or stopped: only far sides, clients and clocks. */
const CALM_SHARE = 0.25;
/** A stop that outlasts a lease of three seconds, and one that does not. */
const LONG_STOP_MS = [3_200, 4_200] as const;
const SHORT_STOP_MS = [100, 900] as const;

/** The plan of a run. `communes` are the codes of the province. */
export function planRun(seed: number, communes: readonly string[]): RunPlan {
  const random = seedRandom(seed);
  const areas = someOf(random, communes, 2 + Math.floor(random() * (AREAS_MAX - 2)));
  const isCalm = random() < CALM_SHARE;
  const faults = isCalm ? [] : times(1 + Math.floor(random() * 3), () => planFault(random));
  const sequel = weighted(random, [
    ["none", 3],
    ["update", 2],
    ["cancel", 3],
    ["update-cancel", 2],
    ["race", 1],
  ] as const);
  const sequelAtMs = between(random, 10, 350);
  return {
    seed,
    areas,
    updatedAreas: random() < 0.6 ? areas : someOf(random, communes, 3 + Math.floor(random() * 12)),
    rule: random() < 0.5 ? "residents" : "both",
    hasNotice: random() < 0.5,
    sequel,
    sequelAtMs,
    cancelAtMs: sequelAtMs + between(random, 10, 300),
    silentShare: random() * 0.05,
    twiceShare: random() * 0.3,
    foreign: Math.floor(random() * 20),
    events: [
      ...planFarSides(random),
      ...planCrowd(random),
      ...planClock(random),
      ...faults,
    ].toSorted((a, b) => a.atMs - b.atMs),
  };
}

function planFault(random: Random): TimedEvent {
  const atMs = between(random, 0, FAULT_WINDOW_MS);
  const kind = weighted(random, [
    ["kill", 4],
    ["stop", 3],
    ["arm", 5],
  ] as const);
  if (kind === "arm") {
    const point = weighted(random, FAILING);
    const action = pick(random, FAIL_ACTIONS);
    const hit = 1 + Math.floor(random() * random() * 12);
    return { kind, atMs: Math.floor(atMs / 3), point, hit, action, forMs: stopMs(random) };
  }
  const victim = weighted(random, [
    ["worker", 8],
    ["stream", 3],
    ["front", 2],
    ["ledger", 3],
    ["supervisor", 1],
    ["postgres", 1],
    ["backend", 1],
  ] as const);
  const which = Math.floor(random() * 1_000);
  if (kind === "kill") return { kind, atMs, victim, which };
  return { kind, atMs, victim, which, forMs: stopMs(random) };
}

/** Where to fail, and how often. */
const FAILING = [
  ["mid-freeze", 1],
  ["plan-committed", 1],
  ["mid-lease", 2],
  ["before-hand-over", 3],
  ["handed-over", 4],
  ["committed", 2],
  ["live-told", 2],
  ["receipts-taken", 2],
] as const satisfies readonly (readonly [FailPointName, number])[];

function planFarSides(random: Random): TimedEvent[] {
  return WAYS.flatMap((way): TimedEvent[] => {
    const seed = Math.floor(random() * 2 ** 31);
    const first: Partial<Behaviour> = {
      seed,
      answerLagMs: pick(random, [0, 0, 1, 2, 5, 12]),
      receiptLagMs: pick(random, [0, 0, 5, 40, 150]),
      readShare: random() < 0.5 ? random() * 0.4 : 0,
      failShare: random() < 0.3 ? random() * 0.1 : 0,
      laterShare: random() < 0.3 ? random() * 0.3 : 0,
      laterMs: between(random, 5, 60),
      lieForeign: random() < 0.25,
      lieEarly: random() < 0.2,
      lieTwice: random() < 0.3,
      answerTwice: random() < 0.2,
      refuseShare: way === "loopback" ? random() * 0.2 : 0,
      carryOutLagMs: between(random, 0, 60),
    };
    const events: TimedEvent[] = [{ kind: "sink", atMs: -1, way, behaviour: first }];
    const atMs = between(random, 0, FAULT_WINDOW_MS);
    const trick = weighted(random, [
      ["none", 6],
      ["hangUp", 2],
      ["answerNonsense", 1],
      ["stall", 1],
      ["later", 1],
    ] as const);
    if (trick === "hangUp" || trick === "answerNonsense")
      events.push({ kind: "sink", atMs, way, behaviour: { [trick]: true } });
    const [on, off] =
      trick === "stall"
        ? [{ stall: true }, { stall: false }]
        : [{ laterShare: 1, laterMs: 80 }, { laterShare: 0 }];
    if (trick === "stall" || trick === "later")
      events.push(
        { kind: "sink", atMs, way, behaviour: on },
        { kind: "sink", atMs: atMs + between(random, 50, 600), way, behaviour: off },
      );
    return events;
  });
}

function planCrowd(random: Random): TimedEvent[] {
  const waves = Math.floor(random() * 3);
  return times(waves, () => ({
    kind: "vanish",
    atMs: between(random, 0, 500),
    share: pick(random, [0.1, 0.5, 1]),
    forMs: between(random, 20, 900),
  }));
}

const MINUTE_MS = 60_000;
const JUMPS_MS = [-40 * 24 * 60, -13 * 60, -10, -1, 1, 10, 13 * 60, 40 * 24 * 60].map(
  (minutes) => minutes * MINUTE_MS,
);

function planClock(random: Random): TimedEvent[] {
  if (random() > 0.35) return [];
  return [{ kind: "clock", atMs: between(random, -1, 400), byMs: pick(random, JUMPS_MS) }];
}

const stopMs = (random: Random): number => {
  const [min, max] = random() < 0.35 ? LONG_STOP_MS : SHORT_STOP_MS;
  return between(random, min, max);
};

const between = (random: Random, min: number, max: number): number =>
  min + Math.floor(random() * (max - min + 1));

const pick = <T>(random: Random, from: readonly T[]): T =>
  from[Math.floor(random() * from.length)] as T;

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

function weighted<const T>(random: Random, from: readonly (readonly [T, number])[]): T {
  let left = random() * from.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of from) {
    left -= weight;
    if (left < 0) return value;
  }
  return (from.at(-1) as readonly [T, number])[0];
}

/** Some of these, each at most once, in their own order. */
function someOf<T>(random: Random, from: readonly T[], count: number): T[] {
  const keys = from.map((value, index) => ({ index, value, key: random() }));
  const chosen = keys.toSorted((a, b) => a.key - b.key).slice(0, count);
  return chosen.toSorted((a, b) => a.index - b.index).map(({ value }) => value);
}
