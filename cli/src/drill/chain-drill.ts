// One storm as one thread, in one command: a warning, an update whose place moves, a correction, a
// further update and the cancel, in an instance of its own. At every step the receiving side says who
// got what, the ledger is held against it, and phones come back that missed all of it so far.
import { setTimeout as pause } from "node:timers/promises";
import { PURPOSES, type Purpose } from "@loa/model/chain-step.ts";
import { arrivalsOf, checkChain, type SeenStage } from "./chain-checks.ts";
import { awaitLeft, type IssuedStage, issueStage } from "./chain-desk.ts";
import { returnFaults } from "./chain-return.ts";
import { expectChain, planChain, type StageExpectation } from "./chain-plan.ts";
import { type Cast, castOf, isSettled, readLedger } from "./desk.ts";
import type { DrillCheck } from "./document.ts";
import {
  acknowledged,
  type DrillWatcher,
  prepareWitness,
  QUIET_MS,
  SETTLE_MS_MIN,
  SETTLE_MS_PER_THOUSAND,
} from "./drill.ts";
import { enrol } from "./enrol.ts";
import { channelSumFaults, groupSumFaults } from "./ledger-sums.ts";
import { readUnits } from "./pack.ts";
import { makePeople } from "./people.ts";
import { openStage, playUntilAborted } from "./stage.ts";
import { nowMs, type WitnessLink } from "./witness-link.ts";

const POLL_MS = 100;

export interface ChainDrillOptions {
  readonly subscribers: number;
  readonly live: number;
  readonly areas: readonly string[];
  readonly seed: number;
}

/** What `loa drill --chain --json` prints. */
export interface ChainDrillDocument {
  readonly people: { readonly registered: number; readonly live: number };
  readonly stages: readonly {
    readonly name: string;
    readonly step: string;
    readonly bulletin: string;
    readonly communes: number;
    /** People who got each sending. */
    readonly told: Readonly<Record<Purpose, number>>;
    readonly orders: { readonly main: number; readonly left: number };
  }[];
  readonly checks: readonly DrillCheck[];
}

/** Runs it. Whatever happens, everything that it started has ended when this settles. */
export function runChainDrill(
  options: ChainDrillOptions,
  watcher: DrillWatcher,
  signal: AbortSignal,
): Promise<ChainDrillDocument> {
  return playUntilAborted(signal, (ending) => play(options, watcher, signal, ending));
}

async function play(
  options: ChainDrillOptions,
  watcher: DrillWatcher,
  signal: AbortSignal,
  ending: AsyncDisposableStack,
): Promise<ChainDrillDocument> {
  watcher.step("Starting an instance of its own");
  const { folder, witness, instance } = await openStage(signal, ending);
  const cast = castOf(instance);
  const units = await readUnits();

  watcher.step("Registering people");
  const meant = { areas: options.areas, rule: "residents", account: cast.account.handle } as const;
  const people = await makePeople({ ...options, units, meant, folder });
  const tokens = await enrol(cast.operator, people, watcher);
  await prepareWitness(witness, instance, units, options.seed, 0);
  const live = people.live.map((index) => ({
    index,
    token: tokens[index]?.token ?? "",
    isSilent: false,
  }));
  const lanes = ["warning", "notice"];
  await witness.ask({ kind: "connect", stream: instance.stream, people: live, lanes });

  const isLive = new Set(people.live);
  const expectations = expectChain(
    planChain(options.areas, units),
    people.rows,
    units,
    meant,
    (index) => isLive.has(index),
  );
  const indexOf = new Map(tokens.map(({ ordinal }, index) => [ordinal, index]));
  const seen: SeenStage[] = [];
  const issued: IssuedStage[] = [];
  for (const [number, expected] of expectations.entries()) {
    watcher.step(`Issuing: ${expected.stage.name}`);
    const stage = await issueStage(cast, expected.stage, number, issued.at(-1)?.bulletin);
    const wantsLeft = expected.told.left.size + expected.ordered.left.length > 0;
    const whole = wantsLeft ? await awaitLeft(cast, stage) : stage;
    issued.push(whole);
    for (const purpose of PURPOSES)
      await settle(
        { witness, cast, signal },
        whole.dispatches[purpose],
        expected.told[purpose].size,
      );
    await pause(QUIET_MS, undefined, { signal });
    const returned = await returnFaults(instance.stream, live, expected);
    const replaces = issued.at(-2)?.bulletin;
    seen.push({ ...(await look({ witness, cast }, whole, expected, indexOf)), replaces, returned });
  }
  const ids = new Set(issued.flatMap(({ dispatches }) => Object.values(dispatches)));
  const { oddities } = await witness.ask({ kind: "testify", dispatchId: "" });
  const strange = oddities.filter((text) => ![...ids].some((id) => text.includes(id)));
  return {
    people: { registered: people.rows.length, live: live.length },
    stages: seen.map(({ expected, bulletin, seen: got }) => ({
      name: expected.stage.name,
      step: expected.stage.step,
      bulletin,
      communes: expected.main.communes.length,
      told: {
        main: got.main.times.size,
        left: got.left.times.size,
        silent: got.silent.times.size,
      },
      orders: { main: got.main.ordered.length, left: got.left.ordered.length },
    })),
    checks: [
      ...checkChain(seen),
      { name: "nothing else arrived anywhere", ok: strange.length === 0, ...found(strange) },
    ],
  };
}

const found = (wrongs: readonly string[]) =>
  wrongs.length > 0 ? { found: wrongs.join("; ") } : {};

/** What the receiving side and the ledger say of one step. */
async function look(
  { witness, cast }: { witness: WitnessLink; cast: Cast },
  { bulletin, approvedHash, dispatches }: IssuedStage,
  expected: StageExpectation,
  indexOf: ReadonlyMap<number, number>,
): Promise<Omit<SeenStage, "replaces" | "returned">> {
  const ledger: string[] = [];
  const of = async (purpose: Purpose) => {
    const dispatchId = dispatches[purpose];
    if (dispatchId === undefined) return arrivalsOf(undefined, "", indexOf);
    const testimony = await witness.ask({ kind: "testify", dispatchId });
    const arrivals = arrivalsOf(testimony, dispatchId, indexOf);
    const { summary, communes } = await readLedger(cast, dispatchId);
    const told = Object.values(summary.channels).reduce((sum, each) => sum + each.reached.sent, 0);
    if (told !== arrivals.times.size)
      ledger.push(`${purpose}: ${told} sent, ${arrivals.times.size} got it`);
    ledger.push(...channelSumFaults(summary.channels), ...groupSumFaults(communes));
    return arrivals;
  };
  const seen = { main: await of("main"), left: await of("left"), silent: await of("silent") };
  return { expected, bulletin, approvedHash, ledger, seen };
}

/** Waits until one sending has arrived and the ledger has every acknowledgement of it. */
async function settle(
  { witness, cast, signal }: { witness: WitnessLink; cast: Cast; signal: AbortSignal },
  dispatchId: string | undefined,
  expected: number,
): Promise<void> {
  if (dispatchId === undefined) return;
  const deadline = nowMs() + SETTLE_MS_MIN + (expected / 1000) * SETTLE_MS_PER_THOUSAND;
  while (nowMs() < deadline) {
    const counts = await witness.ask({ kind: "count", dispatchId });
    const got = counts.liveMessages + counts.loopbackMessages;
    if (got >= expected && counts.waiting === 0)
      if (await isSettled(cast, dispatchId, acknowledged(counts))) return;
    await pause(POLL_MS, undefined, { signal });
  }
}
