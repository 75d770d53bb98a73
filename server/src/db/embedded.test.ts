// The embedded PostgreSQL through everything that happens to it: folders that its user cannot
// enter, paths that are too long for a socket, kills, and pid files that lie. One cluster serves
// all stories, one after the other.
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../test/dispatch-kit.ts";
import { openConnection } from "./connection.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded.ts";
import { isAlive, readPidFile } from "./embedded-process.ts";

let parent: string;
let folder: string;
let server: EmbeddedPostgres;

const cluster = () => join(folder, "postgresql");
const postmaster = () => readPidFile(cluster())?.pid ?? 0;

async function ask<T>(text: string): Promise<T> {
  await using connection = openConnection(server.options, "embedded-test", 1);
  const { rows } = await connection.pool.query<{ answer: T }>(text);
  return rows[0]?.answer as T;
}

const kill = async () => {
  const pid = postmaster();
  process.kill(pid, "SIGKILL");
  await eventually(
    async () => isAlive(pid),
    (alive) => !alive,
  );
};

beforeAll(async () => {
  // 0700: as root, the user that PostgreSQL runs as cannot enter it.
  parent = fs.mkdtempSync(join(tmpdir(), "loa-embedded-"));
  folder = join(parent, ...Array.from({ length: 6 }, (_, i) => `a-deep-folder-${i}`), "data");
  server = await startEmbeddedPostgres(folder);
});

afterAll(async () => {
  await server?.stop();
  fs.rmSync(parent, { recursive: true, force: true });
});

test("it starts in a folder that only its owner may enter, whose path is too long for a socket", async () => {
  expect(join(cluster(), ".s.PGSQL.5432").length).toBeGreaterThan(107);
  expect(fs.statSync(parent).mode & 0o777).toBe(0o700);
  expect(server.adopted).toBe(false);
  expect(await ask("SELECT current_setting('server_version_num')::int / 10000 AS answer")).toBe(18);
  expect(await ask("SELECT current_setting('server_encoding') AS answer")).toBe("UTF8");
  expect(fs.statSync(server.runtimeFolder).mode & 0o777).toBe(0o700);
  await ask("CREATE TABLE kept AS SELECT 'Sông Lụa' AS answer");
});

test("it ends without a process or a folder left over, and a second start has the same data", async () => {
  const pid = postmaster();
  await server.stop();
  expect([isAlive(pid), fs.existsSync(server.runtimeFolder)]).toEqual([false, false]);
  server = await startEmbeddedPostgres(folder);
  expect(server.adopted).toBe(false);
  expect(await ask("SELECT answer FROM kept")).toBe("Sông Lụa");
});

test("a server that outlived whoever started it is taken over, and ended by whom took it", async () => {
  const before = postmaster();
  server = await startEmbeddedPostgres(folder);
  expect([server.adopted, postmaster()]).toEqual([true, before]);
  expect(await ask("SELECT answer FROM kept")).toBe("Sông Lụa");
  expect(server.isAlive()).toBe(true);
  await server.stop();
  expect([isAlive(before), server.isAlive()]).toEqual([false, false]);
  server = await startEmbeddedPostgres(folder);
});

test("after a kill it starts again, and its old pid file is no hindrance", async () => {
  await kill();
  expect(postmaster()).toBeGreaterThan(0);
  // Whoever started it hears of its end a moment after the system has forgotten it.
  await eventually(
    async () => server.isAlive(),
    (alive) => !alive,
  );
  server = await startEmbeddedPostgres(folder);
  expect(await ask("SELECT answer FROM kept")).toBe("Sông Lụa");
});

test("a pid file that names another program is passed by, and that program is not touched", async () => {
  await kill();
  // Of the same user, as after a restart of the machine: PostgreSQL alone would refuse to start.
  const { uid, gid } = fs.statSync(cluster());
  const stranger = spawn("sleep", ["60"], { uid, gid, cwd: "/", stdio: "ignore" });
  await once(stranger, "spawn");
  const path = join(cluster(), "postmaster.pid");
  const [, ...rest] = fs.readFileSync(path, "utf8").split("\n");
  fs.writeFileSync(path, [stranger.pid, ...rest].join("\n"));
  try {
    server = await startEmbeddedPostgres(folder);
    expect(server.adopted).toBe(false);
    expect(await ask("SELECT answer FROM kept")).toBe("Sông Lụa");
    expect(isAlive(stranger.pid as number)).toBe(true);
  } finally {
    stranger.kill("SIGKILL");
  }
});

test("it does not start beside a process of the dead server that still has its memory", async () => {
  await using connection = openConnection(server.options, "embedded-test", 1);
  const { rows } = await connection.pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const { pid } = rows[0] as { pid: number };
  process.kill(pid, "SIGSTOP");
  await kill();
  let isStarted = false;
  const starting = startEmbeddedPostgres(folder).then((next) => {
    isStarted = true;
    server = next;
  });
  const log = join(folder, "postgresql.log");
  await eventually(
    async () => fs.readFileSync(log, "utf8"),
    (text) => text.includes("pre-existing shared memory block"),
  );
  expect(isStarted).toBe(false);
  process.kill(pid, "SIGCONT");
  await starting;
  expect(await ask("SELECT answer FROM kept")).toBe("Sông Lụa");
});

test("a first start that was killed half-way is repeated by the next", async () => {
  const other = join(parent, "killed");
  const half = join(other, "postgresql.unfinished");
  fs.mkdirSync(half, { recursive: true });
  fs.writeFileSync(join(half, "PG_VERSION"), "18\n");
  const second = await startEmbeddedPostgres(other);
  try {
    expect(fs.existsSync(half)).toBe(false);
    expect(fs.statSync(join(other, "postgresql.password")).mode & 0o777).toBe(0o600);
  } finally {
    await second.stop();
  }
});
