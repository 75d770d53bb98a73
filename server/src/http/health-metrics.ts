// What /metrics says: the facts of the watch, the figures of the database and what every process
// counts, as families. A figure that is not known is left out, never given as 0.
import { COUNTERS, GAUGES, type Labels, type Sample } from "../observe/counters.ts";
import { type Family, single } from "../observe/metrics.ts";
import type { HeardReport } from "../observe/process-report.ts";
import {
  isShed,
  REASON_CODES,
  SHEDDING,
  type Shedding,
  STATUSES,
  statusOf,
} from "../observe/reason.ts";
import type { Vitals } from "../observe/vitals.ts";
import type { InstallationState } from "./health.ts";

export function describeMetrics(state: InstallationState, version: string): Family[] {
  return [
    ...describeState(state, version),
    ...describeDatabase(state),
    ...describeCounts(state.facts.processes),
    ...describeProcesses(state),
  ];
}

const gauge = (name: string, help: string, samples: Family["samples"]): Family => ({
  name,
  help,
  type: "gauge",
  samples,
});

function describeState({ reasons, shedding }: InstallationState, version: string): Family[] {
  const status = statusOf(reasons);
  const works = SHEDDING.filter((each): each is Exclude<Shedding, "nothing"> => each !== "nothing");
  return [
    gauge("loa_info", "Always 1; the version is the label", [{ labels: { version }, value: 1 }]),
    gauge(
      "loa_status",
      "1 for the state that holds",
      STATUSES.map((each) => ({ labels: { status: each }, value: Number(each === status) })),
    ),
    gauge(
      "loa_reason",
      "1 for each reason that stands",
      REASON_CODES.map((code) => ({
        labels: { code },
        value: Number(reasons.some((reason) => reason.code === code)),
      })),
    ),
    gauge(
      "loa_shedding",
      "1 for each kind of work that gives way to warnings",
      works.map((work) => ({ labels: { work }, value: Number(isShed(shedding, work)) })),
    ),
  ];
}

function describeDatabase({ facts, figures, reasons }: InstallationState): Family[] {
  const { database, supervisor } = facts;
  const disk = supervisor?.disk;
  const isAway = reasons.some(({ code }) => code === "database-unreachable");
  const counted = ({ count, ...labels }: { readonly count: number }) => ({
    labels: labels as Labels,
    value: count,
  });
  const toSeconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000);
  return [
    single("loa_database_up", "Whether the database answers", Number(!isAway)),
    single(
      "loa_database_latency_seconds",
      "The fastest of the last few commits of one row",
      database.latencyMs / 1_000,
    ),
    single("loa_database_bytes", "Size of the database", figures?.databaseBytes),
    single("loa_disk_free_bytes", "Free on the disk of the data folder", disk?.freeBytes),
    single("loa_disk_total_bytes", "Size of the disk of the data folder", disk?.totalBytes),
    gauge("loa_dispatches", "Dispatches by state", (figures?.dispatches ?? []).map(counted)),
    gauge(
      "loa_shards",
      "Shards of dispatches that are not sealed",
      (figures?.shards ?? []).map(counted),
    ),
    gauge(
      "loa_area_orders",
      "Area orders of dispatches that are not sealed",
      (figures?.orders ?? []).map(counted),
    ),
    single(
      "loa_oldest_open_warning_age_seconds",
      "Since the oldest warning that is not handed over to everybody was issued; 0 if there is none",
      figures && (toSeconds(facts.oldestWarningMs) ?? 0),
    ),
    single("loa_journal_rows", "Journal rows that are not folded", figures?.journalRows),
    single(
      "loa_last_backup_age_seconds",
      "Since the last backup that arrived whole; missing if there is none",
      toSeconds(facts.backupAgeMs),
    ),
    single(
      "loa_last_backup_bytes",
      "Size of the last backup",
      figures?.lastBackup ? figures.lastBackup.bytes : undefined,
    ),
  ];
}

function describeCounts(processes: readonly HeardReport[]): Family[] {
  const family = (
    type: Family["type"],
    table: Readonly<Record<string, string>>,
    pick: (report: HeardReport) => readonly Sample[],
  ): Family[] =>
    Object.entries(table).map(([name, help]) => ({
      name,
      help,
      type,
      samples: processes.flatMap((report) =>
        pick(report)
          .filter((sample) => sample.name === name)
          .map(({ labels, value }) => ({ labels: { process: report.name, ...labels }, value })),
      ),
    }));
  return [
    ...family("counter", COUNTERS, (report) => report.counters),
    ...family("gauge", GAUGES, (report) => report.gauges),
  ];
}

const PROCESS_GAUGES: readonly (readonly [
  name: string,
  help: string,
  read: (vitals: Vitals) => number | undefined,
])[] = [
  ["loa_process_resident_bytes", "Memory of a process", (vitals) => vitals.rssBytes],
  ["loa_process_heap_bytes", "Of that, JavaScript's heap", (vitals) => vitals.heapUsedBytes],
  ["loa_process_heap_max_bytes", "Heap at which it dies", (vitals) => vitals.heapMaxBytes],
  [
    "loa_process_event_loop_lag_seconds",
    "Longest that its event loop was blocked in the last seconds",
    (vitals) => vitals.loopLagMs / 1_000,
  ],
  ["loa_process_open_files", "Files and sockets it has open", (vitals) => vitals.openFiles],
  ["loa_process_open_files_max", "How many it may", (vitals) => vitals.openFilesMax],
  ["loa_process_uptime_seconds", "Since it started", (vitals) => vitals.uptimeSeconds],
];

function describeProcesses({ facts: { processes, supervisor } }: InstallationState): Family[] {
  const children = supervisor?.children ?? [];
  const up = children.map(({ name }) => ({
    labels: { process: name },
    value: Number(processes.some((report) => report.name === name)),
  }));
  const restarts: Family = {
    name: "loa_process_restarts_total",
    help: "How often the supervisor started a process again",
    type: "counter",
    samples: children.map(({ name, restarts }) => ({ labels: { process: name }, value: restarts })),
  };
  const gauges = PROCESS_GAUGES.map(([name, help, read]) =>
    gauge(
      name,
      help,
      processes.flatMap((report) => {
        const value = read(report.vitals);
        return value === undefined ? [] : [{ labels: { process: report.name }, value }];
      }),
    ),
  );
  const vitals = processes.at(-1)?.vitals;
  return [
    gauge("loa_process_up", "Whether a process was heard lately", up),
    restarts,
    ...gauges,
    single("loa_memory_free_bytes", "Memory that the machine has left", vitals?.memoryFreeBytes),
    single("loa_memory_total_bytes", "Memory of the machine", vitals?.memoryTotalBytes),
  ];
}
