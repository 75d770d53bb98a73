import { Problem } from "@loa/model/problem.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDistrict, type District } from "../../test/district.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { newId } from "../db/id.ts";
import { BLOCK_FIRST, BLOCK_MAX, takeOrdinals } from "./ordinal.ts";
import { inTransaction } from "../db/transaction.ts";
import {
  deleteSubscriber,
  moveSubscriber,
  type NewSubscriber,
  readSubscriber,
  registerSubscriber,
  type RegistryDeps,
} from "./subscriber.ts";

let database: TestDatabase;
let district: District;
let deps: RegistryDeps;
beforeAll(async () => {
  database = await createTestDatabase();
  district = await createDistrict(database.db);
  deps = { db: database.db, pool: database.pool, tree: () => district.tree };
});
afterAll(() => database.close());

const carol = (over: Partial<NewSubscriber> = {}): NewSubscriber => ({
  id: newId(),
  kind: "person",
  standing: "public",
  home: "00102-1",
  places: ["00101"],
  follows: ["xa-lua-ha"],
  endpoints: [
    { kind: "live", address: null },
    { kind: "sms", address: "+84912345678" },
  ],
  consent: { version: "app-1", basis: "own registration", at: new Date("2026-09-01T08:00:00Z") },
  ...over,
});
const changesOf = async (ordinal: number) => {
  const { rows } = await database.pool.query<{ before: unknown; after: unknown }>(
    "SELECT before, after FROM registry_change WHERE first_ordinal = $1 ORDER BY id",
    [ordinal],
  );
  return rows;
};

describe("carol registers", () => {
  test("and reads all that is kept of her", async () => {
    const input = carol();
    const { ordinal, generation } = await registerSubscriber(deps, input);
    expect(await readSubscriber(deps, { id: input.id })).toEqual({
      ...input,
      ordinal,
      generation,
    });
  });

  test("twice under one id, and is one person", async () => {
    const input = carol();
    expect(await registerSubscriber(deps, input)).toEqual(await registerSubscriber(deps, input));
  });

  test("with the code of a former commune that went whole into one of today's", async () => {
    const input = carol({ home: "09001" });
    await registerSubscriber(deps, input);
    expect((await readSubscriber(deps, { id: input.id })).home).toBe("00101");
  });

  test("with a commune that was divided: the former unit is kept, nothing is guessed", async () => {
    const input = carol({ home: "09002" });
    const { ordinal } = await registerSubscriber(deps, input);
    const { rows } = await database.pool.query<{ home: number }>(
      "SELECT home_area_id AS home FROM subscriber WHERE ordinal = $1",
      [ordinal],
    );
    expect(rows[0]?.home).toBe(district.areas.get("09002"));
  });

  test.each<[string, Partial<NewSubscriber>, string, string]>([
    ["an unknown home", { home: "99999" }, "area-unknown", "/home"],
    ["a province as home", { home: "01" }, "area-unknown", "/home"],
    ["a divided unit of no imported pack", { home: "09003" }, "area-unknown", "name one of 00101"],
    ["an unknown place", { places: ["00101", "x"] }, "area-unknown", "/places/1"],
    ["an unknown account", { follows: ["nobody"] }, "request-invalid", "/follows/0"],
    ["no endpoint", { endpoints: [] }, "request-invalid", "/endpoints"],
    [
      "a telephone number without its country",
      { endpoints: [{ kind: "sms", address: "0912345678" }] },
      "request-invalid",
      "E.164",
    ],
    [
      "a real address for a person of exercises",
      { standing: "exercise", endpoints: [{ kind: "email", address: "a@b.vn" }] },
      "request-invalid",
      "exercise",
    ],
    ["17 places", { places: Array(17).fill("00101") }, "request-invalid", "/places"],
  ])("%s is refused, and nothing is stored", async (_, over, code, what) => {
    const input = carol(over);
    const refusal = await registerSubscriber(deps, input).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Problem);
    expect(refusal).toMatchObject({ code });
    expect((refusal as Problem).message).toContain(what);
    await expect(readSubscriber(deps, { id: input.id })).rejects.toMatchObject({
      code: "subscriber-unknown",
    });
  });
});

test("carol moves: her ordinal stays, and the log says from where to where", async () => {
  const input = carol();
  const { ordinal } = await registerSubscriber(deps, input);
  const moved = await moveSubscriber(deps, { ordinal }, { ...input, home: "00103", places: [] });
  expect(moved).toMatchObject({ ordinal, home: "00103", places: [], follows: ["xa-lua-ha"] });
  const [registered, move] = await changesOf(ordinal);
  expect(registered).toMatchObject({ before: null, after: { home: district.areas.get("00102") } });
  expect(move?.before).toEqual(registered?.after);
  expect(move?.after).toMatchObject({ home: district.areas.get("00103"), village: null });
});

test("carol deletes herself: no name, no address, no place remains, and her tokens end", async () => {
  const input = carol();
  const { ordinal } = await registerSubscriber(deps, input);
  await deleteSubscriber(deps, { ordinal });
  const { rows } = await database.pool.query(
    `SELECT id, endpoint_bits, place_area_ids, follow_ordinals, generation,
       (SELECT count(*) FROM endpoint e WHERE e.ordinal = s.ordinal) AS addresses
     FROM subscriber s WHERE ordinal = $1`,
    [ordinal],
  );
  expect(rows).toEqual([
    {
      id: null,
      endpoint_bits: 0,
      place_area_ids: null,
      follow_ordinals: null,
      generation: 1,
      addresses: 0,
    },
  ]);
  expect((await changesOf(ordinal)).at(-1)).toMatchObject({ after: null });
  for (const again of [
    () => deleteSubscriber(deps, { ordinal }),
    () => readSubscriber(deps, input),
  ])
    await expect(again()).rejects.toMatchObject({ code: "subscriber-unknown" });
});

describe("ordinals", () => {
  const take = (needs: [number, number][]) =>
    inTransaction(database.pool, (client) => takeOrdinals(client, new Map(needs)));
  const flatten = (taken: Map<number, readonly (readonly [number, number])[]>) =>
    [...taken.values()]
      .flat()
      .flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

  test("of one commune lie together, in blocks that grow with it", async () => {
    const [first, second, third] = [
      await take([[501, 1]]),
      await take([[501, BLOCK_FIRST]]),
      await take([[501, 3 * BLOCK_MAX]]),
    ];
    const all = [first, second, third].flatMap(flatten);
    expect(new Set(all).size).toBe(1 + BLOCK_FIRST + 3 * BLOCK_MAX);
    const { rows } = await database.pool.query<{ size: number }>(
      "SELECT size FROM ordinal_block WHERE area_id = 501 ORDER BY first_ordinal",
    );
    expect(rows.map((row) => row.size)).toEqual([256, 256, 4096, 4096, 4096]);
  });

  test("are never given out twice, however many ask at once, nor after a failure", async () => {
    const failing = inTransaction(database.pool, async (client) => {
      await takeOrdinals(client, new Map([[601, 10]]));
      throw new Error("disk full");
    });
    await expect(failing).rejects.toThrow("disk full");
    const asked = Array.from({ length: 24 }, (_, i) =>
      take([
        [601 + (i % 3), 200],
        [601 + ((i + 1) % 3), 150],
      ]),
    );
    const all = (await Promise.all(asked)).flatMap(flatten);
    expect(new Set(all).size).toBe(24 * 350);
  });
});
