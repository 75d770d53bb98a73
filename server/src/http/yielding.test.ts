// Work that gives way to warnings: refused at the door while something is short, ended where it
// already runs, and taken again afterwards. Everything else is served as ever.
import { expect, test } from "vitest";
import { defineRoute } from "@loa/api/route.ts";
import { ROUTES } from "@loa/api/openapi.ts";
import { Problem } from "@loa/model/problem.ts";
import { createLogger } from "../observe/log.ts";
import { buildApp } from "./app.ts";

const answer = { status: 204, description: "Done" } as const;
const access = { kind: "public" } as const;
const importList = defineRoute({
  method: "get",
  path: "/v1/import",
  noun: "Tests",
  summary: "Import for long",
  access,
  yields: "bulk",
  answer,
});
const issueNow = defineRoute({
  method: "get",
  path: "/v1/issue",
  noun: "Tests",
  summary: "Issue",
  access,
  answer,
});

test("bulk work is refused while it must give way, ends where it runs, and is taken again", async () => {
  let short = new AbortController();
  const app = buildApp({
    db: undefined as never,
    log: createLogger("silent", "test"),
    authenticate: undefined as never,
    yielding: () => short.signal,
  });
  let begun = Promise.withResolvers<void>();
  app.mount(importList, async ({ signal }) => {
    begun.resolve();
    await new Promise<never>((_, fail) => {
      signal.addEventListener("abort", () => fail(signal.reason as Error));
    });
  });
  app.mount(issueNow, async () => {});
  const running = app.request("/v1/import");
  await begun.promise;
  short.abort(new Problem("busy", "Gives way."));
  const ended = await running;
  expect([ended.status, ended.headers.get("retry-after")]).toEqual([503, "5"]);
  expect((await app.request("/v1/import")).status).toBe(503);
  expect((await app.request("/v1/issue")).status).toBe(204);
  short = new AbortController();
  begun = Promise.withResolvers();
  const again = app.request("/v1/import");
  await begun.promise;
  short.abort(new Problem("busy", "Gives way again."));
  expect((await again).status).toBe(503);
});

test("nothing that a warning needs gives way", () => {
  const yielding = ROUTES.filter((route) => route.yields !== undefined);
  expect(yielding.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual([
    "get /v1/dispatches/{id}/export",
    "get /v1/subscribers/export",
    "post /v1/area-packs",
    "post /v1/audience/estimate",
    "post /v1/backups",
    "post /v1/subscribers/import",
    "post /v1/subscribers/synth",
  ]);
});
