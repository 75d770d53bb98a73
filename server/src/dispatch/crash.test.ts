// Kills a worker at every named instant, with a real sink that counts what really went out.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { openSink } from "@loa/sink/sink.ts";
import { expect, test } from "vitest";
import { eventually, plantDispatch, range } from "../../test/dispatch-kit.ts";
import { startEngine, type TestEngine } from "../../test/engine-kit.ts";
import type { EngineProcessOptions } from "../../test/engine-process.ts";
import { newId } from "../db/id.ts";
import { endLease } from "./lease.ts";

const PROGRAM = fileURLToPath(new URL("../../test/engine-process.ts", import.meta.url));
const SLICE = 500;
const PEOPLE = range(1000, 6000);

type Options = Pick<EngineProcessOptions, "sinkPort" | "failPoints" | "onCrash">;

async function spawnWorker(
  engine: TestEngine,
  options: Options,
): Promise<{ child: ChildProcess; processId: string }> {
  const processId = newId();
  const all: EngineProcessOptions = {
    connection: engine.database.options,
    busPath: engine.busPath,
    processId,
    sliceSize: SLICE,
    ...options,
  };
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(all)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout as NodeJS.ReadableStream, "data");
  return { child, processId };
}

const queued = async (engine: TestEngine, dispatchId: string) =>
  (await engine.ledger.summarize(dispatchId))?.channels["loopback"]?.state;

async function runWithKill(failPoints: string, onCrash: "resend" | "unsure") {
  await using engine = await startEngine();
  const sink = await openSink({ port: 0, host: "127.0.0.1" });
  const first = await spawnWorker(engine, { sinkPort: sink.port, failPoints, onCrash });
  const died = once(first.child, "exit");
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [{ areaId: 1, residents: PEOPLE }],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  expect((await died)[1]).toBe("SIGKILL");
  // As the supervisor does: the dead process's lease ends at once.
  await endLease(engine.database.pool, first.processId);
  const second = await spawnWorker(engine, { sinkPort: sink.port, failPoints: "", onCrash });
  try {
    const state = await eventually(
      () => queued(engine, dispatchId),
      (now) => now?.queued === 0,
    );
    const counter = sink.dispatch(dispatchId);
    const times = PEOPLE.map((ordinal) => counter?.timesOf(ordinal) ?? 0);
    return {
      state,
      lost: times.filter((count) => count === 0).length,
      copies: times.filter((count) => count > 1).length,
    };
  } finally {
    const ended = once(second.child, "exit");
    second.child.kill("SIGKILL");
    await ended;
    await sink.close();
  }
}

for (const instant of ["mid-lease", "handed-over", "handed-over@3", "committed@2"])
  test(`a worker killed at ${instant} forgets nobody and repeats at most one slice`, async () => {
    const { state, lost, copies } = await runWithKill(instant, "resend");
    expect(lost).toBe(0);
    expect(copies).toBeLessThanOrEqual(SLICE);
    expect(state).toMatchObject({ sent: PEOPLE.length, queued: 0, unsure: 0 });
    // After the hand-over nobody can know, so that slice does go out again.
    expect(copies).toBeGreaterThanOrEqual(instant.startsWith("handed-over") ? SLICE : 0);
  });

test("where a copy costs money or fear, the slice of a killed worker is unsure and goes out once", async () => {
  const { state, lost, copies } = await runWithKill("handed-over@2", "unsure");
  expect(copies).toBe(0);
  expect(lost).toBe(0);
  expect(state).toMatchObject({ sent: PEOPLE.length - SLICE, unsure: SLICE, queued: 0 });
});

test("a worker that was stopped and wakes hands nothing over and commits nothing", async () => {
  await using engine = await startEngine();
  const sink = await openSink({ port: 0, host: "127.0.0.1" });
  // The sink holds each answer back, so that the worker is stopped with a slice under way.
  sink.behave({ answerLagMs: 300 });
  const options = { sinkPort: sink.port, failPoints: "", onCrash: "resend" } as const;
  const first = await spawnWorker(engine, options);
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [{ areaId: 1, residents: PEOPLE }],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  await eventually(
    async () => sink.dispatch(dispatchId)?.totals().messages ?? 0,
    (messages) => messages >= SLICE,
  );
  first.child.kill("SIGSTOP");
  sink.behave({ answerLagMs: 0 });
  const second = await spawnWorker(engine, options);
  try {
    // The second takes over when the first one's lease has run out, by PostgreSQL's clock.
    await eventually(
      () => queued(engine, dispatchId),
      (now) => now?.queued === 0,
    );
    const before = sink.dispatch(dispatchId)?.totals();
    first.child.kill("SIGCONT");
    // The woken worker renews under another id: it noticed that its lease was lost.
    await eventually(
      async () =>
        (
          await engine.database.pool.query<{ live: number }>(
            "SELECT count(*) AS live FROM process WHERE lease_until > clock_timestamp() AND id NOT IN ($1, $2)",
            [first.processId, second.processId],
          )
        ).rows[0]?.live,
      (live) => live === 1,
    );
    expect(sink.dispatch(dispatchId)?.totals()).toEqual(before);
    const { people, copies } = before ?? { people: 0, copies: -1 };
    expect(people).toBe(PEOPLE.length);
    expect(copies).toBeLessThanOrEqual(SLICE);
    expect(await queued(engine, dispatchId)).toMatchObject({ sent: PEOPLE.length });
  } finally {
    for (const { child } of [first, second]) {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
    await sink.close();
  }
});
