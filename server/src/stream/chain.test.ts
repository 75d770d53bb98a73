// A chain of bulletins as devices hear it: who is left out, who comes back, and who is not woken.
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type NewDispatch,
  openStreamWorld,
  type StreamWorld,
  take,
  until,
} from "../../test/stream-kit.ts";
import type { LiveDispatch } from "../dispatch/live-feed.ts";

let world: StreamWorld;
beforeEach(async () => {
  world = await openStreamWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

/** Replaces an alert for [1, 2] by an update for [2]; the others are left out. */
function replace(alert: { dispatchId: string }, audience: number[], left: number[]) {
  const bulletinId = "01890a5d-ac96-774b-bcce-b302099a8057";
  world.book.close(alert.dispatchId, "cancelled");
  const supersedes = [alert.dispatchId];
  const kind = { msgType: "Update", step: "update", bulletinId, supersedes } as const;
  const main = world.issue({ ...kind, audience, communeCodes: new Set(["SL002"]) });
  const end = world.issue({ ...kind, audience: left, purpose: "left", lane: "notice" });
  return { main, end };
}

test("who was told by place is told that it is over there, and who is meant is not", async () => {
  const lan = await world.connect(7, { at: ["SL001"] });
  const minh = await world.connect(8, { at: ["SL001", "SL002"] });
  const alert = world.issue({ audience: [1], communeCodes: new Set(["SL001"]) });
  expect(await take(lan, 2)).toEqual(["hello", `warning ${alert.dispatchId}`]);
  expect(await take(minh, 2)).toEqual(["hello", `warning ${alert.dispatchId}`]);
  const { main, end } = replace(alert, [], []);
  expect(await take(lan, 1)).toEqual([`notice ${end.dispatchId}`]);
  expect(await take(minh, 1)).toEqual([`warning ${main.dispatchId}`]);
  await world.stream.settle();
  const told = world.joined.filter(({ dispatchId }) => dispatchId === end.dispatchId);
  expect(told.map(({ ordinal }) => ordinal)).toEqual([7]);
});

test("who was told that it is over for them does not hear of the Cancel", async () => {
  const lan = await world.connect(1);
  const minh = await world.connect(2);
  const alert = world.issue({ audience: [1, 2] });
  for (const each of [lan, minh])
    expect(await take(each, 2)).toEqual(["hello", `warning ${alert.dispatchId}`]);
  const { main, end } = replace(alert, [2], [1]);
  expect(await take(lan, 1)).toEqual([`notice ${end.dispatchId}`]);
  expect(await take(minh, 1)).toEqual([`warning ${main.dispatchId}`]);
  const supersedes = [alert.dispatchId, main.dispatchId, end.dispatchId];
  const cancel = world.issue({ msgType: "Cancel", step: "cancel", audience: [2], supersedes });
  expect(await take(minh, 1)).toEqual([`warning ${cancel.dispatchId}`]);
  await until(() => world.told.some(({ dispatchId }) => dispatchId === cancel.dispatchId), "told");
  const notice = world.issue({ lane: "notice", audience: [1] });
  expect(await take(lan, 1)).toEqual([`notice ${notice.dispatchId}`]);
});

test("a correction is silent for whoever has the faulty text, also where they only are", async () => {
  const lan = await world.connect(7, { at: ["SL001"] });
  const alert = world.issue({ audience: [1], communeCodes: new Set(["SL001"]) });
  await take(lan, 2);
  world.book.close(alert.dispatchId, "cancelled");
  const supersedes = [alert.dispatchId];
  const kind = { msgType: "Update", step: "correction", supersedes } as const;
  const loud = world.issue({ ...kind, communeCodes: new Set(["SL001"]) });
  const silent = world.issue({ ...kind, purpose: "silent", lane: "notice" });
  expect(await take(lan, 1)).toEqual([`notice ${silent.dispatchId}`]);
  const minh = await world.connect(8, { at: ["SL001"] });
  expect(await take(minh, 2)).toEqual(["hello", `warning ${loud.dispatchId}`]);
});

test("a device that comes back learns what of that which it has is over, and how", async () => {
  const alert = world.issue({ audience: [1] });
  const expired = world.issue({ audience: [1], expiresAtMs: Date.now() + 50 });
  const { main } = replace(alert, [1], []);
  const cancelled = world.issue({ audience: [1] });
  world.issue({ msgType: "Cancel", supersedes: [cancelled.dispatchId], audience: [1] });
  await until(() => Date.now() > expired.expiresAtMs, "it expired");
  await world.stream.refresh();
  const have = [alert, expired, main, cancelled].map(({ dispatchId }) => dispatchId);
  const lan = await world.connect(1, { have });
  const hello = await lan.next();
  expect(JSON.parse(String(hello?.data))).toMatchObject({
    ended: [
      { dispatch: alert.dispatchId, how: "replaced" },
      { dispatch: expired.dispatchId, how: "expired" },
      { dispatch: cancelled.dispatchId, how: "cancelled" },
    ],
  });
});

test("a device that comes back after days gets the present state of each incident, once", async () => {
  const DAY_MS = 86_400_000;
  let now = Date.now();
  await using days = await openStreamWorld({ now: () => now });
  const lasting = (count: number) => ({ expiresAtMs: now + count * DAY_MS, audience: [1] });
  const update = (of: LiveDispatch[], more: NewDispatch = {}) => {
    for (const { dispatchId } of of) days.book.close(dispatchId, "cancelled");
    const supersedes = of.map(({ dispatchId }) => dispatchId);
    return days.issue({ msgType: "Update", step: "update", ...lasting(3), supersedes, ...more });
  };
  const storm = days.issue(lasting(3));
  const flood = days.issue(lasting(3));
  const heat = days.issue(lasting(1));
  const slide = days.issue(lasting(3));
  const phone = await days.connect(1);
  expect(await take(phone, 5)).toHaveLength(5);
  phone.close();
  const had = [storm, flood, heat, slide].map(({ dispatchId }) => dispatchId);

  // Two days without a signal: one storm goes on, one flood was false, the heat ends by itself, and the
  // landslide moves away from here.
  const second = update([storm]);
  const third = update([storm, second]);
  const last = update([storm, second, third], { step: "last" });
  const cancel = update([flood], { msgType: "Cancel", step: "cancel" });
  update([slide], { audience: [2], bulletinId: "01890a5d-ac96-774b-bcce-b302099a8058" });
  const left = update([slide], {
    purpose: "left",
    lane: "notice",
    bulletinId: "01890a5d-ac96-774b-bcce-b302099a8058",
  });
  now += 2 * DAY_MS;
  await days.stream.refresh();
  const wish = { have: had, ...(phone.cursor !== undefined && { cursor: phone.cursor }) };
  await using back = await days.connect(1, wish);
  const hello = JSON.parse(String((await back.next())?.data)) as { ended: { dispatch: string }[] };
  expect(hello.ended.map(({ dispatch }) => dispatch).toSorted()).toEqual(had.toSorted());
  const present = [`warning ${last.dispatchId}`, `warning ${cancel.dispatchId}`];
  expect(await take(back, 3)).toEqual([...present, `notice ${left.dispatchId}`]);
  // Nothing of it comes again, whether the device lists what it has or only says how far it came.
  const next = days.issue(lasting(1));
  expect(await take(back, 1)).toEqual([`warning ${next.dispatchId}`]);
  await using again = await days.connect(1, { cursor: back.cursor });
  const further = days.issue(lasting(1));
  expect(await take(again, 2)).toEqual(["hello", `warning ${further.dispatchId}`]);
});
