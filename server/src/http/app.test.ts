import { defineRoute } from "@loa/api/route.ts";
import { z } from "@hono/zod-openapi";
import { Problem } from "@loa/model/problem.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createLogger } from "../observe/log.ts";
import { type App, buildApp } from "./app.ts";
import { calmState } from "../../test/installation-state.ts";
import { mountHealth } from "./health.ts";
import type { Caller } from "./caller.ts";

const noteShelter = defineRoute({
  method: "post",
  path: "/v1/shelters/{code}/notes",
  noun: "Shelters",
  summary: "Note who came",
  access: { kind: "member", roles: ["author"] },
  params: z.strictObject({ code: z.string().regex(/^\d{5}$/) }),
  query: z.strictObject({ dryRun: z.stringbool().default(false) }),
  body: {
    form: "json",
    maxBytes: 2000,
    schema: z.strictObject({
      name: z.string().max(100),
      radiusKm: z.number().min(0).max(2000),
      at: z.strictObject({ lon: z.number(), lat: z.number() }).optional(),
    }),
  },
  answer: {
    status: 201,
    description: "Noted",
    schema: z.strictObject({ id: z.string(), name: z.string(), count: z.int() }),
  },
  problems: ["area-unknown"],
});
const failLoudly = defineRoute({
  method: "get",
  path: "/v1/failure",
  noun: "Shelters",
  summary: "Fail",
  access: { kind: "public" },
  answer: { status: 204, description: "Never" },
});
const replaceMe = defineRoute({
  method: "put",
  path: "/v1/devices/me",
  noun: "Devices",
  summary: "Move",
  access: { kind: "device" },
  body: { form: "bytes", mediaType: "text/csv", maxBytes: 10 },
  answer: { status: 204, description: "Moved" },
});

const ALICE = { memberId: "m-alice", personId: "p-alice", personName: "Alice", agencyId: "a-1" };
const CALLERS: Record<string, Caller> = {
  alice: { kind: "member", who: { ...ALICE, roles: ["author"] } },
  binh: { kind: "member", who: { ...ALICE, memberId: "m-binh", roles: ["author"] } },
  chi: { kind: "member", who: { ...ALICE, memberId: "m-chi", roles: ["approver"] } },
  gateway: { kind: "gateway", who: { channel: "sms" } },
  device: { kind: "device", who: { ordinal: 7, generation: 0 } },
};

let database: TestDatabase;
let app: App;
let noted = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  app = buildApp({
    db: database.db,
    log: createLogger("silent", "test"),
    checkAnswers: true,
    authenticate: async (credential) => {
      const caller = CALLERS[credential];
      if (!caller) throw new Problem("key-unknown", "No such key.");
      return caller;
    },
  });
  mountHealth(app, { version: "1.2.3", look: () => calmState() });
  app.mount(noteShelter, async ({ body, params, stableId }) => {
    if (params.code === "99999") throw new Problem("area-unknown", "No area has the code 99999.");
    noted += 1;
    return { id: stableId, name: body.name, count: noted };
  });
  app.mount(failLoudly, async () => {
    throw new Error("password=hunter2");
  });
  app.mount(replaceMe, async () => {});
});
afterAll(() => database.close());

/** A problem, or what a shelter's note answers. */
interface Answer {
  readonly code: string;
  readonly id: string;
  readonly titles: { vi: string };
  readonly faults: { at: string }[];
}
let keys = 0;
interface Sending {
  readonly as?: string;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  readonly path?: string;
}
const freshKey = () => `key-of-this-request-${(keys += 1)}`;

async function send(body: string | Uint8Array<ArrayBuffer>, sending: Sending = {}) {
  const { as = "alice", key = freshKey(), headers, path = "/v1/shelters/00123/notes" } = sending;
  const response = await app.request(path, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      ...(as && { authorization: `Bearer ${as}` }),
      ...(key && { "idempotency-key": key }),
      ...headers,
    },
  });
  return {
    status: response.status,
    headers: response.headers,
    answer: (await response.json()) as Answer,
  };
}
const NOTE = '{"name":"Nhà văn hoá Lụa Hạ","radiusKm":2}';

test("health is answered to anyone, with the headers that keep a browser from trusting it", async () => {
  const response = await app.request("/v1/health");
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ status: "ready", database: "reachable" });
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
});

describe("a body that cannot be used", () => {
  const bytes = (...values: number[]) => new Uint8Array(values);
  const deep = `{"name":${"[".repeat(200)}${"]".repeat(200)}}`;
  test.each<[string, string | Uint8Array<ArrayBuffer>, number, string, string]>([
    ["broken JSON", '{"name":\n "A",}', 400, "body-not-json", "line 2 column 6"],
    ["no body", "", 400, "body-not-json", "line 1 column 1"],
    ["more after the end", `${NOTE} x`, 400, "body-not-json", "line 1 column 44"],
    ["not UTF-8", bytes(0x7b, 0x22, 0xc3, 0x28), 400, "body-not-utf8", "byte 2"],
    ["a byte order mark", `\uFEFF${NOTE}`, 400, "body-not-json", "line 1 column 1"],
    ["NFD text", '{"name":"Nha\u0300"}', 400, "text-not-nfc", "/name"],
    ["NFD text by escapes", '{"name":"Nha\\u0300"}', 400, "text-not-nfc", "/name"],
    ["an NFD name", '{"nha\u0300":1}', 400, "text-not-nfc", "/nha\u0300"],
    ["an unknown field", '{"name":"A","radiusKm":1,"x":1}', 400, "request-invalid", "/x"],
    [
      "an unknown field within",
      '{"name":"A","radiusKm":1,"at":{"lon":1,"lat":2,"alt":3}}',
      400,
      "request-invalid",
      "/at/alt",
    ],
    ["a wrong unit", '{"name":"A","radiusKm":"2 km"}', 400, "request-invalid", "/radiusKm"],
    ["metres for kilometres", '{"name":"A","radiusKm":20000}', 400, "request-invalid", "/radiusKm"],
    ["a huge number", '{"name":"A","radiusKm":1e999}', 400, "request-invalid", "/radiusKm"],
    [
      "a number that would lose digits",
      '{"name":"A","radiusKm":9007199254740993}',
      400,
      "request-invalid",
      "/radiusKm",
    ],
    ["a name given twice", '{"name":"A","radiusKm":1,"name":"B"}', 400, "request-invalid", "/name"],
    ["a prototype", '{"__proto__":{"x":1}}', 400, "request-invalid", "/__proto__"],
    [
      "a constructor",
      '{"name":"A","radiusKm":1,"constructor":1}',
      400,
      "request-invalid",
      "/constructor",
    ],
    ["half a surrogate pair", '{"name":"\\ud83d"}', 400, "request-invalid", "/name"],
    ["U+0000", '{"name":"a\\u0000b"}', 400, "request-invalid", "/name"],
    ["deep nesting", deep, 400, "request-invalid", `/name${"/0".repeat(63)}`],
    ["an array for an object", "[]", 400, "request-invalid", ""],
    ["a missing field", '{"name":"A"}', 400, "request-invalid", "/radiusKm"],
  ])("%s gets a problem that says where", async (_, body, status, code, at) => {
    const before = noted;
    const { answer, headers, ...rest } = await send(body);
    expect(rest.status).toBe(status);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(answer).toMatchObject({ code, status, instance: "/v1/shelters/00123/notes" });
    expect(answer.faults[0]?.at).toBe(at);
    expect(answer.titles.vi).not.toBe("");
    expect(noted).toBe(before);
  });

  test("a body over the route's limit is refused, whether or not its length was announced", async () => {
    const long = JSON.stringify({ name: "A".repeat(3000), radiusKm: 1 });
    expect((await send(long)).answer).toMatchObject({ code: "body-too-large", status: 413 });
    const announced = await send(long, { headers: { "content-length": "3024" } });
    expect(announced.answer).toMatchObject({ code: "body-too-large" });
  });

  test("another media type, charset or content encoding is refused", async () => {
    for (const headers of [
      { "content-type": "text/plain" },
      { "content-type": "application/json; charset=latin1" },
      { "content-type": "" },
      { "content-encoding": "gzip" },
    ])
      expect((await send(NOTE, { headers })).answer).toMatchObject({
        code: "media-type-unsupported",
        status: 415,
      });
    const utf8 = {
      "content-type": "Application/JSON; charset=UTF-8",
      "content-encoding": "identity",
    };
    expect((await send(NOTE, { headers: utf8 })).status).toBe(201);
  });
});

test.each([
  ["/v1/shelters/12/notes", "path/code"],
  ["/v1/shelters/00123/notes?dryRun=perhaps", "query/dryRun"],
  ["/v1/shelters/00123/notes?x=1", "query/x"],
  ["/v1/shelters/00123/notes?dryRun=true&dryRun=false", "query/dryRun"],
  ["/v1/shelters/00123/notes?dryRun=%FF", "query/dryRun"],
  ["/v1/shelters/%00%00/notes", "path/code"],
])("%s is refused at %s", async (path, at) => {
  const { answer } = await send(NOTE, { path });
  expect(answer).toMatchObject({ code: "request-invalid", faults: [{ at }] });
});

test("an address that is not there is 404, and one that takes another method 405", async () => {
  expect(await (await app.request("/v1/nothing")).json()).toMatchObject({ code: "not-found" });
  const wrong = await app.request("/v1/shelters/00123/notes");
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get("allow")).toBe("POST");
});

test("a fault of ours tells the caller nothing of its cause", async () => {
  const response = await app.request("/v1/failure");
  const text = await response.text();
  expect(response.status).toBe(500);
  expect(JSON.parse(text)).toMatchObject({ code: "internal-error" });
  expect(text).not.toContain("hunter2");
});

describe("who asks", () => {
  test.each([
    ["", 401, "key-missing"],
    ["mallory", 401, "key-unknown"],
    ["chi", 403, "role-missing"],
    ["device", 403, "role-missing"],
    ["gateway", 403, "gateway-key-scope"],
  ])("the credential '%s' is answered %i %s", async (as, status, code) => {
    const { answer, headers } = await send(NOTE, { as });
    expect(answer).toMatchObject({ status, code });
    expect(headers.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null);
  });

  test("a member's key is no device token", async () => {
    const response = await app.request("/v1/devices/me", {
      method: "PUT",
      headers: { authorization: "Bearer alice", "content-type": "text/csv" },
      body: "x",
    });
    expect(await response.json()).toMatchObject({ code: "token-invalid", status: 401 });
  });

  test("a caller is known before the body is looked at", async () => {
    expect((await send("{", { as: "mallory" })).answer).toMatchObject({ code: "key-unknown" });
  });
});

describe("Idempotency-Key", () => {
  test("a POST without one is refused", async () => {
    expect((await send(NOTE, { key: null })).answer.code).toBe("idempotency-key-missing");
    expect((await send(NOTE, { key: "short" })).answer.code).toBe("request-invalid");
  });

  test("a repeat is answered with the same bytes and done once", async () => {
    const key = freshKey();
    const first = await send(NOTE, { key });
    const second = await send(NOTE, { key });
    expect(first.status).toBe(201);
    expect(second.answer).toEqual(first.answer);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
  });

  test("the same key with another body, or on another address, is refused", async () => {
    const key = freshKey();
    await send(NOTE, { key });
    const other = await send('{"name":"B","radiusKm":2}', { key });
    expect(other.answer).toMatchObject({ code: "idempotency-key-reused", status: 422 });
    const elsewhere = await send(NOTE, { key, path: "/v1/shelters/00124/notes" });
    expect(elsewhere.answer.code).toBe("idempotency-key-reused");
  });

  test("two members may use the same key for different things", async () => {
    const key = freshKey();
    const alice = await send(NOTE, { key });
    const binh = await send(NOTE, { key, as: "binh" });
    expect(binh.status).toBe(201);
    expect(binh.answer.id).not.toBe(alice.answer.id);
  });

  test("a refusal is not kept: the same key may try again", async () => {
    const key = freshKey();
    const refused = await send(NOTE, { key, path: "/v1/shelters/99999/notes" });
    expect(refused.answer.code).toBe("area-unknown");
    expect((await send(NOTE, { key })).status).toBe(201);
  });

  test("what is stored shows neither key nor answer", async () => {
    const key = freshKey();
    await send('{"name":"Bí mật","radiusKm":1}', { key });
    const rows = await database.db.selectFrom("idempotency").selectAll().execute();
    const stored = rows.map((row) => `${row.key}${row.body?.toString("latin1")}`).join("");
    expect(stored).not.toContain(key);
    expect(stored).not.toContain(Buffer.from("Bí mật").toString("latin1"));
  });
});
