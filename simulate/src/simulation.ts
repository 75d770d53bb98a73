// Many runs, one after the other, in an installation that is started anew every so often. A run that
// fails keeps what is needed to look into it; the others leave nothing behind.
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { castOf } from "@loa/cli/drill/desk.ts";
import { keyOf } from "@loa/cli/drill/instance.ts";
import { readUnits } from "@loa/cli/drill/pack.ts";
import { forkLinked } from "@loa/cli/process-link.ts";
import { persistent } from "./asking.ts";
import { startInstallation } from "./installation.ts";
import { planRun, seedOfRun, WAYS } from "./plan.ts";
import { playRun, type RunResult, type Stage } from "./run.ts";
import type { AnswerOf, Question } from "./witness-protocol.ts";
import { makeWorld } from "./world.ts";

/** Runs of one installation: enough that its start costs little, few enough that it stays small. */
export const RUNS_PER_INSTALLATION = 40;
const WITNESS = fileURLToPath(new URL("witness.ts", import.meta.url));

export interface SimulationOptions {
  readonly seed: number;
  readonly runs: number;
  /** The number of the first run; the plan of a run depends on the seed and this number alone. */
  readonly first: number;
  /** Where runs that fail are kept; undefined keeps none. */
  readonly keepIn: string | undefined;
}

export interface Watcher {
  step(label: string): void;
  ran(run: number, result: RunResult): void;
}

/** Plays the runs and tells of each. Whatever happens, everything that was started has ended. */
export async function simulate(
  options: SimulationOptions,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<void> {
  const end = options.first + options.runs;
  for (let run = options.first; run < end;) {
    signal.throwIfAborted();
    watcher.step("Starting an installation");
    await using ending = new AsyncDisposableStack();
    const stage = await openStage(options.seed, signal, ending);
    const until = Math.min(end, run + RUNS_PER_INSTALLATION);
    for (let isSound = true; run < until && isSound; run += 1) {
      signal.throwIfAborted();
      const plan = planRun(seedOfRun(options.seed, run), stage.world.communes);
      const result = await playRun(stage, plan);
      watcher.ran(run, result);
      isSound = result.checks.every(({ ok }) => ok);
      // Whatever went wrong must not be blamed on the next run.
      if (!isSound && options.keepIn !== undefined) await keep(stage, run, result, options.keepIn);
    }
  }
}

async function openStage(
  seed: number,
  signal: AbortSignal,
  ending: AsyncDisposableStack,
): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "loa-simulate-people-"));
  ending.defer(() => rm(folder, { recursive: true, force: true }));
  const witness = forkLinked<Question, AnswerOf>(WITNESS, "the witness");
  ending.defer(() => witness.stop());
  const { loopback, once } = await witness.ask({ kind: "open" });
  const installation = await startInstallation({
    loopbackUrl: `127.0.0.1:${loopback}`,
    onceUrl: `127.0.0.1:${once}`,
    begun: (pid, server) => witness.ask({ kind: "guard", pid, folders: [server, folder] }),
    signal,
  });
  ending.defer(() => installation.stop());
  const { api, stream, demonstration } = installation;
  const { author, approver, operator, account } = castOf(installation);
  const cast = {
    operator,
    account,
    author: persistent(author, signal),
    approver: persistent(approver, signal),
  };
  const world = await makeWorld(cast, await readUnits(), seed, folder);
  for (const way of WAYS) {
    const isOnce = way === "loopback-once";
    const gateway = {
      receiptsUrl: `${stream}/v1/gateways/${way}/receipts`,
      receiptsKey: keyOf(demonstration, isOnce ? "gatewayLoopbackOnce" : "gatewayLoopback"),
      areaOrdersUrl: `${api}/v1/area-orders`,
      areaOrdersKey: keyOf(demonstration, "gatewayAreaLoopback"),
    };
    await witness.ask({ kind: "gateway", way, gateway });
  }
  const people = world.ordinals.flatMap((ordinal, index) =>
    world.ways[index] === "live" ? [{ ordinal, token: world.tokens[index] ?? "" }] : [],
  );
  await witness.ask({ kind: "connect", stream, people });
  return { installation, witness, cast, world, signal };
}

/** Copies the data and the log of an installation, after it has been ended, beside what went wrong. */
async function keep(
  { installation }: Stage,
  run: number,
  result: RunResult,
  folder: string,
): Promise<void> {
  const own = join(folder, `run-${run}`);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
  await installation.end();
  await cp(installation.folder, join(own, "installation"), { recursive: true });
}
