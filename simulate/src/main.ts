// `npm run simulate`: warnings through the whole engine while its processes are killed, stopped and
// lied to. Ends with 0 (every run passed), 1 (one did not) or 2 (could not run).
import { parseArgs } from "node:util";
import { createProgressBar } from "@loa/cli/progress-bar.ts";
import { documentOf, reportOf, violatedIn } from "./report.ts";
import type { RunResult } from "./run.ts";
import { type SimulationOptions, simulate } from "./simulation.ts";

const HELP = `Usage: npm run simulate -- [--seed S] [--runs N] [--first R] [--keep FOLDER] [--json]

Sends warnings to synthetic people through a whole installation of its own, while its processes are
killed and stopped, its far sides lie, its clocks jump and devices vanish, and checks after each run
that nobody is forgotten and everything sums.

  --seed S       the same seed makes the same plans (1)
  --runs N       how many runs (20)
  --first R      the number of the first run (0); with --runs 1 this repeats one
  --keep FOLDER  keeps the data and the log of an installation in which a run failed
  --json         prints one JSON document
`;
const RUNS_MAX = 100_000;
const RUNS_PER_LINE = 10;
const SEED_MAX = 2 ** 31;

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => stop.abort(new Error(`ended by ${signal}`)));
async function main(): Promise<0 | 1 | 2> {
  try {
    const { options, isJson, isHelp } = readOptions();
    if (isHelp) {
      process.stdout.write(HELP);
      return 0;
    }
    return await run(options, isJson);
  } catch (fault) {
    const said = stop.signal.aborted || isUsage(fault) ? (fault as Error).message : describe(fault);
    process.stderr.write(`${said}\n`);
    return 2;
  }
}

async function run(options: SimulationOptions, isJson: boolean): Promise<0 | 1> {
  const bar = createProgressBar(process.stderr);
  let done = 0;
  let failed = 0;
  const results: RunResult[] = [];
  const print = () => {
    bar.clear();
    const document = documentOf(options, results);
    process.stdout.write(`${isJson ? JSON.stringify(document) : reportOf(document)}\n`);
    return document;
  };
  await simulate(
    options,
    {
      step: (label) => bar.show(label, done, options.runs),
      ran(number, result) {
        done += 1;
        results.push(result);
        const violated = violatedIn(result);
        if (violated.length > 0) {
          failed += 1;
          bar.clear();
          for (const { name, found } of violated)
            process.stderr.write(`run ${number}: NOT: ${name}: ${found}\n`);
        }
        const label = failed > 0 ? `Runs, ${failed} failed` : "Runs";
        bar.show(label, done, options.runs);
        // Where nobody looks on, a line now and then says that it still goes on.
        if (!process.stderr.isTTY && done % RUNS_PER_LINE === 0)
          process.stderr.write(`${label}: ${done} of ${options.runs}\n`);
      },
    },
    stop.signal,
  ).catch((fault: unknown) => {
    // What was learnt until then is worth telling.
    if (results.length > 0) print();
    throw fault;
  });
  return print().failed === 0 ? 0 : 1;
}

function readOptions(): { options: SimulationOptions; isJson: boolean; isHelp: boolean } {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      runs: { type: "string" },
      first: { type: "string" },
      keep: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const number = (name: "seed" | "runs" | "first", min: number, max: number, fallback: number) => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new RangeError(`--${name} wants a whole number from ${min} to ${max}`);
    return value;
  };
  const options = {
    seed: number("seed", 0, SEED_MAX, 1),
    runs: number("runs", 1, RUNS_MAX, 20),
    first: number("first", 0, RUNS_MAX, 0),
    keepIn: values.keep,
  };
  return { options, isJson: values.json, isHelp: values.help };
}

const isUsage = (fault: unknown): boolean =>
  fault instanceof RangeError || (fault instanceof TypeError && "code" in fault);

const describe = (fault: unknown): string =>
  fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);

process.exitCode = await main();
