// Fail closed on area, over sockets: a message that names other places than were approved goes to nobody
// who is connected or connects, and the ledger and whoever reads the dispatch are told so.
import { expect, test } from "vitest";
import { eventually, plantDispatch, range } from "../../test/dispatch-kit.ts";
import { startEngine, type TestEngine } from "../../test/engine-kit.ts";
import { openStreamWorld, take } from "../../test/stream-kit.ts";
import { readAreaFault } from "../dispatch/area-check.ts";
import { failChannel } from "../dispatch/close.ts";
import { loadLiveDispatches, readLiveStates } from "../dispatch/live-feed.ts";

/** A stream over the dispatches of a real database. */
const openStreamOf = ({ database: { pool } }: TestEngine) =>
  openStreamWorld({
    feed: {
      readStates: () => readLiveStates(pool),
      load: (ids) => loadLiveDispatches(pool, ids),
      fail: (dispatchId) => failChannel(pool, dispatchId, "live"),
    },
  });

const COMMUNES = [
  { areaId: 1, residents: range(0, 10) },
  { areaId: 2, residents: range(10, 10) },
];

test.each([
  ["is smaller", ["T1"], "missing [2]"],
  ["is larger", ["T1", "T2", "T3"], "added [T3]"],
  ["is missing", [], "missing [1, 2]"],
])("a message whose area %s goes to nobody, and that is said", async (_, areas, why) => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  await using world = await openStreamOf(engine);
  await plantDispatch(pool, { communes: [{ areaId: 3, residents: [] }], channels: ["live"] });
  await using listens = await world.connect(0);
  const plan = { communes: COMMUNES, channels: ["live" as const] };
  const faulty = await plantDispatch(pool, { ...plan, areas });
  await world.stream.refresh();
  const good = await plantDispatch(pool, plan);
  await world.stream.refresh();
  // Whoever was there and whoever comes hears of the good one only.
  await using comes = await world.connect(19);
  for (const device of [listens, comes])
    expect(await take(device, 2)).toEqual(["hello", `warning ${good.dispatchId}`]);
  const figures = await eventually(
    async () => (await engine.ledger.summarize(faulty.dispatchId))?.channels["live"],
    (now) => now?.state.failed === 20,
  );
  expect(figures?.state).toMatchObject({ failed: 20, queued: 0, sent: 0 });
  expect(await readAreaFault(pool, faulty.dispatchId)).toContain(why);
  expect(await readAreaFault(pool, good.dispatchId)).toBeUndefined();
});

test("a message that no frame carries as it is goes to nobody, and the ledger knows", async () => {
  await using world = await openStreamWorld();
  await using phone = await world.connect(7);
  const broken = world.issue({ audience: [7], message: Buffer.from('{"areas":["T1"],\n"v":1}') });
  const good = world.issue({ audience: [7] });
  expect(await take(phone, 2)).toEqual(["hello", `warning ${good.dispatchId}`]);
  await world.stream.refresh();
  expect(world.failed).toEqual([broken.dispatchId]);
});
