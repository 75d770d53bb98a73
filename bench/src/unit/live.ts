// The live stream: thousands of phones connected to one stream process; a warning to everybody, and
// when the last phone has it; what a connection and a send cost. Then all phones lose their
// connections and come back at once. The phones are in another process on the same two cores.
import { openDesk } from "../desk.ts";
import { clearDispatches } from "../dispatch-tables.ts";
import { type Crowd, startCrowd } from "../crowd/crowd.ts";
import type { BenchInstallation } from "../installation.ts";
import { openPeopleSet } from "../people-set.ts";
import { measureWs, type WsRun } from "../peer/ws.ts";
import { findPhones, streamRequest } from "../phones.ts";
import { readCost } from "../process-cost.ts";
import { countStatements } from "../statements.ts";
import { type BenchContext, check, type Figure, figure, type Unit } from "../unit.ts";
import { waitUntil } from "../wait.ts";

const PHONES = 10_000;
const PHONES_SMALL = 200;
/** Until the ledger has what the stream told. */
const RECORDED_MS_MAX = 60_000;
/** Statements of the stream that come with time and not with phones: leases, looks at the registry. */
const STATEMENTS_MAX = 100;
const NATURE = "plaintext loopback";

interface Broadcast {
  readonly lastAfterRequestMs: number;
  readonly lastAfterIssueMs: number;
  readonly cpuMicrosPerSend: number;
}

export const live: Unit = {
  name: "live",
  title: "10,000 phones on the live stream: a warning, then all come back at once",
  async run(context) {
    const count = context.isSmall ? PHONES_SMALL : PHONES;
    const open = await openPeopleSet(context);
    const crowd = startCrowd();
    try {
      const { installation } = open;
      await clearDispatches(installation.connection.pool);
      const phones = await findPhones(installation, count);
      const idle = costOfStream(installation);
      const { hostname, port } = new URL(installation.stream);
      const { counts } = await crowd.ask({
        kind: "open",
        target: {
          host: hostname,
          port: Number(port),
          requests: phones.map(streamRequest),
          greeting: "event: hello",
          message: "event: warning",
        },
      });
      const connected = costOfStream(installation);
      const desk = openDesk(open);
      const broadcasts: Broadcast[] = [];
      // The first one warms up, as the exercises before a storm do.
      for (let run = 0; run <= context.runs; run++) {
        await crowd.ask({ kind: "forget" });
        const bulletin = await desk.prepare({ channels: ["live"] });
        const before = costOfStream(installation);
        const { askedMs, issuedMs, dispatchId } = await desk.issue(bulletin);
        const last = await crowd.hear(1);
        // What the stream writes down of each phone is part of what a send costs.
        await waitUntil(RECORDED_MS_MAX, async () => {
          const { channels } = await desk.summary(dispatchId);
          return channels.live?.reached.sent === count;
        });
        const after = costOfStream(installation);
        if (run === 0) continue;
        broadcasts.push({
          lastAfterRequestMs: last - askedMs,
          lastAfterIssueMs: last - issuedMs,
          cpuMicrosPerSend: ((after.cpuSeconds - before.cpuSeconds) / count) * 1e6,
        });
      }
      const inForce = context.runs + 1;
      const { ms: stormMs, statements } = await storm(installation, crowd, count, inForce);
      const end = await crowd.ask({ kind: "count" });
      const ws = await measureWs(crowd, count, context.runs);
      return {
        figures: [
          ...broadcastFigures(broadcasts, context),
          figure(
            "memory of a connection",
            "KiB",
            [(connected.bytes - idle.bytes) / count / 1024],
            NATURE,
            context.isSmall
              ? {}
              : {
                  target: { atMost: 12 },
                  note: "of the process; the kernel's buffers are beside it",
                },
          ),
          figure(
            `${count} drop and come back: all caught up`,
            "s",
            [stormMs / 1000],
            NATURE,
            context.isSmall ? {} : { target: { atMost: 5 }, note: `${inForce} warnings in force` },
          ),
          ...wsFigures(ws),
        ],
        checks: [
          check("live: every phone was greeted", counts.greeted === count),
          check(
            "live: every phone heard each warning once after it came back",
            end.counts.heard === count * inForce,
          ),
          check("live: no connection was lost", end.counts.lost === 0),
          check("live: coming back reads nothing from the database", statements <= STATEMENTS_MAX),
        ],
      };
    } finally {
      await crowd.stop();
      await open.installation.stop();
    }
  },
};

async function storm(
  installation: BenchInstallation,
  crowd: Crowd,
  count: number,
  inForce: number,
): Promise<{ ms: number; statements: number }> {
  const counting = await countStatements(installation, "loa-stream");
  const { atMs } = await crowd.ask({ kind: "storm" });
  const last = await crowd.hear(inForce);
  const statements = await counting.stop();
  const { counts } = await crowd.ask({ kind: "count" });
  if (counts.greeted !== count) throw new Error(`${counts.greeted} of ${count} came back`);
  return { ms: last - atMs, statements };
}

function costOfStream(installation: BenchInstallation) {
  return readCost(installation.rolePids("stream")) ?? { cpuSeconds: Number.NaN, bytes: Number.NaN };
}

function broadcastFigures(runs: readonly Broadcast[], { isSmall }: BenchContext): Figure[] {
  const target = (atMost: number) => (isSmall ? {} : { target: { atMost } });
  return [
    figure(
      "request to issue until the last phone has it",
      "ms",
      runs.map((run) => run.lastAfterRequestMs),
      NATURE,
    ),
    figure(
      "issued until the last phone has it",
      "ms",
      runs.map((run) => run.lastAfterIssueMs),
      NATURE,
      {
        ...target(300),
        note: "from the instant that the bulletin bears, before its plan is durable",
      },
    ),
    figure(
      "processor time of the stream for a send",
      "µs",
      runs.map((run) => run.cpuMicrosPerSend),
      NATURE,
      target(25),
    ),
  ];
}

const wsFigures = (runs: readonly WsRun[]): Figure[] => [
  figure(
    "ws: last client has it",
    "ms",
    runs.map((run) => run.lastMs),
    "peer",
    {
      note: "a bare loop over the same number of clients, no ledger, no journal",
    },
  ),
  figure(
    "ws: processor time for a send",
    "µs",
    runs.map((run) => run.cpuMicrosPerSend),
    "peer",
  ),
  figure(
    "ws: memory of a connection",
    "KiB",
    runs.map((run) => run.connectionBytes / 1024),
    "peer",
  ),
];
