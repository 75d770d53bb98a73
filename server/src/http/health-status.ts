// The status as an operator's program reads it: the same facts as the metrics, as one document.
import type { Health, OperatorStatus } from "@loa/api/health.ts";
import type { Sample } from "../observe/counters.ts";
import type { ChildState, HeardReport } from "../observe/process-report.ts";
import type { InstallationState } from "./health.ts";

export function describeStatus(state: InstallationState, health: Health): OperatorStatus {
  const { facts, figures, reasons, shedding } = state;
  const counters = facts.processes.flatMap((report) => report.counters);
  const gauges = facts.processes.flatMap((report) => report.gauges);
  const details = new Map<string, string>(reasons.map(({ code, detail }) => [code, detail]));
  return {
    ...health,
    reasons: health.reasons.map((each) => ({ ...each, detail: details.get(each.code) ?? "" })),
    shedding,
    databaseFigures: {
      latencyMs: round(facts.database.latencyMs),
      answeredMsAgo: round(facts.database.answeredMsAgo),
      bytes: figures?.databaseBytes ?? null,
    },
    disk: facts.supervisor?.disk ?? null,
    dispatches: [...(figures?.dispatches ?? [])],
    shards: [...(figures?.shards ?? [])],
    orders: [...(figures?.orders ?? [])],
    oldestOpenWarningSeconds: toSeconds(facts.oldestWarningMs),
    journalRows: figures?.journalRows ?? null,
    outcomes: sumBy(counters, "loa_outcomes_total", ["channel", "outcome"]).map(
      ([[channel = "", outcome = ""], count]) => ({ channel, outcome, count }),
    ),
    receipts: sumBy(counters, "loa_receipts_total", ["verdict"]).map(([[verdict = ""], count]) => ({
      verdict,
      count,
    })),
    streams: {
      connections: sumBy(gauges, "loa_live_connections", [])[0]?.[1] ?? 0,
      ended: sumBy(counters, "loa_streams_ended_total", ["reason"]).map(
        ([[reason = ""], count]) => ({ reason, count }),
      ),
    },
    processes: describeProcesses(facts.processes, facts.supervisor?.children ?? []),
    lastBackup: figures?.lastBackup
      ? {
          at: figures.lastBackup.at.toISOString(),
          ageSeconds: toSeconds(facts.backupAgeMs) ?? 0,
          bytes: figures.lastBackup.bytes,
        }
      : null,
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;
const toSeconds = (ms: number | undefined): number | null =>
  ms === undefined ? null : Math.round(ms / 1_000);

/** Sums of one name over all processes, by the values of some labels. */
function sumBy(
  samples: readonly Sample[],
  name: string,
  labels: readonly string[],
): [values: string[], sum: number][] {
  const sums = new Map<string, { values: string[]; sum: number }>();
  for (const sample of samples) {
    if (sample.name !== name) continue;
    const values = labels.map((label) => sample.labels[label] ?? "");
    const key = values.join("\n");
    const known = sums.get(key) ?? { values, sum: 0 };
    known.sum += sample.value;
    sums.set(key, known);
  }
  return [...sums]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { values, sum }]) => [values, sum]);
}

/** Everybody who was heard, and everybody who should be. */
function describeProcesses(
  reports: readonly HeardReport[],
  children: readonly ChildState[],
): OperatorStatus["processes"] {
  const names = new Set([...reports, ...children].map(({ name }) => name));
  return [...names].toSorted().map((name) => {
    const report = reports.find((each) => each.name === name);
    const child = children.find((each) => each.name === name);
    const vitals = report?.vitals;
    return {
      name,
      role: report?.role ?? child?.role ?? "",
      pid: report?.pid ?? child?.pid ?? null,
      isRunning: report !== undefined,
      restarts: child?.restarts ?? 0,
      leaseLosses: sumBy(report?.counters ?? [], "loa_lease_losses_total", [])[0]?.[1] ?? 0,
      residentBytes: vitals?.rssBytes ?? null,
      heapBytes: vitals?.heapUsedBytes ?? null,
      eventLoopLagMs: vitals ? round(vitals.loopLagMs) : null,
      openFiles: vitals?.openFiles ?? null,
      openFilesMax: vitals?.openFilesMax ?? null,
      uptimeSeconds: vitals ? Math.round(vitals.uptimeSeconds) : null,
    };
  });
}
