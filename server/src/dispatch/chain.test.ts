// A storm whose place moves, bulletin by bulletin: who is left out is told once, who is meant is not,
// and nobody keeps a warning that no longer holds.
import type { EndpointKind } from "@loa/model/endpoint.ts";
import { RoaringBitmap32 } from "roaring-wasm";
import { expect, test } from "vitest";
import {
  eventually,
  plantDispatch,
  portable,
  range,
  RecordingChannel,
} from "../../test/dispatch-kit.ts";
import { startEngine, type TestEngine } from "../../test/engine-kit.ts";
import { splitShards } from "../audience/container.ts";
import { newId } from "../db/id.ts";
import { inTransaction } from "../db/transaction.ts";
import { type ChainDeps, freezeCorrection, noteLeaving, settleAll } from "./chain.ts";
import type { PlannedAudience } from "./plan.ts";
import { closeAndCollectReached, type ReachedAudience } from "./supersede.ts";

const read = (bytes: Uint8Array | undefined): number[] => {
  if (bytes === undefined) return [];
  const people = RoaringBitmap32.deserialize("portable", bytes);
  const ordinals = people.toArray();
  people.dispose();
  return ordinals;
};

/** Freezes given people, all of them residents of one commune. */
function freeze({ channels }: ReachedAudience): PlannedAudience {
  const everybody = new Set([...channels.values()].flatMap((bytes) => read(bytes)));
  return {
    residents: everybody.size,
    concerned: 0,
    communes: [{ areaId: 1, residents: portable(everybody), concerned: portable([]) }],
    shards: (kind: EndpointKind) => splitShards(channels.get(kind) ?? portable([])),
  };
}

const depsOf = (engine: TestEngine): ChainDeps<PlannedAudience> => ({
  askReached: (dispatchId) => engine.ledger.reached(dispatchId),
  freeze,
});

interface Sent {
  readonly bulletinId: string;
  readonly dispatchId: string;
  readonly leftId: string;
}

/** Issues a bulletin that replaces others; its leavers wait to be found. */
async function issue(
  { database: { pool }, bus }: TestEngine,
  residents: number[],
  replaces: readonly Sent[] = [],
): Promise<Sent> {
  const { dispatchId } = await plantDispatch(pool, {
    communes: [{ areaId: 1, residents }],
    channels: ["loopback"],
    supersedes: replaces.map(({ bulletinId }) => bulletinId),
  });
  const { rows } = await pool.query<{ id: string }>(
    `UPDATE bulletin SET reference_ids = $2 FROM dispatch d
     WHERE d.id = $1 AND bulletin.id = d.bulletin_id RETURNING bulletin.id`,
    [dispatchId, replaces.map(({ bulletinId }) => bulletinId)],
  );
  const bulletinId = rows[0]?.id ?? "";
  for (const old of replaces)
    await pool.query("UPDATE bulletin SET state = 'updated' WHERE id = $1", [old.bulletinId]);
  const leftId = newId();
  if (replaces.length > 0)
    await inTransaction(pool, (tx) =>
      noteLeaving(tx, {
        bulletinId,
        dispatchId: leftId,
        message: Buffer.from(JSON.stringify({ areas: ["T1"] })),
        expiresAt: new Date(Date.now() + 3_600_000),
      }),
    );
  bus.publish("dispatch.changed", { dispatchId });
  return { bulletinId, dispatchId, leftId };
}

const isSent = (engine: TestEngine, dispatchId: string, count: number) =>
  eventually(
    async () => (await engine.ledger.summarize(dispatchId))?.channels["loopback"]?.state.sent,
    (sent) => sent === count,
  );

/** Who was handed a dispatch, each as often as it was. */
const toldOf = (channel: RecordingChannel, dispatchId: string): number[] =>
  channel.slices
    .filter((slice) => slice.dispatchId === dispatchId)
    .flatMap((slice) => [...slice.ordinals])
    .toSorted((a, b) => a - b);

test("who is left out is told so once, and nobody else is", async () => {
  await using engine = await startEngine();
  const channel = new RecordingChannel({});
  await engine.startWorker([channel]);
  const { pool } = engine.database;
  const alert = await issue(engine, range(0, 100));
  await isSent(engine, alert.dispatchId, 100);
  const first = await issue(engine, range(50, 100), [alert]);
  await isSent(engine, first.dispatchId, 100);
  expect(await settleAll(pool, depsOf(engine))).toEqual([first.leftId]);
  await isSent(engine, first.leftId, 50);
  expect(toldOf(channel, first.leftId)).toEqual(range(0, 50));
  const second = await issue(engine, range(100, 50), [first]);
  await isSent(engine, second.dispatchId, 50);
  await settleAll(pool, depsOf(engine));
  await isSent(engine, second.leftId, 50);
  // Those who left with the first update had been told; they are not told again.
  expect(toldOf(channel, second.leftId)).toEqual(range(50, 50));
  const { channels } = await inTransaction(pool, (tx) =>
    closeAndCollectReached(tx, [second.bulletinId], (id) => engine.ledger.reached(id)),
  );
  expect(read(channels.get("loopback"))).toEqual(range(100, 50));
});

test("who was left out and not told yet is told by the next bulletin, whichever it is", async () => {
  await using engine = await startEngine();
  const channel = new RecordingChannel({});
  await engine.startWorker([channel]);
  const { pool } = engine.database;
  const alert = await issue(engine, range(0, 100));
  await isSent(engine, alert.dispatchId, 100);
  // Replaced before its leavers were found: it tells nobody, its successor tells all of them.
  const first = await issue(engine, range(50, 50), [alert]);
  await isSent(engine, first.dispatchId, 50);
  const second = await issue(engine, range(90, 10), [first]);
  expect(await settleAll(pool, depsOf(engine))).toEqual([second.leftId]);
  await isSent(engine, second.leftId, 90);
  expect(toldOf(channel, first.leftId)).toEqual([]);
  expect(toldOf(channel, second.leftId)).toEqual(range(0, 90));
});

test("leavers are found after the ledger came back, and no update waits for it", async () => {
  await using engine = await startEngine();
  const channel = new RecordingChannel({});
  await engine.startWorker([channel]);
  const { pool } = engine.database;
  const alert = await issue(engine, range(0, 20));
  await isSent(engine, alert.dispatchId, 20);
  const update = await issue(engine, range(10, 10), [alert]);
  await isSent(engine, update.dispatchId, 10);
  const away = async (): Promise<never> => {
    throw new Error("the ledger starts again");
  };
  await expect(settleAll(pool, { askReached: away, freeze })).rejects.toThrow("starts again");
  expect(await settleAll(pool, depsOf(engine))).toEqual([update.leftId]);
  await isSent(engine, update.leftId, 10);
  expect(toldOf(channel, update.leftId)).toEqual(range(0, 10));
});

test("a correction alarms only those who did not have the faulty text", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const channel = new RecordingChannel({
    sliceSize: 10,
    answer: () =>
      channel.slices.length < 3
        ? { kind: "all", outcome: "sent" }
        : { kind: "later", retryAfterMs: 30_000, reason: "the far side is full" },
  });
  await engine.startWorker([channel]);
  const alert = await issue(engine, range(0, 50));
  await isSent(engine, alert.dispatchId, 30);
  const people = await inTransaction(pool, async (tx) => {
    const { main } = await freezeCorrection(tx, [alert.bulletinId], depsOf(engine));
    return main.communes.flatMap(({ residents }) => read(residents));
  });
  // The slice that may be on its way counts as told: rather once too few than a second alarm.
  expect(people).toEqual(range(40, 10));
});
