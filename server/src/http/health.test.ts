// What is said of an installation: to everybody, to operators, to Prometheus.
import { expect, test } from "vitest";
import { healthSchema, statusSchema } from "@loa/api/health.ts";
import { Problem } from "@loa/model/problem.ts";
import { calmState } from "../../test/installation-state.ts";
import type { ProcessReport } from "../observe/process-report.ts";
import { createLogger } from "../observe/log.ts";
import { buildApp } from "./app.ts";
import type { Caller } from "./caller.ts";
import { type InstallationState, mountHealth } from "./health.ts";
import { PATIENCE_MS, rememberCallers } from "./remembered-caller.ts";

const member = (...roles: ("operator" | "author")[]): Caller => ({
  kind: "member",
  who: { memberId: "m", personId: "p", personName: "Người thử", agencyId: "a", roles },
});
const CALLERS: Record<string, Caller> = { operator: member("operator"), author: member("author") };

function appOf(state: InstallationState) {
  const app = buildApp({
    db: undefined as never,
    log: createLogger("silent", "test"),
    checkAnswers: true,
    authenticate: async (credential) => {
      const caller = CALLERS[credential];
      if (!caller) throw new Problem("key-unknown", "No such key.");
      return caller;
    },
  });
  mountHealth(app, { version: "1.2.3", look: () => state });
  return (path: string, key?: string) =>
    app.request(path, { headers: key ? { authorization: `Bearer ${key}` } : {} });
}

const processReport: ProcessReport = {
  role: "worker",
  pid: 7,
  vitals: {
    rssBytes: 1e8,
    heapUsedBytes: 1e7,
    heapMaxBytes: 1e9,
    memoryFreeBytes: 8e9,
    memoryTotalBytes: 16e9,
    loopLagMs: 2.5,
    openFiles: 40,
    openFilesMax: 1_024,
    uptimeSeconds: 100,
  },
  counters: [
    { name: "loa_outcomes_total", labels: { channel: "sms", outcome: "sent" }, value: 4 },
    { name: "loa_lease_losses_total", labels: {}, value: 1 },
  ],
  gauges: [{ name: "loa_live_connections", labels: {}, value: 3 }],
};
const busy = calmState(["disk-low", "database-slow"], {
  processes: [
    { ...processReport, name: "worker-0" },
    { ...processReport, name: "worker-1" },
  ],
  supervisor: {
    children: [
      { name: "worker-0", role: "worker", pid: 7, restarts: 2 },
      { name: "ledger", role: "ledger", pid: undefined, restarts: 0 },
    ],
    disk: { freeBytes: 3e9, totalBytes: 1e11 },
    diskLowBytes: 4e9,
  },
});

test("everybody reads the state and its reasons, in two languages, and no figure", async () => {
  const health = healthSchema.parse(await (await appOf(busy)("/v1/health")).json());
  expect(health).toMatchObject({ status: "degraded", database: "reachable" });
  expect(health.reasons.map(({ code }) => code)).toEqual(["disk-low", "database-slow"]);
  expect(health.reasons[0]?.text.vi).toContain("Đĩa sắp đầy");
});

test("strangers, and members who are no operators, get neither status nor metrics", async () => {
  const ask = appOf(busy);
  for (const path of ["/v1/status", "/metrics"]) {
    expect((await ask(path)).status).toBe(401);
    expect((await ask(path, "author")).status).toBe(403);
  }
});

test("an operator reads sums over all processes, and sees who is missing", async () => {
  const answer = await appOf(busy)("/v1/status", "operator");
  const status = statusSchema.parse(await answer.json());
  expect(status).toMatchObject({
    shedding: "notices",
    outcomes: [{ channel: "sms", outcome: "sent", count: 8 }],
    streams: { connections: 6 },
    dispatches: [],
    journalRows: null,
  });
  expect(
    status.processes.map(({ name, isRunning, restarts }) => [name, isRunning, restarts]),
  ).toEqual([
    ["ledger", false, 0],
    ["worker-0", true, 2],
    ["worker-1", true, 0],
  ]);
});

test("Prometheus reads lines of its format, and nothing where nothing is known", async () => {
  const answer = await appOf(busy)("/metrics", "operator");
  expect(answer.headers.get("content-type")).toContain("version=0.0.4");
  const text = await answer.text();
  for (const line of [
    'loa_status{status="degraded"} 1',
    'loa_reason{code="disk-low"} 1',
    'loa_shedding{work="notices"} 1',
    'loa_outcomes_total{process="worker-1",channel="sms",outcome="sent"} 4',
    'loa_process_up{process="ledger"} 0',
    'loa_process_restarts_total{process="worker-0"} 2',
    "loa_disk_free_bytes 3000000000",
  ])
    expect(text.split("\n")).toContain(line);
  expect(text).not.toContain("loa_last_backup_age_seconds");
  const form = /^(# (HELP|TYPE) loa_\w+ .+|loa_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[\d.e+-]+)$/;
  expect(
    text
      .trimEnd()
      .split("\n")
      .filter((line) => !form.test(line)),
  ).toEqual([]);
});

test("while the database is away, an operator whom it knew is believed, and nobody else", async () => {
  let database: "there" | "away" | "hanging" = "there";
  const { authenticate, forget } = rememberCallers(async (credential) => {
    if (database === "away") throw new Error("connect ECONNREFUSED");
    if (database === "hanging") return new Promise<never>(() => {});
    const caller = CALLERS[credential];
    if (!caller) throw new Problem("key-unknown", "No such key.");
    return caller;
  });
  await authenticate("operator");
  database = "away";
  expect(await authenticate("operator")).toEqual(CALLERS["operator"]);
  await expect(authenticate("author")).rejects.toThrow("ECONNREFUSED");
  database = "hanging";
  const startedAt = performance.now();
  expect(await authenticate("operator")).toEqual(CALLERS["operator"]);
  expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MS * 3);
  database = "away";
  // A revocation was heard of: nobody can be sure of anybody now.
  forget();
  await expect(authenticate("operator")).rejects.toThrow("ECONNREFUSED");
});
