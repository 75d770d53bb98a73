// Where measurements are kept: docs/benchmarks.json, by unit and number of people; the newest one of
// each stands. The page and the plot are drawn from it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Machine } from "./machine.ts";
import { writePage } from "./page.ts";
import { drawPlot } from "./plot.ts";
import type { UnitResult } from "./unit.ts";
import { UNITS } from "./units.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const JSON_FILE = new URL("benchmarks.json", DOCS);
const PAGE_FILE = new URL("benchmarks.md", DOCS);
const PLOT_FILE = new URL("benchmarks.svg", DOCS);

/** One unit at one number of people, as it was last measured. */
export interface Measured extends UnitResult {
  readonly title: string;
  readonly machine: Machine;
}

/** Puts results in the place of older ones and draws everything again. */
export function writeDocuments(machine: Machine, results: readonly UnitResult[]): void {
  const kept = new Map(readMeasured().map((each) => [keyOf(each), each]));
  for (const result of results) {
    const title = UNITS.find(({ name }) => name === result.unit)?.title ?? "";
    kept.set(keyOf(result), { ...result, title, machine });
  }
  const order = UNITS.map(({ name }) => name);
  const measured = [...kept.values()].toSorted(
    (a, b) => order.indexOf(a.unit) - order.indexOf(b.unit) || a.subscribers - b.subscribers,
  );
  writeFileSync(JSON_FILE, `${JSON.stringify(measured, roundNumber, 2)}\n`);
  writeFileSync(PAGE_FILE, writePage(measured));
  writeFileSync(PLOT_FILE, drawPlot(measured));
  // Tables are lined up by the formatter that checks them.
  spawnSync(
    "oxfmt",
    [JSON_FILE, PAGE_FILE].map((file) => fileURLToPath(file)),
    { stdio: "ignore" },
  );
}

function readMeasured(): Measured[] {
  if (!existsSync(JSON_FILE)) return [];
  return JSON.parse(readFileSync(JSON_FILE, "utf8")) as Measured[];
}

const keyOf = ({ unit, subscribers }: UnitResult): string => `${unit} ${subscribers}`;

const DIGITS = 5;
const roundNumber = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(DIGITS)) : value;
