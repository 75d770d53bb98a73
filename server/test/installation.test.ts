// An installation as its operator meets it: first and second start, Ctrl-C, kills of the whole,
// and everything that can stand in its way. One data folder serves all stories, in their order.
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { getHealth } from "@loa/api/health.ts";
import { getBulletin } from "@loa/api/bulletins.ts";
import { createClient } from "@loa/api/client.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { eventually } from "./dispatch-kit.ts";
import {
  alive,
  refusedStart,
  START_MS_MAX,
  spawnLoa,
  startTestInstallation,
  type TestInstallation,
} from "./installation.ts";

vi.setConfig({ testTimeout: START_MS_MAX, hookTimeout: START_MS_MAX });

let parent: string;
let data: string;
let loa: TestInstallation;
/** Everything that any installation of these stories ran, to find what is left over. */
const ran = new Set<number>();

const start = async (settings: Record<string, string> = {}) => {
  loa = await startTestInstallation(data, settings);
  for (const pid of loa.everything()) ran.add(pid);
};

const isReady = async (origin: string): Promise<boolean> =>
  (await createClient({ origin }).ask(getHealth)).database === "reachable";

/** Nothing that an ended installation ran or made is left. */
async function expectNothingLeft(installation: TestInstallation, runtimeFolder: string) {
  await eventually(
    async () => alive([...ran]),
    (left) => left.length === 0,
  );
  expect(runtimeFolder).toMatch(/^\/tmp\/loa-/);
  expect(existsSync(runtimeFolder)).toBe(false);
  expect(installation.said()).toBe("");
}

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), "loa-installation-"));
  data = join(parent, ...Array.from({ length: 6 }, (_, i) => `a-deep-folder-${i}`), "data");
});

afterEach(() => {
  for (const pid of loa?.everything() ?? []) ran.add(pid);
});

afterAll(async () => {
  await loa?.end();
  for (const pid of alive([...ran])) process.kill(pid, "SIGKILL");
  rmSync(parent, { recursive: true, force: true });
});

test("a first start draws the demonstration, also in a folder that only its owner may enter", async () => {
  await start();
  expect(await isReady(loa.api)).toBe(true);
  expect(loa.pids("worker")).toHaveLength(2);
  expect(loa.demonstration.accounts[0]?.handle).toBe("songlua");
});

test("a second Loa on the same data is refused with a sentence, and the first is unharmed", async () => {
  const before = loa.everything();
  const { status, said } = await refusedStart({ LOA_DATA: data });
  expect(status).toBe(2);
  expect(said).toContain(`another Loa runs on the data folder ${data}`);
  expect(said).toContain("một Loa khác đang chạy");
  expect(said).not.toContain("    at ");
  expect(loa.everything()).toEqual(before);
  expect(await isReady(loa.api)).toBe(true);
});

test("Ctrl-C leaves no process and no folder, and a second start has the same data", async () => {
  const { accounts } = loa.demonstration;
  const folder = loa.runtimeFolder();
  expect(await loa.end("SIGINT")).toBe(0);
  await expectNothingLeft(loa, folder);
  await start();
  expect(loa.demonstration.accounts).toEqual(accounts);
  // A key of the first start is known; what it asks for is not there.
  const unknown = loa
    .as("provinceAuthor")
    .ask(getBulletin, { params: { id: accounts[0]?.id ?? "" } });
  await expect(unknown).rejects.toMatchObject({ document: { code: "bulletin-unknown" } });
});

test("when it is killed its processes end by themselves, and the next start takes the database over", async () => {
  const [postmaster = 0] = loa.pids("postgres");
  const others = loa.everything().filter((pid) => pid !== postmaster);
  expect(others).toHaveLength(6);
  await loa.end("SIGKILL");
  await eventually(
    async () => alive(others),
    (left) => left.length === 0,
  );
  expect(alive([postmaster])).toEqual([postmaster]);
  await start();
  expect(loa.pids("postgres")).toEqual([postmaster]);
  expect(await isReady(loa.api)).toBe(true);
});

test("Loa and its database killed together: the next start is like any other", async () => {
  const [postmaster = 0] = loa.pids("postgres");
  process.kill(postmaster, "SIGKILL");
  await loa.end("SIGKILL");
  await start();
  expect(loa.pids("postgres")).not.toEqual([postmaster]);
  expect(await isReady(loa.api)).toBe(true);
});

test("two Ctrl-C, and a terminal that is closed, end it as one Ctrl-C does", async () => {
  const folder = loa.runtimeFolder();
  // What it still wants to say has nowhere to go.
  loa.process.stdout?.destroy();
  const ended = loa.end("SIGINT");
  process.kill(-(loa.process.pid as number), "SIGINT");
  process.kill(-(loa.process.pid as number), "SIGHUP");
  expect(await ended).toBe(0);
  await expectNothingLeft(loa, folder);
});

test("Ctrl-C in the middle of a start ends what was started", async () => {
  const { child, said } = spawnLoa({ LOA_DATA: data });
  const ended = once(child, "exit");
  const postmaster = join(data, "postgresql", "postmaster.pid");
  await eventually(
    async () => existsSync(postmaster),
    (isThere) => isThere,
  );
  process.kill(-(child.pid as number), "SIGINT");
  expect((await ended)[0]).toBe(0);
  expect([existsSync(postmaster), said()]).toEqual([false, ""]);
});

describe("what stands in the way is said, and nothing is left running", () => {
  let database: TestDatabase;
  let other: Record<string, string>;

  beforeAll(async () => {
    database = await createTestDatabase();
    const { user, password, host, database: name } = database.options;
    const address = `postgres://${user}:${password}@localhost/${name}`;
    other = {
      LOA_DATA: join(parent, "other"),
      LOA_DEMO: "off",
      DATABASE_URL: `${address}?host=${encodeURIComponent(host)}`,
    };
  });
  afterAll(() => database?.close());

  const folders = () => readdirSync("/tmp").filter((name) => /^loa-[A-Za-z0-9]{6}$/.test(name));
  /** Those of others come and go meanwhile; what a start left over stays. */
  const expectNoneSince = (before: readonly string[]) =>
    eventually(
      async () => folders().filter((name) => !before.includes(name)),
      (left) => left.length === 0,
    );

  test("an installation on another PostgreSQL runs, alone, and leaves nothing in /tmp", async () => {
    const before = folders();
    const second = await startTestInstallation(other["LOA_DATA"] as string, other);
    try {
      expect(await isReady(second.api)).toBe(true);
      expect(existsSync(join(other["LOA_DATA"] as string, "postgresql"))).toBe(false);
      const third = await refusedStart({ ...other, LOA_DATA: join(parent, "third") });
      expect(third).toMatchObject({ status: 2 });
      expect(third.said).toContain("another Loa runs on this database");
      expect(third.said).not.toContain("    at ");
      expect(await isReady(second.api)).toBe(true);
    } finally {
      expect(await second.end()).toBe(0);
    }
    await expectNoneSince(before);
  });

  test("a port in use is named", async () => {
    const before = folders();
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const { status, said } = await refusedStart({ ...other, LOA_PORT: String(port) });
    holder.close();
    expect(status).toBe(2);
    expect(said).toContain(
      `port ${port} on 127.0.0.1 is in use by another program. End that program, or set LOA_PORT`,
    );
    expect(said).toContain(`cổng ${port}`);
    expect(said).not.toContain("    at ");
    await expectNoneSince(before);
  });

  test("a database that cannot be reached is named without its password", async () => {
    const url = "postgres://loa:Bi-mat-123@127.0.0.1:9/loa";
    const { status, said } = await refusedStart({ ...other, DATABASE_URL: url });
    expect(status).toBe(2);
    expect(said).toContain("the database 127.0.0.1:9/loa cannot be reached");
    expect(said).not.toContain("Bi-mat-123");
  });

  test("a data folder that cannot be written is named", async () => {
    const file = join(parent, "file");
    writeFileSync(file, "");
    const { status, said } = await refusedStart({ LOA_DATA: join(file, "data") });
    expect(status).toBe(2);
    expect(said).toContain(`the data folder ${file}/data cannot be written (ENOTDIR)`);
    expect(said).toContain("LOA_DATA");
  });

  test("every setting that is wrong is named, not only the first, and no password said", async () => {
    const settings = {
      LOA_PORT: "80a",
      LOA_WORKERS: "0",
      LOA_COLOUR: "red",
      LOA_PUBLIC_URL: "loa.example",
      DATABASE_URL: "mysql://loa:Bi-mat-123@db/loa",
    };
    const { status, said } = await refusedStart({ ...other, ...settings });
    expect(status).toBe(2);
    for (const name of Object.keys(settings)) expect(said).toContain(name);
    expect(said).not.toContain("Bi-mat-123");
  });
});
