import { STATES } from "@loa/model/delivery.ts";
import { expect, test } from "vitest";
import {
  each,
  eventually,
  plantDispatch,
  range,
  RecordingChannel,
} from "../../test/dispatch-kit.ts";
import { startEngine } from "../../test/engine-kit.ts";
import type { AreaChannel } from "../channel/channel.ts";
import { openNullChannel } from "../channel/null.ts";
import { summarizeOrders } from "./area-order.ts";
import { closeDispatches } from "./close.ts";
import type { Ledger } from "./ledger.ts";

const settled = (ledger: Ledger, dispatchId: string, channel: string) =>
  eventually(
    async () => (await ledger.summarize(dispatchId))?.channels[channel],
    (figures) => figures !== undefined && figures.state.queued === 0,
  );

test("a warning reaches everybody in its audience once, and the ledger accounts for each", async () => {
  await using engine = await startEngine();
  const channel = new RecordingChannel({});
  await engine.startWorker([channel]);
  const residents = [...range(10, 3000), ...range(65_530, 5000)];
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [
      { areaId: 1, residents },
      { areaId: 2, residents: range(200_000, 10), concerned: [7, 300_000] },
    ],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  const figures = await settled(engine.ledger, dispatchId, "loopback");
  expect(figures).toMatchObject({ planned: 8012, state: { sent: 8012 }, reached: { sent: 8012 } });
  expect(channel.counts.size).toBe(8012);
  expect([...channel.counts.values()].every((times) => times === 1)).toBe(true);
  const summary = await engine.ledger.summarize(dispatchId);
  expect(summary?.communes.map(({ channels }) => channels["loopback"]?.residents.planned)).toEqual([
    8000, 10,
  ]);
  expect(summary?.communes[1]?.channels["loopback"]?.concerned.state.sent).toBe(2);
});

test("a slice with mixed outcomes is kept person by person, and what was held stays queued", async () => {
  await using engine = await startEngine();
  const outcomes = ["sent", "failed", "unsure", "held"] as const;
  const channel = new RecordingChannel({
    answer: (slice) => each(slice, (ordinal) => outcomes[ordinal % 4] ?? "held"),
  });
  await engine.startWorker([channel]);
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [{ areaId: 1, residents: range(0, 4000) }],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  const figures = await eventually(
    async () => (await engine.ledger.summarize(dispatchId))?.channels["loopback"],
    (now) => now?.state.queued === 1000,
  );
  expect(figures?.state).toMatchObject({ sent: 1000, failed: 1000, unsure: 1000, queued: 1000 });
  const sum = STATES.reduce((total, state) => total + (figures?.state[state] ?? 0), 0);
  expect(sum).toBe(figures?.planned);
});

test("a notice begins no slice while a warning can use the worker", async () => {
  await using engine = await startEngine();
  const order: string[] = [];
  let release: () => void = () => {};
  const warningHeld = new Promise<void>((done) => {
    release = done;
  });
  const gate: { begun?: () => void } = {};
  const begun = new Promise<void>((done) => {
    gate.begun = done;
  });
  const notices = new RecordingChannel({
    name: "loopback",
    sliceSize: 10,
    answer: async (slice) => {
      order.push(slice.lane);
      if (order.length === 3) gate.begun?.();
      // The warning is issued while the notice is under way; the notice waits for it here.
      if (slice.lane === "notice" && order.length === 3) await warningPlanned;
      if (slice.lane === "warning") await warningHeld;
      return { kind: "all", outcome: "sent" };
    },
  });
  let planned: () => void = () => {};
  const warningPlanned = new Promise<void>((done) => {
    planned = done;
  });
  await engine.startWorker([notices]);
  const people = { communes: [{ areaId: 1, residents: range(0, 200) }] };
  const notice = await plantDispatch(engine.database.pool, {
    ...people,
    channels: ["loopback"],
    lane: "notice",
  });
  engine.bus.publish("dispatch.changed", { dispatchId: notice.dispatchId });
  await begun;
  const warning = await plantDispatch(engine.database.pool, { ...people, channels: ["loopback"] });
  engine.bus.publish("dispatch.changed", { dispatchId: warning.dispatchId });
  await eventually(
    async () => order.includes("warning"),
    (seen) => seen,
  );
  planned();
  release();
  await settled(engine.ledger, warning.dispatchId, "loopback");
  await settled(engine.ledger, notice.dispatchId, "loopback");
  const first = order.indexOf("warning");
  const last = order.lastIndexOf("warning");
  expect(order.slice(first, last + 1)).not.toContain("notice");
  expect(order.filter((lane) => lane === "warning")).toHaveLength(20);
});

test("a warning that its channel makes wait holds up no notice on another channel", async () => {
  await using engine = await startEngine();
  const stalled = new RecordingChannel({
    name: "sms",
    answer: () => ({ kind: "later", retryAfterMs: 30_000, reason: "the gateway is full" }),
  });
  const open = new RecordingChannel({ name: "loopback" });
  await engine.startWorker([stalled, open]);
  const people = { communes: [{ areaId: 1, residents: range(0, 50) }] };
  await plantDispatch(engine.database.pool, { ...people, channels: ["sms"] });
  const notice = await plantDispatch(engine.database.pool, {
    ...people,
    channels: ["loopback"],
    lane: "notice",
  });
  engine.bus.publish("dispatch.changed", { dispatchId: notice.dispatchId });
  expect((await settled(engine.ledger, notice.dispatchId, "loopback"))?.state.sent).toBe(50);
});

test("who is told to stop while the channel still answers does not wait as long as it says", async () => {
  await using engine = await startEngine();
  let asked = 0;
  let stop = () => {};
  const channel = new RecordingChannel({
    answer() {
      asked += 1;
      if (asked > 1) return { kind: "all", outcome: "sent" };
      stop();
      return { kind: "later", retryAfterMs: 30_000, reason: "the gateway is full" };
    },
  });
  const { lease } = await engine.startWorker([channel]);
  // What a lost lease does; the process then takes up again what it owns.
  stop = () => lease.onLost();
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [{ areaId: 1, residents: range(0, 10) }],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  const { state } = (await settled(engine.ledger, dispatchId, "loopback")) ?? {};
  expect(state).toMatchObject({ sent: 10 });
  expect(asked).toBe(2);
});

test("a cancel in the middle suppresses the queued and keeps the outcome that is under way", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  let cancelled: () => void = () => {};
  const untilCancelled = new Promise<void>((done) => {
    cancelled = done;
  });
  let second: () => void = () => {};
  const secondSlice = new Promise<void>((done) => {
    second = done;
  });
  const channel = new RecordingChannel({
    sliceSize: 100,
    answer: async () => {
      if (channel.slices.length === 1) {
        second();
        await untilCancelled;
      }
      return { kind: "all", outcome: "sent" };
    },
  });
  await engine.startWorker([channel]);
  const { dispatchId } = await plantDispatch(pool, {
    communes: [{ areaId: 1, residents: range(0, 1000) }],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  await secondSlice;
  const client = await pool.connect();
  await client.query("BEGIN");
  expect(await closeDispatches(client, [dispatchId], "cancelled")).toEqual([dispatchId]);
  await client.query("COMMIT");
  client.release();
  engine.bus.publish("dispatch.changed", { dispatchId });
  cancelled();
  const figures = await settled(engine.ledger, dispatchId, "loopback");
  expect(figures?.state).toMatchObject({ sent: 200, suppressed: 800, queued: 0 });
  expect(channel.counts.size).toBe(200);
  const { rows } = await pool.query("SELECT state FROM shard WHERE dispatch_id = $1", [dispatchId]);
  expect(rows).toEqual([{ state: "closed" }]);
});

test("what is not sent by its expiry is expired, and nobody is told afterwards", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const { dispatchId } = await plantDispatch(pool, {
    communes: [{ areaId: 1, residents: range(0, 500) }],
    channels: ["loopback", "live"],
    expiresInMs: -1000,
  });
  const channel = new RecordingChannel({});
  await engine.startWorker([channel]);
  const figures = await settled(engine.ledger, dispatchId, "live");
  expect(figures?.state.expired).toBe(500);
  expect((await settled(engine.ledger, dispatchId, "loopback"))?.state.expired).toBe(500);
  expect(channel.slices).toEqual([]);
});

test("the null channel takes a shard in one slice", async () => {
  await using engine = await startEngine();
  await engine.startWorker([openNullChannel()]);
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [{ areaId: 1, residents: range(0, 200_000) }],
    channels: ["null"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  expect((await settled(engine.ledger, dispatchId, "null"))?.state.sent).toBe(200_000);
  const { rows } = await engine.database.pool.query("SELECT count(*) AS rows FROM journal");
  expect(rows).toEqual([{ rows: 4 }]);
});

test("an outcome that meets a database which is away is kept, and nobody is told twice", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const lock = await pool.connect();
  const channel = new RecordingChannel({
    async answer() {
      // From here on no commit comes through.
      await lock.query("BEGIN; SELECT FROM shard FOR UPDATE");
      return { kind: "all", outcome: "sent" };
    },
  });
  await engine.startWorker([channel]);
  const { dispatchId } = await plantDispatch(pool, {
    communes: [{ areaId: 1, residents: range(0, 500) }],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  // The connection that commits is cut, as when PostgreSQL is restarted.
  await eventually(
    async () => {
      const { rowCount } = await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rowCount ?? 0;
    },
    (cut) => cut > 0,
  );
  await lock.query("ROLLBACK");
  lock.release();
  const figures = await settled(engine.ledger, dispatchId, "loopback");
  expect(figures?.state.sent).toBe(500);
  expect(channel.slices).toHaveLength(1);
});

test("a shard whose claim was committed, but never heard of, is taken up by the same worker", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const { dispatchId } = await plantDispatch(pool, {
    communes: [{ areaId: 1, residents: range(0, 500) }],
    channels: ["loopback"],
  });
  // As if the connection had broken between the commit of the claim and its answer: the worker
  // owns the shard before it ever looked.
  await pool.query(`
    CREATE FUNCTION own_first() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      UPDATE shard SET owner = NEW.id, epoch = epoch + 1, intent = planned;
      RETURN NEW;
    END $$;
    CREATE TRIGGER own_first AFTER INSERT ON process FOR EACH ROW EXECUTE FUNCTION own_first()`);
  const channel = new RecordingChannel({});
  await engine.startWorker([channel]);
  const figures = await settled(engine.ledger, dispatchId, "loopback");
  expect(figures?.state.sent).toBe(500);
  expect(channel.slices).toHaveLength(1);
});

test("a shard that failed in a worker that lives is taken up again, and nobody is forgotten", async () => {
  await using engine = await startEngine();
  let failures = 0;
  const channel = new RecordingChannel({
    sliceSize: 100,
    answer(slice) {
      // Once, in the middle, as when the database dies under a commit: the worker itself goes on.
      if (slice.ordinals[0] === 200 && failures++ === 0) throw new Error("a fault of ours");
      return { kind: "all", outcome: "sent" };
    },
  });
  await engine.startWorker([channel]);
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [{ areaId: 1, residents: range(0, 500) }],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  const figures = await settled(engine.ledger, dispatchId, "loopback");
  expect(figures?.state).toMatchObject({ sent: 500 });
  expect([...channel.counts.values()].every((times) => times === 1)).toBe(true);
});

test("where nobody may be told twice, the slice that failed in a worker that lives is unsure", async () => {
  await using engine = await startEngine();
  const told: number[] = [];
  const channel = new RecordingChannel({
    sliceSize: 100,
    onCrash: "unsure",
    answer(slice) {
      told.push(...slice.ordinals);
      if (slice.ordinals[0] === 200) throw new Error("a fault of ours");
      return { kind: "all", outcome: "sent" };
    },
  });
  await engine.startWorker([channel]);
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [{ areaId: 1, residents: range(0, 500) }],
    channels: ["loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  const figures = await settled(engine.ledger, dispatchId, "loopback");
  expect(figures?.state).toMatchObject({ sent: 400, unsure: 100 });
  expect(told).toHaveLength(500);
});

test("an order that failed in a worker that lives is taken up again", async () => {
  await using engine = await startEngine();
  const asked: string[] = [];
  const operator: AreaChannel = {
    form: "area",
    name: "area-loopback",
    ordersAtOnce: 4,
    onCrash: "resend",
    reaches: ["Exercise"],
    async order({ orderId }) {
      asked.push(orderId);
      if (asked.length === 1) throw new Error("a fault of ours");
      return { kind: "carried-out", claimed: 7, evidence: "" };
    },
    close: async () => {},
  };
  await engine.database.pool.query(
    `WITH pack AS (
       INSERT INTO area_pack (name, valid_from, state) VALUES ('test', '2026-01-01', 'active')
       RETURNING id)
     INSERT INTO area (id, pack_id, code, level, name_vi, name_en)
     OVERRIDING SYSTEM VALUE SELECT 1, id, 'T1', 'commune', 'Một', 'One' FROM pack`,
  );
  await engine.startWorker([operator]);
  const { dispatchId } = await plantDispatch(engine.database.pool, {
    communes: [{ areaId: 1, residents: range(0, 10) }],
    channels: ["area-loopback"],
  });
  engine.bus.publish("dispatch.changed", { dispatchId });
  await eventually(
    () => summarizeOrders(engine.database.pool, dispatchId),
    ([figures]) => figures?.carriedOut === 1,
  );
  expect(asked).toHaveLength(2);
});

test("a message that names other places than were approved is handed to nobody, and that is said", async () => {
  await using engine = await startEngine();
  const channel = new RecordingChannel({});
  await engine.startWorker([channel]);
  const { pool } = engine.database;
  const communes = [
    { areaId: 1, residents: range(0, 10) },
    { areaId: 2, residents: range(10, 10) },
  ];
  await plantDispatch(pool, { communes: [{ areaId: 3, residents: [] }], channels: ["loopback"] });
  // Smaller, larger, and missing, as a faulty encoder would make it.
  for (const areas of [["T1"], ["T1", "T2", "T3"], []]) {
    const { dispatchId } = await plantDispatch(pool, { communes, channels: ["loopback"], areas });
    engine.bus.publish("dispatch.changed", { dispatchId });
    const figures = await settled(engine.ledger, dispatchId, "loopback");
    expect(figures?.state).toMatchObject({ failed: 20, sent: 0 });
  }
  expect(channel.slices).toEqual([]);
});
