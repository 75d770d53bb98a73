import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fullEntitlement } from "@loa/model/entitlement.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BulletinWorld, createBulletinWorld, PLACES } from "../../test/bulletin-world.ts";
import { changeAgency, createAccount, createAgency } from "./account.ts";
import { createAuthenticator } from "./actor.ts";
import { createGatewayKey, createMemberKey, listKeys, revokeKey } from "./api-key.ts";
import { DEMONSTRATION_KEYS_FILE, installDemonstration } from "./demonstration.ts";
import { insideBy } from "./jurisdiction.ts";
import { createMember, revokeMember } from "./member.ts";
import { loadServerKeys, signText, verifyText } from "./server-keys.ts";

let world: BulletinWorld;
const deps = () => ({ db: world.database.db, bus: world.bus, places: () => PLACES });
const problem = (code: string) => expect.objectContaining({ name: "Problem", code });
const POST = { vi: "Trực ban", en: "Watch officer" };

beforeAll(async () => {
  world = await createBulletinWorld();
});
afterAll(() => world.close());

describe("the demonstration", () => {
  test("every key belongs to the post that it names", async () => {
    for (const { holder, roles } of world.demonstration.keys.filter((key) => key.roles.length > 0))
      expect((await world.actor(holder)).roles).toEqual(roles);
  });

  test("its keys are kept for the owner of the data folder alone", () => {
    const file = join(world.dataFolder, DEMONSTRATION_KEYS_FILE);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(world.demonstration);
  });

  test("a second start finds it and makes no twin", async () => {
    const again = await installDemonstration({ ...deps(), dataFolder: world.dataFolder });
    expect(again).toEqual(world.demonstration);
    const elsewhere = await installDemonstration({ ...deps(), dataFolder: "/nowhere" });
    expect(elsewhere).toBeUndefined();
  });

  test("nobody who hands out keys takes part in bulletins", async () => {
    const operator = await world.actor("operator");
    expect(operator.roles).toEqual(["operator"]);
  });
});

describe("keys", () => {
  test("only the hash of a key is stored", async () => {
    const key = world.keyOf("provinceAuthor");
    const { rows } = await world.database.pool.query<{ all: string }>(
      "SELECT string_agg(api_key::text || encode(sha256, 'escape'), ' ') AS all FROM api_key",
    );
    expect(rows[0]?.all).not.toContain(key.slice(4));
  });

  test.each(["", "loa_", `loa_${"x".repeat(33)}`, `loa_${"é".repeat(32)}`, "x".repeat(5000)])(
    "%j is no key and does not reach the database",
    async (key) => {
      const authenticator = createAuthenticator(undefined as never, world.bus);
      await expect(authenticator.authenticate(key)).rejects.toEqual(problem("key-unknown"));
      authenticator.close();
    },
  );

  test("a revoked key stops at once, although it was cached", async () => {
    const { memberId } = await world.actor("communeAuthor");
    const { key, fingerprint } = await createMemberKey(deps(), memberId, "phone");
    const authenticator = createAuthenticator(world.database.db, world.bus);
    expect(await authenticator.authenticate(key)).toMatchObject({ kind: "member" });
    await revokeKey(deps(), fingerprint);
    await expect(authenticator.authenticate(key)).rejects.toEqual(problem("key-unknown"));
    const [newest] = await listKeys(world.database.db, 10, { memberId });
    expect(newest).toMatchObject({ fingerprint, label: "phone", revokedAt: expect.any(Date) });
    authenticator.close();
  });

  test("a gateway's key says which channel it may report on", async () => {
    const { key } = await createGatewayKey(deps(), "sms", "SMS aggregator");
    const authenticator = createAuthenticator(world.database.db, world.bus);
    expect(await authenticator.authenticate(key)).toEqual({
      kind: "gateway",
      who: { channel: "sms" },
    });
    authenticator.close();
  });

  test("ending a membership ends its keys", async () => {
    const { agencyId } = await world.actor("communeAuthor");
    const wish = {
      agencyId,
      post: POST,
      roles: ["author"] as const,
      person: { name: "Trực ban 2" },
    };
    const member = await createMember(deps(), wish);
    const { key } = await createMemberKey(deps(), member.id, "desk");
    const authenticator = createAuthenticator(world.database.db, world.bus);
    await authenticator.authenticate(key);
    expect((await revokeMember(deps(), member.id)).revoked).toBe(true);
    await expect(authenticator.authenticate(key)).rejects.toEqual(problem("key-unknown"));
    await expect(createMemberKey(deps(), member.id, "again")).rejects.toEqual(
      problem("member-unknown"),
    );
    authenticator.close();
  });
});

describe("admission", () => {
  test("an agency gets no area, hazard or channel that the one above it lacks", async () => {
    const { agencyId: parentId } = await world.actor("communeAuthor");
    const name = { vi: "Thôn Hạ", en: "Hạ village" };
    const below = await createAgency(deps(), {
      parentId,
      name,
      entitlement: { ...fullEntitlement(["SL001-01"]), types: ["Exercise"] },
    });
    expect(below.entitlement.areas).toEqual(["SL001-01"]);
    const wider = { parentId, name, entitlement: fullEntitlement(["SL002"]) };
    await expect(createAgency(deps(), wider)).rejects.toEqual(problem("not-entitled"));
    const unknown = { parentId, name, entitlement: fullEntitlement(["XX"]) };
    await expect(createAgency(deps(), unknown)).rejects.toEqual(problem("area-unknown"));
    const more = { entitlement: fullEntitlement(["SL001-01"]) };
    await expect(changeAgency(deps(), below.id, more)).rejects.toEqual(problem("not-entitled"));
  });

  test("a person is not operator here and author there", async () => {
    const operator = await world.actor("operator");
    const { agencyId } = await world.actor("communeAuthor");
    const person = { id: operator.personId };
    await expect(
      createMember(deps(), { agencyId, post: POST, roles: ["author"], person }),
    ).rejects.toEqual(problem("roles-conflict"));
    await expect(
      createMember(deps(), {
        agencyId,
        post: POST,
        roles: ["operator", "approver"],
        person: { name: "Người mới" },
      }),
    ).rejects.toEqual(problem("roles-conflict"));
  });

  test("two accounts do not share a handle, and no name hides anything", async () => {
    const { agencyId } = await world.actor("communeAuthor");
    const name = { vi: "Xã Bến Lụa", en: "Bến Lụa" };
    const account = { agencyId, handle: "songlua", name };
    await expect(createAccount(deps(), account)).rejects.toEqual(problem("handle-taken"));
    const hidden = { agencyId, handle: "ben-lua", name: { vi: "Xã\u202e", en: "x" } };
    await expect(createAccount(deps(), hidden)).rejects.toEqual(problem("request-invalid"));
  });

  test("a repeated request with the same id makes no twin", async () => {
    const { agencyId } = await world.actor("communeAuthor");
    const id = "01900000-0000-8000-8000-0000000000aa";
    const account = { agencyId, handle: "lap-lai", name: { vi: "Lặp lại", en: "Again" } };
    const first = await createAccount(deps(), account, id);
    expect(await createAccount(deps(), account, id)).toEqual(first);
  });
});

test("a village lies in its commune and province, and in nothing else", () => {
  const insideAny = insideBy(PLACES);
  expect(["SL001-01", "SL001", "SL", "SL002", "XX"].map((code) => insideAny([code])(101))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

test("the server's keys are made once, for the owner alone, and sign", () => {
  const again = loadServerKeys(world.dataFolder);
  expect(again).toEqual(world.keys);
  for (const file of ["signing.pem", "token-secret"])
    expect(statSync(join(world.dataFolder, "keys", file)).mode & 0o777).toBe(0o600);
  const signature = signText(again, "bão số 9");
  expect(verifyText(again.signing.publicKey, "bão số 9", signature)).toBe(true);
  expect(verifyText(again.signing.publicKey, "bão số 10", signature)).toBe(false);
});
