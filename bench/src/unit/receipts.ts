// What comes back: a gateway that reports packed receipts of everybody, a tenth of them twice, and
// phones that each report for themselves as JSON. Counted exactly, and visible to whoever asks.
import { createKey } from "@loa/api/accounts.ts";
import { createClient } from "@loa/api/client.ts";
import { clearDispatches } from "../dispatch-tables.ts";
import { type Desk, openDesk } from "../desk.ts";
import { keyOfDemonstration, type OpenSet, openPeopleSet } from "../people-set.ts";
import { findPhones } from "../phones.ts";
import { type Poster, startPoster } from "../poster/poster.ts";
import { type BenchContext, check, figure, type Unit } from "../unit.ts";
import { waitUntil } from "../wait.ts";

/** Receipts of a gateway in one run; more say the same. */
const RECEIPTS_MAX = 2_000_000;
const TWICE_SHARE = 0.1;
const PHONES = 10_000;
const PHONES_SMALL = 200;
/** Warnings in force: every phone reports two planes of each, one receipt in a request. */
const WARNINGS = 4;
const PLANES = ["delivered", "read"] as const;
const SENT_MS_MAX = 600_000;
const VISIBLE_MS_MAX = 60_000;
const NATURE = "plaintext loopback";

interface Taken {
  readonly perSecond: number;
  readonly cpuPerMillion: number;
  readonly visibleMs: number;
  readonly isExact: boolean;
}

export const receipts: Unit = {
  name: "receipts",
  title: "Receipts: packed from a gateway, JSON from phones; exact, and visible",
  async run(context) {
    const open = await openPeopleSet(context);
    const poster = startPoster();
    try {
      const packed: Taken[] = [];
      for (let run = 0; run < context.runs; run++)
        packed.push(await takePacked(context, open, poster));
      const json: Taken[] = [];
      const atOnce: Taken[] = [];
      for (let run = 0; run < context.runs; run++) {
        json.push(await takeJson(context, open, poster, false));
        atOnce.push(await takeJson(context, open, poster, true));
      }
      const of = (runs: readonly Taken[], pick: (run: Taken) => number) => runs.map(pick);
      const target = (atLeast: number) => (context.isSmall ? {} : { target: { atLeast } });
      const visible = context.isSmall ? {} : { target: { atMost: 1_000 } };
      return {
        figures: [
          figure(
            "gateway, packed",
            "receipts/s",
            of(packed, (r) => r.perSecond),
            NATURE,
            target(500_000),
          ),
          figure(
            "gateway, packed: processor time",
            "CPU-s/million",
            of(packed, (r) => r.cpuPerMillion),
            NATURE,
          ),
          figure(
            "gateway, packed: visible after the last answer",
            "ms",
            of(packed, (r) => r.visibleMs),
            NATURE,
            visible,
          ),
          figure(
            "phones, JSON, one in a request",
            "receipts/s",
            of(json, (r) => r.perSecond),
            NATURE,
          ),
          figure(
            `phones, JSON, the ${WARNINGS * PLANES.length} of ${WARNINGS} warnings in a request`,
            "receipts/s",
            of(atOnce, (r) => r.perSecond),
            NATURE,
            target(40_000),
          ),
          figure(
            "phones, JSON: processor time",
            "CPU-s/million",
            of(json, (r) => r.cpuPerMillion),
            NATURE,
          ),
          figure(
            "phones, JSON: visible after the last answer",
            "ms",
            of(json, (r) => r.visibleMs),
            NATURE,
            visible,
          ),
        ],
        checks: [
          check(
            "receipts: packed ones are counted exactly",
            packed.every((run) => run.isExact),
          ),
          check(
            "receipts: those of phones are counted exactly",
            [...json, ...atOnce].every((run) => run.isExact),
          ),
        ],
      };
    } finally {
      await poster.stop();
      await open.installation.stop();
    }
  },
};

/** A gateway of the null channel says that everybody's message was delivered. */
async function takePacked(context: BenchContext, open: OpenSet, poster: Poster): Promise<Taken> {
  const { installation } = open;
  const { pool } = installation.connection;
  await clearDispatches(pool);
  const desk = openDesk(open);
  const { dispatchId } = await desk.issue(await desk.prepare({ channels: ["null"] }));
  await waitUntil(SENT_MS_MAX, async () => {
    const { rowCount } = await pool.query("SELECT FROM shard WHERE state <> 'closed' LIMIT 1");
    return rowCount === 0;
  });
  // The ledger holds the dispatch, as it does when a duty officer watches.
  await desk.summary(dispatchId);
  const { rows } = await pool.query<{ ordinal: number }>(
    "SELECT ordinal FROM subscriber WHERE deleted_at IS NULL LIMIT $1",
    [Math.min(context.subscribers, RECEIPTS_MAX)],
  );
  const ordinals = Uint32Array.from(rows, ({ ordinal }) => ordinal);
  const twice = ordinals.subarray(0, Math.floor(ordinals.length * TWICE_SHARE));
  const operator = createClient({
    origin: installation.api,
    key: keyOfDemonstration(installation.folder, "operator"),
  });
  const { key } = await operator.ask(createKey, {
    body: { holder: { gateway: "null" }, label: "benchmark" },
  });
  await poster.ask({ kind: "packed", dispatchId, ordinals, twice });
  return take(open, desk, poster, key, [dispatchId], "null", ordinals.length);
}

/** Each phone says of each warning that it was delivered and read: as it happens, or when it comes back. */
async function takeJson(
  context: BenchContext,
  open: OpenSet,
  poster: Poster,
  isAtOnce: boolean,
): Promise<Taken> {
  const { installation } = open;
  await clearDispatches(installation.connection.pool);
  const desk = openDesk(open);
  const phones = await findPhones(installation, context.isSmall ? PHONES_SMALL : PHONES);
  const dispatchIds: string[] = [];
  for (let i = 0; i < WARNINGS; i++) {
    const { dispatchId } = await desk.issue(await desk.prepare({ channels: ["live"] }));
    await desk.summary(dispatchId);
    dispatchIds.push(dispatchId);
  }
  const tokens = phones.map(({ token }) => token);
  await poster.ask({ kind: "json", isAtOnce, dispatchIds, tokens, planes: PLANES });
  return take(open, desk, poster, "", dispatchIds, "live", phones.length);
}

async function take(
  { installation }: OpenSet,
  desk: Desk,
  poster: Poster,
  key: string,
  dispatchIds: readonly string[],
  channel: "null" | "live",
  people: number,
): Promise<Taken> {
  const before = installation.costs();
  const { posted, ms, problems } = await poster.ask({
    kind: "post",
    stream: installation.stream,
    key,
  });
  const answeredMs = performance.now();
  const after = installation.costs();
  const delivered = async (id: string) =>
    (await desk.summary(id)).channels[channel]?.reached.delivered ?? 0;
  if (problems > 0)
    throw new Error(`${problems} requests with receipts were not answered with 200`);
  await waitUntil(VISIBLE_MS_MAX, async () => {
    const counts = await Promise.all(dispatchIds.map(delivered));
    return counts.every((count) => count >= people);
  });
  const visibleMs = performance.now() - answeredMs;
  const counts = await Promise.all(dispatchIds.map(delivered));
  const cpuSeconds =
    before && after
      ? after.server.cpuSeconds +
        after.postgres.cpuSeconds -
        before.server.cpuSeconds -
        before.postgres.cpuSeconds
      : Number.NaN;
  return {
    perSecond: posted / (ms / 1000),
    cpuPerMillion: (cpuSeconds / posted) * 1e6,
    visibleMs,
    isExact: counts.every((count) => count === people),
  };
}
