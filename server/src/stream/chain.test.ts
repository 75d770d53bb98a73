// A chain of bulletins as devices hear it: who is left out, who comes back, and who is not woken.
import { afterEach, beforeEach, expect, test } from "vitest";
import { openStreamWorld, type StreamWorld, take, until } from "../../test/stream-kit.ts";

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
