import { describe, expect, test } from "vitest";
import { openStreamWorld, take, until } from "../../test/stream-kit.ts";
import { CONNECTIONS_PER_ORDINAL_MAX } from "./connections.ts";

// People of the district: alice lives by the river, binh beside her, carol far away.
const alice = 7;
const binh = 8;
const carol = 70_001;

describe("a device that is connected", () => {
  test("is greeted, and gets a warning that is issued while it listens", async () => {
    await using world = await openStreamWorld();
    await using phone = await world.connect(alice);
    expect(await take(phone, 1)).toEqual(["hello"]);
    const warning = world.issue({ audience: [alice, binh] });
    const event = await phone.next();
    expect(event?.event).toBe("warning");
    expect(event?.id).toBe("w1.n0");
    expect(event?.data.toString()).toBe(Buffer.from(warning.message).toString());
    await world.stream.settle();
    expect(world.told).toMatchObject([{ ordinal: alice, plane: 1 }]);
  });

  test("gets nothing that is for somebody else", async () => {
    await using world = await openStreamWorld();
    await using phone = await world.connect(carol);
    world.issue({ audience: [alice] });
    const second = world.issue({ audience: [carol] });
    expect(await take(phone, 2)).toEqual(["hello", `warning ${second.dispatchId}`]);
  });

  test("is told on each of its owner's screens, and recorded once", async () => {
    await using world = await openStreamWorld();
    await using phone = await world.connect(alice);
    await using tablet = await world.connect(alice);
    const { dispatchId } = world.issue({ audience: [alice] });
    for (const screen of [phone, tablet])
      expect(await take(screen, 2)).toEqual(["hello", `warning ${dispatchId}`]);
    await world.stream.settle();
    expect(world.told).toHaveLength(1);
  });

  test("gives way to its owner's newest connection above the limit", async () => {
    await using world = await openStreamWorld();
    const oldest = await world.connect(alice);
    for (let i = 0; i < CONNECTIONS_PER_ORDINAL_MAX; i += 1) await world.connect(alice);
    expect(await take(oldest, 3)).toEqual(["hello", "bye replaced", "end"]);
  });

  test("is sent away when its token was revoked, and not let in again", async () => {
    await using world = await openStreamWorld();
    const phone = await world.connect(alice);
    await using other = await world.connect(binh);
    world.revoked.add(alice);
    world.stream.dropRevoked();
    expect(await take(phone, 3)).toEqual(["hello", "bye revoked", "end"]);
    await expect(world.connect(alice)).rejects.toMatchObject({ status: 401 });
    expect(world.stream.figures().connections).toBe(1);
    expect(await take(other, 1)).toEqual(["hello"]);
  });

  test("is told when the server goes, and finds all of it in the next one", async () => {
    await using world = await openStreamWorld();
    const phone = await world.connect(alice);
    const first = world.issue({ audience: [alice] });
    expect(await take(phone, 2)).toEqual(["hello", `warning ${first.dispatchId}`]);
    await world.restart();
    expect(await take(phone, 2)).toEqual(["bye closing", "end"]);
    const second = world.issue({ audience: [alice] });
    await using again = await world.connect(alice, { cursor: phone.cursor });
    expect(await take(again, 2)).toEqual(["hello", `warning ${second.dispatchId}`]);
  });
});

describe("a device that connects", () => {
  test("is sent what is in force: warnings first, each lane in order", async () => {
    await using world = await openStreamWorld();
    const n1 = world.issue({ audience: [alice], lane: "notice" });
    const w1 = world.issue({ audience: [alice] });
    const n2 = world.issue({ audience: [alice], lane: "notice" });
    const w2 = world.issue({ audience: [alice] });
    world.issue({ audience: [binh] });
    await world.stream.refresh();
    await using phone = await world.connect(alice);
    expect(await take(phone, 5)).toEqual([
      "hello",
      ...[w1, w2].map((each) => `warning ${each.dispatchId}`),
      ...[n1, n2].map((each) => `notice ${each.dispatchId}`),
    ]);
    await world.stream.settle();
    expect(world.told).toHaveLength(4);
  });

  test("is not sent what its cursor or its list covers", async () => {
    await using world = await openStreamWorld();
    world.issue({ audience: [alice] });
    const w2 = world.issue({ audience: [alice] });
    const w3 = world.issue({ audience: [alice] });
    const n1 = world.issue({ audience: [alice], lane: "notice" });
    await world.stream.refresh();
    await using phone = await world.connect(alice, { cursor: "w1.n0", have: [w2.dispatchId] });
    expect(await take(phone, 3)).toEqual([
      "hello",
      `warning ${w3.dispatchId}`,
      `notice ${n1.dispatchId}`,
    ]);
  });

  test("keeps what it missed of one lane when it was cut off in the middle of catching up", async () => {
    await using world = await openStreamWorld();
    const w1 = world.issue({ audience: [alice] });
    const n1 = world.issue({ audience: [alice], lane: "notice" });
    await world.stream.refresh();
    const phone = await world.connect(alice);
    expect(await take(phone, 2)).toEqual(["hello", `warning ${w1.dispatchId}`]);
    // The notice was on its way, and nobody knows whether it arrived.
    phone.close();
    await using again = await world.connect(alice, { cursor: "w1.n0" });
    expect(await take(again, 2)).toEqual(["hello", `notice ${n1.dispatchId}`]);
    expect(again.cursor).toBe("w1.n1");
  });

  test("with a cursor from another life of the server is sent everything", async () => {
    await using world = await openStreamWorld();
    const { dispatchId } = world.issue({ audience: [alice] });
    await world.stream.refresh();
    await using phone = await world.connect(alice, { cursor: "w9000.n12" });
    expect(await take(phone, 2)).toEqual(["hello", `warning ${dispatchId}`]);
  });

  test("is shown the present state: what an update replaced is not told", async () => {
    await using world = await openStreamWorld();
    const first = world.issue({ audience: [alice, binh] });
    const update = world.issue({
      audience: [alice],
      msgType: "Update",
      supersedes: [first.dispatchId],
    });
    await world.stream.refresh();
    await using phone = await world.connect(alice);
    expect(await take(phone, 2)).toEqual(["hello", `warning ${update.dispatchId}`]);
    // The update does not concern binh, so the first is the present state there.
    await using other = await world.connect(binh);
    expect(await take(other, 2)).toEqual(["hello", `warning ${first.dispatchId}`]);
  });

  test("is not shown an alert again because the update that replaced it was cancelled", async () => {
    await using world = await openStreamWorld();
    const first = world.issue({ audience: [alice] });
    const { dispatchId } = world.issue({
      audience: [alice],
      msgType: "Update",
      supersedes: [first.dispatchId],
    });
    const cancel = world.issue({ audience: [alice], msgType: "Cancel", supersedes: [dispatchId] });
    await world.stream.refresh();
    await using phone = await world.connect(alice);
    expect(await take(phone, 2)).toEqual(["hello", `warning ${cancel.dispatchId}`]);
  });

  test("is not sent what has expired", async () => {
    let now = Date.now();
    await using world = await openStreamWorld({ now: () => now });
    world.issue({ audience: [alice], expiresAtMs: now + 1_000 });
    const longer = world.issue({ audience: [alice], expiresAtMs: now + 60_000 });
    await world.stream.refresh();
    now += 2_000;
    await using phone = await world.connect(alice);
    expect(await take(phone, 2)).toEqual(["hello", `warning ${longer.dispatchId}`]);
  });

  test("says by its cursor what it got before a crash that kept it from being recorded", async () => {
    await using world = await openStreamWorld();
    world.away.journal = true;
    const first = world.issue({ audience: [alice] });
    const phone = await world.connect(alice);
    await take(phone, 2);
    expect(world.told).toEqual([]);
    world.away.journal = false;
    await world.restart();
    await using again = await world.connect(alice, { cursor: phone.cursor });
    await take(again, 1);
    await world.stream.settle();
    expect(world.told).toMatchObject([{ dispatchId: first.dispatchId, ordinal: alice }]);
  });
});

describe("a stream whose database is away", () => {
  test("goes on sending what it knows, and records it when the journal is back", async () => {
    await using world = await openStreamWorld();
    const first = world.issue({ audience: [alice] });
    await world.stream.refresh();
    world.away.database = true;
    world.away.journal = true;
    await using phone = await world.connect(alice);
    expect(await take(phone, 2)).toEqual(["hello", `warning ${first.dispatchId}`]);
    await world.stream.settle();
    expect(world.stream.figures().outcomesWaiting).toBe(1);
    world.away.journal = false;
    await world.stream.settle();
    expect(world.told).toMatchObject([{ dispatchId: first.dispatchId, ordinal: alice }]);
  });

  test("sends what was issued meanwhile as soon as it can read it, without being told again", async () => {
    await using world = await openStreamWorld();
    await using phone = await world.connect(alice);
    world.away.database = true;
    const { dispatchId } = world.issue({ audience: [alice] });
    await expect(world.stream.refresh()).rejects.toThrow("away");
    world.away.database = false;
    expect(await take(phone, 2)).toEqual(["hello", `warning ${dispatchId}`]);
  });
});

describe("people who are told by place", () => {
  const communeCodes = new Set(["SL-0107"]);

  test("are told whether they were there before or come later, outside the sums", async () => {
    await using world = await openStreamWorld();
    await using early = await world.connect(carol, { at: ["SL-0107"] });
    const { dispatchId } = world.issue({ audience: [alice], communeCodes });
    expect(await take(early, 2)).toEqual(["hello", `warning ${dispatchId}`]);
    await using late = await world.connect(binh, { at: ["SL-0101", "SL-0107"], cursor: "w1.n0" });
    expect(await take(late, 2)).toEqual(["hello", `warning ${dispatchId}`]);
    await world.stream.settle();
    expect(world.told).toEqual([]);
    expect(world.joined.map((each) => each.ordinal)).toEqual([carol, binh]);
  });

  test("never are the public where an Exercise is concerned, nor synthetic people otherwise", async () => {
    await using world = await openStreamWorld();
    const synthetic = 500;
    world.exercise.add(synthetic);
    const drill = world.issue({ type: "Exercise", communeCodes });
    const real = world.issue({ type: "Actual", communeCodes });
    await world.stream.refresh();
    await using citizen = await world.connect(carol, { at: ["SL-0107"] });
    expect(await take(citizen, 2)).toEqual(["hello", `warning ${real.dispatchId}`]);
    await using actor = await world.connect(synthetic, { at: ["SL-0107"] });
    expect(await take(actor, 2)).toEqual(["hello", `warning ${drill.dispatchId}`]);
    const last = world.issue({ audience: [carol, synthetic] });
    for (const each of [citizen, actor])
      expect(await take(each, 1)).toEqual([`warning ${last.dispatchId}`]);
  });
});

describe("a Cancel", () => {
  test("comes after the alert on every socket, also while the alert is still going out", async () => {
    await using world = await openStreamWorld();
    const phones = await Promise.all(
      Array.from({ length: 600 }, (_, ordinal) => world.connect(ordinal)),
    );
    const audience = phones.keys();
    const alert = world.issue({ audience: [...audience] });
    await until(() => world.stream.figures().outcomesWaiting > 0, "the alert goes out");
    const cancel = world.issue({
      audience: phones.keys(),
      msgType: "Cancel",
      supersedes: [alert.dispatchId],
    });
    for (const phone of phones) {
      const events = await take(phone, 2);
      const next = events[1] === `warning ${alert.dispatchId}` ? await take(phone, 1) : [events[1]];
      expect(next).toEqual([`warning ${cancel.dispatchId}`]);
    }
    // Those who got both were recorded for both, the others only for the Cancel.
    await world.stream.settle();
    expect(world.told.filter((each) => each.dispatchId === cancel.dispatchId)).toHaveLength(600);
    await Promise.all(phones.map((phone) => phone[Symbol.asyncDispose]()));
  });

  test("follows the alert to a device outside its own audience that has the alert", async () => {
    await using world = await openStreamWorld();
    const alert = world.issue({ audience: [alice] });
    await using phone = await world.connect(alice);
    await take(phone, 2);
    const cancel = world.issue({ msgType: "Cancel", supersedes: [alert.dispatchId] });
    expect(await take(phone, 1)).toEqual([`warning ${cancel.dispatchId}`]);
    // Devices that were away: by cursor, by list, and one that never heard of it.
    await using byCursor = await world.connect(alice, { cursor: "w1.n0" });
    expect(await take(byCursor, 2)).toEqual(["hello", `warning ${cancel.dispatchId}`]);
    await using byList = await world.connect(carol, { have: [alert.dispatchId] });
    expect(await take(byList, 2)).toEqual(["hello", `warning ${cancel.dispatchId}`]);
    await using stranger = await world.connect(binh, { cursor: "w1.n0" });
    const last = world.issue({ audience: [alice, binh] });
    expect(await take(stranger, 2)).toEqual(["hello", `warning ${last.dispatchId}`]);
  });

  test("is all that a device is told of a cancelled alert when it connects", async () => {
    await using world = await openStreamWorld();
    const alert = world.issue({ audience: [alice] });
    const cancel = world.issue({
      audience: [alice],
      msgType: "Cancel",
      supersedes: [alert.dispatchId],
    });
    await world.stream.refresh();
    await using phone = await world.connect(alice);
    expect(await take(phone, 2)).toEqual(["hello", `warning ${cancel.dispatchId}`]);
    await world.restart();
    await using again = await world.connect(alice, { have: [alert.dispatchId] });
    expect(await take(again, 2)).toEqual(["hello", `warning ${cancel.dispatchId}`]);
  });
});
