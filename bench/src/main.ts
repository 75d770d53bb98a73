// `npm run bench [unit ...] [--subscribers N] [--small]`: measures, prints, and writes the page.
//
// What is measured is kept in docs/benchmarks.json by unit and number of people, so that one unit
// can be taken again alone; page and plot are drawn from it. With --small nothing is written: that
// run shows that every unit works and that its sums are right, and asserts no time.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "./machine.ts";
import { formatFigures } from "./page.ts";
import { writeDocuments } from "./documents.ts";
import type { BenchContext, UnitResult } from "./unit.ts";
import { UNITS } from "./units.ts";

const SUBSCRIBERS = 1_000_000;
const SMALL_SUBSCRIBERS = 20_000;
const RUNS = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    subscribers: { type: "string", default: String(SUBSCRIBERS) },
    runs: { type: "string", default: String(RUNS) },
    seed: { type: "string", default: "1" },
    cache: { type: "string", default: "./bench-data" },
    profile: { type: "string" },
    small: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const strange = positionals.filter((name) => !UNITS.some((unit) => unit.name === name));
if (strange.length > 0) {
  process.stderr.write(`no unit ${strange.join(", ")}; there are:\n`);
  for (const { name, title } of UNITS) process.stderr.write(`  ${name.padEnd(12)} ${title}\n`);
  process.exit(2);
}

const context: BenchContext = {
  subscribers: values.small ? SMALL_SUBSCRIBERS : Number(values.subscribers),
  isSmall: values.small,
  runs: values.small ? 1 : Number(values.runs),
  seed: Number(values.seed),
  cacheFolder: resolve(values.cache),
  profileFolder: values.profile && resolve(values.profile),
  say: (line) => void process.stderr.write(`${line}\n`),
};

const results: UnitResult[] = [];
for (const unit of UNITS) {
  if (positionals.length > 0 && !positionals.includes(unit.name)) continue;
  context.say(`${unit.name}: ${unit.title}, ${context.subscribers.toLocaleString("en")} people`);
  const { figures, checks } = await unit.run(context);
  const result = { unit: unit.name, subscribers: context.subscribers, figures, checks };
  results.push(result);
  if (!values.json) process.stdout.write(`${formatFigures(result)}\n`);
}
const checks = results.flatMap((result) => result.checks);
const machine = describeMachine();
if (values.json) process.stdout.write(`${JSON.stringify({ machine, results, checks })}\n`);
if (!context.isSmall) writeDocuments(machine, results);
process.exit(checks.every(({ ok }) => ok) ? 0 : 1);
