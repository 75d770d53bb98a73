// The figures of an installation for a person: what is open, what came of it, how each process is.
import type { OperatorStatus } from "@loa/api/health.ts";
import { type Cell, formatFields, formatNumber, formatTable } from "../table.ts";

const MIB = 1024 ** 2;

/** Tables and lines; a table without rows is left out. */
export function describeFigures(status: OperatorStatus): string {
  const { databaseFigures: database, disk, lastBackup, streams } = status;
  const oldest = status.oldestOpenWarningSeconds;
  const gives = status.shedding === "nothing" ? "nothing" : `${status.shedding} and what is less`;
  return [
    formatFields([
      ["Gives way to warnings", gives],
      ["Database", `${database.latencyMs} ms for a commit, ${mebibytes(database.bytes)}`],
      ["Disk", disk ? `${mebibytes(disk.freeBytes)} of ${mebibytes(disk.totalBytes)} free` : null],
      [
        "Last backup",
        lastBackup
          ? `${duration(lastBackup.ageSeconds)} ago, ${mebibytes(lastBackup.bytes)}`
          : "none",
      ],
      ["Oldest open warning", oldest === null ? "none" : `issued ${duration(oldest)} ago`],
      ["Live streams", streams.connections],
      [
        "Streams ended here",
        streams.ended.map(({ reason, count }) => `${reason} ${formatNumber(count)}`).join(", ") ||
          null,
      ],
      [
        "Receipts",
        status.receipts
          .map(({ verdict, count }) => `${verdict} ${formatNumber(count)}`)
          .join(", ") || null,
      ],
      ["Journal rows", status.journalRows],
    ]),
    ...table(
      ["Dispatches", "state", "number"],
      status.dispatches.map((row) => [row.lane, row.state, row.count]),
    ),
    ...table(["Shards", "channel", "state", "number"], status.shards.map(ofChannel)),
    ...table(["Area orders", "channel", "state", "number"], status.orders.map(ofChannel)),
    ...table(
      ["Channel", "outcome", "people"],
      status.outcomes.map((row) => [row.channel, row.outcome, row.count]),
    ),
    ...table(PROCESS_HEADING, status.processes.map(processRow)),
  ].join("\n");
}

const ofChannel = (row: OperatorStatus["shards"][number]): Cell[] => [
  row.lane,
  row.channel,
  row.state,
  row.count,
];

const table = (heading: string[], rows: Cell[][]): string[] =>
  rows.length === 0 ? [] : ["", formatTable(heading, rows)];

const PROCESS_HEADING = [
  "Process",
  "pid",
  "state",
  "restarts",
  "leases lost",
  "memory MiB",
  "loop lag ms",
  "files",
  "files max",
];

const processRow = (each: OperatorStatus["processes"][number]): Cell[] => [
  each.name,
  each.pid === null ? null : String(each.pid),
  each.isRunning ? `for ${duration(each.uptimeSeconds ?? 0)}` : "missing",
  each.restarts,
  each.leaseLosses,
  each.residentBytes === null ? null : Math.round(each.residentBytes / MIB),
  each.eventLoopLagMs === null ? null : Math.round(each.eventLoopLagMs),
  each.openFiles,
  each.openFilesMax,
];

const mebibytes = (bytes: number | null): string =>
  bytes === null ? "size not known" : `${formatNumber(Math.round(bytes / MIB))} MiB`;

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
