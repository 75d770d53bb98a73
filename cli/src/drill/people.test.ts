import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { expectAudience } from "./expectation.ts";
import { readUnits, TYPHOON_COAST } from "./pack.ts";
import { makePeople } from "./people.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function people(seed: number) {
  const folder = await mkdtemp(join(tmpdir(), "loa-people-"));
  folders.push(folder);
  const units = await readUnits();
  const meant = { areas: TYPHOON_COAST, rule: "residents", account: "songlua" } as const;
  const made = await makePeople({ subscribers: 3_000, live: 100, seed, units, meant, folder });
  return { ...made, expected: expectAudience(made.rows, units, meant) };
}

test("a fifth of those who connect are not meant, and everybody else is reached over loopback", async () => {
  const { rows, live, expected } = await people(1);
  const meant = new Set(expected.people.map(({ index }) => index));
  expect(live).toHaveLength(100);
  expect(new Set(live).size).toBe(100);
  expect(live.filter((index) => !meant.has(index))).toHaveLength(20);
  expect(rows.flatMap((row, index) => (row.endpoints[0] === "live" ? [index] : []))).toEqual(
    live.toSorted((a, b) => a - b),
  );
});

test("the same seed makes the same file, another seed another", async () => {
  const [first, again, other] = await Promise.all([people(1), people(1), people(2)]);
  const text = await readFile(first.file, "utf8");
  expect(await readFile(again.file, "utf8")).toBe(text);
  expect(await readFile(other.file, "utf8")).not.toBe(text);
});

test("the typhoon's coast is fourteen communes of Sông Lụa", async () => {
  const { expected } = await people(1);
  expect(expected.communes).toEqual([...TYPHOON_COAST]);
  expect(expected.population).toBeGreaterThan(300_000);
});
