// One storm as one thread, over HTTP: what follows an issued bulletin, with its references filled in, and
// what is refused so that nobody replaces the wrong thing.
import { correctBulletin, updateBulletin, updateIncident } from "@loa/api/bulletin-chain.ts";
import {
  cancelBulletin,
  createBulletin,
  getBulletin,
  issueBulletin,
  listBulletins,
} from "@loa/api/bulletins.ts";
import { createIncident } from "@loa/api/incidents.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type BulletinDesk,
  type BulletinDraft,
  type DraftContent,
  openBulletinDesk,
  refusalOf,
  typhoonDraft,
} from "../../test/bulletin-desk.ts";

let desk: BulletinDesk;
beforeAll(async () => {
  desk = await openBulletinDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

const author = () => desk.as("provinceAuthor");
const read = (id: string) => author().ask(getBulletin, { params: { id } });
const REASON = { vi: "Nêu sai địa bàn.", en: "Wrong area." };

async function newIncident(): Promise<string> {
  const name = { vi: "Bão số 9", en: "Typhoon No. 9" };
  return (await author().ask(createIncident, { body: { hazard: "storm", name } })).id;
}

/** An issued alert, the first of a chain on an incident. */
async function alertOn(incidentId: string, change: object = {}): Promise<BulletinDraft> {
  const content = { ...typhoonDraft(), incidentId, ...change } as DraftContent;
  const body = { accountId: desk.accountId, content };
  return desk.issue(await author().ask(createBulletin, { body }));
}

const draftsOf = async (incidentId: string): Promise<number> =>
  (await author().ask(listBulletins, { query: { incidentId } })).items.length;

test("an update names what it replaces, which is out of force in the same moment", async () => {
  const alert = await alertOn(await newIncident());
  const params = { id: alert.id };
  const target = { areas: ["SL002", "SL003"], zones: [], rule: { kind: "named" } };
  const content = { ...alert.content, number: "16/CĐ-PCTT", target } as DraftContent;
  const draft = await author().ask(updateBulletin, { params, body: { content } });
  expect(draft).toMatchObject({
    state: "draft",
    msgType: "Update",
    step: "update",
    references: [alert.id],
    number: "16/CĐ-PCTT",
  });
  // Approvers read what those who are left out will read.
  expect(draft.wordings.left?.vi.headline).toContain("không còn áp dụng cho bạn");
  const update = await desk.issue(draft);
  expect(update).toMatchObject({ state: "issued", isSettling: true });
  expect(await read(alert.id)).toMatchObject({ state: "updated" });
});

test("without a content the old one stands in, and the last bulletin ends the chain", async () => {
  const alert = await alertOn(await newIncident());
  const body = { last: true };
  const draft = await author().ask(updateBulletin, { params: { id: alert.id }, body });
  expect(draft).toMatchObject({ msgType: "Update", step: "last", number: alert.number });
  const last = await desk.issue(draft);
  const problem = await refusalOf(
    author().ask(updateBulletin, { params: { id: last.id }, body: {} }),
  );
  expect(problem).toMatchObject({
    code: "bulletin-invalid",
    faults: [{ at: "/updates/0", what: expect.stringContaining("last of its chain") as string }],
  });
  // It can still be taken back.
  const cancel = await author().ask(cancelBulletin, {
    params: { id: last.id },
    body: { reason: REASON },
  });
  expect(cancel).toMatchObject({ step: "cancel", references: [last.id] });
});

test("a correction changes words, and nothing that anybody would act on otherwise", async () => {
  const alert = await alertOn(await newIncident());
  const params = { id: alert.id };
  const { content } = alert;
  const louder = { ...content, riskLevel: 5 } as DraftContent;
  const refused = await refusalOf(
    author().ask(correctBulletin, { params, body: { content: louder } }),
  );
  expect(refused).toMatchObject({ code: "bulletin-invalid", faults: [{ at: "/content" }] });
  const vi = { ...content.texts.vi, full: `${content.texts.vi.full}\n\nĐính chính: bão số 9.` };
  const corrected = { ...content, texts: { ...content.texts, vi } } as DraftContent;
  const draft = await author().ask(correctBulletin, { params, body: { content: corrected } });
  expect(draft).toMatchObject({ msgType: "Update", step: "correction", references: [alert.id] });
  const issued = await desk.issue(draft);
  // Those who have the faulty text get the new one in a sending that wakes nobody.
  expect(issued.dispatches.map(({ purpose }) => purpose)).toEqual(["main", "silent"]);
});

test("which of two live chains is meant is asked, never guessed", async () => {
  const incidentId = await newIncident();
  const params = { id: incidentId };
  const none = await refusalOf(author().ask(updateIncident, { params, body: {} }));
  expect(none).toMatchObject({ code: "bulletin-state" });
  const coast = await alertOn(incidentId);
  const only = await author().ask(updateIncident, { params, body: {} });
  expect(only.references).toEqual([coast.id]);
  const target = { areas: ["SL004"], zones: [], rule: { kind: "named" } };
  const hills = await alertOn(incidentId, { number: "16/CĐ-PCTT", target });
  const before = await draftsOf(incidentId);
  const asked = await refusalOf(author().ask(updateIncident, { params, body: {} }));
  expect(asked.code).toBe("bulletin-invalid");
  expect(asked.faults.map(({ what }) => what.split(",")[0])).toEqual([
    `${coast.id}: ${coast.number}`,
    `${hills.id}: 16/CĐ-PCTT`,
  ]);
  expect(await draftsOf(incidentId)).toBe(before);
});

test("a late update of what was replaced is refused, and names what is in force", async () => {
  const alert = await alertOn(await newIncident());
  const params = { id: alert.id };
  const late = await desk.approve(await author().ask(updateBulletin, { params, body: {} }));
  const first = await desk.issue(await author().ask(updateBulletin, { params, body: {} }));
  const refused = await refusalOf(author().ask(issueBulletin, { params: { id: late.id } }));
  expect(refused.code).toBe("bulletin-state");
  expect(refused.detail).toContain(`${first.id} took its place`);
  expect(await read(late.id)).toMatchObject({ state: "approved", dispatches: [] });
  expect(await read(first.id)).toMatchObject({ state: "issued" });
  const others = [
    refusalOf(author().ask(updateBulletin, { params, body: {} })),
    refusalOf(author().ask(correctBulletin, { params, body: {} })),
    refusalOf(author().ask(cancelBulletin, { params, body: { reason: REASON } })),
  ];
  for (const { detail } of await Promise.all(others)) expect(detail).toContain(first.id);
});

test("a cancel takes back what is in force, and nothing follows it", async () => {
  const wordings = {
    concerned: {
      vi: { headline: "DIỄN TẬP - Gọi cho người thân", short: "DIỄN TẬP - Gọi cho người thân." },
      en: { headline: "EXERCISE - Call your relatives", short: "EXERCISE - Call your relatives." },
    },
  };
  const alert = await alertOn(await newIncident(), { wordings });
  expect(alert.wordings.concerned.vi.headline).toBe("DIỄN TẬP - Gọi cho người thân");
  const params = { id: alert.id };
  const body = { reason: REASON };
  const draft = await author().ask(cancelBulletin, { params, body });
  // The concerned read of the end in words about the end.
  expect(draft.wordings.concerned.vi.headline).toContain("THU HỒI");
  expect(draft.wordings.concerned.vi.short).toContain(REASON.vi);
  const cancel = await desk.issue(draft);
  expect(await read(alert.id)).toMatchObject({ state: "cancelled" });
  const refused = await refusalOf(author().ask(updateBulletin, { params, body: {} }));
  expect(refused).toMatchObject({ code: "bulletin-state" });
  expect(refused.detail).toContain(cancel.id);
  const again = { params: { id: cancel.id }, body };
  expect((await refusalOf(author().ask(cancelBulletin, again))).code).toBe("bulletin-state");
});

test("what is nobody's to follow is not followed", async () => {
  const draft = await author().ask(createBulletin, {
    body: { accountId: desk.accountId, content: typhoonDraft() },
  });
  const params = { id: draft.id };
  const early = await refusalOf(author().ask(updateBulletin, { params, body: {} }));
  expect(early).toMatchObject({ code: "bulletin-state" });
  const alert = await desk.issue(draft);
  for (const [holder, code] of [
    ["provinceApprover", "role-missing"],
    ["communeAuthor", "not-entitled"],
  ] as const) {
    const asking = desk.as(holder).ask(updateBulletin, { params: { id: alert.id }, body: {} });
    expect([holder, (await refusalOf(asking)).code]).toEqual([holder, code]);
  }
});
