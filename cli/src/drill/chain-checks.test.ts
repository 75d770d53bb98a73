// The checks of the chain drill must catch what they are for: each test doctors a run in which all is well.
import { expect, test } from "vitest";
import type { Purpose } from "@loa/model/chain-step.ts";
import { checkChain, type SeenStage, type StageArrivals } from "./chain-checks.ts";
import type { ArrivedMessage } from "./chain-message.ts";
import { expectChain } from "./chain-plan.ts";
import type { Person, Unit } from "./expectation.ts";

const unit = (code: string, level: string, parent: string): Unit => ({
  code,
  level,
  parent,
  population: 10,
});
const UNITS = [
  unit("P", "province", ""),
  ...["A", "B", "C"].map((code) => unit(code, "commune", "P")),
];
/** Two people in each commune; the first of each holds a phone. */
const PEOPLE: Person[] = ["A", "A", "B", "B", "C", "C"].map((home, index) => ({
  reference: String(index),
  home,
  places: [],
  follows: [],
  endpoints: [index % 2 === 0 ? "live" : "loopback"],
}));
const EXPECTED = expectChain(
  [
    { name: "alert", step: "alert", areas: ["A", "B"] },
    { name: "update", step: "update", areas: ["B", "C"] },
    { name: "correction", step: "correction", areas: ["B", "C"] },
    { name: "cancel", step: "cancel", areas: ["B", "C"] },
  ],
  PEOPLE,
  UNITS,
  { rule: "residents", account: "p" },
  (index) => index % 2 === 0,
);

/** A run in which every step went as it should. */
const allWell = (): SeenStage[] =>
  EXPECTED.map((expected, at) => {
    const replaces = at === 0 ? undefined : `bulletin-${at - 1}`;
    const bulletin = `bulletin-${at}`;
    const arrivals = (purpose: Purpose, ordered: readonly string[]): StageArrivals => {
      const times = new Map([...expected.told[purpose]].map((index) => [index, 1]));
      const message: ArrivedMessage = {
        dispatch: `${bulletin} ${purpose}`,
        bulletin,
        step: expected.stage.step,
        purpose,
        hash: "approved",
        areas: expected.main.communes,
        references: replaces === undefined ? [] : [replaces],
        texts: { vi: { headline: "Bão" } },
        ...(purpose !== "left" && { concerned: { vi: { headline: "Nơi bạn quan tâm: Bão" } } }),
      };
      return { times, ordered, messages: times.size + ordered.length > 0 ? [message] : [] };
    };
    return {
      expected,
      bulletin,
      replaces,
      approvedHash: "approved",
      ledger: [],
      returned: [],
      seen: {
        main: arrivals("main", expected.ordered.main),
        left: arrivals("left", expected.ordered.left),
        silent: arrivals("silent", []),
      },
    };
  });

/** The run with one sending of one step changed. */
const doctored = (
  at: number,
  purpose: Purpose,
  change: (arrivals: StageArrivals) => Partial<StageArrivals>,
): SeenStage[] =>
  allWell().map((stage, i) =>
    i === at
      ? {
          ...stage,
          seen: {
            ...stage.seen,
            [purpose]: { ...stage.seen[purpose], ...change(stage.seen[purpose]) },
          },
        }
      : stage,
  );
const violated = (stages: readonly SeenStage[]): string[] =>
  checkChain(stages).flatMap(({ name, ok }) => (ok ? [] : [name]));
const timesOf = (times: ReadonlyMap<number, number>, index: number, count: number) => {
  const changed = new Map(times).set(index, count);
  if (count === 0) changed.delete(index);
  return { times: changed };
};

test("where everything is right, every check holds", () => {
  expect(violated(allWell())).toEqual([]);
  expect(EXPECTED.map(({ told }) => [told.main.size, told.left.size, told.silent.size])).toEqual([
    [4, 0, 0],
    [4, 2, 0],
    [0, 0, 2],
    [4, 0, 0],
  ]);
});

test("somebody who is left out and not told keeps a warning that no longer holds", () => {
  const stages = doctored(1, "left", ({ times }) => timesOf(times, 0, 0));
  const stale = "nobody is left with a warning that no longer holds";
  expect(violated(stages)).toEqual([
    "update: exactly those were told who should be",
    `update: ${stale}`,
    `correction: ${stale}`,
    `cancel: ${stale}`,
  ]);
});

test("somebody who is told although it is over for them, or twice, is caught", () => {
  const stranger = doctored(1, "main", ({ times }) => timesOf(times, 0, 1));
  expect(violated(stranger)).toContain("update: exactly those were told who should be");
  // They got the update, and the message that it is not for them.
  expect(violated(stranger)).toContain("update: nobody was told twice");
  const copy = doctored(0, "main", ({ times }) => timesOf(times, 2, 2));
  expect(violated(copy)).toEqual(["alert: nobody was told twice"]);
});

test("a loudspeaker that goes on telling the old one is caught", () => {
  expect(violated(doctored(1, "left", () => ({ ordered: [] })))).toEqual([
    "update: loudspeakers were ordered where they should be",
  ]);
});

test.each<[string, Purpose, Partial<ArrivedMessage>]>([
  ["other places", "main", { areas: ["B"] }],
  ["another hash", "main", { hash: "other" }],
  ["nothing that it replaces", "main", { references: [] }],
  ["another step", "main", { step: "alert" }],
  ["the words of residents to the concerned", "main", { concerned: { vi: { headline: "Bão" } } }],
  ["a warning to those who are left out", "left", { purpose: "main" }],
])("a message with %s is caught", (_, purpose, change) => {
  const stages = doctored(1, purpose, ({ messages }) => ({
    messages: messages.map((message) => ({ ...message, ...change })),
  }));
  expect(violated(stages)).toEqual([
    "update: what arrived is what was approved, in words for each group",
  ]);
});

test("two different messages in one sending are caught", () => {
  const stages = doctored(0, "main", ({ messages }) => ({ messages: [...messages, {}] }));
  expect(violated(stages)).toHaveLength(1);
});
