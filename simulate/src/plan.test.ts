// A plan is a function of its seed, and the plans of many seeds do all that there is to do.
import { expect, test } from "vitest";
import { FAIL_POINTS } from "../../server/src/observe/fail-point.ts";
import { planRun, seedOfRun, SEQUELS, VICTIMS } from "./plan.ts";

const COMMUNES = Array.from({ length: 62 }, (_, i) => `SL${String(i + 1).padStart(3, "0")}`);
const plans = Array.from({ length: 600 }, (_, run) => planRun(seedOfRun(7, run), COMMUNES));

test("the same seed makes the same plan, and another seed another", () => {
  for (const [run, plan] of plans.slice(0, 50).entries())
    expect(planRun(seedOfRun(7, run), COMMUNES)).toEqual(plan);
  expect(new Set(plans.map((plan) => JSON.stringify(plan))).size).toBe(plans.length);
  expect(planRun(seedOfRun(8, 0), COMMUNES)).not.toEqual(plans[0]);
});

test("whoever can die dies in some run, and every instant is failed at", () => {
  const events = plans.flatMap((plan) => plan.events);
  const killed = events.flatMap((event) => (event.kind === "kill" ? [event.victim] : []));
  const stopped = events.flatMap((event) => (event.kind === "stop" ? [event.victim] : []));
  expect(new Set(killed)).toEqual(new Set(VICTIMS));
  expect(new Set(stopped)).toEqual(new Set(VICTIMS));
  const points = events.flatMap((event) => (event.kind === "arm" ? [event.point] : []));
  // A fold takes a journal far longer than that of a run; its crash has a test of its own.
  expect(new Set(points)).toEqual(new Set(FAIL_POINTS.filter((point) => point !== "mid-fold")));
  expect(new Set(plans.map(({ sequel }) => sequel))).toEqual(new Set(SEQUELS));
});

test("in a quarter of the runs nobody is killed, so that order can be judged strictly", () => {
  const calm = plans.filter(({ events }) =>
    events.every(({ kind }) => kind !== "kill" && kind !== "stop" && kind !== "arm"),
  );
  expect(calm.length).toBeGreaterThan(plans.length / 8);
  expect(calm.length).toBeLessThan(plans.length / 2);
});
