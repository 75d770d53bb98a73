import { STANDINGS } from "@loa/model/bulletin-type.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createDistrict, type District } from "../../test/district.ts";
import { newId } from "../db/id.ts";
import { deleteSubscriber, registerSubscriber } from "./subscriber.ts";
import { createToken, openTokenGenerations, TOKEN_CHARS_MAX, verifyToken } from "./token.ts";

const OLD = { keyId: "k-1", secret: Buffer.alloc(32, 1) };
const NEW = { keyId: "k-2", secret: Buffer.alloc(32, 2) };

describe("a device token", () => {
  const standings = fc.constantFrom(...STANDINGS);
  test("says which subscriber and generation it was made for, under any key still in use", () => {
    fc.assert(
      fc.property(standings, fc.nat(), fc.nat(32_767), (standing, ordinal, generation) => {
        const claim = { standing, ordinal, generation };
        const text = createToken(OLD, claim);
        expect(text.length).toBeLessThanOrEqual(TOKEN_CHARS_MAX);
        expect(verifyToken([NEW, OLD], text)).toEqual(claim);
        expect(verifyToken([NEW], text)).toBeUndefined();
      }),
    );
  });

  test("with any one character changed is nobody's", () => {
    const text = createToken(OLD, { standing: "exercise", ordinal: 33_000_000, generation: 2 });
    const other = (c: string) => (c === "A" ? "B" : c === "1" ? "2" : "A");
    for (let i = 0; i < text.length; i++) {
      const forged = text.slice(0, i) + other(text[i] as string) + text.slice(i + 1);
      expect(verifyToken([OLD, NEW], forged)).toBeUndefined();
    }
  });

  test.each([
    "",
    "loa1",
    "loa1.k-1.public.07.0.x",
    `loa1.k-1.public.1.0.${"A".repeat(42)}`,
    `loa1.k-1.everybody.1.0.${"A".repeat(43)}`,
    "x".repeat(10_000),
  ])("is not %j", (text) => expect(verifyToken([OLD], text)).toBeUndefined());

  test("is asked in the same form that the wire names", () => {
    expect(createToken(OLD, { standing: "public", ordinal: 7, generation: 0 })).toMatch(
      /^loa1\.k-1\.public\.7\.0\.[A-Za-z0-9_-]{43}$/,
    );
  });
});

describe("revocation", () => {
  let database: TestDatabase;
  let district: District;
  beforeAll(async () => {
    database = await createTestDatabase();
    district = await createDistrict(database.db);
  });
  afterAll(() => database.close());

  test("is known to a process that runs, and to one that starts later", async () => {
    const deps = { db: database.db, pool: database.pool, tree: () => district.tree };
    const register = () =>
      registerSubscriber(deps, {
        id: newId(),
        kind: "person",
        standing: "public",
        home: "00101",
        places: [],
        follows: [],
        endpoints: [{ kind: "live", address: null }],
        consent: { version: "1", basis: "own registration", at: new Date() },
      });
    const [carol, binh] = [await register(), await register()];
    const running = await openTokenGenerations(database.pool);
    expect([carol, binh].map(running.isCurrent)).toEqual([true, true]);
    await deleteSubscriber(deps, { ordinal: carol.ordinal });
    expect(await running.catchUp()).toEqual([carol.ordinal]);
    expect(await running.catchUp()).toEqual([]);
    expect([carol, binh].map(running.isCurrent)).toEqual([false, true]);
    const started = await openTokenGenerations(database.pool);
    expect([carol, binh].map(started.isCurrent)).toEqual([false, true]);
  });
});
