import { ApiProblem, createClient, readNdjson } from "@loa/api/client.ts";
import { getHealth } from "@loa/api/health.ts";
import { defineRoute } from "@loa/api/route.ts";
import { z } from "@hono/zod-openapi";
import { Problem } from "@loa/model/problem.ts";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createLogger } from "../observe/log.ts";
import { type App, buildApp } from "./app.ts";
import { mountDeviceEdgeRedirects, mountDocumentation } from "./documentation.ts";
import { calmState } from "../../test/installation-state.ts";
import { mountHealth } from "./health.ts";
import { listen, type Listening } from "./listen.ts";

const countRows = defineRoute({
  method: "post",
  path: "/v1/counts/{name}",
  noun: "Counts",
  summary: "Count rows",
  access: { kind: "public" },
  idempotency: "none",
  params: z.strictObject({ name: z.string() }),
  query: z.strictObject({ every: z.coerce.number().int().default(1) }),
  body: { form: "stream", mediaType: "text/csv", maxBytes: 2_000_000 },
  answer: { status: 200, description: "Progress", mediaType: "application/x-ndjson" },
});
const askForever = defineRoute({
  method: "get",
  path: "/v1/slow",
  noun: "Counts",
  summary: "Take a while",
  access: { kind: "public" },
  answer: { status: 204, description: "Done" },
});

let database: TestDatabase;
let app: App;
let listening: Listening;
let letSlowEnd: () => void = () => {};
let slowStarted: () => void = () => {};

beforeAll(async () => {
  database = await createTestDatabase();
  app = buildApp({
    db: database.db,
    log: createLogger("silent", "test"),
    authenticate: async () => {
      throw new Problem("key-unknown", "No such key.");
    },
  });
  mountHealth(app, { version: "1.2.3", look: () => calmState(["no-worker"]) });
  mountDocumentation(app, { version: "1.2.3" });
  mountDeviceEdgeRedirects(app, { streamOrigin: () => "http://127.0.0.1:9" });
  app.mount(countRows, async ({ body, params, query }) => {
    let bytes = 0;
    for await (const chunk of body) bytes += chunk.byteLength;
    const lines = [{ name: params.name, every: query.every }, { bytes }];
    return new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), {
      headers: { "content-type": "application/x-ndjson" },
    });
  });
  app.mount(askForever, async () => {
    slowStarted();
    await new Promise<void>((resolve) => (letSlowEnd = resolve));
  });
  listening = await listen(app, { host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await listening.close();
  await database.close();
});

test("a client asks by route and gets typed data", async () => {
  const health = await createClient(listening).ask(getHealth);
  expect(health).toMatchObject({ status: "down", version: "1.2.3" });
});

test("a client streams a body up and reads NDJSON back", async () => {
  const rows = ReadableStream.from(Array.from({ length: 100 }, () => Buffer.from("a,b,c\n")));
  const answer = await createClient(listening).ask(countRows, {
    params: { name: "xã Đá Dựng/1" },
    query: { every: 5 },
    body: rows,
  });
  const lines = await Array.fromAsync(readNdjson(answer));
  expect(lines).toEqual([{ name: "xã Đá Dựng/1", every: 5 }, { bytes: 600 }]);
});

test("a streamed body is stopped at its limit, with a problem and not a broken connection", async () => {
  const chunk = Buffer.alloc(64 * 1024, "x");
  const rows = ReadableStream.from(Array.from({ length: 100 }, () => chunk));
  const asking = createClient(listening).ask(countRows, {
    params: { name: "A" },
    query: {},
    body: rows,
  });
  await expect(asking).rejects.toMatchObject({ document: { code: "body-too-large" } });
});

test("a client throws what the API refuses", async () => {
  const nowhere = { ...getHealth, path: "/v1/nowhere" } as const;
  const asking = createClient(listening).ask(nowhere);
  await expect(asking).rejects.toBeInstanceOf(ApiProblem);
  await expect(asking).rejects.toMatchObject({ document: { code: "not-found", status: 404 } });
});

test("devices that ask the API are sent to the device edge, with their query", async () => {
  for (const [method, path] of [
    ["GET", "/v1/stream?cursor=w1.n2"],
    ["POST", "/v1/receipts"],
    ["POST", "/v1/gateways/sms/receipts"],
  ]) {
    const init = { method: method as string, redirect: "manual" as const };
    const response = await fetch(`${listening.origin}${path}`, init);
    expect(response.status).toBe(307);
    expect(response.headers.get("location")).toBe(`http://127.0.0.1:9${path}`);
  }
});

test("a long body that nobody reads does not break the answer", async () => {
  const long = { method: "POST", redirect: "manual" as const, body: Buffer.alloc(8_000_000) };
  expect((await fetch(`${listening.origin}/v1/receipts`, long)).status).toBe(307);
  expect((await fetch(`${listening.origin}/v1/nowhere`, long)).status).toBe(404);
});

test("the documentation shows every operation and problem, and may load and run nothing", async () => {
  const response = await fetch(`${listening.origin}/docs`);
  const page = await response.text();
  expect(response.headers.get("content-security-policy")).toMatch(
    /^default-src 'none'; style-src 'sha256-[\w+/=]+'; base-uri 'none'/,
  );
  expect(page).not.toMatch(/<script|<link|<img|\son\w+=|javascript:/i);
  for (const part of [
    "/v1/health",
    "/v1/stream/tickets",
    'id="problem-body-too-large"',
    "Thiết bị",
  ])
    expect(page).toContain(part);
  const anchors = new Set([...page.matchAll(/id="([^"]+)"/g)].map((match) => match[1]));
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(target);
  expect(await (await fetch(`${listening.origin}/v1/openapi.json`)).json()).toMatchObject({
    openapi: "3.1.0",
    info: { version: "1.2.3" },
  });
});

/** Writes bytes on a raw connection and reads until the server ends it. */
async function exchange(request: string): Promise<string> {
  const socket = connect(listening.port, "127.0.0.1");
  socket.write(request);
  return text(socket);
}

test.each([
  ["GET /v1/health HTTP/1.1\r\n\r\n", "400"],
  [`GET /v1/health HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(20_000)}\r\n\r\n`, "431"],
  ["GET  HTTP/9\r\n\r\n", "400"],
  ["GET /v1/\\..\\health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", "400"],
])("a malformed request %# is refused and harms nobody else", async (request, status) => {
  expect(await exchange(request)).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
  expect((await fetch(`${listening.origin}/v1/health`)).status).toBe(200);
});

test("closing lets a running request end and takes no further one", async () => {
  const other = await listen(app, { host: "127.0.0.1", port: 0 });
  const started = new Promise<void>((resolve) => (slowStarted = resolve));
  const slow = fetch(`${other.origin}/v1/slow`);
  await started;
  const closed = other.close();
  letSlowEnd();
  expect((await slow).status).toBe(204);
  await closed;
  await expect(fetch(`${other.origin}/v1/health`)).rejects.toThrow("fetch failed");
});

test("a port that is taken is an error, not a hang", async () => {
  const again = listen(app, { host: "127.0.0.1", port: listening.port });
  await expect(again).rejects.toThrow("EADDRINUSE");
});
