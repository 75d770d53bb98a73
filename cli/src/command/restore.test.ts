// A backup that is taken in the middle of a dispatch, an installation that goes on and is then lost,
// and what its restored twin does. The sink is in this process, which is never killed: it counts
// what really went out.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { issueBulletin } from "@loa/api/bulletins.ts";
import { createClient } from "@loa/api/client.ts";
import { getDispatch } from "@loa/api/dispatches.ts";
import { getStatus } from "@loa/api/health.ts";
import { openSink, type Sink } from "@loa/sink/sink.ts";
import { runLoa } from "../../test/run-loa.ts";
import { agreeOn, castOf, draftBulletin } from "../drill/desk.ts";
import { endProcess, type Instance, keyOf, startInstance } from "../drill/instance.ts";
import { isolatedEnvironment } from "../environment.ts";

const LOA = fileURLToPath(new URL("../main.ts", import.meta.url));
/** Six slices of the loopback channel. */
const PEOPLE = 24_000;
const WAIT_MS = 60_000;

let folder: string;
let sink: Sink;
let lost: Instance;
let file: string;
let dispatchId: string;
let operatorKey: string;

const eventually = async <T>(ask: () => Promise<T> | T, isSo: (now: T) => boolean): Promise<T> => {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const now = await ask();
    if (isSo(now)) return now;
    if (performance.now() > deadline) throw new Error(`last: ${JSON.stringify(now)}`);
    await new Promise((next) => setTimeout(next, 50));
  }
};
const told = () => sink.dispatch(dispatchId)?.totals().people ?? 0;
const messages = () => sink.dispatch(dispatchId)?.totals().messages ?? 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "loa-restore-"));
  file = join(folder, "backup.tar.zst");
  sink = await openSink({ port: 0, host: "127.0.0.1" });
  const never = new AbortController().signal;
  lost = await startInstance(`127.0.0.1:${sink.port}`, () => Promise.resolve(), never);
  operatorKey = keyOf(lost.demonstration, "operator");
  await register();
}, 180_000);

afterAll(async () => {
  await lost?.stop();
  await sink?.close();
  await rm(folder, { recursive: true, force: true });
});

async function register(): Promise<void> {
  const rows = Array.from(
    { length: PEOPLE },
    (_, i) => `${i},person,exercise,SL001,,,loopback,form-1,2026-01-05T08:00:00+07:00`,
  );
  const head = "ref,kind,standing,home,places,follows,endpoints,consent_version,consent_at";
  const list = join(folder, "people.csv");
  await writeFile(list, `${[head, ...rows].join("\n")}\n`);
  const run = await runLoa(["subscribers", "import", list, "--basis", "exercise"], {
    origin: lost.api,
    key: operatorKey,
  });
  expect([run.status, run.stderr]).toEqual([0, expect.anything()]);
}

const loa = (...args: string[]) => runLoa(args, { origin: lost.api, key: operatorKey });

test("a backup is taken in the middle of a dispatch, and counts once it arrived whole", async () => {
  const cast = castOf(lost);
  // Each slice is answered late, so that the dispatch is long under way.
  sink.behave({ answerLagMs: 4_000, receipts: false });
  const draft = await draftBulletin(cast, { areas: ["SL001"], cap: undefined, rule: "residents" });
  const approved = await agreeOn(cast, draft);
  const issued = await cast.approver.ask(issueBulletin, { params: { id: approved.id } });
  dispatchId = issued.dispatch.id;
  // Some outcomes are known before the backup begins; what comes later is not in it.
  await eventually(
    () => cast.author.ask(getDispatch, { params: { id: dispatchId } }),
    ({ channels }) => (channels["loopback"]?.state.sent ?? 0) > 0,
  );
  const run = await loa("backup", "--out", file, "--json");
  expect([run.status, run.stderr]).toEqual([0, ""]);
  expect(told()).toBeLessThan(PEOPLE);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const { lastBackup } = await eventually(
    () => cast.operator.ask(getStatus),
    (now) => now.lastBackup !== null,
  );
  expect(lastBackup?.ageSeconds).toBeLessThan(60);
  // The world goes on, and then the installation is lost with what it knew.
  sink.behave({ answerLagMs: 0 });
  await eventually(told, (people) => people === PEOPLE);
  await lost.stop();
}, 180_000);

test("a file that is torn off or altered is refused, and leaves nothing behind", async () => {
  const bytes = await readFile(file);
  const torn = join(folder, "torn.tar.zst");
  await writeFile(torn, bytes.subarray(0, Math.floor(bytes.length * 0.7)));
  const altered = join(folder, "altered.tar.zst");
  await copyFile(file, altered);
  const handle = await open(altered, "r+");
  await handle.write(
    Buffer.from([(bytes[bytes.length >> 1] ?? 0) ^ 0xff]),
    0,
    1,
    bytes.length >> 1,
  );
  await handle.close();
  for (const each of [torn, altered]) {
    const run = await runLoa(["restore", each, "--data", join(folder, "refused")]);
    expect([run.status, run.stdout]).toEqual([1, expect.stringContaining("Nothing was restored")]);
  }
  expect((await readdir(folder)).filter((name) => name.includes("refused"))).toEqual([]);
}, 60_000);

test("a folder that holds something is not overwritten", async () => {
  const run = await runLoa(["restore", file, "--data", folder]);
  expect([run.status, run.stdout]).toEqual([1, expect.stringContaining("is not empty")]);
}, 60_000);

test("its restored twin forgets nobody, repeats only what was not known, and knows the old keys", async () => {
  const before = messages();
  const data = join(folder, "restored");
  const twin = spawn(process.execPath, [LOA, "restore", file, "--data", data, "--start"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: isolatedEnvironment({
      LOA_PORT: "0",
      LOA_STREAM_PORT: "0",
      LOA_LOOPBACK_URL: `127.0.0.1:${sink.port}`,
      LOA_READY_JSON: "on",
    }),
  });
  try {
    const { api } = await readyOf(twin);
    const clientOf = (holder: string) =>
      createClient({ origin: api, key: keyOf(lost.demonstration, holder) });
    const { channels } = await eventually(
      () => clientOf("provinceAuthor").ask(getDispatch, { params: { id: dispatchId } }),
      ({ channels: { loopback } }) => loopback?.state.queued === 0,
    );
    expect(channels["loopback"]?.planned).toBe(PEOPLE);
    const state = channels["loopback"]?.state;
    expect(state).toMatchObject({ sent: PEOPLE, unsure: 0, failed: 0 });
    expect(told()).toBe(PEOPLE);
    // Whoever had no outcome in the backup, and nobody else, was told again.
    const again = messages() - before;
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThan(PEOPLE);
    const status = await clientOf("operator").ask(getStatus);
    expect(status.lastBackup).not.toBeNull();
    expect(await readdir(data)).toContain("restored-from.json");
  } finally {
    await endProcess(twin);
  }
}, 180_000);

async function readyOf(twin: ChildProcess): Promise<{ api: string }> {
  const lines = createInterface(twin.stdout as NodeJS.ReadableStream);
  const ended = once(twin, "exit").then(() => Promise.reject(new Error("the twin ended")));
  ended.catch(() => {});
  const [line] = (await Promise.race([once(lines, "line"), ended])) as [string];
  return JSON.parse(line) as { api: string };
}
