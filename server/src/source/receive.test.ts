// Messages of a hydrometeorological station that arrive at the province: each once, as a draft that two
// people look at, and never more than the station may say.
import { generateKeyPairSync } from "node:crypto";
import { signCap } from "@loa/cap/sign.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import type { StandingOrderBody } from "@loa/model/standing-order.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BulletinWorld, createBulletinWorld, PLACES } from "../../test/bulletin-world.ts";
import { capMessage, minutesFromNow, SENDER } from "../../test/source-kit.ts";
import { approveBulletin, submitBulletin } from "../bulletin/bulletin.ts";
import { loadBulletin } from "../bulletin/bulletin-row.ts";
import { issueBulletin } from "../bulletin/issue.ts";
import { readBulletin } from "../bulletin/read.ts";
import { approveStandingOrder, createStandingOrder } from "../bulletin/standing-order.ts";
import { createLogger } from "../observe/log.ts";
import { listMessages } from "./message.ts";
import { type Arrival, Receiver } from "./receive.ts";
import { type CapSource, changeSource, createSource, type SourceSettings } from "./source.ts";

let world: BulletinWorld;
let receiver: Receiver<unknown>;
let station: CapSource;
let named = 0;

const settings = (change: Partial<SourceSettings> = {}): SourceSettings => ({
  intervalSeconds: 60,
  bytesMax: 1_000_000,
  privateAllowed: false,
  repairs: [],
  sender: null,
  grants: [],
  keys: [],
  areas: ["SL001", "SL002"],
  hazards: ["storm"],
  channels: ["live"],
  audienceRule: "residents",
  ...change,
});
const sourceDeps = () => ({ ...world.deps, places: () => PLACES });
const admit = (change: Partial<SourceSettings> = {}) =>
  createSource(sourceDeps(), {
    name: `Đài ${(named += 1)}`,
    accountId: world.demonstration.accounts[0]?.id ?? "",
    url: null,
    settings: settings(change),
  });
const push: Arrival = { via: "push" };
const receive = async (bytes: Uint8Array, source = station, arrival = push) =>
  receiver.receive(source, bytes, arrival);

beforeAll(async () => {
  world = await createBulletinWorld();
  receiver = new Receiver({ ...world.deps, log: createLogger("silent", "test") }) as never;
  station = await admit();
});
afterAll(() => world.close());

/** Takes a draft of the source through two people, until it is out. */
async function issue(id: string): Promise<void> {
  const { version } = await loadBulletin(world.deps.pool, id);
  const author = await world.actor("provinceAuthor");
  const approver = await world.actor("provinceApprover");
  const { hash } = await submitBulletin(world.deps, author, id, version);
  await approveBulletin(world.deps, approver, id, hash?.toString("hex") ?? "");
  await issueBulletin(world.deps, approver, id);
}

describe("a message", () => {
  test("becomes a draft of the source's agency, with its places and what to look at", async () => {
    const { message } = await receive(capMessage({ identifier: "first" }));
    expect(message).toMatchObject({ state: "drafted", orphan: false, bulletinIds: [message.id] });
    const { bulletin, history } = await readBulletin(
      world.deps,
      await world.actor("provinceAuthor"),
      message.id,
    );
    expect(bulletin).toMatchObject({
      state: "draft",
      msgType: "Alert",
      accountId: station.accountId,
    });
    expect(bulletin.content.target.areas).toEqual(["SL001", "SL002"]);
    expect(history[0]).toMatchObject({ action: "create", personName: station.name });
    expect(message.remarks.join(" ")).toContain("2 communes");
  });

  test("is kept once: the same bytes again, at once or later, make no twin", async () => {
    const bytes = capMessage({ identifier: "once" });
    const both = await Promise.all([receive(bytes), receive(bytes)]);
    expect(both.map(({ isKnown }) => isKnown)).toEqual([false, true]);
    const spaced = new TextEncoder().encode(`${new TextDecoder().decode(bytes)}\n`);
    expect(await receive(spaced)).toMatchObject({
      isKnown: true,
      message: { id: both[0]?.message.id },
    });
  });

  test("whose identifier came with other content is an alarm, and changes nothing", async () => {
    const sent = minutesFromNow(-1);
    const { message } = await receive(capMessage({ identifier: "twice", sent }));
    const before = await loadBulletin(world.deps.pool, message.id);
    const other = await receive(capMessage({ identifier: "twice", sent, areas: ["SL001"] }));
    expect(other.message).toMatchObject({ state: "alarm", bulletinIds: [] });
    expect(await loadBulletin(world.deps.pool, message.id)).toEqual(before);
  });

  test("about other places or hazards than the source may speak of is refused, and said", async () => {
    const outside = await receive(capMessage({ identifier: "outside", areas: ["SL001", "SL005"] }));
    expect(outside.message).toMatchObject({
      state: "refused",
      reason: "The source may not speak of SL005.",
    });
    const quake = await receive(
      capMessage({
        identifier: "quake",
        change: (xml) => xml.replaceAll("<value>storm<", "<value>drought<"),
      }),
    );
    expect(quake.message.reason).toContain("drought");
  });

  test("that was refused is looked at again once the source may say it", async () => {
    const source = await admit({ areas: ["SL001"] });
    const bytes = capMessage({ identifier: "again" });
    expect((await receive(bytes, source)).message.state).toBe("refused");
    expect((await receive(bytes, source)).isKnown).toBe(true);
    const wider = await changeSource(sourceDeps(), source.id, { settings: settings() });
    expect((await receive(bytes, wider)).message.state).toBe("drafted");
  });

  test("of a suspended source is not taken", async () => {
    const source = await admit();
    const suspended = await changeSource(sourceDeps(), source.id, { suspended: true });
    await expect(receive(capMessage({ identifier: "late" }), suspended)).rejects.toMatchObject({
      code: "source-suspended",
    });
  });

  test.each([
    ["a test", { status: "Test" }, "kept"],
    ["an exercise", { status: "Exercise" }, "drafted"],
  ] as const)("%s is what it says", async (_, wish, state) => {
    const { message } = await receive(capMessage({ identifier: `st-${wish.status}`, ...wish }));
    expect(message.state).toBe(state);
  });

  test("with a document type is refused, and nothing is fetched", async () => {
    const bytes = new TextEncoder().encode(
      '<!DOCTYPE alert SYSTEM "http://127.0.0.1:1/x.dtd"><alert/>',
    );
    expect((await receive(bytes)).message).toMatchObject({ state: "refused", identifier: "" });
  });
});

describe("where a key is pinned", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = publicKey.export({ type: "spki", format: "pem" });

  test("what it signed is taken, and what it did not sign is refused without standing in its way", async () => {
    const keys = [{ sender: SENDER, publicKey: pem, from: null, until: null }];
    const source = await admit({ keys });
    const bytes = capMessage({ identifier: "signed" });
    const forged = capMessage({ identifier: "signed", areas: ["SL001"] });
    expect((await receive(forged, source)).message).toMatchObject({ state: "refused" });
    const signing = signCap(bytes, { privateKey });
    if (!signing.ok) throw new Error("it cannot be signed");
    const { message } = await receive(signing.bytes, source);
    expect(message).toMatchObject({ state: "drafted", verified: true });
    expect(message.remarks.join(" ")).not.toContain("not verified");
  });

  test("a private key is not taken for a public one", async () => {
    const secret = privateKey.export({ type: "pkcs8", format: "pem" });
    const keys = [{ sender: SENDER, publicKey: secret, from: null, until: null }];
    await expect(admit({ keys })).rejects.toMatchObject({ code: "request-invalid" });
  });
});

describe("a chain", () => {
  test("an update replaces what was issued, and a cancel is drafted for what is in force then", async () => {
    const [t1, t2, t3] = [-9, -6, -3].map(minutesFromNow) as [string, string, string];
    const first = await receive(capMessage({ identifier: "c1", sent: t1 }));
    await issue(first.message.id);
    const second = await receive(
      capMessage({ identifier: "c2", msgType: "Update", sent: t2, follows: [["c1", t1]] }),
    );
    const update = await loadBulletin(world.deps.pool, second.message.id);
    expect(update).toMatchObject({ msgType: "Update", referenceIds: [first.message.id] });
    await issue(update.id);
    const third = await receive(
      capMessage({ identifier: "c3", msgType: "Cancel", sent: t3, follows: [["c1", t1]] }),
    );
    expect(third.message).toMatchObject({ state: "drafted", orphan: false });
    const cancel = await loadBulletin(world.deps.pool, third.message.bulletinIds[0] ?? "");
    expect(cancel).toMatchObject({ msgType: "Cancel", referenceIds: [update.id], state: "draft" });
  });

  test("a draft that was handed in goes back to its authors when the source withdraws it", async () => {
    const sent = minutesFromNow(-9);
    const { message } = await receive(capMessage({ identifier: "w1", sent }));
    await submitBulletin(world.deps, await world.actor("provinceAuthor"), message.id, 1);
    const cancel = await receive(
      capMessage({ identifier: "w2", msgType: "Cancel", follows: [["w1", sent]] }),
    );
    expect(cancel.message).toMatchObject({ state: "kept" });
    expect((await loadBulletin(world.deps.pool, message.id)).state).toBe("draft");
  });

  test("what follows a message that never came is kept and marked", async () => {
    const follows = [["never", minutesFromNow(-60)]] as const;
    const update = await receive(capMessage({ identifier: "o1", msgType: "Update", follows }));
    expect(update.message).toMatchObject({ state: "drafted", orphan: true });
    const cancel = await receive(capMessage({ identifier: "o2", msgType: "Cancel", follows }));
    expect(cancel.message).toMatchObject({ state: "kept", orphan: true });
  });

  test("a late, old message does not take the place of the one that followed it", async () => {
    const [t1, t2] = [-9, -6].map(minutesFromNow) as [string, string];
    const follows = [["l1", t1]] as const;
    await receive(capMessage({ identifier: "l2", msgType: "Update", sent: t2, follows }));
    const late = await receive(capMessage({ identifier: "l1", sent: t1 }));
    expect(late.message).toMatchObject({ state: "kept", bulletinIds: [] });
    expect(late.message.reason).toContain("l2");
  });
});

describe("a standing order that names the source", () => {
  async function signed(
    source: CapSource,
    change: Partial<StandingOrderBody> = {},
  ): Promise<string> {
    const [author, approver, duty] = await Promise.all(
      (["provinceAuthor", "provinceApprover", "provinceDuty"] as const).map((each) =>
        world.actor(each),
      ),
    );
    const {
      target: _target,
      expiresAt: _expiresAt,
      riskLevel: _riskLevel,
      source: _source,
      incidentId: _incidentId,
      ...template
    } = typhoonContent({
      type: "Actual",
      target: { areas: ["SL001"], zones: [], rule: { kind: "named" } },
      channels: ["live"],
      now: new Date(),
    });
    const vi = "{{headline}}. Rời khỏi vùng ven biển ngay.";
    const en = "{{headline}}. Leave the coast now.";
    const body = {
      name: { vi: "Bão theo Đài", en: "Storm by the station" },
      highestLevel: 4,
      areas: ["SL001", "SL002"],
      hoursMax: 12,
      template: {
        ...template,
        hazard: "storm",
        items: [],
        texts: {
          vi: { headline: vi, short: vi, full: vi, spoken: vi },
          en: { headline: en, short: en, full: en, spoken: en },
        },
      },
      blanks: { headline: { kind: "text", label: { vi: "Tin", en: "News" }, max: 100 } },
      expiresAt: formatLocalTime(new Date(Date.now() + 30 * 86_400_000)),
      source: source.id,
      ...change,
    } as StandingOrderBody;
    if (!author || !approver || !duty) throw new Error("nobody is there");
    const { accountId } = source;
    const { order } = await createStandingOrder(world.deps, author, { accountId, body });
    for (const signer of [approver, duty])
      await approveStandingOrder(world.deps, signer, order.id, order.hash.toString("hex"));
    return order.id;
  }

  test("lets its message out at once, and the approval names the order", async () => {
    const source = await admit();
    const orderId = await signed(source);
    const { message } = await receive(capMessage({ identifier: "now" }), source);
    expect([message.state, message.remarks.filter((each) => each.includes("at once"))]).toEqual([
      "issued",
      [],
    ]);
    const { bulletin, approvals } = await readBulletin(
      world.deps,
      await world.actor("provinceAuthor"),
      message.id,
    );
    expect(bulletin).toMatchObject({ state: "issued", standingOrderId: orderId });
    expect(bulletin.content.texts.vi.headline).toContain("bão số 9");
    expect(approvals).toMatchObject([{ capacity: "standing-order", standingOrderId: orderId }]);
  });

  test("is known to have been used, when a crash came right after the issue", async () => {
    const { pool } = world.deps;
    const source = await admit();
    const orderId = await signed(source);
    const bytes = capMessage({ identifier: "crash" });
    const { message } = await receive(bytes, source);
    await pool.query("UPDATE cap_message SET state = 'received' WHERE id = $1", [message.id]);
    await pool.query("UPDATE standing_order SET revoked_at = now() WHERE id = $1", [orderId]);
    expect((await receive(bytes, source)).message).toMatchObject({
      id: message.id,
      state: "issued",
      bulletinIds: [message.id],
    });
  });

  test.each<[string, Parameters<typeof capMessage>[0], Arrival, string]>([
    ["was sent long ago", { identifier: "old", sent: minutesFromNow(-45) }, push, "too long ago"],
    ["was only found in a feed", { identifier: "fed" }, { via: "poll" }, "proves"],
    [
      "follows another",
      { identifier: "fol", msgType: "Update", follows: [["x", minutesFromNow(-9)]] },
      push,
      "follows",
    ],
    ["is an exercise", { identifier: "exe", status: "Exercise" }, push, "type Actual"],
  ])("what %s becomes a draft, and is told why", async (_, wish, arrival, why) => {
    const source = await admit();
    await signed(source);
    const { message } = await receive(capMessage(wish), source, arrival);
    expect(message.state).toBe("drafted");
    expect(message.remarks.find((each) => each.startsWith("It was not issued"))).toContain(why);
  });

  test("is for that source, hazard and area: a message beside it becomes a draft, and is told why", async () => {
    const drafted = async (identifier: string, source: CapSource, more = {}) => {
      const { message } = await receive(capMessage({ identifier, ...more }), source);
      expect(message.state).toBe("drafted");
      return message.remarks.find((each) => each.startsWith("It was not issued"));
    };
    const elsewhere = await admit();
    await signed(elsewhere, { areas: ["SL001"] });
    expect(await drafted("area", elsewhere)).toContain("SL002 is outside the order's areas");
    expect(
      (await receive(capMessage({ identifier: "in", areas: ["SL001"] }), elsewhere)).message.state,
    ).toBe("issued");
    const other = await admit({ hazards: ["storm", "flood"] });
    await signed(other);
    const change = (xml: string) => xml.replaceAll("<value>storm<", "<value>flood<");
    expect(await drafted("hazard", other, { change })).toContain("no standing order is for flood");
    const low = await admit();
    await signed(low, { highestLevel: 3 });
    expect(await drafted("level", low)).toContain("riskLevel");
    // An order that names one source serves no other, and is not even spoken of.
    const stranger = await admit();
    expect(await drafted("stranger", stranger)).toBeUndefined();
  });
});

test("everything that came is listed, newest first", async () => {
  const list = await listMessages(world.deps.pool, station.id, 200);
  expect(list.length).toBeGreaterThan(10);
  expect(new Set(list.map(({ id }) => id)).size).toBe(list.length);
  expect(list.filter(({ state }) => state === "received")).toEqual([]);
});
