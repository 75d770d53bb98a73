import { synthesizeSubscribers, writeSubscriberCsv } from "@loa/model/synth.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDistrict, type District } from "../../test/district.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { readLines, textOf } from "./csv-line.ts";
import { exportSubscribers } from "./subscriber-export.ts";
import {
  importSubscribers,
  type ImportOptions,
  type ImportProgress,
  type RejectedRow,
} from "./subscriber-import.ts";
import { importedId } from "./imported-id.ts";
import {
  deleteSubscriber,
  moveSubscriber,
  readSubscriber,
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

const HEADER = "ref,kind,standing,home,places,follows,endpoints,consent_version,consent_at";
const CONSENT = "v1,2026-01-05T08:00:00+07:00";

async function* inChunks(text: string | Uint8Array, size = 50_000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function load(text: string | Uint8Array, options: Partial<ImportOptions> = {}) {
  const progress: ImportProgress[] = [];
  const rejects: RejectedRow[] = [];
  const result = await importSubscribers(
    deps,
    inChunks(text),
    { source: "commune list", basis: "Nghị định 01", memberId: null, ...options },
    {
      progress: (step) => void progress.push(step),
      rejects: (rows) => void rejects.push(...rows),
    },
  );
  return { ...result, progress, rejects };
}
const count = async (): Promise<number> => {
  const { rows } = await database.pool.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM subscriber WHERE id IS NOT NULL",
  );
  return rows[0]?.count ?? -1;
};
const named = (source: string, ref: string) =>
  readSubscriber(deps, { id: importedId(source, ref) });

describe("a list of people", () => {
  test("is registered whole, and running it again adds nobody", async () => {
    const list = [
      HEADER,
      `a-1,person,public,00102-1,00101;00103,xa-lua-ha;tinh-song-lua,live;sms:+84912345678,${CONSENT}`,
      `a-2,organisation,exercise,00103,,,loopback,${CONSENT}`,
      `a-3,,,09001,,,email:hoa@example.vn,${CONSENT}`,
    ].join("\n");
    const first = await load(list, { source: "one" });
    expect(first).toMatchObject({ read: 3, added: 3, known: 0, rejected: 0 });
    expect(await named("one", "a-1")).toMatchObject({
      kind: "person",
      home: "00102-1",
      places: ["00101", "00103"],
      follows: ["tinh-song-lua", "xa-lua-ha"],
      endpoints: [
        { kind: "live", address: null },
        { kind: "sms", address: "+84912345678" },
      ],
      consent: { version: "v1", basis: "Nghị định 01", at: new Date("2026-01-05T01:00:00Z") },
    });
    expect(await named("one", "a-3")).toMatchObject({
      kind: "person",
      standing: "public",
      home: "00101",
    });
    const before = await count();
    const again = await load(list, { source: "one" });
    expect(again).toMatchObject({ read: 3, added: 0, known: 3, rejected: 0 });
    expect(await count()).toBe(before);
    expect(again.progress.at(-1)).toEqual({ read: 3, added: 0, known: 3, rejected: 0 });
  });

  test("may name its columns in any order, leave some out, and come from a spreadsheet", async () => {
    const list = `\uFEFFhome,ref,endpoints,consent_at,consent_version\r\n"00101","b ""1""",live,2026-01-05T08:00:00Z,v1\r\n\r\n`;
    expect(await load(list, { source: "two" })).toMatchObject({ read: 1, added: 1 });
    expect(await named("two", 'b "1"')).toMatchObject({ home: "00101", follows: [] });
  });

  test("of another source has its own people, also under the same reference", async () => {
    const list = `${HEADER}\nc-1,,,00101,,,live,${CONSENT}`;
    expect(await load(list, { source: "three" })).toMatchObject({ added: 1 });
    expect(await load(list, { source: "four" })).toMatchObject({ added: 1 });
  });

  test("in which somebody stands twice registers that person once", async () => {
    const row = `d-1,,,00101,,,live;sms:+84911111111,${CONSENT}`;
    const list = [HEADER, row, `d-2,,,00102,,,live,${CONSENT}`, row].join("\n");
    expect(await load(list, { source: "five" })).toMatchObject({ read: 3, added: 2, known: 1 });
    expect((await named("five", "d-1")).endpoints).toHaveLength(2);
  });

  test("in which everybody stands twice, in another home, registers each once", async () => {
    const half = 30_000;
    const rows = ["00101", "00103"].flatMap((home) =>
      Array.from(
        { length: half },
        (_, i) => `t-${i},,,${home},,,live;sms:+8491${1_000_000 + i},${CONSENT}`,
      ),
    );
    const before = await count();
    const result = await load([HEADER, ...rows].join("\n"), { source: "twins" });
    expect(result).toMatchObject({ read: 2 * half, added: half, known: half, rejected: 0 });
    expect(await count()).toBe(before + half);
    const { rows: addresses } = await database.pool.query<{ wrong: number }>(
      `SELECT count(*)::int AS wrong FROM subscriber s JOIN consent c ON c.id = s.consent_id
        WHERE s.endpoint_bits = 5 AND s.id IS NOT NULL
          AND NOT EXISTS (SELECT FROM endpoint e WHERE e.ordinal = s.ordinal)`,
    );
    expect(addresses[0]?.wrong).toBe(0);
    const orphans = await database.pool.query(
      "SELECT FROM endpoint e WHERE NOT EXISTS (SELECT FROM subscriber s WHERE s.ordinal = e.ordinal)",
    );
    expect(orphans.rowCount).toBe(0);
  });

  test("does not bring back who was deleted, unless they agreed anew", async () => {
    const list = (at: string) => `${HEADER}\ne-1,,,00101,,,live,v1,${at}`;
    await load(list("2026-01-05T08:00:00Z"), { source: "six" });
    await deleteSubscriber(deps, { id: importedId("six", "e-1") });
    const again = await load(list("2026-01-05T08:00:00Z"), { source: "six" });
    expect(again).toMatchObject({ added: 0, rejected: 1 });
    expect(again.rejects[0]).toMatchObject({ line: 2 });
    expect(again.rejects[0]?.reason).toContain("deleted at their own wish");
    expect(await load(list("2099-01-05T08:00:00Z"), { source: "six" })).toMatchObject({ added: 1 });
    expect(await load(list("2099-01-05T08:00:00Z"), { source: "six" })).toMatchObject({ known: 1 });
  });

  test("keeps what a person changed since", async () => {
    const list = `${HEADER}\nf-1,,,00101,,,live,${CONSENT}`;
    await load(list, { source: "seven" });
    const id = importedId("seven", "f-1");
    await moveSubscriber(
      deps,
      { id },
      { home: "00103", places: [], follows: [], endpoints: [{ kind: "live", address: null }] },
    );
    await load(list, { source: "seven" });
    expect((await named("seven", "f-1")).home).toBe("00103");
  });

  test("made before a reform is read with the codes of its day", async () => {
    const list = `${HEADER}\ng-1,,,09002,,,live,${CONSENT}`;
    await load(list, { source: "eight", asOf: "2021-05-01" });
    const { rows } = await database.pool.query<{ home: number }>(
      "SELECT home_area_id AS home FROM subscriber WHERE id = $1",
      [importedId("eight", "g-1")],
    );
    expect(rows[0]?.home).toBe(district.areas.get("09002"));
  });
});

describe("a bad row", () => {
  const good = `x,,,00101,,,live,${CONSENT}`;
  test.each<[string, string, string]>([
    ["no reference", `,,,00101,,,live,${CONSENT}`, "ref is empty"],
    ["another kind", `r,dog,,00101,,,live,${CONSENT}`, "neither person nor organisation"],
    ["an unknown home", `r,,,7,,,live,${CONSENT}`, "home 7 is not the code of any unit"],
    ["a province", `r,,,01,,,live,${CONSENT}`, "home 01 is a province"],
    [
      "a divided unit not on file",
      `r,,,09003,,,live,${CONSENT}`,
      "name one of 00101 Xã Lụa Thượng, 00103",
    ],
    ["an unknown place", `r,,,00101,00102;8,,live,${CONSENT}`, "place 8 is not"],
    ["an unknown account", `r,,,00101,,nobody,live,${CONSENT}`, "follows nobody"],
    ["no endpoint", `r,,,00101,,,,${CONSENT}`, "endpoints are missing"],
    ["an unknown endpoint", `r,,,00101,,,fax:1,${CONSENT}`, '"fax" is of no known kind'],
    ["a bad number", `r,,,00101,,,sms:0912,${CONSENT}`, "E.164"],
    ["a bad mail address", `r,,,00101,,,email:a@b,${CONSENT}`, "mail address"],
    ["an endpoint twice", `r,,,00101,,,live;live,${CONSENT}`, "live is given twice"],
    [
      "a real address in an exercise",
      `r,,exercise,00101,,,sms:+84912345678,${CONSENT}`,
      "exercise",
    ],
    ["no consent", "r,,,00101,,,live,,2026-01-05T08:00:00Z", "consent_version is empty"],
    ["a time without offset", "r,,,00101,,,live,v1,2026-01-05T08:00:00", "RFC 3339"],
    ["a day that is none", "r,,,00101,,,live,v1,2026-13-05T08:00:00Z", "RFC 3339"],
    ["too few values", "r,,,00101", "has 4 values, the header 9"],
    ["an open quote", `"r,,,00101,,,live,${CONSENT}`, "quote"],
    ["text that is not NFC", `ho\u0300a,,,00101,,,live,${CONSENT}`, "normalization form C"],
    ["a line without end", `r${"x".repeat(10_000)},,,00101,,,live,${CONSENT}`, "longer than"],
  ])(
    "with %s is handed back with its line and the reason; the rest is added",
    async (name, row, why) => {
      const result = await load([HEADER, good, row, good].join("\n"), { source: `bad: ${name}` });
      expect(result).toMatchObject({ read: 3, added: 1, known: 1, rejected: 1 });
      expect(result.rejects).toEqual([
        { line: 3, reason: expect.stringContaining(why) as string, text: row.slice(0, 500) },
      ]);
    },
  );

  test("with bytes that are not UTF-8 spoils itself only", async () => {
    const list = Buffer.concat([
      Buffer.from(`${HEADER}\nh`),
      Buffer.from([0xc3, 0x28]),
      Buffer.from(`,,,00101,,,live,${CONSENT}\n${good}\n`),
    ]);
    expect(await load(list, { source: "bytes" })).toMatchObject({ added: 1, rejected: 1 });
  });
});

describe("a list that cannot be read at all", () => {
  test.each<[string, string, Partial<ImportOptions>, string]>([
    ["nothing", "", {}, "csv-invalid"],
    ["a column that nobody reads", `${HEADER},phone\n`, {}, "csv-invalid"],
    ["a missing column", "ref,home\n", {}, "csv-invalid"],
    ["a column twice", `${HEADER},ref\n`, {}, "csv-invalid"],
    ["no basis", HEADER, { basis: "" }, "consent-missing"],
    ["no source", HEADER, { source: "" }, "request-invalid"],
    ["a day that is none", HEADER, { asOf: "yesterday" }, "request-invalid"],
  ])("(%s) is refused, and nothing is stored", async (_, text, options, code) => {
    const before = await count();
    await expect(load(text, options)).rejects.toMatchObject({ name: "Problem", code });
    expect(await count()).toBe(before);
  });

  test("is refused while another one is being read", async () => {
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${HEADER}\n`);
      started.resolve();
      await gate.promise;
    }
    const first = importSubscribers(
      deps,
      slow(),
      { source: "slow", basis: "b", memberId: null },
      { progress: () => {}, rejects: () => {} },
    );
    await started.promise;
    await expect(load(HEADER)).rejects.toMatchObject({ code: "busy" });
    gate.resolve();
    expect(await first).toMatchObject({ read: 0 });
  });

  test("ends when the caller hangs up; what was committed stays, and a repeat completes it", async () => {
    const lines = [
      ...writeSubscriberCsv(synthesizeSubscribers({ ...synthetic(9), count: 60_000 })),
    ];
    const text = lines.join("");
    const hangUp = new AbortController();
    async function* cut(): AsyncGenerator<Uint8Array> {
      for await (const chunk of inChunks(text)) {
        yield chunk;
        if (Math.random() < 0.05) hangUp.abort(new Error("hung up"));
      }
      hangUp.abort(new Error("hung up"));
      yield Buffer.from("\n");
    }
    const options = { source: "hang up", basis: "b", memberId: null, signal: hangUp.signal };
    const report = { progress: () => {}, rejects: () => {} };
    await expect(importSubscribers(deps, cut(), options, report)).rejects.toThrow("hung up");
    const result = await load(text, { source: "hang up" });
    expect(result.added + result.known).toBe(60_000);
    expect(await load(text, { source: "hang up" })).toMatchObject({ added: 0, known: 60_000 });
  });
});

const synthetic = (seed: number) => ({
  seed,
  accounts: [...district.accounts.keys()],
  communes: ["00101", "00102", "00103"].map((code) => ({
    code,
    population: 5_000,
    villages: district.tree
      .children(district.areas.get(code) as number)
      .map((village) => village.code),
  })),
});

test("synthetic people are imported and exported again, each as they were", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 400 }), async (seed, many) => {
      const people = [...synthesizeSubscribers({ ...synthetic(seed), count: many })];
      const csv = [...writeSubscriberCsv(people)].join("");
      const source = `synthetic ${seed} ${many}`;
      expect(await load(csv, { source })).toMatchObject({ added: many, rejected: 0 });
      const ids = new Map(people.map((p) => [importedId(source, p.ref), p]));
      let found = 0;
      for await (const lines of readLines(exportSubscribers(database.pool)))
        for (const line of lines) {
          const text = textOf(line.bytes, line.from, line.to);
          const [id = "", kind, standing, home, places, follows, endpoints] = text.split(",");
          const person = ids.get(id);
          if (!person) continue;
          found += 1;
          // A village implies its commune, and a place that was named twice is one.
          const kept = person.places.filter(
            (code) => !person.places.some((other) => other.startsWith(`${code}-`)),
          );
          expect({ kind, standing, home, places, follows, endpoints }).toEqual({
            kind: person.kind,
            standing: "exercise",
            home: person.home,
            places: kept.toSorted().join(";"),
            follows: person.follows.toSorted().join(";"),
            endpoints: "loopback",
          });
        }
      expect(found).toBe(many);
    }),
    { numRuns: 8 },
  );
});
