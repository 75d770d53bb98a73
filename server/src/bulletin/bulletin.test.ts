import { typhoonContent, type TyphoonOptions } from "@loa/model/typhoon-content.ts";
import type { BulletinContent } from "@loa/model/bulletin.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import {
  BULLETIN_STATES,
  type BulletinState,
  mayAct,
  type Role,
  ROLES,
} from "@loa/model/transition.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BulletinWorld, createBulletinWorld } from "../../test/bulletin-world.ts";
import { changeAgency } from "../account/account.ts";
import type { Actor } from "../account/actor.ts";
import { createMember } from "../account/member.ts";
import { verifyText } from "../account/server-keys.ts";
import { PLACES } from "../../test/bulletin-world.ts";
import { approvalStatement, selectApprovals } from "./approval.ts";
import {
  approveBulletin,
  createBulletin,
  editBulletin,
  returnBulletin,
  submitBulletin,
} from "./bulletin.ts";
import { loadBulletin } from "./bulletin-row.ts";
import { listBulletins, readBulletin } from "./read.ts";

let world: BulletinWorld;
let author: Actor;
let approver: Actor;
let duty: Actor;
let communeAuthor: Actor;
let communeApprover: Actor;

const problem = (code: string, faults?: unknown) =>
  expect.objectContaining({ name: "Problem", code, ...(faults !== undefined && { faults }) });

beforeAll(async () => {
  world = await createBulletinWorld();
  author = await world.actor("provinceAuthor");
  approver = await world.actor("provinceApprover");
  duty = await world.actor("provinceDuty");
  communeAuthor = await world.actor("communeAuthor");
  communeApprover = await world.actor("communeApprover");
});
afterAll(() => world.close());

const typhoon = (areas = ["SL001"], options: Partial<TyphoonOptions> = {}): BulletinContent =>
  typhoonContent({
    type: "Actual",
    target: { areas, zones: [], rule: { kind: "named" } },
    channels: ["live", "loopback"],
    now: new Date(),
    ...options,
  });

const accountOf = (actor: Actor): string =>
  world.demonstration.accounts.find((account) => account.agencyId === actor.agencyId)?.id ?? "";

const draft = (actor = author, content = typhoon()) =>
  createBulletin(world.deps, actor, { accountId: accountOf(actor), content, updates: [] });

async function submitted(actor = author, content = typhoon()) {
  const { id } = await draft(actor, content);
  return submitBulletin(world.deps, actor, id, 1);
}

const hex = (hash: Buffer | null): string => hash?.toString("hex") ?? "";
const shorten = (content: BulletinContent, headline: string): BulletinContent => ({
  ...content,
  texts: { ...content.texts, vi: { ...content.texts.vi, headline } },
});

/** A member of an agency with some roles, as an actor. */
async function appoint(
  agencyId: string,
  roles: readonly Role[],
  personId?: string,
): Promise<Actor> {
  const member = await createMember(
    { db: world.database.db, bus: world.bus, places: () => PLACES },
    {
      agencyId,
      post: { vi: "Trực ban", en: "Watch officer" },
      roles,
      person: personId === undefined ? { name: "Trực ban" } : { id: personId },
    },
  );
  return { ...member, memberId: member.id };
}

describe("two people agree", () => {
  test("what one wrote and submitted, another approves, and the server signs it", async () => {
    const { id, hash } = await submitted();
    const approved = await approveBulletin(world.deps, approver, id, hex(hash));
    expect(approved.state).toBe("approved");
    const [approval] = await selectApprovals(world.database.pool, { bulletinId: id });
    expect(approval).toMatchObject({ personId: approver.personId, capacity: "member" });
    const { signature, at } = approval as NonNullable<typeof approval>;
    const statement = approvalStatement(hash as Buffer, approver.personId, at);
    expect(verifyText(world.keys.signing.publicKey, statement, signature)).toBe(true);
  });

  test("nobody who wrote, edited or submitted approves, whatever version it was", async () => {
    const agencyId = author.agencyId;
    const both: Role[] = ["author", "approver"];
    const [writer, editor, submitter] = await Promise.all([
      appoint(agencyId, both),
      appoint(agencyId, both),
      appoint(agencyId, both),
    ]);
    const { id } = await draft(writer);
    await editBulletin(world.deps, editor, id, { version: 1, content: typhoon(["SL002"]) });
    const first = await submitBulletin(world.deps, submitter, id, 2);
    await returnBulletin(world.deps, approver, id, "Sai địa bàn, đề nghị rà soát lại.");
    // Somebody else rewrites and submits all of it; the three still took part.
    await editBulletin(world.deps, author, id, { version: 2, content: typhoon() });
    const { hash } = await submitBulletin(world.deps, author, id, 3);
    expect(hex(hash)).not.toBe(hex(first.hash));
    for (const person of [writer, editor, submitter])
      await expect(approveBulletin(world.deps, person, id, hex(hash))).rejects.toEqual(
        problem("approver-took-part"),
      );
    expect((await approveBulletin(world.deps, approver, id, hex(hash))).state).toBe("approved");
  });

  test("persons are compared, not memberships: the author's other post changes nothing", async () => {
    const { id, hash } = await submitted(communeAuthor);
    const otherPost = await appoint(author.agencyId, ["duty"], communeAuthor.personId);
    expect(otherPost.memberId).not.toBe(communeAuthor.memberId);
    await expect(approveBulletin(world.deps, otherPost, id, hex(hash))).rejects.toEqual(
      problem("approver-took-part"),
    );
  });

  test("the province's duty officer approves for a commune whose approver sleeps", async () => {
    const { id, hash } = await submitted(communeAuthor);
    await approveBulletin(world.deps, duty, id, hex(hash));
    const [approval] = await selectApprovals(world.database.pool, { bulletinId: id });
    expect(approval).toMatchObject({ personId: duty.personId, capacity: "parent-duty" });
  });

  test("neither the province's plain approver nor another commune may", async () => {
    const { id, hash } = await submitted(communeAuthor);
    await expect(approveBulletin(world.deps, approver, id, hex(hash))).rejects.toEqual(
      problem("role-missing"),
    );
    const [, , other] = world.demonstration.accounts;
    const stranger = await appoint(other?.agencyId ?? "", ["approver", "duty"]);
    await expect(approveBulletin(world.deps, stranger, id, hex(hash))).rejects.toEqual(
      problem("approver-foreign"),
    );
    const above = await submitted();
    await expect(
      approveBulletin(world.deps, communeApprover, above.id, hex(above.hash)),
    ).rejects.toEqual(problem("approver-foreign"));
  });

  test("an approver approves the hash that they read, and no other", async () => {
    const { id } = await submitted();
    await expect(approveBulletin(world.deps, approver, id, "0".repeat(64))).rejects.toEqual(
      problem("approval-mismatch"),
    );
  });
});

describe("any change voids the approval", () => {
  test("an edit takes an approved bulletin back to draft, and the approval with it", async () => {
    const { id, hash, content } = await submitted();
    await approveBulletin(world.deps, approver, id, hex(hash));
    const edited = await editBulletin(world.deps, author, id, {
      version: 1,
      content: shorten(content, "Bão số 9 đổi hướng"),
    });
    expect(edited).toMatchObject({ state: "draft", version: 2, hash: null });
    const [approval] = await selectApprovals(world.database.pool, { bulletinId: id });
    expect(approval?.voidedAt).toBeInstanceOf(Date);
    // The old text again gives the old hash, but the void approval does not come back.
    await editBulletin(world.deps, author, id, { version: 2, content });
    const again = await submitBulletin(world.deps, author, id, 3);
    expect(hex(again.hash)).toBe(hex(hash));
    expect(again.state).toBe("submitted");
  });

  test("a return voids it too and says why", async () => {
    const { id, hash } = await submitted();
    await approveBulletin(world.deps, approver, id, hex(hash));
    await returnBulletin(world.deps, duty, id, "Chờ bản tin 14 giờ.");
    const { bulletin, history, approvals } = await readBulletin(world.deps, author, id);
    expect(bulletin.state).toBe("draft");
    expect(approvals[0]?.voidedAt).toBeInstanceOf(Date);
    expect(history.map(({ action, reason }) => [action, reason])).toEqual([
      ["create", null],
      ["submit", null],
      ["approve", null],
      ["return", "Chờ bản tin 14 giờ."],
    ]);
  });

  test("who edits a version that is no longer there is told so", async () => {
    const { id } = await draft();
    const content = shorten(typhoon(), "Bão số 9 mạnh thêm");
    await editBulletin(world.deps, author, id, { version: 1, content });
    await expect(editBulletin(world.deps, author, id, { version: 1, content })).rejects.toEqual(
      problem("bulletin-changed"),
    );
    await expect(submitBulletin(world.deps, author, id, 1)).rejects.toEqual(
      problem("bulletin-changed"),
    );
  });

  test("of two edits at the same time one is told that it came late", async () => {
    const { id } = await draft();
    const edits = ["A", "B", "C", "D"].map((name) =>
      editBulletin(world.deps, author, id, {
        version: 1,
        content: shorten(typhoon(), `Bão ${name}`),
      }),
    );
    const results = await Promise.allSettled(edits);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results)
      expect([undefined, "bulletin-changed"]).toContain(
        result.status === "rejected" ? (result.reason as { code: string }).code : undefined,
      );
  });
});

describe("no agency sends beyond its entitlement", () => {
  test("a commune cannot warn its neighbour, nor the province around it", async () => {
    for (const areas of [["SL002"], ["SL001", "SL003"], ["SL"]])
      await expect(submitted(communeAuthor, typhoon(areas))).rejects.toEqual(
        problem("not-entitled"),
      );
    expect((await submitted(communeAuthor, typhoon(["SL001-01"]))).state).toBe("submitted");
  });

  test("a type, hazard or channel that it lacks is refused at submit, each named", async () => {
    const content = typhoon(["SL001"], { type: "PublicTest" });
    await expect(submitted(communeAuthor, content)).rejects.toEqual(
      problem("not-entitled", [expect.objectContaining({ at: "/content/type" })]),
    );
  });

  test("what was taken away after submit is refused at approval", async () => {
    const { id, hash } = await submitted(communeAuthor);
    const deps = { db: world.database.db, bus: world.bus, places: () => PLACES };
    await changeAgency(deps, communeAuthor.agencyId, { suspended: true });
    await expect(approveBulletin(world.deps, duty, id, hex(hash))).rejects.toEqual(
      problem("not-entitled"),
    );
    await changeAgency(deps, communeAuthor.agencyId, { suspended: false });
    expect((await approveBulletin(world.deps, duty, id, hex(hash))).state).toBe("approved");
  });

  test("nobody writes under another agency's account", async () => {
    const wish = { accountId: accountOf(author), content: typhoon(), updates: [] };
    await expect(createBulletin(world.deps, communeAuthor, wish)).rejects.toEqual(
      problem("not-entitled"),
    );
  });

  test("a PublicTest is approved at the top of the agencies", async () => {
    const { id, hash } = await submitted(author, typhoon(["SL"], { type: "PublicTest" }));
    expect((await approveBulletin(world.deps, approver, id, hex(hash))).state).toBe("approved");
  });
});

describe("nothing unsound is stored", () => {
  const count = async (): Promise<number> => {
    const { rows } = await world.database.pool.query<{ n: number }>(
      "SELECT count(*) AS n FROM bulletin",
    );
    return rows[0]?.n ?? -1;
  };

  test.each<[string, string, BulletinContent]>([
    ["a text that hides a letter", "bulletin-invalid", shorten(typhoon(), "Bão\u200b số 9")],
    ["an unknown area", "area-unknown", typhoon(["XX999"])],
    [
      "an expiry in the past",
      "bulletin-invalid",
      { ...typhoon(), expiresAt: "2020-01-01T00:00:00+07:00" },
    ],
    [
      "an unknown incident",
      "incident-unknown",
      typhoon(["SL001"], { incidentId: "01900000-0000-7000-8000-00000000dead" }),
    ],
    [
      "50,000 points where 45,000 are allowed",
      "geometry-too-many-points",
      {
        ...typhoon(),
        target: {
          areas: [],
          zones: [],
          polygon: Array.from({ length: 50_000 }, () => [109, 13] as const),
          rule: { kind: "touches" },
        },
      },
    ],
  ])("%s is refused", async (_, code, content) => {
    const before = await count();
    await expect(draft(author, content)).rejects.toEqual(problem(code));
    expect(await count()).toBe(before);
  });

  test("a target that changes between submit and approval is not approved unseen", async () => {
    const { id, hash } = await submitted(author, typhoon(["SL"]));
    world.removed.add("SL005");
    await expect(approveBulletin(world.deps, approver, id, hex(hash))).rejects.toEqual(
      problem("resolves-otherwise", [{ at: "/content/target", what: "SL005 has dropped out" }]),
    );
    world.removed.clear();
  });

  test("a message that no device could take is refused before anybody approves it", async () => {
    const long = "ộ".repeat(2_400);
    const base = typhoon();
    const forms = { ...base.texts.vi, full: long, spoken: "ộ".repeat(1_500) };
    const content = { ...base, texts: { vi: forms, en: { ...forms, headline: "Typhoon" } } };
    await expect(submitted(author, content)).rejects.toEqual(problem("message-too-large"));
  });

  test("a repeated create makes no twin", async () => {
    const id = "01900000-0000-8000-8000-0000000000b1";
    const wish = { accountId: accountOf(author), content: typhoon(), updates: [] };
    const first = await createBulletin(world.deps, author, wish, id);
    expect(await createBulletin(world.deps, author, wish, id)).toEqual(first);
    const { history } = await readBulletin(world.deps, author, id);
    expect(history).toHaveLength(1);
  });
});

describe("who sees what", () => {
  test("a draft is seen by its agency and the one above, not by others", async () => {
    const { id } = await draft(communeAuthor);
    expect((await readBulletin(world.deps, duty, id)).bulletin.id).toBe(id);
    const [, , other] = world.demonstration.accounts;
    const stranger = await appoint(other?.agencyId ?? "", ["author"]);
    await expect(readBulletin(world.deps, stranger, id)).rejects.toEqual(
      problem("bulletin-unknown"),
    );
    const listed = await listBulletins(world.deps, stranger, { limit: 200 });
    expect(listed.map((bulletin) => bulletin.id)).not.toContain(id);
  });

  test("a list goes on after the last of the page before, newest first", async () => {
    const first = await draft();
    const second = await draft();
    const page = await listBulletins(world.deps, author, { limit: 1 });
    expect(page.map(({ id }) => id)).toEqual([second.id]);
    const next = await listBulletins(world.deps, author, { limit: 1, after: second.id });
    expect(next.map(({ id }) => id)).toEqual([first.id]);
  });
});

describe("role × transition", () => {
  /** Puts a bulletin straight into a state: how it got there is tested elsewhere. */
  async function inState(state: BulletinState) {
    const { id } = await submitted();
    await world.database.pool.query("UPDATE bulletin SET state = $2 WHERE id = $1", [id, state]);
    return id;
  }
  const acts = {
    edit: (actor: Actor, id: string) =>
      editBulletin(world.deps, actor, id, { version: 1, content: typhoon() }),
    submit: (actor: Actor, id: string) => submitBulletin(world.deps, actor, id, 1),
    return: (actor: Actor, id: string) => returnBulletin(world.deps, actor, id, "Trả lại."),
    approve: async (actor: Actor, id: string) => {
      const { hash } = await loadBulletin(world.database.pool, id);
      return approveBulletin(world.deps, actor, id, hex(hash));
    },
  };

  test.each(BULLETIN_STATES)("from %s the server does just what the table says", async (state) => {
    for (const role of ROLES.filter((each) => each !== "operator")) {
      const actor = await appoint(author.agencyId, [role]);
      for (const action of ["edit", "submit", "return", "approve"] as const) {
        const id = await inState(state);
        const outcome = await acts[action](actor, id).then(
          () => "done",
          (fault: { code: string }) => fault.code,
        );
        const verdict = mayAct(state, action, "member", [role]);
        const wanted = verdict.allowed
          ? "done"
          : verdict.why === "state"
            ? "bulletin-state"
            : "role-missing";
        expect([state, role, action, outcome]).toEqual([state, role, action, wanted]);
        const after = await loadBulletin(world.database.pool, id);
        expect(after.state).toBe(verdict.allowed ? verdict.transition.to : state);
      }
    }
  });
});

test("an expiry that passes between submit and approval is noticed", async () => {
  const { id, hash } = await submitted();
  // The clock is PostgreSQL's, so the story moves the submitted content instead of the clock.
  const content = { ...typhoon(), expiresAt: formatLocalTime(new Date(Date.now() - 60_000)) };
  await world.database.pool.query("UPDATE bulletin SET content = $2 WHERE id = $1", [
    id,
    JSON.stringify(content),
  ]);
  // Changed behind Loa's back it no longer has the submitted hash either: refused in any case.
  await expect(approveBulletin(world.deps, approver, id, hex(hash))).rejects.toEqual(
    problem("approval-mismatch"),
  );
});
