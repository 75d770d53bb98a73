// docs/cap-profile.md and docs/cap.md are what others build against: they say what the code does.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as limits from "../limit.ts";
import { CAP_REPAIR_NAMES } from "../message.ts";
import * as names from "./names.ts";
import { HAZARD_LEVELS, RISK_COLOURS } from "./risk.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const profile = read("../../../docs/cap-profile.md");
const cap = read("../../../docs/cap.md");
const rows = profile.split("\n").filter((line) => line.startsWith("|"));

test.each(Object.entries(HAZARD_LEVELS))("the range of %s is written down", (hazard, levels) => {
  const range = levels === null ? "none" : `${levels[0]} to ${levels[1]}`;
  const found = rows.filter(
    (row) => row.startsWith(`| ${range} `) && row.includes(`\`${hazard}\``),
  );
  expect(found).toHaveLength(1);
});

test("so is every colour, parameter, repair and rule of the profile", () => {
  for (const { vi, en, hex } of Object.values(RISK_COLOURS))
    expect(rows.filter((row) => row.includes(`${vi}, ${en}`) && row.includes(hex))).toHaveLength(1);
  const carried = Object.values(names).filter((name) => typeof name === "string");
  for (const name of carried) expect(profile).toContain(`\`${name}\``);
  for (const repair of CAP_REPAIR_NAMES) expect(cap).toContain(`\`${repair}\``);
  const source = readdirSync(new URL(".", import.meta.url))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => read(name))
    .join("\n");
  for (const rule of new Set(source.match(/(?<=")L\d+(?=")/gu)))
    expect(profile).toMatch(new RegExp(`\\| ${rule} |\\(${rule}\\)|^${rule} `, "mu"));
});

test("and the limits", () => {
  expect(cap).toContain(
    `${limits.CAP_BYTES_MAX / 1024 / 1024} MiB, ${limits.CAP_DEPTH_MAX} levels`,
  );
  for (const limit of [limits.CAP_ELEMENTS_MAX, limits.CAP_POINTS_MAX, limits.CAP_REFERENCES_MAX])
    expect(cap).toContain(limit.toLocaleString("en"));
});
