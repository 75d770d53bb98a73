// The contract as a whole: what is described is served, and what is served is described.
import { buildOpenApi, ROUTES } from "@loa/api/openapi.ts";
import { expect, test } from "vitest";
import { createLogger } from "../observe/log.ts";
import { mountAccounts } from "./accounts.ts";
import { buildApp } from "./app.ts";
import { mountAreas } from "./areas.ts";
import { mountAudience } from "./audience.ts";
import { mountBackups } from "./backups.ts";
import { mountBulletins } from "./bulletins.ts";
import { mountCapSources } from "./cap-sources.ts";
import { mountDevices } from "./devices.ts";
import { mountDispatches } from "./dispatches.ts";
import { mountDeviceEdgeRedirects, mountDocumentation } from "./documentation.ts";
import { mountFeeds } from "./feeds.ts";
import { mountHealth } from "./health.ts";
import { mountIncidents } from "./incidents.ts";
import { mountPublicPages } from "./public.ts";
import { mountStandingOrders } from "./standing-orders.ts";
import { mountSubscribers } from "./subscribers.ts";
import { mountZones } from "./zones.ts";

const document = buildOpenApi("1.0.0");
interface Node {
  readonly [name: string]: unknown;
}
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

test("every described operation is served, and none in secret", () => {
  // Mounting only keeps what a handler will need, so next to nothing need be there.
  const nothing = { version: "1.0.0" } as never;
  const app = buildApp({ db: nothing, log: createLogger("silent", "test"), authenticate: nothing });
  for (const mount of [
    mountAccounts,
    mountAreas,
    mountAudience,
    mountBackups,
    mountBulletins,
    mountCapSources,
    mountDevices,
    mountDeviceEdgeRedirects,
    mountDispatches,
    mountDocumentation,
    mountFeeds,
    mountHealth,
    mountIncidents,
    mountPublicPages,
    mountStandingOrders,
    mountSubscribers,
    mountZones,
  ])
    mount(app, nothing);
  const list = (routes: typeof ROUTES) => routes.map((r) => `${r.method} ${r.path}`).toSorted();
  expect(list(app.mounted)).toEqual(list(ROUTES));
  expect(new Set(list(ROUTES)).size).toBe(ROUTES.length);
});

test("every operation has a name of its own, and every noun one in Vietnamese", () => {
  const paths = Object.values(document.paths ?? {}) as Node[];
  const ids = paths.flatMap((path) =>
    Object.values(path).map((operation) => (operation as Node)["operationId"]),
  );
  expect(new Set(ids).size).toBe(ROUTES.length);
  const tags = (document.tags ?? []) as unknown as Node[];
  expect(tags.filter((tag) => tag["x-name-vi"] === undefined)).toEqual([]);
});

test("no request may carry a field that nobody reads", () => {
  const loose: string[] = [];
  const look = (node: unknown, at: string): void => {
    if (!isNode(node)) return;
    if (isNode(node["properties"]) && node["additionalProperties"] !== false) loose.push(at);
    for (const [name, value] of Object.entries(node)) look(value, `${at}/${name}`);
  };
  for (const [path, methods] of Object.entries(document.paths ?? {}))
    for (const [method, operation] of Object.entries(methods as Node))
      look((operation as Node)["requestBody"], `${method} ${path}`);
  look(document.components?.schemas, "schemas");
  expect(loose).toEqual([]);
});
