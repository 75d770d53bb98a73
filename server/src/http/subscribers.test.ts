import type { ImportLine } from "@loa/api/subscribers.ts";
import { Problem } from "@loa/model/problem.ts";
import type { ResolvedTarget } from "@loa/model/target.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDistrict, type District } from "../../test/district.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { type AudienceIndex, openAudienceIndex } from "../audience/audience-index.ts";
import { createLogger } from "../observe/log.ts";
import { openTokenGenerations, type TokenGenerations, verifyToken } from "../registry/token.ts";
import { type App, buildApp } from "./app.ts";
import { mountAudience } from "./audience.ts";
import type { Caller } from "./caller.ts";
import { mountDevices } from "./devices.ts";
import { LINES_WAITING_BYTES_MAX } from "./import-lines.ts";
import { mountSubscribers } from "./subscribers.ts";

const TOKEN_KEY = { keyId: "k-1", secret: Buffer.alloc(32, 7) };
const MEMBER = {
  memberId: "0192f000-0000-7000-8000-000000000001",
  personId: "p",
  personName: "Oanh",
  agencyId: "a",
};
const STAFF: Record<string, Caller> = {
  operator: { kind: "member", who: { ...MEMBER, roles: ["operator"] } },
  author: { kind: "member", who: { ...MEMBER, roles: ["author"] } },
};

let database: TestDatabase;
let district: District;
let index: AudienceIndex;
let generations: TokenGenerations;
let app: App;
const published: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const { db, pool } = database;
  district = await createDistrict(db);
  const tree = () => district.tree;
  index = await openAudienceIndex(database, tree);
  generations = await openTokenGenerations(pool);
  app = buildApp({
    db,
    log: createLogger("silent", "test"),
    checkAnswers: true,
    authenticate: async (credential) => {
      const claim = verifyToken([TOKEN_KEY], credential);
      await generations.catchUp();
      if (claim && generations.isCurrent(claim)) return { kind: "device", who: claim };
      const caller = STAFF[credential];
      if (!caller) throw new Problem("token-invalid", "No such token.");
      return caller;
    },
  });
  const bus = { publish: (subject: string, body: unknown) => void published.push([subject, body]) };
  const resolve = async ({
    areas,
  }: {
    readonly areas: readonly string[];
  }): Promise<ResolvedTarget> => ({
    packs: [],
    communes: areas.map((code) => ({
      areaId: district.areas.get(code) as number,
      code,
      villageIds: null,
      share: null,
    })),
  });
  mountDevices(app, {
    db,
    pool,
    bus,
    tree,
    tokenKey: TOKEN_KEY,
    streamOrigin: () => "http://edge",
  });
  mountSubscribers(app, { db, pool, bus, tree, tokenKey: TOKEN_KEY });
  mountAudience(app, { db, index, resolve, tree });
});
afterAll(async () => {
  await index.close();
  await database.close();
});

let keys = 0;
async function ask(method: string, path: string, as: string, body?: unknown) {
  const response = await app.request(path, {
    method,
    headers: {
      authorization: `Bearer ${as}`,
      "idempotency-key": `key-of-this-request-${(keys += 1)}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, answer: (text === "" ? {} : JSON.parse(text)) as never };
}
interface Registered {
  readonly subscriberId: string;
  readonly token: string;
}
const CAROL = {
  home: "00102-1",
  places: ["00101"],
  follows: ["xa-lua-ha"],
  consentVersion: "app-1",
};
const register = async (body: unknown = CAROL): Promise<Registered> => {
  const { status, answer } = await ask("POST", "/v1/devices", "", body);
  expect(status).toBe(201);
  return answer;
};
const estimate = async (areas: string[], over: object = {}) => {
  const body = { target: { areas, rule: { kind: "named" } }, ...over };
  return (await ask("POST", "/v1/audience/estimate", "author", body)).answer as {
    residents: number;
    concerned: number;
    communes: { code: string; inside: boolean; registeredShare: number | null }[];
  };
};

describe("carol's own device", () => {
  test("registers, reads, moves and deletes itself, and is counted at once", async () => {
    const before = await estimate(["00102"]);
    const { token, ...rest } = await register();
    expect(rest).toMatchObject({
      streamUrl: "http://edge/v1/stream",
      receiptsUrl: "http://edge/v1/receipts",
    });
    expect((await estimate(["00102"])).residents).toBe(before.residents + 1);
    const own = await ask("GET", "/v1/devices/me", token);
    expect(own.answer).toMatchObject({
      id: rest.subscriberId,
      standing: "public",
      home: "00102-1",
      consent: { version: "app-1" },
    });
    const moved = await ask("PUT", "/v1/devices/me", token, { home: "00103" });
    expect(moved.answer).toMatchObject({ id: rest.subscriberId, home: "00103", places: [] });
    expect((await estimate(["00102"])).residents).toBe(before.residents);
    expect((await ask("DELETE", "/v1/devices/me", token)).status).toBe(204);
    expect(published).toContainEqual(["registry.changed", { what: "subscribers" }]);
    expect(await ask("GET", "/v1/devices/me", token)).toMatchObject({
      answer: { code: "token-invalid" },
    });
  });

  test("is told what is wrong, and where", async () => {
    expect(await ask("POST", "/v1/devices", "", { ...CAROL, home: "7" })).toMatchObject({
      status: 404,
      answer: { code: "area-unknown", faults: [{ at: "/home" }] },
    });
    expect(await ask("POST", "/v1/devices", "", { ...CAROL, standing: "exercise" })).toMatchObject({
      status: 400,
      answer: { code: "request-invalid", faults: [{ at: "/standing" }] },
    });
  });
});

const HEADER = "ref,standing,home,endpoints,consent_version,consent_at";
const rowOf = (ref: string, over: Partial<Record<"standing" | "home", string>> = {}) =>
  `${ref},${over.standing ?? "exercise"},${over.home ?? "00101"},loopback,v1,2026-01-05T08:00:00Z`;
async function upload(text: string, query: string, as = "operator") {
  const response = await app.request(`/v1/subscribers/import?${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${as}`, "content-type": "text/csv" },
    body: text,
  });
  const answer = await response.text();
  const isLines = response.headers.get("content-type") === "application/x-ndjson";
  return {
    status: response.status,
    problem: isLines ? undefined : (JSON.parse(answer) as { code: string; faults: object[] }),
    lines: isLines
      ? answer
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as ImportLine)
      : [],
  };
}

describe("a list from the operator", () => {
  test("is imported while its progress and its bad rows are told", async () => {
    const list = [HEADER, rowOf("a"), rowOf("b", { home: "9" }), rowOf("c")].join("\n");
    const { status, lines } = await upload(list, "source=list&basis=B");
    expect(status).toBe(200);
    expect(lines).toContainEqual({
      rejects: [
        {
          line: 3,
          reason: expect.stringContaining("home 9") as string,
          text: rowOf("b", { home: "9" }),
        },
      ],
    });
    expect(lines.at(-1)).toMatchObject({ done: { read: 3, added: 2, known: 0, rejected: 1 } });
  });

  test("that cannot be read is an ordinary problem, and nothing is stored", async () => {
    expect(await upload("a,b\n1,2", "source=list&basis=B")).toMatchObject({
      status: 400,
      problem: { code: "csv-invalid" },
    });
    expect(await upload(HEADER, "source=list")).toMatchObject({
      status: 400,
      problem: { code: "consent-missing" },
    });
    expect(await upload(HEADER, "source=list&basis=B", "author")).toMatchObject({ status: 403 });
  });

  test("with more bad rows than may wait for their reader is told to its end", async () => {
    const bad = rowOf("x", { home: "no such place" });
    const many = Math.ceil((2.5 * LINES_WAITING_BYTES_MAX) / (bad.length + 90));
    async function* rows() {
      yield Buffer.from(`${HEADER}\n`);
      for (let sent = 0; sent < many; sent += 1_000) yield Buffer.from(`${bad}\n`.repeat(1_000));
    }
    const response = await app.request("/v1/subscribers/import?source=bad&basis=B", {
      method: "POST",
      headers: { authorization: "Bearer operator", "content-type": "text/csv" },
      body: ReadableStream.from(rows()),
      duplex: "half",
    });
    const last = (await response.text()).trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({ done: { added: 0 } });
  });

  test("is exported, and one person of it read and deleted", async () => {
    await upload([HEADER, rowOf("d", { standing: "public" })].join("\n"), "source=out&basis=Luật");
    const response = await app.request("/v1/subscribers/export", {
      headers: { authorization: "Bearer operator" },
    });
    const line = (await response.text()).split("\n").find((one) => one.endsWith(",Luật")) ?? "";
    const id = line.split(",")[0] ?? "";
    expect(line).toBe(`${id},person,public,00101,,,loopback,v1,2026-01-05T08:00:00Z,Luật`);
    expect((await ask("GET", `/v1/subscribers/${id}`, "operator")).answer).toMatchObject({ id });
    expect((await ask("DELETE", `/v1/subscribers/${id}`, "operator")).status).toBe(204);
    expect((await ask("GET", `/v1/subscribers/${id}`, "operator")).status).toBe(404);
  });
});

test("tokens are given for people of exercises, never for the public", async () => {
  const list = [HEADER, rowOf("e"), rowOf("f", { standing: "public" })].join("\n");
  await upload(list, "source=mixed&basis=B");
  const { answer } = await ask("POST", "/v1/subscribers/tokens", "operator", {
    source: "mixed",
    refs: ["f", "e", "nobody"],
  });
  const { items } = answer as { items: ({ ref: string; ordinal: number; token: string } | null)[] };
  expect(items).toMatchObject([null, { ref: "e" }, null]);
  expect(verifyToken([TOKEN_KEY], items[1]?.token ?? "")).toEqual({
    standing: "exercise",
    ordinal: items[1]?.ordinal,
    generation: 0,
  });
});

test("synthetic people are the same when they are asked for again", async () => {
  const synth = async () => {
    const response = await app.request("/v1/subscribers/synth", {
      method: "POST",
      headers: { authorization: "Bearer operator", "content-type": "application/json" },
      body: JSON.stringify({ count: 500, seed: 3 }),
    });
    return JSON.parse((await response.text()).trimEnd().split("\n").at(-1) ?? "") as unknown;
  };
  expect(await synth()).toMatchObject({ done: { added: 500, known: 0 } });
  expect(await synth()).toMatchObject({ done: { added: 0, known: 500 } });
  const { residents } = await estimate(["00101", "00102", "00103"], { type: "Exercise" });
  expect(residents).toBeGreaterThanOrEqual(500);
});

test("an estimate names followers' communes and the denominator of its share", async () => {
  await register({ ...CAROL, home: "00103", places: [] });
  const account = await database.pool.query<{ id: string }>(
    "SELECT id FROM official_account WHERE handle = 'xa-lua-ha'",
  );
  const found = await estimate(["00102"], {
    audienceRule: "both",
    accountId: account.rows[0]?.id,
  });
  const [inside] = found.communes.filter(({ code }) => code === "00102");
  expect(inside).toMatchObject({ inside: true, population: 5_000 });
  expect(found.communes.find(({ code }) => code === "00103")).toMatchObject({
    inside: false,
    concerned: 1,
  });
  const refused = await ask("POST", "/v1/audience/estimate", "author", {
    target: { areas: ["00102"] },
    audienceRule: "followers",
  });
  expect(refused).toMatchObject({ status: 400, answer: { faults: [{ at: "/accountId" }] } });
});
