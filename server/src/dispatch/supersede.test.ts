// Whom a Cancel goes to, where the bulletin that it takes back had replaced another one.
import { RoaringBitmap32 } from "roaring-wasm";
import { expect, test } from "vitest";
import { eventually, plantDispatch, range, RecordingChannel } from "../../test/dispatch-kit.ts";
import { startEngine, type TestEngine } from "../../test/engine-kit.ts";
import { inTransaction } from "../db/transaction.ts";
import { closeAndCollectReached } from "./supersede.ts";

const bulletinOf = async ({ database }: TestEngine, dispatchId: string): Promise<string> => {
  const { rows } = await database.pool.query<{ bulletin_id: string }>(
    "SELECT bulletin_id FROM dispatch WHERE id = $1",
    [dispatchId],
  );
  return rows[0]?.bulletin_id ?? "";
};

test("who was told of a warning and not of its update is told of the Cancel too", async () => {
  await using engine = await startEngine();
  await engine.startWorker([new RecordingChannel({})]);
  const { pool } = engine.database;
  const send = async (residents: number[], supersedes: string[]) => {
    const communes = [{ areaId: 1, residents }];
    const plan = { communes, channels: ["loopback" as const], supersedes };
    const { dispatchId } = await plantDispatch(pool, plan);
    engine.bus.publish("dispatch.changed", { dispatchId });
    await eventually(
      async () => (await engine.ledger.summarize(dispatchId))?.channels["loopback"]?.state.sent,
      (sent) => sent === residents.length,
    );
    return bulletinOf(engine, dispatchId);
  };
  const warning = await send(range(0, 10), []);
  const first = await send(range(5, 10), [warning]);
  const second = await send(range(20, 5), [first]);
  const reached = await inTransaction(pool, (tx) =>
    closeAndCollectReached(tx, [second], (dispatchId) => engine.ledger.reached(dispatchId)),
  );
  const bytes = reached.channels.get("loopback") ?? new Uint8Array();
  const people = RoaringBitmap32.deserialize("portable", bytes);
  expect(people.toArray()).toEqual([...range(0, 15), ...range(20, 5)]);
  people.dispose();
});
