// The engine alone: one warning to everybody over the null channel, from the request to issue until
// the status of every recipient is durable in PostgreSQL, then its fold and seal. The processes are
// the real ones; only the way out is missing, so that what is measured is ours.
//
// The queues beside it do the same work on the same database: one job for each recipient, durable,
// done.
import { Ledger } from "../../../server/src/dispatch/ledger.ts";
import { createLogger } from "../../../server/src/observe/log.ts";
import { noFailPoint } from "../../../server/src/observe/fail-point.ts";
import { clockMs } from "../clock.ts";
import { clearDispatches, dispatchBytes } from "../dispatch-tables.ts";
import { type Desk, openDesk } from "../desk.ts";
import type { BenchInstallation, Costs } from "../installation.ts";
import { type OpenSet, openPeopleSet } from "../people-set.ts";
import { type PeerRun, runPeers } from "../peer/peers.ts";
import { median } from "../statistics.ts";
import {
  type BenchContext,
  check,
  type Check,
  COUNTRY,
  type Figure,
  figure,
  type Unit,
} from "../unit.ts";
import { waitUntil } from "../wait.ts";

/** The whole country is told within this, on any machine that is not broken. */
const SENT_MS_MAX = 600_000;
/** A queue with one row for each job takes minutes for this many; its rate does not depend on more. */
const PEER_JOBS_MAX = 50_000;
const NATURE = "null channel";

interface EngineRun {
  readonly planned: number;
  readonly acceptedMs: number;
  readonly durableMs: number;
  readonly ledgerMs: number;
  readonly sealMs: number;
  /** Undefined where nobody counts processor time. */
  readonly sendCpuSeconds: number | undefined;
  readonly sealCpuSeconds: number | undefined;
  readonly bytes: number;
  readonly sums: boolean;
}

export const engine: Unit = {
  name: "engine",
  title: "One warning to everybody: every recipient's status durable in PostgreSQL",
  async run(context) {
    const open = await openPeopleSet(context);
    try {
      const runs: EngineRun[] = [];
      const desk = openDesk(open);
      for (let run = 0; run < context.runs; run++) {
        const done = await runOnce(open.installation, desk);
        context.say(
          `  ${done.planned} recipients, durable after ${(done.durableMs / 1000).toFixed(2)} s, ` +
            `sealed in ${(done.sealMs / 1000).toFixed(2)} s`,
        );
        runs.push(done);
      }
      const peers = await peersBeside(context, open);
      return {
        figures: [...figuresOf(runs, context), ...peerFigures(peers, runs)],
        checks: [...checksOf(runs, context), ...peers.map(checkPeer)],
      };
    } finally {
      await open.installation.stop();
    }
  },
};

async function runOnce(installation: BenchInstallation, desk: Desk): Promise<EngineRun> {
  const { pool } = installation.connection;
  await clearDispatches(pool);
  const emptyBytes = await dispatchBytes(pool);
  const bulletinId = await desk.prepare({ channels: ["null"] });
  const before = installation.costs();
  const { dispatchId, askedMs, acceptedMs } = await desk.issue(bulletinId);
  await waitUntil(SENT_MS_MAX, async () => {
    const { rows } = await pool.query(
      "SELECT FROM shard WHERE dispatch_id = $1 AND state <> 'closed' LIMIT 1",
      [dispatchId],
    );
    return rows.length === 0;
  });
  const durableMs = clockMs() - askedMs;
  const sent = installation.costs();
  const summary = await desk.summary(dispatchId);
  const ledgerMs = clockMs() - askedMs;
  const { planned = 0, state } = summary.channels.null ?? {};
  const { sealMs, sealCpuSeconds } = await sealOnce(installation, dispatchId);
  await pool.query("VACUUM dispatch, audience, shard, journal, fold");
  const { residents, concerned } = summary.audience;
  return {
    planned,
    acceptedMs,
    durableMs,
    ledgerMs,
    sealMs,
    sealCpuSeconds,
    sendCpuSeconds: before && sent && cpuSeconds(sent) - cpuSeconds(before),
    bytes: (await dispatchBytes(pool)) - emptyBytes,
    sums: state?.sent === planned && planned === residents + concerned,
  };
}

const cpuSeconds = ({ server, postgres }: Costs): number => server.cpuSeconds + postgres.cpuSeconds;

/**
 * Folds and seals as the ledger's process does when the time of a dispatch is over, with its facts
 * in memory. That process does it some minutes later; here it is done at once, to be measured.
 */
async function sealOnce(installation: BenchInstallation, dispatchId: string) {
  const { pool } = installation.connection;
  const log = createLogger("silent", "bench");
  const ledger = await Ledger.open({ pool, failPoint: noFailPoint, log });
  await ledger.summarize(dispatchId);
  const before = installation.costs();
  const own = process.cpuUsage();
  const startedMs = performance.now();
  await ledger.seal(dispatchId);
  const sealMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(own);
  const after = installation.costs();
  const sealCpuSeconds =
    before &&
    after &&
    after.postgres.cpuSeconds - before.postgres.cpuSeconds + (user + system) / 1e6;
  return { sealMs, sealCpuSeconds };
}

function figuresOf(runs: readonly EngineRun[], { isSmall, subscribers }: BenchContext): Figure[] {
  const of = (pick: (run: EngineRun) => number) => runs.map(pick);
  const perSecond = of(({ planned, durableMs }) => planned / (durableMs / 1000));
  const sealed = of(({ planned, durableMs, sealMs }) => planned / ((durableMs + sealMs) / 1000));
  const perMillion = (pick: (run: EngineRun) => number | undefined) =>
    of((run) => ((pick(run) ?? Number.NaN) / run.planned) * 1e6);
  // What issuing costs is most of a warning to fewer.
  const rate = subscribers < COUNTRY ? {} : { target: { atLeast: 10_000_000 } };
  const disk = isSmall ? {} : { target: { atMost: 12 } };
  return [
    figure("issue to all durable", "recipients/s", perSecond, NATURE, rate),
    figure(
      "issue to all durable",
      "s",
      of(({ durableMs }) => durableMs / 1000),
      NATURE,
    ),
    figure("the same with fold and seal", "recipients/s", sealed, NATURE),
    figure(
      "issue to exact figures by the ledger",
      "s",
      of((r) => r.ledgerMs / 1000),
      NATURE,
    ),
    figure(
      "fold and seal",
      "s",
      of(({ sealMs }) => sealMs / 1000),
      NATURE,
    ),
    figure(
      "processor time to durable",
      "CPU-s/million",
      perMillion((r) => r.sendCpuSeconds),
      NATURE,
    ),
    figure(
      "processor time of fold and seal",
      "CPU-s/million",
      perMillion((r) => r.sealCpuSeconds),
      NATURE,
    ),
    figure(
      "issue accepted",
      "ms",
      of(({ acceptedMs }) => acceptedMs),
      NATURE,
    ),
    figure(
      "disk after seal",
      "bytes/recipient",
      of(({ bytes, planned }) => bytes / planned),
      NATURE,
      disk,
    ),
  ];
}

const checksOf = (runs: readonly EngineRun[], { subscribers }: BenchContext): Check[] => [
  check(
    "engine: every subscriber is planned",
    runs.every((run) => run.planned === subscribers),
  ),
  check(
    "engine: the states sum to the planned, all sent",
    runs.every(({ sums }) => sums),
  ),
];

/** The queues run once: their rates are far apart from ours, and they take long. */
async function peersBeside(context: BenchContext, { installation }: OpenSet): Promise<PeerRun[]> {
  const jobs = Math.min(context.subscribers, context.isSmall ? 2_000 : PEER_JOBS_MAX);
  return runPeers(installation, jobs, context.say);
}

const checkPeer = ({ name, jobs, done }: PeerRun): Check =>
  check(`engine: ${name} did every job`, jobs === done);

function peerFigures(peers: readonly PeerRun[], runs: readonly EngineRun[]): Figure[] {
  const ours = median(runs.map(({ planned, durableMs }) => planned / (durableMs / 1000)));
  return peers.flatMap(({ name, jobs, seconds, cpuSeconds }) => {
    const rate = jobs / seconds;
    const note = `${jobs} recipients, enqueued and done; Loa is ${Math.round(ours / rate)} times as fast`;
    const cpu = cpuSeconds === undefined ? Number.NaN : (cpuSeconds / jobs) * 1e6;
    return [
      figure(`${name}: enqueue to all done`, "recipients/s", [rate], "peer", { note }),
      figure(`${name}: processor time`, "CPU-s/million", [cpu], "peer"),
    ];
  });
}
