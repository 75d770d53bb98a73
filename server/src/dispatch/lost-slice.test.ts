// A connection that breaks before the answer came: where a copy harms nobody the slice goes out again,
// a few times; where it costs money or fear its people are unsure at once; and what was taken back
// meanwhile is not told again.
import { openSink } from "@loa/sink/sink.ts";
import { expect, test } from "vitest";
import { eventually, plantDispatch, range, RecordingChannel } from "../../test/dispatch-kit.ts";
import { silent, startEngine, type TestEngine } from "../../test/engine-kit.ts";
import type { Slice, SliceOutcome } from "../channel/channel.ts";
import { openLoopbackChannel } from "../channel/loopback.ts";
import { inTransaction } from "../db/transaction.ts";
import { closeDispatches } from "./close.ts";
import { RESENDS_MAX } from "./run-shard.ts";

const LOST: SliceOutcome = { kind: "lost", reason: "the connection broke" };
const SENT: SliceOutcome = { kind: "all", outcome: "sent" };

/** Sends to 300 people in slices of 100; answers the channel's attempts and what the ledger says. */
async function send(engine: TestEngine, channel: RecordingChannel) {
  await engine.startWorker([channel]);
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [{ areaId: 1, residents: range(0, 300) }],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  const figures = await eventually(
    async () => (await engine.ledger.summarize(dispatchId))?.channels["loopback"],
    (now) => now?.state.queued === 0,
  );
  return { state: figures?.state, attempts: channel.slices.map(({ ordinals }) => ordinals[0]) };
}

test("is handed over again, and everybody is sent", async () => {
  await using engine = await startEngine();
  let breaks = 0;
  const answer = ({ ordinals }: Slice) =>
    ordinals[0] === 100 && (breaks += 1) <= RESENDS_MAX ? LOST : SENT;
  const { state, attempts } = await send(engine, new RecordingChannel({ sliceSize: 100, answer }));
  expect(state).toMatchObject({ sent: 300, unsure: 0 });
  expect(attempts).toEqual([0, ...Array<number>(RESENDS_MAX + 1).fill(100), 200]);
});

test("is unsure once it was lost too often, and the next slice goes on", async () => {
  await using engine = await startEngine();
  const answer = ({ ordinals }: Slice) => (ordinals[0] === 100 ? LOST : SENT);
  const { state, attempts } = await send(engine, new RecordingChannel({ sliceSize: 100, answer }));
  expect(state).toMatchObject({ sent: 200, unsure: 100 });
  expect(attempts.filter((first) => first === 100)).toHaveLength(RESENDS_MAX + 1);
});

test("is unsure at once where a copy costs money or fear", async () => {
  await using engine = await startEngine();
  const answer = ({ ordinals }: Slice) => (ordinals[0] === 100 ? LOST : SENT);
  const { state, attempts } = await send(
    engine,
    new RecordingChannel({ sliceSize: 100, onCrash: "unsure", answer }),
  );
  expect(state).toMatchObject({ sent: 200, unsure: 100 });
  expect(attempts).toEqual([0, 100, 200]);
});

test("of a bulletin that is taken back meanwhile does not go out again, and counts as told", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const channel = new RecordingChannel({
    sliceSize: 100,
    async answer({ dispatchId, ordinals }) {
      if (ordinals[0] !== 100) return SENT;
      await inTransaction(pool, (tx) => closeDispatches(tx, [dispatchId], "cancelled"));
      engine.bus.publish("dispatch.changed", { dispatchId });
      // The worker hears of it while it waits to hand over again.
      return channel.slices.length === 1
        ? LOST
        : { kind: "later", retryAfterMs: 30_000, reason: "" };
    },
  });
  const { state, attempts } = await send(engine, channel);
  expect(state).toMatchObject({ sent: 100, unsure: 100, suppressed: 100 });
  expect(attempts).toEqual([0, 100]);
});

test("over a line to a far side that hangs up arrives as a copy, which the far side counts", async () => {
  await using engine = await startEngine();
  const sink = await openSink({ port: 0, host: "127.0.0.1" });
  const channel = openLoopbackChannel({ host: "127.0.0.1", port: sink.port, log: silent });
  try {
    sink.behave({ hangUp: true });
    await engine.startWorker([channel]);
    const { dispatchId } = await plantDispatch(engine.database.pool, {
      communes: [{ areaId: 1, residents: range(0, 50) }],
      channels: ["loopback"],
    });
    engine.bus.publish("dispatch.changed", { dispatchId });
    const figures = await eventually(
      async () => (await engine.ledger.summarize(dispatchId))?.channels["loopback"],
      (now) => now?.state.queued === 0,
    );
    expect(figures?.state).toMatchObject({ sent: 50 });
    expect(sink.dispatch(dispatchId)?.totals()).toMatchObject({ people: 50, copies: 50 });
  } finally {
    await channel.close();
    await sink.close();
  }
});
