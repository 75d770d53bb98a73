// The main job in one command: an approved warning reaches everyone in its area, in an instance of
// its own, and the ledger accounts for each of them. This file is the order of events; what each
// step does stands in a file beside it.
import { setTimeout as pause } from "node:timers/promises";
import { issueBulletin } from "@loa/api/bulletins.ts";
import { checkDrill, type CommuneLedger, type Evidence } from "./checks.ts";
import { agreeOn, type Cast, castOf, draftBulletin, isSettled, readLedger } from "./desk.ts";
import type { DrillDocument } from "./document.ts";
import { enrol } from "./enrol.ts";
import { expectAudience } from "./expectation.ts";
import { type Instance, keyOf } from "./instance.ts";
import { type NamedUnit, readUnits } from "./pack.ts";
import { makePeople } from "./people.ts";
import { openStage, playUntilAborted } from "./stage.ts";
import { type Reach, tallyArrivals, waitAt } from "./tally.ts";
import { nowMs, type WitnessLink } from "./witness-link.ts";
import type { Counts } from "./witness-protocol.ts";

/** Whoever lives there, or has a place there that matters to them. */
export const DRILL_RULE = "residents";
/** Everything must have arrived and been told within this, and some time for each person. */
export const SETTLE_MS_MIN = 60_000;
export const SETTLE_MS_PER_THOUSAND = 100;
/** After all has arrived, how long to listen for what should not. */
export const QUIET_MS = 500;
const POLL_MS = 100;
/** Share of the devices that get the message and never say so, as happens. */
const SILENT_SHARE = 0.002;
/** Share of the loudspeaker orders that their operators refuse, as happens. */
const REFUSED_ORDERS = 0.07;

export interface DrillOptions {
  readonly subscribers: number;
  readonly live: number;
  /** Codes of units that the warning is for. */
  readonly areas: readonly string[];
  /** A CAP 1.2 file whose texts are used. */
  readonly cap: string | undefined;
  readonly seed: number;
}

export interface DrillWatcher {
  /** A step begins. */
  step(label: string): void;
  progress(done: number, total: number): void;
}

export interface DrillResult {
  readonly document: DrillDocument;
  readonly communes: readonly CommuneLedger[];
  readonly units: readonly NamedUnit[];
}

/** Runs a drill. Whatever happens, everything that it started has ended when this settles. */
export function runDrill(
  options: DrillOptions,
  watcher: DrillWatcher,
  signal: AbortSignal,
): Promise<DrillResult> {
  return playUntilAborted(signal, (ending) => playDrill(options, watcher, signal, ending));
}

async function playDrill(
  options: DrillOptions,
  watcher: DrillWatcher,
  signal: AbortSignal,
  ending: AsyncDisposableStack,
): Promise<DrillResult> {
  watcher.step("Starting an instance of its own");
  const { folder, witness, instance } = await openStage(signal, ending);
  const cast = castOf(instance);
  const units = await readUnits();

  watcher.step("Registering people");
  const { handle } = cast.account;
  const meant = { areas: options.areas, rule: DRILL_RULE, account: handle } as const;
  const people = await makePeople({ ...options, units, meant, folder });
  const tokens = await enrol(cast.operator, people, watcher);
  const reach = people.rows.map(({ endpoints }, index): Reach => ({
    channel: endpoints.includes("live") ? "live" : "loopback",
    ordinal: tokens[index]?.ordinal ?? -1,
  }));

  watcher.step("Connecting");
  await prepareWitness(witness, instance, units, options.seed);
  // Those who are meant come first.
  const silent = Math.ceil(people.live.length * SILENT_SHARE);
  const live = people.live.map((index, rank) => ({
    index,
    token: tokens[index]?.token ?? "",
    isSilent: rank < silent,
  }));
  await witness.ask({ kind: "connect", stream: instance.stream, people: live });

  watcher.step("Writing, submitting, approving");
  const expectation = expectAudience(people.rows, units, meant);
  const draft = await draftBulletin(cast, { ...options, rule: DRILL_RULE });
  const approved = await agreeOn(cast, draft);

  watcher.step("Sending");
  const clockOffsetMs = await witness.clockOffsetMs();
  const issuedAtMs = nowMs() + clockOffsetMs;
  const issued = await cast.approver.ask(issueBulletin, { params: { id: approved.id } });
  const dispatchId = issued.dispatch.id;
  await settle({ witness, cast, dispatchId, expected: expectation.people.length, watcher, signal });

  const testimony = await witness.ask({ kind: "testify", dispatchId });
  const counts = await witness.ask({ kind: "count", dispatchId });
  const tally = tallyArrivals(expectation, reach, testimony, issuedAtMs);
  const ledger = await readLedger(cast, dispatchId);
  const evidence: Evidence = {
    expectation,
    reach,
    tally,
    testimony,
    liveOutside: outsiders(testimony.live.index, expectation.people),
    liveOutsideWanted: people.liveOutside,
    ...ledger,
    bulletin: approved,
    dispatchId,
    ownApprovalRefused: approved.ownApprovalRefused,
    notTaken: counts.notTaken,
  };
  return { document: documentOf(evidence), communes: ledger.communes, units };
}

/** Tells the sink where to acknowledge, and how many people its loudspeakers may claim. */
export async function prepareWitness(
  witness: WitnessLink,
  { api, stream, demonstration }: Instance,
  units: readonly NamedUnit[],
  seed: number,
  refuseShare: number = REFUSED_ORDERS,
): Promise<void> {
  await witness.ask({
    kind: "sink",
    gateway: {
      receiptsUrl: `${stream}/v1/gateways/loopback/receipts`,
      receiptsKey: keyOf(demonstration, "gatewayLoopback"),
      areaOrdersUrl: `${api}/v1/area-orders`,
      areaOrdersKey: keyOf(demonstration, "gatewayAreaLoopback"),
    },
    behaviour: {
      seed,
      refuseShare,
      populations: Object.fromEntries(units.map(({ code, population }) => [code, population])),
    },
  });
}

/** People who connected and are not on the list. */
function outsiders(live: Uint32Array, expected: readonly { readonly index: number }[]): number {
  const meant = new Set(expected.map(({ index }) => index));
  return live.filter((index) => !meant.has(index)).length;
}

interface Settling {
  readonly witness: WitnessLink;
  readonly cast: Cast;
  readonly dispatchId: string;
  /** People who should hear of it. */
  readonly expected: number;
  readonly watcher: DrillWatcher;
  readonly signal: AbortSignal;
}

/**
 * Waits until everybody got it and the ledger has every acknowledgement and report, and then a
 * little longer for what should not come. What has not come in time, the checks will show.
 */
async function settle(settling: Settling): Promise<void> {
  const { witness, cast, dispatchId, expected, watcher, signal } = settling;
  const deadline = nowMs() + SETTLE_MS_MIN + (expected / 1000) * SETTLE_MS_PER_THOUSAND;
  for (let hasAll = false; nowMs() < deadline;) {
    const counts = await witness.ask({ kind: "count", dispatchId });
    const got = counts.liveMessages + counts.loopbackMessages;
    watcher.progress(Math.min(got, expected), expected);
    if (got >= expected && counts.waiting === 0) {
      if (!hasAll) watcher.step("Waiting for the ledger");
      hasAll = true;
      if (await isSettled(cast, dispatchId, acknowledged(counts))) break;
    }
    await pause(POLL_MS, undefined, { signal });
  }
  await pause(QUIET_MS, undefined, { signal });
}

/** Everybody who got it over loopback acknowledges through the sink. */
export const acknowledged = ({ liveAcknowledged, loopbackMessages }: Counts): number =>
  liveAcknowledged + loopbackMessages;

function documentOf(evidence: Evidence): DrillDocument {
  const { summary, expectation, tally, orders, bulletin } = evidence;
  const last = waitAt(tally.waitsMs, 1);
  return {
    bulletin: bulletin.id,
    communes: expectation.communes.length,
    population: expectation.population,
    audience: {
      residents: summary.audience.residents,
      concerned: summary.audience.concerned,
      total: summary.audience.residents + summary.audience.concerned,
    },
    channels: Object.fromEntries(
      Object.entries(summary.channels).map(([name, { planned, state, reached }]) => [
        name,
        { planned, state, reached },
      ]),
    ),
    area: [
      {
        channel: "area-loopback",
        orders: orders.length,
        carriedOut: orders.filter(({ state }) => state === "carried-out").length,
        claimed: orders.reduce((sum, { claimed }) => sum + (claimed ?? 0), 0),
      },
    ],
    lost: tally.lost,
    duplicates: tally.duplicates,
    outsideArea: tally.outsideArea,
    joinedLater: summary.joinedLater,
    ms: {
      issueToFirst: waitAt(tally.waitsMs, 0),
      issueToMedian: waitAt(tally.waitsMs, 0.5),
      issueToP99: waitAt(tally.waitsMs, 0.99),
      issueToLast: last,
    },
    recipientsPerSecond: last > 0 ? Math.round((tally.waitsMs.length / last) * 1000) : 0,
    checks: checkDrill(evidence),
  };
}
