// What the watch says of an installation that is in trouble, second by second.
import { expect, test } from "vitest";
import { calmFacts } from "../../test/installation-state.ts";
import type { HeardReport } from "./process-report.ts";
import { isShed, REASON_CODES, REASONS, sheddingOf, statusOf } from "./reason.ts";
import { type Facts, START_GRACE_MS, Watch } from "./watch.ts";

const NOW = new Date("2026-09-07T02:00:00Z");
const vitals = {
  rssBytes: 1e8,
  heapUsedBytes: 1e7,
  heapMaxBytes: 1e9,
  memoryFreeBytes: 8e9,
  memoryTotalBytes: 16e9,
  loopLagMs: 2,
  openFiles: 40,
  openFilesMax: 1_024,
  uptimeSeconds: 100,
};
const report = (name: string, more: Partial<HeardReport["vitals"]> = {}): HeardReport => ({
  name,
  role: name.replace(/-\d$/, ""),
  pid: 1,
  vitals: { ...vitals, ...more },
  counters: [],
  gauges: [],
});
const child = (name: string, restarts = 0) => ({
  name,
  role: name.replace(/-\d$/, ""),
  pid: 1,
  restarts,
});
const supervisor = (more: Partial<NonNullable<Facts["supervisor"]>> = {}) => ({
  children: [],
  disk: { freeBytes: 50e9, totalBytes: 100e9 },
  diskLowBytes: 4e9,
  ...more,
});

/** Looks every 500 ms at facts that stay as they are; answers the codes at the end. */
function lookFor(watch: Watch, facts: Facts, fromMs: number, toMs: number): string[] {
  let codes: string[] = [];
  for (let now = fromMs; now <= toMs; now += 500)
    codes = watch.look(facts, now).map(({ code }) => code);
  return codes;
}

test("an installation in which all is well is ready and sheds nothing", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const facts = calmFacts({ processes: [report("front")], supervisor: supervisor() });
  expect(lookFor(watch, facts, 0, 60_000)).toEqual([]);
  expect([statusOf([]), sheddingOf([])]).toEqual(["ready", "nothing"]);
});

test("a CAP identifier that came twice stands until somebody settled it, and holds up nothing", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const capAlarms = [{ source: "Đài KTTV", count: 2 }];
  const [reason] = watch.look(calmFacts({ capAlarms }), 0);
  expect(reason).toEqual({ code: "cap-identifier-twice", since: NOW, detail: "Đài KTTV: 2" });
  expect([statusOf([reason as never]), sheddingOf([reason as never])]).toEqual([
    "degraded",
    "nothing",
  ]);
  expect(watch.look(calmFacts(), 500)).toEqual([]);
});

test("a database that is gone is down at once, and well again only after a while", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const database = { answeredMsAgo: 300, latencyMs: 1, fault: "ECONNREFUSED" };
  const [reason] = watch.look(calmFacts({ database }), 0);
  expect(reason).toMatchObject({ code: "database-unreachable", since: NOW });
  expect(statusOf(reason ? [reason] : [])).toBe("down");
  expect(lookFor(watch, calmFacts(), 500, 1_000)).toEqual(["database-unreachable"]);
  expect(lookFor(watch, calmFacts(), 1_500, 3_000)).toEqual([]);
});

test("a slow database holds notices up, once it has been slow for two seconds", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const facts = calmFacts({ database: { answeredMsAgo: 900, latencyMs: 900, fault: undefined } });
  expect(lookFor(watch, facts, 0, 1_500)).toEqual([]);
  const reasons = watch.look(facts, 2_000);
  expect(reasons.map(({ code }) => code)).toEqual(["database-slow"]);
  expect(sheddingOf(reasons)).toBe("notices");
  expect(statusOf(reasons)).toBe("degraded");
});

test("a disk that fills sheds bulk work first, and notices when little is left", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const disk = (freeBytes: number) =>
    calmFacts({ supervisor: supervisor({ disk: { freeBytes, totalBytes: 100e9 } }) });
  const low = watch.look(disk(3e9), 0);
  expect([low.map(({ code }) => code), sheddingOf(low)]).toEqual([["disk-low"], "bulk"]);
  const full = watch.look(disk(0.4e9), 500);
  expect(full.map(({ code }) => code)).toEqual(["disk-full", "disk-low"]);
  expect([sheddingOf(full), statusOf(full)]).toEqual(["notices", "down"]);
});

test("PostgreSQL's own word that the disk is full counts, whatever our disk says", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const facts = calmFacts({
    database: { answeredMsAgo: 300, latencyMs: 1, fault: "53100" },
    supervisor: supervisor(),
  });
  expect(lookFor(watch, facts, 0, 0)).toEqual(["disk-full"]);
});

test("too little memory and too many files name the process", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const facts = calmFacts({
    processes: [report("front", { heapUsedBytes: 0.95e9 }), report("stream", { openFiles: 1_000 })],
  });
  lookFor(watch, facts, 0, 1_500);
  const details = watch.look(facts, 2_000).map(({ code, detail }) => `${code} ${detail}`);
  expect(details).toEqual(["files-low stream: 1000 of 1024", "memory-low front: 95 % of its heap"]);
});

test("a machine that has no memory left is said to, whoever uses it", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const facts = calmFacts({ processes: [report("front", { memoryFreeBytes: 0.1e9 })] });
  expect(lookFor(watch, facts, 0, 2_000)).toEqual(["memory-low"]);
});

test("a child that is not heard is missing, but not while everything starts", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const children = [child("worker-0"), child("worker-1"), child("ledger")];
  const facts = calmFacts({
    processes: [report("worker-0"), report("ledger")],
    supervisor: supervisor({ children }),
  });
  expect(lookFor(watch, facts, 0, START_GRACE_MS - 500)).toEqual([]);
  const [reason] = watch.look(facts, START_GRACE_MS);
  expect(reason).toMatchObject({ code: "process-missing", detail: "worker-1" });
  const none = { ...facts, processes: [report("ledger")] };
  expect(lookFor(watch, none, START_GRACE_MS, START_GRACE_MS)).toEqual([
    "process-missing",
    "no-worker",
  ]);
});

test("one restart is an accident, three in a minute are not", () => {
  const watch = new Watch({ now: () => NOW }, 0);
  const facts = (restarts: number) =>
    calmFacts({
      processes: [report("worker-0")],
      supervisor: supervisor({ children: [child("worker-0", restarts)] }),
    });
  expect(lookFor(watch, facts(5), 0, 5_000)).toEqual([]);
  expect(lookFor(watch, facts(6), 5_500, 10_000)).toEqual([]);
  expect(lookFor(watch, facts(8), 10_500, 11_000)).toEqual(["process-restarting"]);
  expect(lookFor(watch, facts(8), 11_500, 200_000)).toEqual([]);
});

test("whatever is short, warnings are never what gives way, and every reason reads in two languages", () => {
  for (const code of REASON_CODES) {
    const { sheds, vi, en } = REASONS[code];
    expect([vi.length > 20, en.length > 20]).toEqual([true, true]);
    expect(["nothing", "bulk", "comfort", "notices"]).toContain(sheds);
  }
  expect(isShed("comfort", "bulk")).toBe(true);
  expect(isShed("comfort", "notices")).toBe(false);
});
