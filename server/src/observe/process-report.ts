// What each process says of itself once a second, and the desk where the last word of each is kept.
// A process that says nothing for SILENT_MS is not there, whatever it said before.
import type { Sample } from "./counters.ts";
import type { Vitals } from "./vitals.ts";

/** How often a process reports. */
export const REPORT_EVERY_MS = 1_000;
/** A process that was not heard for so long counts as missing: several reports lost in a row. */
export const SILENT_MS = 5_000;
/** Processes kept; more than any installation runs on one machine. */
export const PROCESSES_MAX = 256;

/** A child as the supervisor sees it. */
export interface ChildState {
  /** `worker-0`, `front`, ...: the same over restarts. */
  readonly name: string;
  readonly role: string;
  readonly pid: number | undefined;
  /** How often it died and was started again. */
  readonly restarts: number;
}

/** What only the supervisor knows. */
export interface SupervisorReport {
  readonly children: readonly ChildState[];
  /** Of the data folder; undefined when it cannot be read. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | undefined;
  /** Free bytes below which the disk is low. */
  readonly diskLowBytes: number;
}

/** Plain data, for the bus. */
export interface ProcessReport {
  readonly role: string;
  readonly pid: number;
  readonly vitals: Vitals;
  readonly counters: readonly Sample[];
  readonly gauges: readonly Sample[];
  readonly supervisor?: SupervisorReport;
}

/** A report with the name of its process. */
export interface HeardReport extends ProcessReport {
  /** As the supervisor calls it; a process that it does not know of is called by role and pid. */
  readonly name: string;
}

export class ReportDesk {
  readonly #last = new Map<
    number,
    { readonly report: ProcessReport; readonly heardAtMs: number }
  >();
  #supervisor: SupervisorReport | undefined;

  hear(report: ProcessReport, nowMs: number): void {
    this.#last.delete(report.pid);
    for (const [pid, { heardAtMs }] of this.#last)
      if (nowMs - heardAtMs >= SILENT_MS || this.#last.size >= PROCESSES_MAX)
        this.#last.delete(pid);
    this.#last.set(report.pid, { report, heardAtMs: nowMs });
    if (report.supervisor) this.#supervisor = report.supervisor;
  }

  /** What the supervisor said last, however long ago; undefined before its first word. */
  get supervisor(): SupervisorReport | undefined {
    return this.#supervisor;
  }

  /** Those that were heard lately. */
  present(nowMs: number): HeardReport[] {
    const names = new Map(this.#supervisor?.children.map(({ pid, name }) => [pid, name]));
    return [...this.#last.values()]
      .filter(({ heardAtMs }) => nowMs - heardAtMs < SILENT_MS)
      .map(({ report }) => ({ ...report, name: names.get(report.pid) ?? nameOf(report) }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}

const nameOf = ({ role, pid }: ProcessReport): string =>
  role === "supervisor" ? role : `${role}-pid-${pid}`;
