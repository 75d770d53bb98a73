// The checks, fed with evidence of a small run in which everything is right, and then with one thing
// wrong at a time: each must be caught by the check that is for it, and by its name.
import { emptyStates, type State } from "@loa/model/delivery.ts";
import { expect, test } from "vitest";
import { createArrivalLog } from "./arrival-log.ts";
import { checkRun } from "./checks.ts";
import type { DispatchEvidence, Evidence, LedgerRow } from "./evidence.ts";
import type { RunPlan } from "./plan.ts";
import type { ArrivalWay } from "./witness-protocol.ts";

const ALERT = "01890a5d-ac96-774b-bcce-b302099a8057";
const CANCEL = "01890a5d-ac96-774b-bcce-b302099a8058";
const UPDATE = "01890a5d-ac96-774b-bcce-b302099a8059";
const LEFT = "01890a5d-ac96-774b-bcce-b302099a8060";
const WAYS: readonly ArrivalWay[] = ["live", "loopback", "loopback", "loopback-once", "loopback"];
const SLICE = 2;

interface Told {
  readonly id: string;
  readonly index: number;
  readonly line?: number;
}

interface Story {
  /** Who is planned for the alert, and their states. */
  readonly alert: Readonly<Record<number, State>>;
  readonly cancel?: Readonly<Record<number, State>>;
  readonly update?: Readonly<Record<number, State>>;
  readonly left?: Readonly<Record<number, State>>;
  readonly told: readonly Told[];
  readonly interruptions?: number;
  readonly acknowledged?: Readonly<Record<string, readonly number[]>>;
}

const ordinalOf = (index: number): number => 1_000 + index;

/** Everybody but the last is inside, and got it. */
const ALL_WELL: Story = {
  alert: { 0: "delivered", 1: "delivered", 2: "delivered", 3: "delivered" },
  told: [0, 1, 2, 3].map((index) => ({ id: ALERT, index })),
  acknowledged: { [ALERT]: [0] },
};

function evidenceOf(story: Story): Evidence {
  const log = createArrivalLog();
  const body = (id: string) =>
    new TextEncoder().encode(
      JSON.stringify({ hash: `h${id}`, bulletin: `b${id}`, type: "Exercise" }),
    );
  for (const { id, index, line = 1 } of story.told)
    log.note(id, WAYS[index] as ArrivalWay, [ordinalOf(index)], line, body(id));
  const dispatches = [
    dispatchOf("alert", ALERT, story.alert, story.cancel || story.update ? "cancelled" : "open"),
  ];
  if (story.update) dispatches.push(dispatchOf("update", UPDATE, story.update, "open"));
  if (story.left) dispatches.push(dispatchOf("left", LEFT, story.left, "open"));
  if (story.cancel) dispatches.push(dispatchOf("cancel", CANCEL, story.cancel, "open"));
  return {
    plan: { events: [], seed: 1 } as unknown as RunPlan,
    world: {
      rows: WAYS.map((way, index) => ({
        reference: `person-${index}`,
        home: "SL001",
        places: [],
        follows: [],
        endpoints: [way],
      })),
      ways: WAYS,
      ordinals: WAYS.map((_, index) => ordinalOf(index)),
      tokens: [],
      indexOf: new Map(),
      indexOfOrdinal: new Map(WAYS.map((_, index) => [ordinalOf(index), index])),
      units: [],
      communes: ["SL001"],
      account: "songlua",
    },
    dispatches,
    testimony: {
      arrivals: log.arrivals(),
      bodies: log.bodies(),
      acknowledged: Object.fromEntries(
        Object.entries(story.acknowledged ?? {}).map(([id, indexes]) => [
          id,
          Uint32Array.from(indexes, ordinalOf),
        ]),
      ),
      claimVerdicts: {},
      orders: [],
      oddities: [],
    },
    breaches: [],
    interruptions: story.interruptions ?? 0,
    unanswered: {},
    sliceSize: SLICE,
    workers: 2,
    claims: 0,
    unsettled: undefined,
  };
}

function dispatchOf(
  part: "alert" | "update" | "left" | "cancel",
  id: string,
  states: Readonly<Record<number, State>>,
  state: "open" | "cancelled",
): DispatchEvidence {
  const rows = new Map<number, LedgerRow>();
  const channels: Record<string, ReturnType<typeof figures>> = {};
  for (const [key, each] of Object.entries(states)) {
    const index = Number(key);
    const channel = WAYS[index] as ArrivalWay;
    rows.set(index, { state: each, channel, commune: "SL001", as: "resident" });
    const own = (channels[channel] ??= figures());
    own.planned += 1;
    own.state[each] += 1;
    if (each === "delivered") own.reached.delivered += 1;
  }
  const residents = Object.fromEntries(
    Object.entries(channels).map(([name, each]) => [
      name,
      { residents: each, concerned: figures() },
    ]),
  );
  return {
    part,
    bulletin: `b${id}`,
    dispatch: id,
    approvedHash: `h${id}`,
    areas: ["SL001"],
    rule: "residents",
    replaces: part === "alert" ? undefined : "alert",
    expectation:
      part === "cancel" || part === "left"
        ? undefined
        : {
            communes: [],
            population: 0,
            people: (part === "alert" ? [0, 1, 2, 3] : Object.keys(states).map(Number)).map(
              (index) => ({ index, as: "resident", commune: "SL001" }),
            ),
          },
    summary: { state, channels } as unknown as DispatchEvidence["summary"],
    communes: [{ code: "SL001", channels: residents }],
    orders: [],
    rows,
    strangeRows: [],
  };
}

const figures = () => ({
  planned: 0,
  state: emptyStates(),
  reached: { sent: 0, delivered: 0, read: 0 },
});

const violated = (evidence: Evidence): string[] =>
  checkRun(evidence).flatMap(({ name, ok }) => (ok ? [] : [name]));

test("where everything is right, every check holds", () => {
  expect(violated(evidenceOf(ALL_WELL))).toEqual([]);
});

test("a far side that loses a slice is caught, though the ledger claims that it was delivered", () => {
  const told = ALL_WELL.told.filter(({ index }) => index !== 2);
  expect(violated(evidenceOf({ ...ALL_WELL, told }))).toEqual([
    "nobody is lost",
    "the ledger's delivered are those who acknowledged",
  ]);
});

test("somebody who stays queued is lost", () => {
  const story = { ...ALL_WELL, alert: { ...ALL_WELL.alert, 1: "queued" as const } };
  const told = story.told.filter(({ index }) => index !== 1);
  expect(violated(evidenceOf({ ...story, told }))).toEqual(["nobody is lost"]);
});

test("a message to somebody outside is caught", () => {
  const told = [...ALL_WELL.told, { id: ALERT, index: 4 }];
  expect(violated(evidenceOf({ ...ALL_WELL, told }))).toEqual(["nobody outside hears of it"]);
});

test("copies are borne for an interrupted worker, up to its slice, and for nobody else", () => {
  const twice = { ...ALL_WELL, told: [...ALL_WELL.told, { id: ALERT, index: 1 }] };
  const name = "copies are at most the slices that were left in doubt";
  expect(violated(evidenceOf(twice))).toEqual([name]);
  expect(violated(evidenceOf({ ...twice, interruptions: 1 }))).toEqual([]);
  const often = { ...twice, told: [...twice.told, ...twice.told.filter(({ index }) => index < 3)] };
  expect(violated(evidenceOf({ ...often, interruptions: 1 }))).toContain(name);
});

test("a second message where a copy costs money or fear is never borne", () => {
  const told = [...ALL_WELL.told, { id: ALERT, index: 3 }];
  expect(violated(evidenceOf({ ...ALL_WELL, told, interruptions: 9 }))).toEqual([
    "where a copy costs money or fear nobody is told twice",
  ]);
});

test("unsure is borne for what was left in doubt, and is no way out otherwise", () => {
  const story = { ...ALL_WELL, alert: { ...ALL_WELL.alert, 3: "unsure" as const } };
  const told = story.told.filter(({ index }) => index !== 3);
  const name = "unsure are at most the slices that were left in doubt";
  expect(violated(evidenceOf({ ...story, told }))).toEqual([name]);
  expect(violated(evidenceOf({ ...story, told, interruptions: 1 }))).toEqual([]);
});

const CANCELLED: Story = {
  alert: { 0: "delivered", 1: "delivered", 2: "suppressed", 3: "suppressed" },
  cancel: { 0: "delivered", 1: "delivered" },
  told: [ALERT, CANCEL].flatMap((id) => [0, 1].map((index) => ({ id, index }))),
  acknowledged: { [ALERT]: [0], [CANCEL]: [0] },
};

test("a Cancel reaches whom the warning reached, and nobody else", () => {
  expect(violated(evidenceOf(CANCELLED))).toEqual([]);
  const told = CANCELLED.told.filter(({ id, index }) => id === ALERT || index !== 1);
  expect(violated(evidenceOf({ ...CANCELLED, cancel: { 0: "delivered" }, told }))).toEqual([
    "whoever had the old message is told of its Cancel",
  ]);
});

const MOVED: Story = {
  ...ALL_WELL,
  update: { 0: "delivered", 1: "delivered" },
  left: { 2: "delivered", 3: "delivered" },
  told: [
    ...ALL_WELL.told,
    ...[0, 1].map((index) => ({ id: UPDATE, index })),
    ...[2, 3].map((index) => ({ id: LEFT, index })),
  ],
  acknowledged: { [ALERT]: [0], [UPDATE]: [0] },
};

test("whom an update leaves out is told so, and nobody whom it is for", () => {
  expect(violated(evidenceOf(MOVED))).toEqual([]);
  const { left: _, ...silent } = MOVED;
  const told = MOVED.told.filter(({ id }) => id !== LEFT);
  expect(violated(evidenceOf({ ...silent, told }))).toEqual([
    "whoever an update leaves out is told so",
  ]);
  const wrong = { ...MOVED.left, 1: "delivered" as const };
  const toldTwice = [...MOVED.told, { id: LEFT, index: 1 }];
  expect(violated(evidenceOf({ ...MOVED, left: wrong, told: toldTwice }))).toEqual([
    "nobody is left out whom the update is for",
  ]);
});

test("a warning that comes to a device after its Cancel is caught", () => {
  const told = CANCELLED.told.toReversed();
  expect(violated(evidenceOf({ ...CANCELLED, told }))).toContain(
    "nothing comes after what replaced or cancelled it",
  );
});

test("a doctored ledger is caught: sums that are off, and receipts that nobody sent", () => {
  const evidence = evidenceOf(ALL_WELL);
  const [alert] = evidence.dispatches as [DispatchEvidence];
  const loopback = alert.summary.channels.loopback as ReturnType<typeof figures>;
  loopback.state.delivered += 1;
  loopback.reached.delivered += 1;
  // The commune of this small ledger has the very figures of the channel, so both are off.
  expect(violated(evidence)).toEqual([
    "every channel's states sum to planned",
    "every commune's states sum to planned, residents and concerned apart",
    "the rows sum to every channel, state by state",
    "the ledger's delivered are those who acknowledged",
  ]);
});

test("bytes that differ from what was approved are caught", () => {
  const evidence = evidenceOf(ALL_WELL);
  const body = evidence.testimony.bodies[0] as { text: string } | undefined;
  if (body === undefined) throw new Error("nobody got anything");
  body.text = body.text.replace("Exercise", "Actual");
  expect(violated(evidence)).toEqual(["everybody gets the very bytes that were approved"]);
});
