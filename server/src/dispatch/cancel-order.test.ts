// A Cancel is ordered after what it takes back, also where that is just being handed over by another
// worker: whoever may hear the warning last would act on it.
import { expect, test } from "vitest";
import { eventually, plantDispatch, range, RecordingChannel } from "../../test/dispatch-kit.ts";
import { startEngine, type TestEngine } from "../../test/engine-kit.ts";
import type { AreaChannel, OrderOutcome, Slice } from "../channel/channel.ts";
import { summarizeOrders } from "./area-order.ts";
import { endLease } from "./lease.ts";

/** Two shards of people: the first is the one whose slice is under way. */
const HELD = range(0, 100);
const FREE = range(65_536, 100);
const COMMUNES = [{ areaId: 1, residents: [...HELD, ...FREE] }];

/** A gate that somebody opens. */
function createGate() {
  let open = (): void => {};
  const opened = new Promise<void>((done) => {
    open = done;
  });
  return { open, opened };
}

const bulletinOf = async ({ database }: TestEngine, dispatchId: string): Promise<string> => {
  const { rows } = await database.pool.query<{ id: string }>(
    "SELECT bulletin_id AS id FROM dispatch WHERE id = $1",
    [dispatchId],
  );
  return rows[0]?.id ?? "";
};

/** A warning whose first slice is under way, and a Cancel of it that was issued meanwhile. */
async function cancelInTheMiddle(engine: TestEngine, lane: "warning" | "notice" = "warning") {
  const gate = createGate();
  const under = createGate();
  const told: string[] = [];
  const open = (name: string) =>
    new RecordingChannel({
      sliceSize: 100,
      async answer({ dispatchId, ordinals }: Slice) {
        if (dispatchId === alert?.dispatchId && ordinals[0] === HELD[0]) {
          under.open();
          await gate.opened;
        }
        told.push(`${dispatchId} ${String(ordinals[0])} ${name}`);
        return { kind: "all", outcome: "sent" };
      },
    });
  const { pool } = engine.database;
  const alert = await plantDispatch(pool, { communes: COMMUNES, channels: ["loopback"], lane });
  const first = await engine.startWorker([open("first")]);
  engine.bus.publish("dispatch.changed", {});
  await under.opened;
  await engine.startWorker([open("second")]);
  await eventually(
    async () => told.length,
    (count) => count > 0,
  );
  const cancel = await plantDispatch(pool, {
    communes: COMMUNES,
    channels: ["loopback"],
    supersedes: [await bulletinOf(engine, alert.dispatchId)],
  });
  engine.bus.publish("dispatch.changed", {});
  const times = (of: { dispatchId: string }, people: readonly number[]) =>
    told.filter((each) => each.startsWith(`${of.dispatchId} ${String(people[0])} `)).length;
  const untilTold = (of: { dispatchId: string }, people: readonly number[]) =>
    eventually(
      async () => times(of, people),
      (count) => count > 0,
    );
  return { alert, cancel, gate, first, told, times, untilTold };
}

test("whoever is just being told hears of the Cancel afterwards, everybody else at once", async () => {
  await using engine = await startEngine();
  const { alert, cancel, gate, told, times, untilTold } = await cancelInTheMiddle(engine);
  await untilTold(cancel, FREE);
  expect([times(alert, HELD), times(cancel, HELD)]).toEqual([0, 0]);
  gate.open();
  await untilTold(cancel, HELD);
  const held = told.filter((each) => each.split(" ")[1] === String(HELD[0]));
  expect(held.map((each) => each.split(" ")[0])).toEqual([alert.dispatchId, cancel.dispatchId]);
});

test("a worker that dies in the middle holds the Cancel up no longer than its lease", async () => {
  await using engine = await startEngine();
  const { alert, cancel, gate, first, times, untilTold } = await cancelInTheMiddle(engine);
  await untilTold(cancel, FREE);
  await endLease(engine.database.pool, first.lease.id);
  await untilTold(cancel, HELD);
  expect([times(alert, HELD), times(cancel, HELD)]).toEqual([0, 1]);
  gate.open();
});

test("a warning does not wait for the notice that it replaces", async () => {
  await using engine = await startEngine();
  const {
    cancel: warning,
    alert: notice,
    gate,
    times,
    untilTold,
  } = await cancelInTheMiddle(engine, "notice");
  await untilTold(warning, HELD);
  expect(times(notice, HELD)).toBe(0);
  gate.open();
});

/** A loudspeaker operator who answers what a test says. */
function createOperator(answer: (dispatchId: string) => Promise<OrderOutcome>) {
  const asked: string[] = [];
  const channel: AreaChannel = {
    form: "area",
    name: "area-loopback",
    ordersAtOnce: 4,
    onCrash: "resend",
    reaches: ["Exercise"],
    async order({ dispatchId }) {
      asked.push(dispatchId);
      return answer(dispatchId);
    },
    close: async () => {},
  };
  return { asked, channel };
}

test.each([
  ["was taken by nobody yet", "later", "suppressed"],
  ["may have been taken", "lost", "unsure"],
] as const)(
  "an order that %s is not given after its bulletin was taken back",
  async (_, kind, end) => {
    await using engine = await startEngine();
    const { pool } = engine.database;
    const plan = { communes: [{ areaId: 1, residents: [] }], channels: ["area-loopback" as const] };
    const alert = await plantDispatch(pool, plan);
    const done: OrderOutcome = { kind: "carried-out", claimed: 7, evidence: "" };
    const again: OrderOutcome =
      kind === "later" ? { kind, retryAfterMs: 20, reason: "busy" } : { kind, reason: "it broke" };
    const { asked, channel } = createOperator(async (id) =>
      id === alert.dispatchId ? again : done,
    );
    await engine.startWorker([channel]);
    await eventually(
      async () => asked.length,
      (count) => count > 0,
    );
    const supersedes = [await bulletinOf(engine, alert.dispatchId)];
    const cancel = await plantDispatch(pool, { ...plan, supersedes });
    engine.bus.publish("dispatch.changed", {});
    await eventually(
      () => summarizeOrders(pool, cancel.dispatchId),
      ([figures]) => figures?.carriedOut === 1,
    );
    expect(asked.indexOf(cancel.dispatchId)).toBeGreaterThan(asked.lastIndexOf(alert.dispatchId));
    expect((await summarizeOrders(pool, alert.dispatchId))[0]?.states).toEqual({ [end]: 1 });
  },
);
