// Bulletins of one storm for the same people: what is written of them once, and what each keeps.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  audienceOf,
  eventually,
  plantDispatch,
  range,
  RecordingChannel,
  type TestPlan,
} from "../../test/dispatch-kit.ts";
import { startEngine, type TestEngine } from "../../test/engine-kit.ts";
import { newId } from "../db/id.ts";
import { inTransaction, onClient } from "../db/transaction.ts";
import { reduceDispatch } from "./reduce.ts";
import { readShards } from "./shard-copy.ts";
import { leaveRecipients, SharedRecipients } from "./shared-recipients.ts";

let engine: TestEngine;
let channel: RecordingChannel;
beforeAll(async () => {
  engine = await startEngine();
  channel = new RecordingChannel({});
  await engine.startWorker([channel]);
});
afterAll(() => engine[Symbol.asyncDispose]());

/** So far apart that only a bitset holds them: kilobytes that no row holds itself. */
const scattered = (from: number, count: number): number[] =>
  range(0, count).map((i) => from + 2 * i);
/** In two shards. */
const PEOPLE = [...scattered(0, 20_000), ...scattered(65_536, 20_000)];

const planFor = (residents: readonly number[]): TestPlan => ({
  communes: [{ areaId: 1, residents }],
  channels: ["loopback"],
});

/** Plans and sends a warning; answers its id once everybody on it was told. */
async function warn(
  people: readonly number[],
  shared: SharedRecipients,
  id: string = newId(),
): Promise<string> {
  const plan = { ...planFor(people), dispatchId: id };
  const { dispatchId } = await plantDispatch(engine.database.pool, plan, { shared });
  engine.bus.publish("dispatch.changed", { dispatchId });
  await eventually(
    async () => (await engine.ledger.summarize(dispatchId))?.channels["loopback"]?.state.sent,
    (sent) => sent === people.length,
  );
  return dispatchId;
}

/** Where the recipients of each shard of a dispatch are: here, or the dispatch that has them. */
async function placesOf(dispatchId: string): Promise<string[]> {
  const { rows } = await engine.database.pool.query<{ place: string }>(
    `SELECT CASE WHEN recipients IS NULL THEN same_as::text ELSE 'here' END AS place
     FROM shard WHERE dispatch_id = $1 ORDER BY shard`,
    [dispatchId],
  );
  return rows.map(({ place }) => place);
}

const told = (dispatchId: string): number[] =>
  channel.slices
    .filter((slice) => slice.dispatchId === dispatchId)
    .flatMap(({ ordinals }) => [...ordinals])
    .toSorted((a, b) => a - b);

async function containersOf(dispatchId: string): Promise<Uint8Array[]> {
  const shards = await onClient(engine.database.pool, (client) => readShards(client, [dispatchId]));
  return shards.map(({ recipients }) => Uint8Array.from(recipients));
}

const figures = (dispatchId: string) => ({
  dispatchId,
  residents: 0,
  concerned: 0,
  channels: {},
  communes: [],
  joinedLater: 0,
  refusals: [],
});

test("a second warning to the same people writes them down once, and all of them are told", async () => {
  const shared = new SharedRecipients();
  const first = await warn(PEOPLE, shared);
  const second = await warn(PEOPLE, shared);
  const third = await warn(PEOPLE, shared);
  expect(await placesOf(first)).toEqual(["here", "here"]);
  expect(await placesOf(second)).toEqual([first, first]);
  expect(await placesOf(third)).toEqual([first, first]);
  for (const each of [first, second, third]) expect(told(each)).toEqual(PEOPLE);
  expect(await containersOf(second)).toEqual(await containersOf(first));
  expect((await engine.ledger.reached(third)).get("loopback")).toEqual(
    (await engine.ledger.reached(first)).get("loopback"),
  );
});

test("a shard in which somebody came or went is written down anew, and so is a small one", async () => {
  const shared = new SharedRecipients();
  const first = await warn(PEOPLE, shared);
  const second = await warn([...PEOPLE, 140_000], shared);
  const third = await warn([...PEOPLE.slice(1), 140_000], shared);
  expect(await placesOf(second)).toEqual([first, first, "here"]);
  expect(await placesOf(third)).toEqual(["here", first, "here"]);
  expect(told(third)).toEqual([...PEOPLE.slice(1), 140_000]);
});

test("what was planned and never committed is not relied on", async () => {
  const shared = new SharedRecipients();
  shared.remember(newId(), "loopback", audienceOf(planFor(PEOPLE)).shards("loopback"), new Map());
  expect(await placesOf(await warn(PEOPLE, shared))).toEqual(["here", "here"]);
});

test("an issue that failed and is repeated counts as it was repeated, with the people of then", async () => {
  const shared = new SharedRecipients();
  const id = newId();
  shared.remember(id, "loopback", audienceOf(planFor(PEOPLE)).shards("loopback"), new Map());
  await warn(PEOPLE.slice(1), shared, id);
  const second = await warn(PEOPLE, shared);
  expect(await placesOf(second)).toEqual(["here", id]);
  expect(told(second)).toEqual(PEOPLE);
});

test("an earlier warning is reduced to its figures, and the later ones keep their people", async () => {
  const { pool } = engine.database;
  const shared = new SharedRecipients();
  const first = await warn(PEOPLE, shared);
  const second = await warn(PEOPLE, shared);
  const third = await warn(PEOPLE, shared);
  const before = await containersOf(third);
  await reduceDispatch(pool, figures(first));
  expect(await placesOf(first)).toEqual([]);
  expect(await placesOf(second)).toEqual(["here", "here"]);
  expect(await placesOf(third)).toEqual([second, second]);
  expect(await containersOf(second)).toEqual(before);
  expect(await containersOf(third)).toEqual(before);
  // Remembered are those of the first still, which are gone.
  expect(await placesOf(await warn(PEOPLE, shared))).toEqual(["here", "here"]);
});

test("a plan waits for the reduction of what it would rely on, and relies on it no more", async () => {
  const { pool } = engine.database;
  const shared = new SharedRecipients();
  const first = await warn(PEOPLE, shared);
  let planning: Promise<string> | undefined;
  await inTransaction(pool, async (tx) => {
    await leaveRecipients(tx, first);
    await tx.query("DELETE FROM shard WHERE dispatch_id = $1", [first]);
    planning = warn(PEOPLE, shared);
    await eventually(
      async () =>
        (
          await pool.query(
            `SELECT FROM pg_stat_activity WHERE datname = current_database()
               AND wait_event_type = 'Lock' AND query LIKE '%FOR KEY SHARE%'`,
          )
        ).rowCount,
      (waiting) => waiting === 1,
    );
  });
  const second = (await planning) as string;
  expect(await placesOf(second)).toEqual(["here", "here"]);
  expect(told(second)).toEqual(PEOPLE);
});
