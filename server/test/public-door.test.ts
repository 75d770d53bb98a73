// What was published is read while the database cannot be reached, also by a Loa that starts then:
// a person on an old phone sees the same page, and a program that has it is told so by its ETag.
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { getHealth, type Health } from "@loa/api/health.ts";
import { createClient } from "@loa/api/client.ts";
import { createTestDatabase } from "./database.ts";
import { eventually } from "./dispatch-kit.ts";
import {
  alive,
  type Settings,
  spawnLoa,
  START_MS_MAX,
  startTestInstallation,
  type TestInstallation,
} from "./installation.ts";
import { issueExercise, openDatabaseProxy, readHealth, untilReasons } from "./trouble-kit.ts";

vi.setConfig({ testTimeout: 2 * START_MS_MAX, hookTimeout: START_MS_MAX });

let folder: string;
let origin: string;
let settings: Settings;
let running: Promise<TestInstallation> | undefined;
const ran = new Set<number>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "loa-door-"));
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  settings = { LOA_PORT: String(port), LOA_LOG_LEVEL: "silent" };
});
afterEach(async () => {
  const loa = await running?.catch(() => undefined);
  for (const pid of loa?.everything() ?? []) ran.add(pid);
  await loa?.end();
  running = undefined;
  for (const pid of alive([...ran])) process.kill(pid, "SIGKILL");
  ran.clear();
  rmSync(folder, { recursive: true, force: true });
});

/** The address must be the same over restarts, as it is where people know it. */
async function freePort(): Promise<number> {
  const holder = createServer();
  await new Promise<void>((done) => holder.listen(0, "127.0.0.1", done));
  const { port } = holder.address() as AddressInfo;
  await new Promise((done) => holder.close(done));
  return port;
}

const start = (more: Settings = {}): Promise<TestInstallation> => {
  running = startTestInstallation(join(folder, "data"), { ...settings, ...more });
  running.catch(() => {});
  return running;
};
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(origin + path, { headers, signal: AbortSignal.timeout(5_000) });

/** Every kind of thing that the public reads, with its ETag. */
async function readAll(code: string): Promise<Record<string, string>> {
  const paths = [
    "/",
    "/en",
    "/exercises",
    `/b/${code}`,
    `/en/b/${code}`,
    "/a/SL001",
    "/areas",
    "/check",
    "/feeds/alerts.atom",
    "/feeds/exercises.geojson",
    "/feeds/areas/SL001/exercises.atom",
    `/feeds/bulletins/${code}/cap.xml`,
  ];
  const read = paths.map(async (path) => {
    const response = await get(path);
    const etag = response.headers.get("etag") ?? "";
    const again = await get(path, { "if-none-match": etag });
    return [path, `${response.status} ${again.status} ${etag}`] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** Issues an exercise and waits until it is public. */
async function publishOne(loa: TestInstallation): Promise<string> {
  const codes = async () =>
    Array.from(
      (await (await get("/feeds/exercises.geojson")).text()).matchAll(/\/b\/([\w-]+)"/gu),
      ([, code]) => code ?? "",
    );
  const before = new Set(await codes());
  await issueExercise(loa, "warning");
  const now = await eventually(codes, (all) => all.some((code) => !before.has(code)));
  return now.find((code) => !before.has(code)) ?? "";
}

const untilAway = () =>
  eventually<Health | undefined>(
    () =>
      createClient({ origin })
        .ask(getHealth)
        .catch(() => undefined),
    (health) => health?.reasons[0]?.code === "database-unreachable",
  );

test("a Loa that starts without its database serves what was published, and goes on by itself", async () => {
  await using database = await createTestDatabase();
  await using proxy = await openDatabaseProxy(database.options);
  const first = await start({ DATABASE_URL: proxy.url });
  const code = await publishOne(first);
  const before = await readAll(code);
  expect(Object.values(before).filter((line) => !line.startsWith('200 304 "'))).toEqual([]);
  await first.end();

  proxy.refuse(true);
  const starting = start({ DATABASE_URL: proxy.url });
  const health = await untilAway();
  expect(health).toMatchObject({ status: "down", database: "unreachable" });
  expect(Date.now() - Date.parse(health?.reasons[0]?.since ?? "")).toBeLessThan(60_000);
  expect(await readAll(code)).toEqual(before);
  const refused = await get("/v1/bulletins");
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ code: "unavailable" });
  expect((await get("/nowhere", { accept: "text/html" })).status).toBe(404);

  proxy.refuse(false);
  const loa = await starting;
  expect(await untilReasons(loa, [])).toBe("ready");
  expect(await readAll(code)).toEqual(before);
  expect(await publishOne(loa)).not.toBe(code);

  // The front alone, killed while the database is away.
  const later = await readAll(code);
  proxy.refuse(true);
  await untilAway();
  const [front = 0] = loa.pids("front");
  process.kill(front, "SIGKILL");
  await eventually(
    async () => loa.pids("front")[0] ?? front,
    (pid) => pid !== front,
  );
  await untilAway();
  expect(await readAll(code)).toEqual(later);
  proxy.refuse(false);
  expect(await untilReasons(loa, [])).toBe("ready");
  await publishOne(loa);
});

test("so does one whose own PostgreSQL cannot start, until it can", async () => {
  const first = await start();
  const code = await publishOne(first);
  const before = await readAll(code);
  await first.end();
  const control = join(folder, "data", "postgresql", "global", "pg_control");
  renameSync(control, `${control}.away`);
  const starting = start();
  await untilAway();
  expect(await readAll(code)).toEqual(before);
  renameSync(`${control}.away`, control);
  const loa = await starting;
  expect((await readHealth(loa)).database).toBe("reachable");
  expect(await publishOne(loa)).not.toBe(code);
});

test("Ctrl-C while it waits for its database ends it", async () => {
  await using database = await createTestDatabase();
  await using proxy = await openDatabaseProxy(database.options);
  const first = await start({ DATABASE_URL: proxy.url });
  await publishOne(first);
  await first.end();
  proxy.refuse(true);
  const { child } = spawnLoa({
    ...settings,
    LOA_DATA: join(folder, "data"),
    DATABASE_URL: proxy.url,
  });
  ran.add(child.pid ?? 0);
  const ended = once(child, "exit");
  await untilAway();
  process.kill(-(child.pid as number), "SIGINT");
  expect((await ended)[0]).toBe(0);
  await expect(get("/")).rejects.toThrow("fetch failed");
});
