// The main job, small: the whole of it in its real processes, and its document to the letter.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { STATES } from "@loa/model/delivery.ts";
import { runLoa } from "../../test/run-loa.ts";

const CAP = fileURLToPath(new URL("../../../cap/fixtures/song-lua-typhoon.xml", import.meta.url));
const running: ChildProcess[] = [];

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGINT");
    await once(child, "exit");
  }
});

const drill = (...options: string[]) =>
  runLoa(["drill", "--json", ...options], { started: (child) => void running.push(child) });

const count = expect.any(Number) as number;
const figures = {
  planned: count,
  state: Object.fromEntries(STATES.map((state) => [state, count])),
  reached: { sent: count, delivered: count, read: count },
};

test("an approved warning reaches everyone in its area, and all sides agree on each of them", async () => {
  const { status, stdout, stderr } = await drill(
    "--subscribers=3000",
    "--live=60",
    "--seed=7",
    `--cap=${CAP}`,
  );
  expect(stderr).toContain("Sending");
  const document = JSON.parse(stdout) as { checks: { name: string; ok: boolean }[] };
  expect(document.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(document).toEqual({
    bulletin: expect.stringMatching(/^[0-9a-f-]{36}$/),
    communes: 14,
    population: 375_990,
    audience: { residents: count, concerned: count, total: count },
    channels: { live: { ...figures, planned: 48 }, loopback: figures },
    area: [{ channel: "area-loopback", orders: 14, carriedOut: count, claimed: count }],
    lost: 0,
    duplicates: 0,
    outsideArea: 0,
    joinedLater: 0,
    ms: { issueToFirst: count, issueToMedian: count, issueToP99: count, issueToLast: count },
    recipientsPerSecond: count,
    checks: document.checks.map(({ name }) => ({ name, ok: true })),
  });
  expect(status).toBe(0);
}, 120_000);

test("one storm is one thread: at every step the right people are told, once", async () => {
  const { status, stdout } = await drill("--chain", "--subscribers=1500", "--live=30", "--seed=3");
  const { stages, checks } = JSON.parse(stdout) as {
    stages: { step: string; told: Record<string, number> }[];
    checks: { ok: boolean }[];
  };
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(stages.map(({ step }) => step)).toEqual([
    "alert",
    "update",
    "correction",
    "update",
    "cancel",
  ]);
  expect(stages[1]?.told["left"]).toBeGreaterThan(0);
  expect(status).toBe(0);
}, 240_000);

test("a drill for a place that Sông Lụa has not is refused before anything is started", async () => {
  const { status, stdout } = await drill("--area", "HN001");
  expect(status).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ detail: "Sông Lụa has no area HN001" });
});
