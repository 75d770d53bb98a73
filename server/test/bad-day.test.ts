// Bad days of an installation, each with the real thing: what an operator sees, that warnings are the
// last to suffer, and that it recovers by itself. The sink counts what really went out.
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { estimateAudience } from "@loa/api/audience.ts";
import { createBackup } from "@loa/api/backups.ts";
import { getDispatch } from "@loa/api/dispatches.ts";
import { getMetrics, getStatus } from "@loa/api/health.ts";
import { openSink, type Sink } from "@loa/sink/sink.ts";
import { createTestDatabase } from "./database.ts";
import { eventually } from "./dispatch-kit.ts";
import {
  alive,
  START_MS_MAX,
  startTestInstallation,
  type TestInstallation,
} from "./installation.ts";
import {
  issueExercise,
  openDatabaseProxy,
  readHealth,
  registerPeople,
  untilReasons,
} from "./trouble-kit.ts";

vi.setConfig({ testTimeout: 2 * START_MS_MAX, hookTimeout: START_MS_MAX });

const PEOPLE = 500;

let folder: string;
let sink: Sink;
let loa: TestInstallation | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "loa-bad-day-"));
  sink = await openSink({ port: 0, host: "127.0.0.1" });
});
afterEach(async () => {
  const ran = loa?.everything() ?? [];
  await loa?.end();
  loa = undefined;
  for (const pid of alive(ran)) process.kill(pid, "SIGKILL");
  await sink.close();
  rmSync(folder, { recursive: true, force: true });
});

const told = (dispatchId: string) => sink.dispatch(dispatchId)?.totals().people ?? 0;
const untilTold = (dispatchId: string, people = PEOPLE) =>
  eventually(
    async () => told(dispatchId),
    (count) => count === people,
    60_000,
  );
const start = async (
  settings: Record<string, string>,
  wrap?: Parameters<typeof startTestInstallation>[2],
): Promise<TestInstallation> => {
  const data = join(folder, "data");
  loa = await startTestInstallation(
    data,
    { LOA_LOOPBACK_URL: `127.0.0.1:${sink.port}`, ...settings },
    wrap,
  );
  return loa;
};
const estimate = (on: TestInstallation) =>
  on.as("provinceAuthor").ask(estimateAudience, {
    body: {
      target: { areas: ["SL001"], zones: [], rule: { kind: "named" } },
      type: "Exercise",
      audienceRule: "residents",
    },
  });
const busy = { document: { code: "busy", status: 503 } };

test("a database that answers slowly: notices wait, imports are refused, a warning reaches everybody", async () => {
  await using database = await createTestDatabase();
  await using proxy = await openDatabaseProxy(database.options);
  const on = await start({ DATABASE_URL: proxy.url });
  await registerPeople(on, PEOPLE);
  proxy.delay(500);
  expect(await untilReasons(on, ["database-slow"])).toBe("degraded");
  await expect(registerPeople(on, 1, "more")).rejects.toMatchObject(busy);
  await expect(estimate(on)).rejects.toMatchObject(busy);
  const notice = await issueExercise(on, "notice");
  const warning = await issueExercise(on, "warning");
  await untilTold(warning);
  expect(told(notice)).toBe(0);
  const metrics = await (await on.as("operator").ask(getMetrics)).text();
  expect(metrics).toContain('loa_reason{code="database-slow"} 1');
  expect(metrics).toContain('loa_shedding{work="notices"} 1');
  proxy.delay(0);
  expect(await untilReasons(on, [])).toBe("ready");
  await untilTold(notice);
  expect((await estimate(on)).residents).toBe(PEOPLE);
});

test("a database that refuses connections: the state is told at once, and all goes on when it is back", async () => {
  await using database = await createTestDatabase();
  await using proxy = await openDatabaseProxy(database.options);
  const on = await start({ DATABASE_URL: proxy.url });
  await registerPeople(on, PEOPLE);
  const operator = on.as("operator");
  await operator.ask(getStatus);
  const before = on.everything();
  proxy.refuse(true);
  expect(await untilReasons(on, ["database-unreachable"])).toBe("down");
  const askedAt = performance.now();
  const health = await readHealth(on);
  expect(performance.now() - askedAt).toBeLessThan(1_000);
  expect(health).toMatchObject({ database: "unreachable" });
  expect(health.reasons[0]?.text.vi).toContain("Không kết nối được cơ sở dữ liệu");
  // The operator is known from before: figures can be read exactly when they are needed.
  expect((await operator.ask(getStatus)).shedding).toBe("notices");
  await expect(issueExercise(on, "warning")).rejects.toMatchObject({ document: { status: 500 } });
  proxy.refuse(false);
  expect(await untilReasons(on, [])).toBe("ready");
  await untilTold(await issueExercise(on, "warning"));
  expect(alive(before)).toEqual(before);
});

test("a disk below its mark: imports and backups are refused, notices wait, a warning goes out", async () => {
  // The mark is set above what any disk has: the disk of whoever runs this need not be filled.
  const settings = { LOA_DISK_LOW_MIB: "1000000000", LOA_DEMO_SUBSCRIBERS: "3000" };
  const on = await start({ ...settings, LOA_LOG_LEVEL: "silent" });
  expect(await untilReasons(on, ["disk-full", "disk-low"])).toBe("down");
  await expect(registerPeople(on, 1)).rejects.toMatchObject(busy);
  await expect(on.as("operator").ask(createBackup)).rejects.toMatchObject(busy);
  const notice = await issueExercise(on, "notice");
  const warning = await issueExercise(on, "warning");
  const { channels } = await on.as("provinceAuthor").ask(getDispatch, { params: { id: warning } });
  const planned = channels["loopback"]?.planned ?? 0;
  expect(planned).toBeGreaterThan(0);
  await untilTold(warning, planned);
  expect(told(notice)).toBe(0);
});

const MIB = 1024 ** 2;
const mount = (...args: string[]) => spawnSync("mount", args).status === 0;
/** Only where a file system of our own can be mounted: as root, and not in every container. */
const canMount = process.platform === "linux" && process.getuid?.() === 0;

/** Writes until nothing is left; the server writes beside it, so how much that is cannot be known. */
function fillDisk(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(64 * 1024));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

test.skipIf(!canMount)(
  "a disk that is really full: the last room is for a warning, and all recovers when there is more",
  async () => {
    const data = join(folder, "data");
    mkdirSync(data);
    if (!mount("-t", "tmpfs", "-o", "size=480m", "tmpfs", data)) return;
    try {
      const on = await start({ LOA_DISK_LOW_MIB: "200", LOA_LOG_LEVEL: "silent" });
      await registerPeople(on, PEOPLE);
      const free = () => {
        const { bavail, bsize } = statfsSync(data);
        return bavail * bsize;
      };
      const filler = join(data, "filler");
      writeFileSync(filler, Buffer.alloc(free() - 15 * MIB));
      expect(await untilReasons(on, ["disk-full", "disk-low"])).toBe("down");
      await expect(registerPeople(on, 1, "more")).rejects.toMatchObject(busy);
      const notice = await issueExercise(on, "notice");
      await untilTold(await issueExercise(on, "warning"));
      expect(told(notice)).toBe(0);
      // Then nothing is left at all, and PostgreSQL may end of it.
      const rest = `${filler}-2`;
      fillDisk(rest);
      await issueExercise(on, "warning").catch(() => undefined);
      expect((await readHealth(on)).status).toBe("down");
      for (const each of [filler, rest]) rmSync(each);
      expect(await untilReasons(on, [], 120_000)).toBe("ready");
      await untilTold(notice);
      await untilTold(await issueExercise(on, "warning"));
    } finally {
      await loa?.end();
      spawnSync("umount", [data]);
    }
  },
);

test("too many connections: who comes too late is told to wait, and warnings go on", async () => {
  const limited = (command: readonly string[]) => [
    "/bin/sh",
    "-c",
    'ulimit -n 256 && exec "$@"',
    "sh",
    ...command,
  ];
  const on = await start({}, limited);
  await registerPeople(on, PEOPLE);
  const { hostname, port } = new URL(on.stream);
  const sockets: Socket[] = [];
  const open = (): Socket => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    // Half a request, so that it is waited for.
    socket.write("GET /v1/stream HTTP/1.1\r\n");
    sockets.push(socket);
    return socket;
  };
  try {
    const keepFull = setInterval(() => {
      for (const socket of sockets.splice(0)) if (!socket.destroyed) sockets.push(socket);
      while (sockets.length < 300) open();
    }, 100);
    try {
      expect(await untilReasons(on, ["files-low"])).toBe("degraded");
      const late = open();
      let heard = "";
      late.setEncoding("utf8").on("data", (text: string) => (heard += text));
      await eventually(
        async () => heard !== "" || late.destroyed,
        (isOver) => isOver,
      );
      await untilTold(await issueExercise(on, "warning"));
      const { processes } = await on.as("operator").ask(getStatus);
      expect(processes.map(({ restarts }) => restarts)).toEqual(processes.map(() => 0));
    } finally {
      clearInterval(keepFull);
    }
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  expect(await untilReasons(on, [])).toBe("ready");
});

test("too little memory: the process that had too much dies, a warning under way reaches everybody", async () => {
  // Enough to run, and not enough to read a large area pack.
  const small = ([node = "", ...rest]: readonly string[]) => [
    node,
    "--max-old-space-size=80",
    ...rest,
  ];
  const on = await start({ LOA_LOG_LEVEL: "silent" }, small);
  const [front = 0] = on.pids("front");
  await registerPeople(on, 6_000);
  sink.behave({ answerLagMs: 1_000 });
  const warning = await issueExercise(on, "warning");
  // 40 MB of numbers, which take ten times that once they are read.
  const body = `{"units":[${"0,".repeat(20_000_000)}0]}`;
  const asked = fetch(`${on.api}/v1/area-packs`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${on.demonstration.keys.find(({ holder }) => holder === "operator")?.key}`,
      "content-type": "application/json",
      "idempotency-key": "too-little-memory",
    },
    body,
  });
  await expect(asked).rejects.toThrow(/fetch failed|terminated/);
  await untilTold(warning, 6_000);
  await eventually(
    async () => on.pids("front"),
    ([now]) => now !== undefined && now !== front,
  );
  const { processes } = await eventually(
    () =>
      on
        .as("operator")
        .ask(getStatus)
        .catch(() => ({ processes: [] })),
    (now) => now.processes.some(({ name, isRunning }) => name === "front" && isRunning),
  );
  expect(processes.find(({ name }) => name === "front")?.restarts).toBe(1);
  expect(await untilReasons(on, [])).toBe("ready");
});
