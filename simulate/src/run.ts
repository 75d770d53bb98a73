// One run: the agency's people send, processes die, everything is healed and comes to rest, and what
// all sides say is gathered and judged.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Cast } from "@loa/cli/drill/desk.ts";
import type { DrillCheck } from "@loa/cli/drill/document.ts";
import { checkRun, FINAL_ORDERS } from "./checks.ts";
import { type Evidence, gatherDispatch, readSummaries, type Summary } from "./evidence.ts";
import { type Installation, SLICE_SIZE, WORKERS } from "./installation.ts";
import type { RunPlan } from "./plan.ts";
import { playStory, prepareStory, readLeft, type Sent, type Story } from "./story.ts";
import { createTormentor, type Deeds, type Tormentor, type Witness } from "./tormentor.ts";
import type { World } from "./world.ts";

/** Everything must be at rest within this after the last fault was healed. */
export const REST_MS_MAX = 40_000;
const POLL_MS = 70;
/** A verdict against the server must still hold after this: what is late is not lost. */
const SECOND_LOOK_MS = 2_500;

/** What runs are made in. */
export interface Stage {
  readonly installation: Installation;
  readonly witness: Witness;
  readonly cast: Cast;
  readonly world: World;
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly plan: RunPlan;
  readonly checks: readonly DrillCheck[];
  readonly deeds: readonly string[];
  readonly interruptions: number;
  readonly messages: number;
  readonly ms: number;
}

/** Plays a run. What stops it half-way, such as a server that does not answer any more, fails it. */
export async function playRun(stage: Stage, plan: RunPlan): Promise<RunResult> {
  const startMs = performance.now();
  const tormentor = createTormentor(stage.installation, stage.witness, plan);
  try {
    return await play(stage, plan, tormentor, startMs);
  } catch (fault) {
    stage.signal.throwIfAborted();
    const found = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
    const { done: deeds, interruptions } = tormentor.heal();
    const checks = [{ name: "the run could be played to its end", ok: false, found }];
    return { plan, checks, deeds, interruptions, messages: 0, ms: performance.now() - startMs };
  }
}

async function play(
  stage: Stage,
  plan: RunPlan,
  tormentor: Tormentor,
  startMs: number,
): Promise<RunResult> {
  const { installation, witness, cast, world } = stage;
  const { seed, silentShare, twiceShare } = plan;
  installation.shiftClocks(0);
  await witness.ask({ kind: "begin", habits: { seed, silentShare, twiceShare } });
  const logAt = (await readLog(installation)).length;
  const first = await prepareStory(cast, plan, world.communes);
  let claims = 0;
  const issued = (sent: Sent) => {
    if (sent.part !== "alert") return;
    const ordinals = strangersTo(world, plan).slice(0, plan.foreign);
    claims = ordinals.length;
    // A witness that is gone fails the next question too.
    witness.ask({ kind: "claim", dispatchId: sent.dispatch, ordinals }).catch(() => {});
  };
  const torment = tormentor.run();
  // Awaited below, unless the story breaks off before.
  torment.catch(() => {});
  const story = await playStory(cast, plan, world.communes, first, issued);
  await torment;
  const deeds = tormentor.heal();
  await calmFarSides(stage);
  const unsettled = await rest(stage, story.sent);
  const judge = async () => {
    const evidence = await gather(stage, plan, story, deeds, logAt, claims, unsettled);
    return { checks: checkRun(evidence), evidence };
  };
  let verdict = await judge();
  if (verdict.checks.some(({ ok }) => !ok)) {
    await pause(SECOND_LOOK_MS, undefined, { signal: stage.signal });
    verdict = await judge();
  }
  return {
    plan,
    checks: verdict.checks,
    deeds: deeds.done,
    interruptions: verdict.evidence.interruptions,
    messages: verdict.evidence.testimony.arrivals.way.length,
    ms: performance.now() - startMs,
  };
}

/** Ordinals with a device whom the warning is not for. */
function strangersTo(world: World, { areas, rule }: RunPlan): number[] {
  const targets = new Set(areas);
  const isInside = (code: string) => {
    const unit = world.units.find((each) => each.code === code);
    return targets.has(code) || targets.has(unit?.parent ?? "");
  };
  return world.rows.flatMap((row, index) => {
    if (world.ways[index] !== "live" || isInside(row.home) || row.places.some(isInside)) return [];
    if (rule === "both" && row.follows.includes(world.account)) return [];
    return [world.ordinals[index] as number];
  });
}

async function calmFarSides({ witness }: Stage): Promise<void> {
  const behaviour = { stall: false, laterShare: 0, answerLagMs: 0 };
  for (const way of ["loopback", "loopback-once"] as const)
    await witness.ask({ kind: "behave", way, behaviour });
}

/** Waits until nothing moves any more; answers what still did when patience ended. */
async function rest(stage: Stage, sent: readonly Sent[]): Promise<string | undefined> {
  const { witness, cast, signal } = stage;
  const deadline = performance.now() + REST_MS_MAX;
  let last = "";
  for (;;) {
    const counts = await witness.ask({ kind: "count" });
    const { left, isSettling } = await readLeft(cast, sent);
    const all = [...sent, ...left];
    const summaries = await readSummaries(cast, all);
    const restless = [
      ...(isSettling ? ["those whom the update leaves out are not found"] : []),
      ...(counts.connected < counts.devices
        ? [`${counts.devices - counts.connected} devices are not connected`]
        : []),
      ...(counts.isWithholding ? ["a slice was taken without an answer"] : []),
      ...Object.entries(counts.waiting).flatMap(([way, count]) =>
        count > 0 ? [`${count} receipts of ${way} wait`] : [],
      ),
      ...summaries.flatMap((summary, at) => restlessIn(summary, all[at]?.part ?? "")),
    ];
    const picture = JSON.stringify([counts, summaries]);
    if (restless.length === 0 && picture === last) return undefined;
    if (performance.now() > deadline) return restless.join("; ") || "it kept moving";
    last = picture;
    await pause(POLL_MS, undefined, { signal });
  }
}

/** Of one that was under way when its bulletin was closed nobody knows more, unless its operator says it. */
const isResting = (order: string, dispatch: Summary["state"]): boolean =>
  FINAL_ORDERS.includes(order) || (order === "unsure" && dispatch !== "open");

const restlessIn = ({ channels, area, state: dispatch }: Summary, part: string): string[] => [
  ...Object.entries(channels).flatMap(([name, { state }]) =>
    state.queued > 0 ? [`${state.queued} of ${part} queued on ${name}`] : [],
  ),
  ...area.flatMap(({ states }) =>
    Object.entries(states).flatMap(([state, count]) =>
      count > 0 && !isResting(state, dispatch) ? [`${count} orders of ${part} ${state}`] : [],
    ),
  ),
];

async function gather(
  { installation, witness, cast, world }: Stage,
  plan: RunPlan,
  story: Story,
  deeds: Deeds,
  logAt: number,
  claims: number,
  unsettled: string | undefined,
): Promise<Evidence> {
  const testimony = await witness.ask({ kind: "testify" });
  const { left } = await readLeft(cast, story.sent);
  const all = [...story.sent, ...left];
  const dispatches = await Promise.all(all.map((sent) => gatherDispatch(cast, world, sent)));
  const log = (await readLog(installation)).slice(logAt);
  return {
    plan,
    world,
    dispatches,
    testimony,
    breaches: story.breaches,
    interruptions: deeds.interruptions + countInterruptions(log),
    unanswered: countUnanswered(log),
    sliceSize: SLICE_SIZE,
    workers: WORKERS,
    claims,
    unsettled,
  };
}

const readLog = (installation: Installation): Promise<string> =>
  readFile(join(installation.folder, "server.log"), "utf8");

/** Workers say when they gave a shard up: a slow machine may take a lease away as well. */
const countInterruptions = (log: string): number =>
  log.split("\n").filter((line) => /"(shard failed|the lease was lost)"/.test(line)).length;

function countUnanswered(log: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [, channel = ""] of log.matchAll(/"channel":"([\w-]+)".*"a slice was not answered"/g))
    counts[channel] = (counts[channel] ?? 0) + 1;
  return counts;
}
