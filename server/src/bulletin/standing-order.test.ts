import { formatLocalTime } from "@loa/model/local-time.ts";
import type { OrderTemplate, OrderUse, StandingOrderBody } from "@loa/model/standing-order.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BulletinWorld, createBulletinWorld, PLACES } from "../../test/bulletin-world.ts";
import type { Actor } from "../account/actor.ts";
import { createMember } from "../account/member.ts";
import { useStandingOrder, reviewOrderUse } from "./order-use.ts";
import { readBulletin } from "./read.ts";
import {
  approveStandingOrder,
  createStandingOrder,
  listStandingOrders,
  revokeStandingOrder,
} from "./standing-order.ts";

let world: BulletinWorld;
let author: Actor;
let approver: Actor;
let duty: Actor;
let secondAuthor: Actor;

const problem = (code: string) => expect.objectContaining({ name: "Problem", code });
const inHours = (hours: number): string =>
  formatLocalTime(new Date(Date.now() + hours * 3_600_000));

beforeAll(async () => {
  world = await createBulletinWorld();
  author = await world.actor("provinceAuthor");
  approver = await world.actor("provinceApprover");
  duty = await world.actor("provinceDuty");
  const member = await createMember(
    { db: world.database.db, bus: world.bus, places: () => PLACES },
    {
      agencyId: author.agencyId,
      post: { vi: "Trực ban đêm", en: "Night watch" },
      roles: ["author"],
      person: { name: "Trực ban 2" },
    },
  );
  secondAuthor = { ...member, memberId: member.id };
});
afterAll(() => world.close());

/** Release of water from a reservoir: the classic of a warning for which minutes count. */
function template(): OrderTemplate {
  const {
    target: _target,
    expiresAt: _expiresAt,
    riskLevel: _riskLevel,
    source: _source,
    incidentId: _incidentId,
    ...rest
  } = typhoonContent({
    type: "Actual",
    target: { areas: ["SL001"], zones: [], rule: { kind: "named" } },
    channels: ["live"],
    now: new Date(),
  });
  const vi = "Hồ {{reservoir}} xả lũ từ {{start}}, lưu lượng {{flow}} m³/s. Rời bãi sông ngay.";
  const en =
    "{{reservoir}} releases water from {{start}}, {{flow}} m³/s. Leave the river bank now.";
  return {
    ...(rest as OrderTemplate),
    hazard: "reservoir-release",
    alongside: [],
    texts: {
      vi: { headline: vi, short: vi, full: vi, spoken: vi },
      en: { headline: en, short: en, full: en, spoken: en },
    },
    items: [],
  };
}

const body = (change: Partial<StandingOrderBody> = {}): StandingOrderBody => ({
  name: { vi: "Xả lũ hồ chứa", en: "Reservoir release" },
  highestLevel: null,
  areas: ["SL001", "SL002"],
  hoursMax: 12,
  template: template(),
  blanks: {
    reservoir: {
      kind: "choice",
      label: { vi: "Hồ", en: "Reservoir" },
      choices: [
        { vi: "Đá Dựng", en: "Đá Dựng reservoir" },
        { vi: "Suối Tằm", en: "Suối Tằm reservoir" },
      ],
    },
    start: { kind: "time", label: { vi: "Từ lúc", en: "From" } },
    flow: { kind: "number", label: { vi: "Lưu lượng", en: "Flow" }, min: 10, max: 20_000 },
  },
  expiresAt: inHours(24 * 300),
  ...change,
});

const use = (change: Partial<OrderUse> = {}): OrderUse => ({
  values: { reservoir: 0, start: "2026-11-24T02:30:00+07:00", flow: 1200 },
  areas: ["SL001"],
  riskLevel: null,
  source: null,
  incidentId: null,
  expiresAt: inHours(6),
  ...change,
});

const accountId = (): string => world.demonstration.accounts[0]?.id ?? "";
const write = (change: Partial<StandingOrderBody> = {}) =>
  createStandingOrder(world.deps, author, { accountId: accountId(), body: body(change) });

async function signed(change: Partial<StandingOrderBody> = {}): Promise<string> {
  const { order } = await write(change);
  const hash = order.hash.toString("hex");
  for (const signer of [approver, duty])
    await approveStandingOrder(world.deps, signer, order.id, hash);
  return order.id;
}

describe("an order", () => {
  test("is usable once two others than its writer have signed", async () => {
    const { order, usable } = await write();
    expect(usable).toBe(false);
    const hash = order.hash.toString("hex");
    const one = await approveStandingOrder(world.deps, approver, order.id, hash);
    expect(one.usable).toBe(false);
    await expect(approveStandingOrder(world.deps, approver, order.id, hash)).rejects.toEqual(
      problem("approver-took-part"),
    );
    const two = await approveStandingOrder(world.deps, duty, order.id, hash);
    expect(two).toMatchObject({ usable: true, approvals: [{}, {}] });
    const listed = await listStandingOrders(world.deps, author, 10);
    expect(listed[0]?.order.id).toBe(order.id);
  });

  test("is not signed by who wrote it, whatever roles they hold", async () => {
    const { order } = await write();
    const both: Actor = { ...author, roles: ["author", "approver", "duty"] };
    await expect(
      approveStandingOrder(world.deps, both, order.id, order.hash.toString("hex")),
    ).rejects.toEqual(problem("approver-took-part"));
  });

  test("is signed as it was read", async () => {
    const { order } = await write();
    await expect(
      approveStandingOrder(world.deps, approver, order.id, "f".repeat(64)),
    ).rejects.toEqual(problem("approval-mismatch"));
  });

  test.each<[string, Partial<StandingOrderBody>]>([
    [
      "a blank that only one language has",
      { blanks: { ...body().blanks, river: body().blanks["start"] as never } },
    ],
    ["a blank that nobody defined", { blanks: {} }],
    ["no area", { areas: [] }],
    ["no end", { expiresAt: inHours(24 * 1000) }],
    ["a level that its hazard cannot have", { highestLevel: 3 }],
    ["a life longer than that of any warning", { hoursMax: 100 }],
    [
      "a blank so long that its headline would not fit",
      {
        blanks: {
          ...body().blanks,
          reservoir: { kind: "text", label: { vi: "Hồ", en: "Reservoir" }, max: 200 },
        },
      },
    ],
  ])("with %s is refused", async (_, change) => {
    await expect(write(change)).rejects.toEqual(problem("bulletin-invalid"));
  });

  test("does not reach beyond what the agency may send", async () => {
    const communeAuthor = await world.actor("communeAuthor");
    const account = world.demonstration.accounts.find(
      ({ agencyId }) => agencyId === communeAuthor.agencyId,
    );
    const wish = { accountId: account?.id ?? "", body: body() };
    await expect(createStandingOrder(world.deps, communeAuthor, wish)).rejects.toEqual(
      problem("not-entitled"),
    );
  });
});

describe("a use", () => {
  test("warns at once, by one person, in both languages, and awaits its review", async () => {
    const orderId = await signed();
    const { bulletin, dispatch } = await useStandingOrder(world.deps, secondAuthor, orderId, use());
    expect(bulletin).toMatchObject({ state: "issued", standingOrderId: orderId });
    expect(bulletin.content.texts.vi.short).toBe(
      "Hồ Đá Dựng xả lũ từ 02:30 ngày 24/11/2026, lưu lượng 1200 m³/s. Rời bãi sông ngay.",
    );
    expect(bulletin.content.texts.en.short).toBe(
      "Đá Dựng reservoir releases water from 02:30 on 24 November 2026, 1200 m³/s. Leave the river bank now.",
    );
    const { approvals, history, dispatchId } = await readBulletin(world.deps, author, bulletin.id);
    expect(dispatchId).toBe(dispatch.dispatchId);
    expect(approvals).toMatchObject([
      { capacity: "standing-order", personId: secondAuthor.personId },
    ]);
    expect(history.map(({ action }) => action)).toEqual(["create", "use", "issue"]);

    const review = { verdict: "justified", comment: "Đúng quy trình vận hành hồ." } as const;
    const presser: Actor = { ...secondAuthor, roles: ["author", "approver"] };
    await expect(reviewOrderUse(world.deps, presser, bulletin.id, review)).rejects.toEqual(
      problem("approver-took-part"),
    );
    await reviewOrderUse(world.deps, duty, bulletin.id, review);
    await expect(reviewOrderUse(world.deps, duty, bulletin.id, review)).rejects.toEqual(
      problem("bulletin-state"),
    );
  });

  test("a repeated request is answered with the first issue", async () => {
    const orderId = await signed();
    const id = "01900000-0000-8000-8000-0000000000c1";
    const first = await useStandingOrder(world.deps, author, orderId, use(), id);
    const again = await useStandingOrder(world.deps, author, orderId, use(), id);
    expect(again.dispatch).toEqual(first.dispatch);
  });

  test.each<[string, string, Partial<OrderUse>]>([
    ["a place outside the order", "not-entitled", { areas: ["SL003"] }],
    ["a level that the order does not cover", "bulletin-invalid", { riskLevel: 3 }],
    ["a longer life", "bulletin-invalid", { expiresAt: inHours(13) }],
    [
      "an empty blank",
      "bulletin-invalid",
      { values: { reservoir: 0, start: "2026-11-24T02:30:00+07:00" } },
    ],
    ["another choice", "bulletin-invalid", { values: { ...use().values, reservoir: 2 } }],
    ["a number out of range", "bulletin-invalid", { values: { ...use().values, flow: 1e9 } }],
    ["a blank of its own", "bulletin-invalid", { values: { ...use().values, note: "x" } }],
  ])("with %s is refused and sends nothing", async (_, code, change) => {
    const orderId = await signed();
    await expect(useStandingOrder(world.deps, author, orderId, use(change))).rejects.toEqual(
      problem(code),
    );
    const { rows } = await world.database.pool.query(
      "SELECT 1 FROM bulletin WHERE standing_order_id = $1",
      [orderId],
    );
    expect(rows).toEqual([]);
  });

  test("an order that was revoked, has run out or lacks a signature sends nothing", async () => {
    const revoked = await signed();
    await revokeStandingOrder(world.deps, approver, revoked);
    const past = await signed();
    await world.database.pool.query("UPDATE standing_order SET expires_at = now() WHERE id = $1", [
      past,
    ]);
    const { order } = await write();
    for (const id of [revoked, past, order.id])
      await expect(useStandingOrder(world.deps, author, id, use())).rejects.toEqual(
        problem("standing-order-unusable"),
      );
  });

  test("an order that was changed after it was signed sends nothing", async () => {
    const orderId = await signed();
    await world.database.pool.query(
      `UPDATE standing_order SET body = jsonb_set(body, '{areas}', '["SL"]') WHERE id = $1`,
      [orderId],
    );
    await expect(
      useStandingOrder(world.deps, author, orderId, use({ areas: ["SL005"] })),
    ).rejects.toEqual(problem("standing-order-unusable"));
  });
});
