// What a simulation ends with: one document for programs, and what a person reads.
import type { DrillCheck } from "@loa/cli/drill/document.ts";
import { formatFields, formatNumber, formatTable } from "@loa/cli/table.ts";
import type { RunPlan } from "./plan.ts";
import type { RunResult } from "./run.ts";

/** What `--json` prints. */
export interface SimulationDocument {
  readonly seed: number;
  readonly first: number;
  readonly runs: number;
  readonly passed: number;
  readonly failed: number;
  readonly messages: number;
  /** Checks that were made, over all runs. */
  readonly checked: number;
  /** One for each run, in the form of a drill's checks. */
  readonly checks: readonly DrillCheck[];
  /** Faults that were carried out, by kind. */
  readonly deeds: Readonly<Record<string, number>>;
  readonly ms: { readonly median: number; readonly longest: number; readonly total: number };
  readonly failures: readonly {
    readonly run: number;
    readonly plan: RunPlan;
    readonly deeds: readonly string[];
    readonly violated: readonly { readonly name: string; readonly found: string }[];
  }[];
}

export function documentOf(
  { seed, first }: { readonly seed: number; readonly first: number },
  results: readonly RunResult[],
): SimulationDocument {
  const failures = results.flatMap((result, at) => {
    const violated = violatedIn(result);
    if (violated.length === 0) return [];
    return [{ run: first + at, plan: result.plan, deeds: result.deeds, violated }];
  });
  const ms = results.map((each) => Math.round(each.ms)).toSorted((a, b) => a - b);
  const sum = (of: (result: RunResult) => number) =>
    results.reduce((total, each) => total + of(each), 0);
  const deeds: Record<string, number> = {};
  for (const deed of results.flatMap((each) => each.deeds.map(kindOf)))
    if (deed !== undefined) deeds[deed] = (deeds[deed] ?? 0) + 1;
  return {
    seed,
    first,
    runs: results.length,
    passed: results.length - failures.length,
    failed: failures.length,
    messages: sum(({ messages }) => messages),
    checked: sum(({ checks }) => checks.length),
    checks: results.map((result, at) => {
      const name = `run ${first + at} of seed ${seed}`;
      const [violated] = violatedIn(result);
      return violated === undefined
        ? { name, ok: true }
        : { name, ok: false, found: `${violated.name}: ${violated.found}` };
    }),
    deeds,
    ms: {
      median: ms[Math.floor(ms.length / 2)] ?? 0,
      longest: ms.at(-1) ?? 0,
      total: Math.round(sum((each) => each.ms)),
    },
    failures,
  };
}

export const violatedIn = ({ checks }: RunResult): { name: string; found: string }[] =>
  checks.flatMap(({ name, ok, found }) => (ok ? [] : [{ name, found: found ?? "" }]));

/** `  123 ms  kill worker 4711` becomes `kill worker`; what heals is no fault. */
function kindOf(deed: string): string | undefined {
  const [, what = ""] = /^\s*-?\d+ ms {2}(.*)$/.exec(deed) ?? [];
  if (/goes on after|^nobody to/.test(what)) return undefined;
  if (/^\d+ devices vanish/.test(what)) return "devices vanish";
  if (what.endsWith("stopped itself")) return "stopped at a fail point";
  if (what.startsWith("clocks jump")) return "clocks jump";
  const [, armed] = /^armed: (\w+ at [\w-]+)/.exec(what) ?? [];
  if (armed !== undefined) return `fail point: ${armed}`;
  const [, way, behaviour] = /^(loopback\S*) (\{.*\})$/.exec(what) ?? [];
  if (way !== undefined) return `far side: ${Object.keys(JSON.parse(behaviour ?? "{}")).join("+")}`;
  return what.replace(/ \d+$/, "");
}

export function reportOf(document: SimulationDocument): string {
  const { seed, first, runs, passed, messages, checked, deeds, ms, failures } = document;
  const lines = [
    formatFields([
      ["Seed, first run", `${seed}, ${first}`],
      ["Runs", `${formatNumber(passed)} of ${formatNumber(runs)} passed`],
      ["Checks", checked],
      ["Messages that arrived", messages],
      ["Median run, longest", `${formatNumber(ms.median)} ms, ${formatNumber(ms.longest)} ms`],
    ]),
    "",
    formatTable(
      ["Fault", "Times"],
      Object.entries(deeds)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => [name, count]),
    ),
  ];
  for (const { run, plan, violated, deeds: done } of failures)
    lines.push(
      "",
      `Run ${run} failed (npm run simulate -- --seed ${seed} --first ${run} --runs 1):`,
      ...violated.map(({ name, found }) => `  NOT: ${name}\n       ${found}`),
      `  The plan: ${plan.sequel}, ${plan.areas.length} communes${plan.hasNotice ? ", a notice" : ""}; done:`,
      ...done.map((deed) => `    ${deed}`),
    );
  return lines.join("\n");
}
