// A database that was restored in the middle of a dispatch, without the restoring: what was handed
// over after the backup is not in it, and the workers go on from there.
import { expect, test } from "vitest";
import { eventually, plantDispatch, range, RecordingChannel } from "../../test/dispatch-kit.ts";
import { startEngine, type TestEngine } from "../../test/engine-kit.ts";
import { inTransaction } from "../db/transaction.ts";
import { closeDispatches, readOpenIntents } from "./close.ts";
import { doubtHandOvers, SEQ_SKIPPED } from "./restored.ts";

const PEOPLE = range(1000, 6000);
const TOLD = 2000;

const stateOf = async (engine: TestEngine, dispatchId: string) =>
  (await engine.ledger.summarize(dispatchId))?.channels["loopback"]?.state;

/** A dispatch of which TOLD people have an outcome; then the world went on and was forgotten. */
async function plantHalf(engine: TestEngine, onCrash: "resend" | "unsure") {
  const { pool } = engine.database;
  const { dispatchId } = await plantDispatch(pool, {
    communes: [{ areaId: 1, residents: PEOPLE }],
    channels: ["loopback"],
  });
  const before = new RecordingChannel({
    onCrash,
    answer: (slice) =>
      (slice.ordinals[0] as number) >= 1000 + TOLD
        ? { kind: "later", retryAfterMs: 60_000, reason: "the test waits" }
        : { kind: "all", outcome: "sent" },
  });
  const { worker, lease } = await engine.startWorker([before]);
  await eventually(
    () => stateOf(engine, dispatchId),
    (state) => state?.sent === TOLD,
  );
  await worker.stop();
  await lease.end();
  await inTransaction(pool, doubtHandOvers);
  return dispatchId;
}

test("where a copy harms nobody, everybody without an outcome is told, in slices", async () => {
  await using engine = await startEngine();
  const dispatchId = await plantHalf(engine, "resend");
  const channel = new RecordingChannel({ onCrash: "resend" });
  await engine.startWorker([channel]);
  const state = await eventually(
    () => stateOf(engine, dispatchId),
    (now) => now?.queued === 0,
  );
  expect(state).toMatchObject({ sent: PEOPLE.length, unsure: 0 });
  expect(channel.counts.size).toBe(PEOPLE.length - TOLD);
  expect(Math.max(...channel.slices.map(({ ordinals }) => ordinals.length))).toBe(
    channel.sliceSize,
  );
});

test("where a copy costs money or fear, everybody without an outcome is unsure, and nobody told", async () => {
  await using engine = await startEngine();
  const dispatchId = await plantHalf(engine, "unsure");
  const channel = new RecordingChannel({ onCrash: "unsure" });
  await engine.startWorker([channel]);
  const state = await eventually(
    () => stateOf(engine, dispatchId),
    (now) => now?.queued === 0,
  );
  expect(state).toMatchObject({ sent: TOLD, unsure: PEOPLE.length - TOLD });
  expect(channel.slices).toEqual([]);
});

test("a Cancel after it reaches all who may have been told, and the ledger calls them unsure", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const dispatchId = await plantHalf(engine, "resend");
  expect(await readOpenIntents(pool, dispatchId)).toEqual([
    { channel: "loopback", shard: 0, from: TOLD, to: PEOPLE.length },
  ]);
  // A worker has taken the shard up, and its channel lets it wait, when the Cancel comes.
  const waiting = new RecordingChannel({
    onCrash: "resend",
    answer: () => ({ kind: "later", retryAfterMs: 60_000, reason: "the test waits" }),
  });
  const { lease } = await engine.startWorker([waiting]);
  await eventually(
    async () => (await pool.query("SELECT FROM shard WHERE owner = $1", [lease.id])).rowCount,
    (owned) => owned === 1,
  );
  await inTransaction(pool, (tx) => closeDispatches(tx, [dispatchId], "cancelled"));
  engine.bus.publish("dispatch.changed", { dispatchId });
  const state = await eventually(
    () => stateOf(engine, dispatchId),
    (now) => now?.queued === 0,
  );
  expect(state).toMatchObject({ sent: TOLD, unsure: PEOPLE.length - TOLD, suppressed: 0 });
});

test("a warning issued after it is newer than whatever devices have", async () => {
  await using engine = await startEngine();
  const plan = { communes: [{ areaId: 1, residents: [1] }], channels: ["live"] } as const;
  const before = await plantDispatch(engine.database.pool, plan);
  await inTransaction(engine.database.pool, doubtHandOvers);
  const after = await plantDispatch(engine.database.pool, plan);
  expect(after.seq - before.seq).toBeGreaterThan(SEQ_SKIPPED);
});
