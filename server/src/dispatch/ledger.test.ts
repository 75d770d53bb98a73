import {
  emptyStates,
  planeBit,
  PLANES,
  PRECEDENCE,
  type StateCounts,
} from "@loa/model/delivery.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { eventually, plantDispatch, range } from "../../test/dispatch-kit.ts";
import { type TestEngine, silent, startEngine } from "../../test/engine-kit.ts";
import { noFailPoint } from "../observe/fail-point.ts";
import { foldChannel } from "./fold.ts";
import { appendRows, BY_ORDINAL, JOINED_LATER, packPoints, packRuns } from "./journal.ts";
import { FOLD_AFTER_ROWS, Ledger, type ReceiptGroup } from "./ledger.ts";
import { readRecipient } from "./recipient.ts";
import { isReduced } from "./reduce.ts";

const PEOPLE = 40;

const receipts = (
  dispatchId: string,
  facts: readonly (readonly [ordinal: number, plane: (typeof PLANES)[number]])[],
): ReceiptGroup => ({
  dispatchId,
  channel: "loopback",
  ordinals: Uint32Array.from(facts, ([ordinal]) => ordinal),
  planes: Uint8Array.from(facts, ([, plane]) => planeBit(plane)),
  ms: Uint32Array.from(facts, (_, i) => 100 + i),
});

const plant = (engine: TestEngine) =>
  plantDispatch(engine.database.pool, {
    communes: [
      { areaId: 1, residents: range(0, PEOPLE / 2) },
      { areaId: 2, residents: [], concerned: range(70_000, PEOPLE / 2) },
    ],
    channels: ["loopback"],
  });

const reopen = (engine: TestEngine) =>
  Ledger.open({ pool: engine.database.pool, failPoint: noFailPoint, log: silent });

test("a receipt counts once, however often it comes and whether or not sent was committed", async () => {
  await using engine = await startEngine();
  const { dispatchId } = await plant(engine);
  const first = receipts(dispatchId, [
    [3, "delivered"],
    [3, "delivered"],
    [4, "read"],
  ]);
  expect(await engine.ledger.receive([first])).toMatchObject({
    accepted: 2,
    known: 1,
    refused: [],
  });
  expect(await engine.ledger.receive([first])).toMatchObject({
    accepted: 0,
    known: 3,
    refused: [],
  });
  const figures = (await engine.ledger.summarize(dispatchId))?.channels["loopback"];
  expect(figures?.state).toMatchObject({ delivered: 1, read: 1, queued: PEOPLE - 2 });
  expect(figures?.reached).toEqual({ sent: 2, delivered: 2, read: 1 });
});

test("receipts of a request that fails are not known when they come again", async () => {
  await using engine = await startEngine();
  const { dispatchId } = await plant(engine);
  const own = receipts(dispatchId, [[3, "delivered"]]);
  // The database refuses to look for the second group, after the first was set in memory.
  const broken = { ...own, dispatchId: "no uuid" };
  await expect(engine.ledger.receive([own, broken])).rejects.toThrow("uuid");
  expect(await engine.ledger.receive([own])).toMatchObject({ accepted: 1, known: 0 });
  const reopened = await (await reopen(engine)).summarize(dispatchId);
  expect(reopened?.channels["loopback"]?.reached.delivered).toBe(1);
});

test("a dispatch that is loaded while receipts are being made durable has them afterwards", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const { ledger } = engine;
  const { dispatchId } = await plant(engine);
  const lock = await pool.connect();
  const own = receipts(dispatchId, [[3, "delivered"]]);
  await ledger.summarize(dispatchId);
  await lock.query("BEGIN");
  await lock.query("LOCK TABLE journal IN EXCLUSIVE MODE");
  const received = ledger.receive([own]);
  await eventually(
    () => pool.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'journal'::regclass"),
    ({ rowCount }) => rowCount === 1,
  );
  // What is held is dropped, and read again without the row that waits.
  await expect(ledger.receive([{ ...own, dispatchId: "no uuid" }, own])).rejects.toThrow("uuid");
  expect((await ledger.summarize(dispatchId))?.channels["loopback"]?.reached.delivered).toBe(0);
  await lock.query("COMMIT");
  lock.release();
  expect(await received).toMatchObject({ accepted: 1 });
  expect((await ledger.summarize(dispatchId))?.channels["loopback"]?.reached.delivered).toBe(1);
});

test("a copy of a receipt is not acknowledged before the first one is durable", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const { dispatchId } = await plant(engine);
  const lock = await pool.connect();
  await engine.ledger.summarize(dispatchId);
  await lock.query("BEGIN");
  await lock.query("LOCK TABLE journal IN EXCLUSIVE MODE");
  const answered: string[] = [];
  const receive = (name: string) =>
    engine.ledger
      .receive([receipts(dispatchId, [[3, "delivered"]])])
      .then(({ known }) => answered.push(`${name} ${known}`));
  const both = [receive("first"), receive("copy")];
  // The copy has nothing to write: were it answered at once, it would be long before this is seen.
  await eventually(
    () => pool.query("SELECT FROM pg_locks WHERE NOT granted AND relation = 'journal'::regclass"),
    ({ rowCount }) => rowCount === 1,
  );
  expect(answered).toEqual([]);
  await lock.query("COMMIT");
  lock.release();
  await Promise.all(both);
  expect(answered.toSorted()).toEqual(["copy 1", "first 0"]);
});

test("a receipt for somebody who is not in the dispatch is refused and counted", async () => {
  await using engine = await startEngine();
  const { dispatchId } = await plant(engine);
  const unknown = "01900000-0000-7000-8000-000000000000";
  const verdict = await engine.ledger.receive([
    receipts(dispatchId, [
      [3, "delivered"],
      [999, "delivered"],
      [69_999, "read"],
    ]),
    receipts(unknown, [[1, "read"]]),
  ]);
  expect(verdict).toMatchObject({ accepted: 1, known: 0 });
  expect(verdict.refused).toEqual([
    { dispatchId, channel: "loopback", reason: "foreign", count: 2 },
    { dispatchId: unknown, channel: "loopback", reason: "unknown-dispatch", count: 1 },
  ]);
  const summary = await engine.ledger.summarize(dispatchId);
  expect(summary?.refusals).toEqual([{ channel: "loopback", reason: "foreign", refused: 2 }]);
  expect(summary?.channels["loopback"]?.reached.delivered).toBe(1);
});

test("any order of facts, doubled and split over processes, gives the same figures; a fold and a restart change nothing", async () => {
  await using engine = await startEngine();
  const ordinals = [...range(0, PEOPLE / 2), ...range(70_000, PEOPLE / 2)];
  const fact = fc.tuple(fc.constantFrom(...ordinals), fc.constantFrom(...PLANES));
  await fc.assert(
    fc.asyncProperty(fc.array(fact, { maxLength: 120 }), fc.nat(120), async (facts, cut) => {
      const { dispatchId } = await plant(engine);
      // Some facts come as receipts, others as rows that a worker or the stream committed.
      await engine.ledger.receive([receipts(dispatchId, facts.slice(0, cut))]);
      if (facts.length % 2 === 0)
        await foldChannel(engine.database.pool, dispatchId, "loopback", noFailPoint);
      const { ordinals: later, planes, ms } = receipts(dispatchId, facts.slice(cut));
      const entries = packPoints({ ordinals: later, planes, ms });
      await appendRows(engine.database.pool, [
        { dispatchId, channel: "loopback", shard: BY_ORDINAL, entries },
      ]);
      const expected = countByBruteForce(ordinals, facts);
      const running = await engine.ledger.summarize(dispatchId);
      expect(running?.channels["loopback"]?.state).toEqual(expected);
      await foldChannel(engine.database.pool, dispatchId, "loopback", noFailPoint);
      const restarted = await (await reopen(engine)).summarize(dispatchId);
      expect(restarted).toEqual(running);
    }),
    { numRuns: 25 },
  );
});

/** The slow, obvious version of the states. */
function countByBruteForce(
  ordinals: readonly number[],
  facts: readonly (readonly [number, string])[],
): StateCounts {
  const states = emptyStates();
  for (const ordinal of ordinals) {
    const own = new Set(facts.filter(([of]) => of === ordinal).map(([, plane]) => plane));
    states[PRECEDENCE.find((plane) => own.has(plane)) ?? "queued"]++;
  }
  return states;
}

test("what happened to one person is told with its times, before and after folding", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const { dispatchId } = await plant(engine);
  const entries = packRuns([{ start: 0, count: 20, planes: planeBit("sent"), ms: 12 }]);
  await appendRows(pool, [{ dispatchId, channel: "loopback", shard: 0, entries }]);
  await engine.ledger.receive([receipts(dispatchId, [[5, "delivered"]])]);
  const expected = {
    group: "residents",
    areaId: 1,
    channels: [
      {
        channel: "loopback",
        state: "delivered",
        facts: [
          { plane: "sent", msSinceIssue: 12 },
          { plane: "delivered", msSinceIssue: 100 },
        ],
      },
    ],
  };
  expect(await readRecipient(pool, dispatchId, 5)).toEqual(expected);
  expect(await foldChannel(pool, dispatchId, "loopback", noFailPoint)).toBe(2);
  expect(await readRecipient(pool, dispatchId, 5)).toEqual(expected);
  expect(await readRecipient(pool, dispatchId, 12_345)).toBeUndefined();
});

test("a journal row that commits late is not skipped", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const { dispatchId } = await plant(engine);
  await engine.ledger.summarize(dispatchId);
  const late = await pool.connect();
  const row = (start: number) => packRuns([{ start, count: 1, planes: planeBit("sent"), ms: 1 }]);
  await late.query("BEGIN");
  await late.query(
    "INSERT INTO journal (dispatch_id, channel, shard, entries) VALUES ($1, 'loopback', 0, $2)",
    [dispatchId, row(0)],
  );
  await appendRows(pool, [{ dispatchId, channel: "loopback", shard: 0, entries: row(1) }]);
  expect((await engine.ledger.summarize(dispatchId))?.channels["loopback"]?.state.sent).toBe(1);
  await late.query("COMMIT");
  late.release();
  expect((await engine.ledger.summarize(dispatchId))?.channels["loopback"]?.state.sent).toBe(2);
});

test("after its time a dispatch keeps its figures, and nothing of what happened to whom", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const { dispatchId } = await plant(engine);
  await engine.ledger.receive([
    receipts(dispatchId, [[5, "read"]]),
    receipts(dispatchId, [[999, "read"]]),
  ]);
  await pool.query(
    "UPDATE dispatch SET state = 'expired', closed_at = now() - interval '91 days' WHERE id = $1",
    [dispatchId],
  );
  const before = await engine.ledger.summarize(dispatchId);
  await engine.ledger.seal(dispatchId);
  await engine.ledger.tidy();
  for (const table of ["journal", "fold", "shard", "audience"])
    expect((await pool.query(`SELECT FROM ${table}`)).rowCount).toBe(0);
  expect(await engine.ledger.summarize(dispatchId)).toEqual(before);
  const again = await reopen(engine);
  expect(await again.summarize(dispatchId)).toEqual(before);
  expect(await isReduced(pool, dispatchId)).toBe(true);
  const late = await again.receive([receipts(dispatchId, [[5, "delivered"]])]);
  expect(late).toMatchObject({ accepted: 0 });
});

test("a dispatch that ended lately keeps the facts of each person", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const { dispatchId } = await plant(engine);
  await pool.query(
    "UPDATE dispatch SET state = 'expired', closed_at = now() - interval '89 days' WHERE id = $1",
    [dispatchId],
  );
  await engine.ledger.seal(dispatchId);
  await engine.ledger.tidy();
  expect(await isReduced(pool, dispatchId)).toBe(false);
  expect((await readRecipient(pool, dispatchId, 5))?.areaId).toBe(1);
});

test("who joined later may say so, also where nobody is planned on that channel", async () => {
  await using engine = await startEngine();
  const { dispatchId } = await plant(engine);
  // The ledger is asked before it has read of them: the row is durable, its wake-up was lost.
  await engine.ledger.summarize(dispatchId);
  const joined = { ordinals: Uint32Array.of(500), planes: Uint8Array.of(planeBit("sent")) };
  const entries = packPoints({ ...joined, ms: Uint32Array.of(5) });
  await appendRows(engine.database.pool, [
    { dispatchId, channel: "live", shard: JOINED_LATER, entries },
  ]);
  const said = receipts(dispatchId, [
    [500, "delivered"],
    [501, "delivered"],
  ]);
  const verdict = await engine.ledger.receive([{ ...said, channel: "live" }]);
  expect(verdict).toMatchObject({ accepted: 0, known: 1 });
  expect(verdict.refused).toEqual([{ dispatchId, channel: "live", reason: "foreign", count: 1 }]);
  expect((await engine.ledger.summarize(dispatchId))?.joinedLater).toBe(1);
});

test("a fold loses no fact that the ledger had not read yet", async () => {
  await using engine = await startEngine();
  const { dispatchId } = await plant(engine);
  const { pool } = engine.database;
  const rowOf = (rank: number) =>
    packRuns([{ start: rank, count: 1, planes: planeBit("sent"), ms: 1 }]);
  await engine.ledger.summarize(dispatchId);
  await pool.query(
    `INSERT INTO journal (dispatch_id, channel, shard, entries)
     SELECT $1, 'loopback', 0, $2 FROM generate_series(1, $3)`,
    [dispatchId, rowOf(0), FOLD_AFTER_ROWS],
  );
  await engine.ledger.catchUp();
  await appendRows(pool, [{ dispatchId, channel: "loopback", shard: 0, entries: rowOf(1) }]);
  await engine.ledger.tidy();
  const figures = (await engine.ledger.summarize(dispatchId))?.channels["loopback"];
  expect(figures?.state).toMatchObject({ sent: 2, queued: PEOPLE - 2 });
});
