import type { BulletinContent } from "@loa/model/bulletin.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import { typhoonContent, type TyphoonOptions } from "@loa/model/typhoon-content.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BulletinWorld, createBulletinWorld } from "../../test/bulletin-world.ts";
import { changeAgency } from "../account/account.ts";
import { newId } from "../db/id.ts";
import type { Actor } from "../account/actor.ts";
import { verifyText } from "../account/server-keys.ts";
import { approveBulletin, createBulletin, editBulletin, submitBulletin } from "./bulletin.ts";
import { loadBulletin } from "./bulletin-row.ts";
import { cancelBulletin } from "./cancel.ts";
import { createIncident } from "./incident.ts";
import { issueBulletin, issueStatement } from "./issue.ts";
import { FRAME_BYTES_MAX } from "./message.ts";
import { expireBulletins, readBulletin } from "./read.ts";

let world: BulletinWorld;
let author: Actor;
let approver: Actor;
let duty: Actor;
let communeAuthor: Actor;

const problem = (code: string) => expect.objectContaining({ name: "Problem", code });
const REASON = { vi: "Bản tin nêu sai giờ sơ tán.", en: "It gave the wrong hour to leave." };

beforeAll(async () => {
  world = await createBulletinWorld();
  author = await world.actor("provinceAuthor");
  approver = await world.actor("provinceApprover");
  duty = await world.actor("provinceDuty");
  communeAuthor = await world.actor("communeAuthor");
});
afterAll(() => world.close());

const typhoon = (areas = ["SL001"], options: Partial<TyphoonOptions> = {}): BulletinContent =>
  typhoonContent({
    type: "Actual",
    target: { areas, zones: [], rule: { kind: "named" } },
    channels: ["live", "area-loopback"],
    now: new Date(),
    ...options,
  });
const accountOf = (actor: Actor): string =>
  world.demonstration.accounts.find((account) => account.agencyId === actor.agencyId)?.id ?? "";

interface Wish {
  readonly content?: BulletinContent;
  readonly updates?: readonly string[];
  readonly by?: Actor;
}

async function submittedId({ content = typhoon(), updates = [], by = author }: Wish = {}) {
  const { id } = await createBulletin(world.deps, by, {
    accountId: accountOf(by),
    content,
    updates,
  });
  await submitBulletin(world.deps, by, id, 1);
  return id;
}

async function approve(id: string, by: Actor = approver): Promise<string> {
  const { hash } = await loadBulletin(world.database.pool, id);
  await approveBulletin(world.deps, by, id, hash?.toString("hex") ?? "");
  return id;
}

const approvedId = async (wish: Wish = {}) => approve(await submittedId(wish));
const issuedId = async (wish: Wish = {}) =>
  (await issueBulletin(world.deps, author, await approvedId(wish))).bulletin.id;

async function dispatchOf(bulletinId: string) {
  const { rows } = await world.database.pool.query<{
    id: string;
    lane: string;
    message: Buffer;
    issued_at: Date;
    expires_at: Date;
    supersedes: string[];
    commune_ids: number[];
  }>("SELECT * FROM dispatch WHERE bulletin_id = $1", [bulletinId]);
  return rows;
}

async function messageOf(bulletinId: string): Promise<Record<string, unknown>> {
  const [dispatch] = await dispatchOf(bulletinId);
  return JSON.parse(dispatch?.message.toString("utf8") ?? "null") as Record<string, unknown>;
}

describe("issue", () => {
  test("what was approved is what goes out, signed, and the bus is told", async () => {
    const incident = await createIncident(world.deps, author, {
      hazard: "storm",
      name: { vi: "Bão số 9", en: "Typhoon No. 9" },
    });
    const content = typhoon(["SL001", "SL002"], { incidentId: incident.id });
    const id = await approvedId({ content });
    const { bulletin, dispatch } = await issueBulletin(world.deps, author, id);
    expect(bulletin).toMatchObject({ state: "issued", identifier: `loa.songlua.${id}` });
    const message = await messageOf(id);
    expect(message).toMatchObject({
      v: 1,
      dispatch: dispatch.dispatchId,
      bulletin: id,
      identifier: bulletin.identifier,
      type: "Actual",
      msgType: "Alert",
      kind: "warning",
      nature: "order",
      account: { handle: "songlua" },
      incident: { id: incident.id, name: { vi: "Bão số 9" } },
      number: "09/CĐ-PTDS",
      sent: formatLocalTime(dispatch.issuedAt),
      expires: content.expiresAt,
      references: [],
      areas: ["SL001", "SL002"],
      hazard: "storm",
      riskLevel: 4,
      texts: content.texts,
      items: content.items.map(({ category, title }) => ({ category, title })),
      hash: bulletin.hash?.toString("hex"),
    });
    const statement = issueStatement({
      hash: bulletin.hash as Buffer,
      identifier: bulletin.identifier as string,
      sent: dispatch.issuedAt,
      references: [],
    });
    const signature = Buffer.from(message["signature"] as string, "base64url");
    expect(verifyText(world.keys.signing.publicKey, statement, signature)).toBe(true);
    expect(world.bus.published).toContainEqual({
      subject: "dispatch.changed",
      body: { dispatchId: dispatch.dispatchId },
    });
    expect((await readBulletin(world.deps, author, id)).dispatchId).toBe(dispatch.dispatchId);
  });

  test("the dispatch holds lane, instants and communes of the bulletin", async () => {
    const content = typhoon(["SL001", "SL002"], { kind: "notice" });
    const id = await issuedId({ content });
    const { issuedAt, expiresAt } = await loadBulletin(world.database.pool, id);
    const dispatches = await dispatchOf(id);
    expect(dispatches).toMatchObject([
      { lane: "notice", issued_at: issuedAt, expires_at: expiresAt, commune_ids: [11, 12] },
    ]);
  });

  test("a warning is announced to who can make way for it, a notice is not", async () => {
    const announced = () =>
      world.bus.published.filter(({ subject }) => subject === "warning.coming").length;
    const before = announced();
    await issuedId({ content: typhoon(["SL001"], { kind: "notice" }) });
    expect(announced()).toBe(before);
    await issuedId();
    expect(announced()).toBe(before + 1);
  });

  test("twenty who press the button at once make one dispatch", async () => {
    const id = await approvedId();
    const presses = Array.from({ length: 20 }, () => issueBulletin(world.deps, author, id));
    const results = await Promise.allSettled(presses);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results.filter((each) => each.status === "rejected"))
      expect(result.reason).toEqual(problem("bulletin-state"));
    expect(await dispatchOf(id)).toHaveLength(1);
  });

  test("a repeat of one request answers what it issued, and another request is refused", async () => {
    const id = await approvedId();
    const dispatchId = newId();
    const first = await issueBulletin(world.deps, author, id, dispatchId);
    const again = await issueBulletin(world.deps, author, id, dispatchId);
    expect(again.dispatch).toEqual(first.dispatch);
    expect(first.dispatch.dispatchId).toBe(dispatchId);
    await expect(issueBulletin(world.deps, author, id)).rejects.toEqual(problem("bulletin-state"));
  });

  test("an edit and an issue at the same time: the edited text never goes out", async () => {
    for (let round = 0; round < 5; round++) {
      const id = await approvedId();
      const content = typhoon(["SL002"]);
      const [issue, edit] = await Promise.allSettled([
        issueBulletin(world.deps, author, id),
        editBulletin(world.deps, author, id, { version: 1, content }),
      ]);
      expect([issue.status, edit.status].toSorted()).toEqual(["fulfilled", "rejected"]);
      expect(await dispatchOf(id)).toHaveLength(issue.status === "fulfilled" ? 1 : 0);
    }
  });

  test("without approval nothing goes out", async () => {
    const id = await submittedId();
    await expect(issueBulletin(world.deps, author, id)).rejects.toEqual(problem("bulletin-state"));
  });

  test("an approval voided or forged behind Loa's back is worth nothing", async () => {
    const { pool } = world.database;
    const voided = await approvedId();
    await pool.query("UPDATE approval SET voided_at = now() WHERE bulletin_id = $1", [voided]);
    const forged = await approvedId();
    await pool.query("UPDATE approval SET person_id = $2 WHERE bulletin_id = $1", [
      forged,
      duty.personId,
    ]);
    const changed = await approvedId();
    await pool.query(
      `UPDATE bulletin SET content = jsonb_set(content, '{number}', '"10/CĐ"') WHERE id = $1`,
      [changed],
    );
    for (const id of [voided, forged, changed]) {
      await expect(issueBulletin(world.deps, author, id)).rejects.toEqual(
        problem("approval-mismatch"),
      );
      expect(await dispatchOf(id)).toEqual([]);
    }
  });

  test("a target that comes down to other places than approved is refused", async () => {
    const id = await approvedId({ content: typhoon(["SL"]) });
    world.removed.add("SL004");
    await expect(issueBulletin(world.deps, author, id)).rejects.toEqual(
      problem("resolves-otherwise"),
    );
    world.removed.clear();
    expect((await issueBulletin(world.deps, author, id)).bulletin.state).toBe("issued");
  });

  test("an entitlement that was taken away meanwhile is missed at issue", async () => {
    const id = await approve(await submittedId({ by: communeAuthor }), duty);
    const deps = { ...world.deps };
    await changeAgency(deps, communeAuthor.agencyId, { suspended: true });
    await expect(issueBulletin(world.deps, communeAuthor, id)).rejects.toEqual(
      problem("not-entitled"),
    );
    await changeAgency(deps, communeAuthor.agencyId, { suspended: false });
    expect((await issueBulletin(world.deps, communeAuthor, id)).bulletin.state).toBe("issued");
  });

  test("an expired bulletin is not issued", async () => {
    const id = await approvedId();
    const past = formatLocalTime(new Date(Date.now() - 1000));
    await world.database.pool.query(
      "UPDATE bulletin SET content = jsonb_set(content, '{expiresAt}', to_jsonb($2::text)) WHERE id = $1",
      [id, past],
    );
    await expect(issueBulletin(world.deps, author, id)).rejects.toEqual(
      problem("bulletin-expired"),
    );
  });

  test("an issue that fails at its last step leaves nothing behind", async () => {
    const id = await approvedId();
    const failing = {
      ...world.deps,
      planDispatch: async () => {
        throw new Error("the disk is full");
      },
    };
    await expect(issueBulletin(failing, author, id)).rejects.toThrow("the disk is full");
    const { bulletin, history } = await readBulletin(world.deps, author, id);
    expect(bulletin).toMatchObject({ state: "approved", identifier: null });
    expect(history.map(({ action }) => action)).not.toContain("issue");
  });

  test("a warning for the whole province fits one frame", async () => {
    const id = await issuedId({ content: typhoon(["SL"]) });
    const [dispatch] = await dispatchOf(id);
    expect(dispatch?.message.byteLength).toBeLessThan(FRAME_BYTES_MAX / 2);
    expect(dispatch?.message.includes(10)).toBe(false);
  });
});

describe("update", () => {
  test("replaces the old one in the same moment, and is refused if the old one is gone", async () => {
    const old = await issuedId();
    const id = await approvedId({ updates: [old] });
    const late = await approvedId({ updates: [old] });
    await issueBulletin(world.deps, author, id);
    expect((await loadBulletin(world.database.pool, old)).state).toBe("updated");
    expect(await messageOf(id)).toMatchObject({ msgType: "Update", references: [old] });
    const [oldDispatch] = await dispatchOf(old);
    const [dispatch] = await dispatchOf(id);
    expect(dispatch?.supersedes).toEqual([oldDispatch?.id]);
    // A late update of what has been updated already never wins.
    await expect(issueBulletin(world.deps, author, late)).rejects.toEqual(
      problem("bulletin-state"),
    );
    expect((await loadBulletin(world.database.pool, id)).state).toBe("issued");
  });

  test("two updates of the same bulletin at once: one wins", async () => {
    const old = await issuedId();
    const updates = [await approvedId({ updates: [old] }), await approvedId({ updates: [old] })];
    const results = await Promise.allSettled(
      updates.map((id) => issueBulletin(world.deps, author, id)),
    );
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  test("an exercise cannot update a real warning, nor another incident", async () => {
    const old = await issuedId();
    const exercise = typhoon(["SL001"], { type: "Exercise" });
    await expect(submittedId({ content: exercise, updates: [old] })).rejects.toEqual(
      problem("bulletin-invalid"),
    );
    const { id: incidentId } = await createIncident(world.deps, author, {
      hazard: "flood",
      name: { vi: "Lũ sông Lụa", en: "Flood on the Lụa" },
    });
    const other = typhoon(["SL001"], { incidentId });
    await expect(submittedId({ content: other, updates: [old] })).rejects.toEqual(
      problem("bulletin-invalid"),
    );
  });
});

describe("cancel", () => {
  test("a second person approves it, and it goes to those who had the bulletin", async () => {
    const old = await issuedId({ content: typhoon(["SL001", "SL002"]) });
    const cancel = await cancelBulletin(world.deps, author, old, REASON);
    expect(cancel).toMatchObject({ msgType: "Cancel", state: "draft", referenceIds: [old] });
    expect(cancel.content.texts.vi.headline).toMatch(/^THU HỒI: Bão số 9/u);
    expect(cancel.content.texts.vi.full).toContain(REASON.vi);
    await submitBulletin(world.deps, author, cancel.id, 1);
    const { hash } = await loadBulletin(world.database.pool, cancel.id);
    const given = hash?.toString("hex") ?? "";
    await expect(approveBulletin(world.deps, author, cancel.id, given)).rejects.toEqual(
      problem("role-missing"),
    );
    await approve(cancel.id);
    expect((await loadBulletin(world.database.pool, old)).state).toBe("issued");
    await issueBulletin(world.deps, author, cancel.id);
    expect((await loadBulletin(world.database.pool, old)).state).toBe("cancelled");
    expect(world.reached.at(-1)).toEqual([old]);
    expect(await messageOf(cancel.id)).toMatchObject({ msgType: "Cancel", references: [old] });
  });

  test("works although the agency was suspended and its communes merged", async () => {
    const id = await approve(
      await submittedId({ by: communeAuthor, content: typhoon(["SL001"]) }),
      duty,
    );
    await issueBulletin(world.deps, communeAuthor, id);
    await changeAgency(world.deps, communeAuthor.agencyId, { suspended: true });
    world.removed.add("SL001");
    const cancel = await cancelBulletin(world.deps, duty, id, REASON);
    await submitBulletin(world.deps, communeAuthor, cancel.id, 1);
    await approve(cancel.id, await world.actor("communeApprover"));
    const { bulletin } = await issueBulletin(world.deps, duty, cancel.id);
    expect(bulletin.state).toBe("issued");
    world.removed.clear();
    await changeAgency(world.deps, communeAuthor.agencyId, { suspended: false });
  });

  test("the duty officer who drafted it cannot be its second person", async () => {
    const old = await issuedId({ by: author });
    const both = { ...duty, roles: ["author", "approver", "duty"] as const };
    const cancel = await cancelBulletin(world.deps, both, old, REASON);
    await submitBulletin(world.deps, author, cancel.id, 1);
    await expect(approve(cancel.id, both)).rejects.toEqual(problem("approver-took-part"));
  });

  test("of a cancel only the words can be edited", async () => {
    const old = await issuedId();
    const { id, content } = await cancelBulletin(world.deps, author, old, REASON);
    const headline = "THU HỒI: bản tin số 09/CĐ-PTDS";
    const texts = { ...content.texts, vi: { ...content.texts.vi, headline } };
    const edited = await editBulletin(world.deps, author, id, {
      version: 1,
      content: { ...content, texts },
    });
    expect(edited.content.texts.vi.headline).toBe(headline);
    const wider = { ...content, target: { ...content.target, areas: ["SL"] } };
    await expect(
      editBulletin(world.deps, author, id, { version: 2, content: wider }),
    ).rejects.toEqual(problem("bulletin-invalid"));
  });

  test("who cancels what was replaced is told what is in force", async () => {
    const old = await issuedId();
    const id = await issuedId({ updates: [old] });
    await expect(cancelBulletin(world.deps, author, old, REASON)).rejects.toMatchObject({
      code: "bulletin-state",
      message: expect.stringContaining(id) as string,
    });
  });
});

describe("expiry", () => {
  test("is shown at once, swept later, and is neither updated nor cancelled", async () => {
    const id = await issuedId();
    await world.database.pool.query(
      "UPDATE bulletin SET expires_at = now() - interval '1 second' WHERE id = $1",
      [id],
    );
    expect((await loadBulletin(world.database.pool, id)).state).toBe("expired");
    const swept = await Promise.all([
      expireBulletins(world.database.pool),
      expireBulletins(world.database.pool),
    ]);
    expect(swept.flat()).toEqual([id]);
    await expect(cancelBulletin(world.deps, author, id, REASON)).rejects.toEqual(
      problem("bulletin-state"),
    );
    // The next one may still refer to it: that the last bulletin ran out is no reason to be mute.
    const next = await issuedId({ updates: [id] });
    expect((await loadBulletin(world.database.pool, next)).state).toBe("issued");
    expect((await loadBulletin(world.database.pool, id)).state).toBe("expired");
  });
});
