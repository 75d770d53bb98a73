import { createKey, getMe, listSigningKeys } from "@loa/api/accounts.ts";
import { createClient, type Client } from "@loa/api/client.ts";
import {
  approveBulletin,
  cancelBulletin,
  createBulletin,
  createBulletinFromCap,
  editBulletin,
  getBulletin,
  issueBulletin,
  listBulletins,
  returnBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import { createIncident, listIncidents } from "@loa/api/incidents.ts";
import {
  approveStandingOrder,
  createStandingOrder,
  reviewOrderUse,
  useStandingOrder,
} from "@loa/api/standing-orders.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BulletinDesk,
  type DraftContent,
  openBulletinDesk,
  refusalOf,
  typhoonDraft,
} from "../../test/bulletin-desk.ts";
import type { DemonstrationHolder } from "../account/demonstration.ts";

let desk: BulletinDesk;
beforeAll(async () => {
  desk = await openBulletinDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

const as = (holder: DemonstrationHolder): Client => desk.as(holder);
const accountId = (): string => desk.accountId;

test("draft, submitted, approved by another, issued, cancelled: over HTTP", async () => {
  const author = as("provinceAuthor");
  const approver = as("provinceApprover");
  const { id: incidentId } = await author.ask(createIncident, {
    body: { hazard: "storm", name: { vi: "Bão số 9", en: "Typhoon No. 9" } },
  });
  const content = { ...typhoonDraft(), incidentId } as DraftContent;
  const draft = await author.ask(createBulletin, { body: { accountId: accountId(), content } });
  expect(draft).toMatchObject({ state: "draft", version: 1, hash: null, places: null });
  const params = { id: draft.id };
  const returned = await author.ask(submitBulletin, { params, body: { version: 1 } });
  expect(returned.places?.communes).toEqual([
    { code: "SL001", villages: null },
    { code: "SL002", villages: null },
  ]);
  await approver.ask(returnBulletin, { params, body: { reason: "Bổ sung giờ cấm đường." } });
  await author.ask(editBulletin, { params, body: { version: 1, content } });
  const submitted = await author.ask(submitBulletin, { params, body: { version: 2 } });
  const hash = submitted.hash ?? "";
  expect((await refusalOf(author.ask(approveBulletin, { params, body: { hash } }))).code).toBe(
    "role-missing",
  );
  const approved = await approver.ask(approveBulletin, { params, body: { hash } });
  expect(approved).toMatchObject({ state: "approved", approvals: [{ capacity: "member", hash }] });
  const { bulletin, dispatch } = await author.ask(issueBulletin, { params });
  expect(bulletin).toMatchObject({ state: "issued", dispatchId: dispatch.id });
  expect(await author.ask(getBulletin, { params })).toEqual(bulletin);

  const cancel = await author.ask(cancelBulletin, {
    params,
    body: { reason: { vi: "Nêu sai địa bàn.", en: "Wrong area." } },
  });
  expect(cancel).toMatchObject({ msgType: "Cancel", references: [draft.id], state: "draft" });
  const listed = await as("operator").ask(listBulletins, { query: { incidentId } });
  // A draft is not shown to the centre that operates the platform.
  expect(listed.items.map(({ id }) => id)).toEqual([draft.id]);
  expect((await author.ask(listIncidents, { query: {} })).items[0]?.id).toBe(incidentId);
});

test("a press that is repeated with its key issues once and gets the same answer", async () => {
  const author = as("provinceAuthor");
  const { id } = await author.ask(createBulletin, {
    body: { accountId: accountId(), content: typhoonDraft() },
  });
  const params = { id };
  const { hash } = await author.ask(submitBulletin, { params, body: { version: 1 } });
  await as("provinceApprover").ask(approveBulletin, { params, body: { hash: hash ?? "" } });
  const idempotencyKey = "press-of-the-button-0001";
  const first = await author.ask(issueBulletin, { params, idempotencyKey });
  expect(await author.ask(issueBulletin, { params, idempotencyKey })).toEqual(first);
  expect((await refusalOf(author.ask(issueBulletin, { params }))).code).toBe("bulletin-state");
});

describe("what cannot be used is named, with its place", () => {
  test.each<[string, (content: DraftContent) => unknown, string, string]>([
    ["an unknown field", (c) => ({ ...c, loud: true }), "request-invalid", "/content/loud"],
    ["a level of 6", (c) => ({ ...c, riskLevel: 6 }), "request-invalid", "/content/riskLevel"],
    [
      "an expiry without an offset",
      (c) => ({ ...c, expiresAt: "2026-11-25T02:00:00" }),
      "request-invalid",
      "/content/expiresAt",
    ],
    ["an empty number", (c) => ({ ...c, number: "" }), "bulletin-invalid", "/content/number"],
    [
      "an exercise without its mark",
      (c) => ({
        ...c,
        texts: { ...c.texts, vi: { ...c.texts.vi, headline: "Bão số 9 sắp đổ bộ" } },
      }),
      "bulletin-invalid",
      "/content/texts/vi/headline",
    ],
  ])("%s", async (_, change, code, at) => {
    const content = change(typhoonDraft()) as DraftContent;
    const problem = await refusalOf(
      as("provinceAuthor").ask(createBulletin, { body: { accountId: accountId(), content } }),
    );
    expect(problem.code).toBe(code);
    expect(problem.faults.map((fault) => fault.at)).toContain(at);
  });
});

test("a standing order is signed by two, used by one, reviewed by another", async () => {
  const author = as("provinceAuthor");
  const { target, expiresAt, riskLevel, source, incidentId, ...template } =
    typhoonDraft() as Record<string, unknown>;
  expect([target, expiresAt, riskLevel, source, incidentId]).not.toContain(undefined);
  const inDays = (days: number) => formatLocalTime(new Date(Date.now() + days * 86_400_000));
  const order = await author.ask(createStandingOrder, {
    body: {
      accountId: accountId(),
      body: {
        name: { vi: "Bão khẩn cấp", en: "Typhoon, urgent" },
        highestLevel: 5,
        areas: ["SL"],
        hoursMax: 24,
        template: template as never,
        blanks: {},
        expiresAt: inDays(200),
      },
    },
  });
  const params = { id: order.id };
  for (const holder of ["provinceApprover", "provinceDuty"] as const)
    await as(holder).ask(approveStandingOrder, { params, body: { hash: order.hash } });
  const { bulletin } = await author.ask(useStandingOrder, {
    params,
    body: { values: {}, areas: ["SL003"], expiresAt: inDays(0.5) },
  });
  expect(bulletin).toMatchObject({ state: "issued", standingOrderId: order.id });
  const review = { params: { id: bulletin.id }, body: { verdict: "justified", comment: "Đúng." } };
  expect(await as("provinceDuty").ask(reviewOrderUse, review as never)).toBeUndefined();
});

describe("a CAP message", () => {
  const bytes = new Uint8Array(
    readFileSync(new URL("../../../cap/fixtures/song-lua-typhoon.xml", import.meta.url)),
  );
  const query = () => ({
    accountId: accountId(),
    type: "Exercise" as const,
    channels: "live,loopback",
    areas: "SL001,SL002",
  });

  test("becomes a draft for other places, with what to look at", async () => {
    const author = as("provinceAuthor");
    const asking = { query: query(), body: bytes };
    const { bulletin, remarks } = await author.ask(createBulletinFromCap, asking);
    expect(bulletin).toMatchObject({ state: "draft", type: "Exercise", riskLevel: 4 });
    expect(bulletin.content.target.areas).toEqual(["SL001", "SL002"]);
    expect(remarks).toEqual([
      expect.stringContaining("The expiry is set to 12 hours from now"),
      expect.stringContaining(
        "a message that is not here: kttv@songlua.example,SLUA.2026.09.KC-04",
      ),
    ]);
    expect(bulletin).toMatchObject({
      step: "alert",
      unknownReferences: ["kttv@songlua.example,SLUA.2026.09.KC-04,2026-09-07T11:00:00+07:00"],
    });
    const params = { id: bulletin.id };
    const { state } = await author.ask(submitBulletin, { params, body: { version: 1 } });
    expect(state).toBe("submitted");
  });

  test("with an error is refused, with rule and line", async () => {
    const text = new TextDecoder().decode(bytes).replace("<urgency>Expected", "<urgency>Soon");
    const body = new TextEncoder().encode(text);
    const asking = as("provinceAuthor").ask(createBulletinFromCap, { query: query(), body });
    const problem = await refusalOf(asking);
    expect(problem).toMatchObject({ code: "cap-invalid", status: 422 });
    expect(problem.faults).toEqual([
      {
        at: "line 18",
        what: expect.stringMatching(/^I5 \/alert\/info\[1\]\/urgency\[1\]/u) as string,
      },
    ]);
  });
});

test("a key says who holds it, and only the operator makes one", async () => {
  const me = await as("provinceDuty").ask(getMe);
  expect(me.roles).toEqual(["approver", "duty"]);
  const wish = { body: { holder: { memberId: me.id }, label: "phone" } };
  expect((await refusalOf(as("provinceDuty").ask(createKey, wish))).code).toBe("role-missing");
  const { key } = await as("operator").ask(createKey, wish);
  const asDuty = createClient({ origin: desk.origin, key });
  expect(await asDuty.ask(getMe)).toEqual(me);
});

test("anybody can get the key with which signatures are verified", async () => {
  const { items } = await createClient({ origin: desk.origin }).ask(listSigningKeys);
  expect(items[0]?.publicKey).toBe(desk.world.keys.signing.publicKey);
});
