import { setImmediate as turn } from "node:timers/promises";
import { ENDPOINT_KINDS } from "@loa/model/endpoint.ts";
import * as fc from "fast-check";
import type pg from "pg";
import { RoaringBitmap32 } from "roaring-wasm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createDistrict, type District } from "../../test/district.ts";
import { newId } from "../db/id.ts";
import { inTransaction } from "../db/transaction.ts";
import { takeOrdinals } from "../registry/ordinal.ts";
import {
  deleteSubscriber,
  moveSubscriber,
  registerSubscriber,
  rememberConsent,
  type RegistryDeps,
} from "../registry/subscriber.ts";
import { logRegisteredRanges } from "../registry/subscriber-state.ts";
import { type AudienceIndex, openAudienceIndex } from "./audience-index.ts";
import { PARTS } from "./audience-bitmaps.ts";
import { mergeRanges } from "./registry-reader.ts";

let database: TestDatabase;
let district: District;
let deps: RegistryDeps;
beforeAll(async () => {
  database = await createTestDatabase();
  district = await createDistrict(database.db);
  deps = { db: database.db, pool: database.pool, tree: () => district.tree };
});
afterAll(() => database.close());

const open = () => openAudienceIndex(database, () => district.tree);
const everywhere = () => ({
  resolved: {
    packs: [],
    communes: ["00101", "00102", "00103"].map((code) => ({
      areaId: district.areas.get(code) as number,
      code,
      villageIds: null,
      share: null,
    })),
  },
  rule: "both" as const,
  accountOrdinal: district.accounts.get("xa-lua-ha") as number,
  type: "Actual" as const,
});

/** Everything that an index knows, read back through the audiences that it freezes. */
function contents(index: AudienceIndex) {
  const frozen = index.freeze(everywhere());
  const ordinals = (bytes: Uint8Array) => {
    const bitmap = RoaringBitmap32.deserialize("portable", bytes);
    const list = bitmap.toArray();
    bitmap.dispose();
    return list;
  };
  return {
    communes: frozen.communes
      .map((c) => [c.areaId, ordinals(c.residents), ordinals(c.concerned)] as const)
      .toSorted(([a], [b]) => a - b),
    planned: ENDPOINT_KINDS.map((kind) => frozen.shards(kind).map((s) => [s.shard, s.planned])),
    estimate: index.estimate(everywhere()),
  };
}
/** What an index without any history would say. */
async function freshContents() {
  await database.pool.query("DELETE FROM index_snapshot");
  await using index = await open();
  return contents(index);
}

const register = (home: string, over: { places?: string[]; follows?: string[] } = {}) =>
  registerSubscriber(deps, {
    id: newId(),
    kind: "person",
    standing: "public",
    home,
    places: over.places ?? [],
    follows: over.follows ?? [],
    endpoints: [{ kind: "live", address: null }],
    consent: { version: "1", basis: "own registration", at: new Date() },
  });

/** Registers people as an import does: rows and one range change in the given transaction. */
async function importPeople(client: pg.ClientBase, home: string, count: number): Promise<void> {
  const areaId = district.areas.get(home) as number;
  const ranges = (await takeOrdinals(client, new Map([[areaId, count]]))).get(areaId) ?? [];
  const consent = await rememberConsent(client, "1", "list of the commune");
  for (const [first, last] of ranges)
    await client.query(
      `INSERT INTO subscriber (ordinal, id, kind, standing, home_area_id, endpoint_bits, consent_id,
         consent_at) SELECT o, gen_random_uuid(), 'person', 'public', $3, 16, $4, now()
       FROM generate_series($1::int, $2::int) AS o`,
      [first, last, areaId, consent],
    );
  await logRegisteredRanges(client, ranges);
}

describe("the index", () => {
  test("holds whoever was registered before it was asked to catch up", async () => {
    await using index = await open();
    const before = index.estimate(everywhere());
    await register("00101");
    await register("00102-1", { places: ["00103"], follows: ["xa-lua-ha"] });
    await inTransaction(database.pool, (client) => importPeople(client, "00103", 300));
    expect(index.estimate(everywhere()).residents).toBe(before.residents);
    await index.catchUp();
    const after = index.estimate(everywhere());
    expect(after.residents).toBe(before.residents + 302);
    expect(after.endpoints.loopback.residents).toBe(before.endpoints.loopback.residents + 300);
    expect(contents(index)).toEqual(await freshContents());
  });

  test("learns of a transaction that began early and committed late", async () => {
    await using index = await open();
    // Both communes have a block with room, so that neither writer waits for the frontier.
    await register("00101");
    await register("00102");
    const late = await database.pool.connect();
    try {
      await late.query("BEGIN");
      await importPeople(late, "00101", 5);
      // Another commune's stripe, so that it need not wait; its ids and xid are higher.
      const { ordinal } = await register("00102");
      await index.catchUp();
      const between = index.estimate(everywhere()).residents;
      await late.query("COMMIT");
      await deleteSubscriber(deps, { ordinal });
      await index.catchUp();
      expect(index.estimate(everywhere()).residents).toBe(between + 5 - 1);
      expect(contents(index)).toEqual(await freshContents());
    } finally {
      late.release();
    }
  });

  test("forgets who was deleted, and never plans for that ordinal again", async () => {
    await using index = await open();
    const { ordinal } = await register("00101", { follows: ["xa-lua-ha"] });
    await index.catchUp();
    const told = new RoaringBitmap32([ordinal]);
    const set = new Map([["live" as const, told.serialize("portable")]]);
    told.dispose();
    expect(index.freezeOrdinals(set)).toMatchObject({ residents: 1, concerned: 0 });
    await deleteSubscriber(deps, { ordinal });
    await index.catchUp();
    const frozen = index.freezeOrdinals(set);
    expect(frozen).toMatchObject({ residents: 0, communes: [] });
    expect(frozen.shards("live")).toEqual([]);
  });

  test("started from its snapshot knows the same as one that read everybody", async () => {
    {
      await using index = await open();
      await index.saveSnapshot();
      const { ordinal } = await register("00101");
      await index.catchUp();
      // Only the parts that changed are written, the others are moved forward.
      await index.saveSnapshot();
      await moveSubscriber(
        deps,
        { ordinal },
        {
          home: "00103",
          places: ["00102-1"],
          follows: [],
          endpoints: [{ kind: "live", address: null }],
        },
      );
      await inTransaction(database.pool, (client) => importPeople(client, "00102", 20));
    }
    const { rows } = await database.pool.query("SELECT count(*) AS parts FROM index_snapshot");
    expect(rows).toEqual([{ parts: PARTS }]);
    await using restarted = await open();
    const known = contents(restarted);
    expect(known).toEqual(await freshContents());
  });

  test("does not believe a snapshot of another database", async () => {
    {
      await using index = await open();
      await index.saveSnapshot();
    }
    await database.pool.query("UPDATE index_snapshot SET cluster = '1/1', body = '\\x00'");
    await using index = await open();
    expect(contents(index)).toEqual(await freshContents());
  });
});

test("writers that commit in any order, beside a reader that never rests, leave nothing out", async () => {
  // The story is drawn by fast-check; the interleaving is PostgreSQL's.
  const step = fc.record({
    what: fc.constantFrom("register", "move", "delete", "import"),
    home: fc.constantFrom("00101", "00102-1", "00103", "09002"),
    // How often the index is read between the rows of an import and its commit.
    readings: fc.nat(3),
    pick: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 5 }),
      async (writers) => {
        await using index = await open();
        const writing = new AbortController();
        const progress = { readings: 0 };
        const reading = (async () => {
          while (!writing.signal.aborted) {
            await index.catchUp();
            progress.readings += 1;
            index.estimate(everywhere());
            if (progress.readings % 5 === 0) await index.saveSnapshot();
          }
        })();
        await Promise.all(
          writers.map(async (steps) => {
            const mine: number[] = [];
            for (const { what, home, pick, ...step } of steps) {
              const ordinal = mine[pick % Math.max(1, mine.length)];
              if (what === "import")
                await inTransaction(database.pool, async (client) => {
                  await importPeople(client, home.slice(0, 5), 3);
                  const until = progress.readings + step.readings;
                  while (progress.readings < until) await turn();
                });
              else if (what === "register" || ordinal === undefined)
                mine.push((await register(home, { follows: ["xa-lua-ha"] })).ordinal);
              else if (what === "move")
                await moveSubscriber(
                  deps,
                  { ordinal },
                  {
                    home,
                    places: ["00102"],
                    follows: [],
                    endpoints: [{ kind: "null", address: null }],
                  },
                );
              else {
                await deleteSubscriber(deps, { ordinal });
                mine.splice(mine.indexOf(ordinal), 1);
              }
            }
          }),
        );
        writing.abort();
        await reading;
        await index.catchUp();
        const known = contents(index);
        await using restarted = await open();
        expect(contents(restarted)).toEqual(known);
        expect(known).toEqual(await freshContents());
      },
    ),
    { numRuns: 25 },
  );
});

test("ranges that touch are read as one", () => {
  expect(
    mergeRanges([
      [10, 12],
      [0, 3],
      [4, 6],
      [11, 20],
    ]),
  ).toEqual([
    [0, 6],
    [10, 20],
  ]);
});
