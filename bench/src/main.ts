// `npm run bench [unit ...] [--subscribers N[,N ...]] [--small]`: measures, prints, writes the page.
//
// What is measured is kept in docs/benchmarks.json by unit and number of people, so that one unit
// can be taken again alone; page and plot are drawn from it. With --small nothing is written: that
// run shows that every unit works and that its sums are right, and asserts no time.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { endInstallations } from "./installation.ts";
import { describeMachine } from "./machine.ts";
import { formatFigures } from "./page.ts";
import { writeDocuments } from "./documents.ts";
import { type BenchContext, check, type Unit, type UnitResult } from "./unit.ts";
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

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void endInstallations().then(() => process.exit(1)));

const sizes = values.small ? [SMALL_SUBSCRIBERS] : values.subscribers.split(",").map(Number);
const say = (line: string) => void process.stderr.write(`${line}\n`);
const machine = describeMachine();
const results: UnitResult[] = [];
for (const subscribers of sizes)
  for (const unit of UNITS) {
    if (positionals.length > 0 && !positionals.includes(unit.name)) continue;
    const result = await measure(unit, {
      subscribers,
      isSmall: values.small,
      runs: values.small ? 1 : Number(values.runs),
      seed: Number(values.seed),
      cacheFolder: resolve(values.cache),
      profileFolder: values.profile && resolve(values.profile),
      say,
    });
    results.push(result);
    if (!values.json) process.stdout.write(`${formatFigures(result)}\n`);
    // After each unit: hours of measuring are not lost when somebody ends the rest.
    if (!values.small && result.figures.length > 0) writeDocuments(describeMachine(), [result]);
  }
const checks = results.flatMap((result) => result.checks);
if (values.json) process.stdout.write(`${JSON.stringify({ machine, results, checks })}\n`);
process.exit(checks.every(({ ok }) => ok) ? 0 : 1);

/** A unit that breaks off is a check that failed; the others are measured all the same. */
async function measure(unit: Unit, context: BenchContext): Promise<UnitResult> {
  const { subscribers } = context;
  say(`${unit.name}: ${unit.title}, ${subscribers.toLocaleString("en")} people`);
  const measured = await unit.run(context).catch((fault: unknown) => {
    say(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
    return { figures: [], checks: [check(`${unit.name}: it runs to its end`, false)] };
  });
  return { unit: unit.name, subscribers, ...measured };
}
