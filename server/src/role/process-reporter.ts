// Every process says once a second over the bus how it is and what it counted. The front listens
// (operations.ts). A lost report is no loss: the next one says all of it again.
import type { Bus } from "../bus/bus.ts";
import { type CounterName, type Counters, gauge, type Sample } from "../observe/counters.ts";
import {
  type ProcessReport,
  REPORT_EVERY_MS,
  type SupervisorReport,
} from "../observe/process-report.ts";
import { openVitals } from "../observe/vitals.ts";

const LEASE_LOSSES: CounterName = "loa_lease_losses_total";

export interface ReporterOptions {
  readonly bus: Pick<Bus, "publish">;
  readonly role: string;
  readonly counters: Counters;
  /** Connections of the process to the database. */
  readonly pool?: { readonly waitingCount: number };
  readonly lease?: { readonly losses: number };
  readonly gauges?: () => readonly Sample[];
  readonly supervisor?: () => SupervisorReport;
}

/** Reports until the returned function is called. */
export function startReporting(options: ReporterOptions): () => void {
  const { bus, role, counters, pool, lease, gauges, supervisor } = options;
  const vitals = openVitals();
  const report = (): void => {
    const said: ProcessReport = {
      role,
      pid: process.pid,
      vitals: vitals.read(),
      counters: [
        ...counters.samples(),
        ...(lease ? [{ name: LEASE_LOSSES, labels: {}, value: lease.losses }] : []),
      ],
      gauges: [
        ...(gauges?.() ?? []),
        ...(pool ? [gauge("loa_database_queue", pool.waitingCount)] : []),
      ],
      ...(supervisor && { supervisor: supervisor() }),
    };
    bus.publish("process.report", said);
  };
  report();
  const timer = setInterval(report, REPORT_EVERY_MS);
  return () => {
    clearInterval(timer);
    vitals.close();
  };
}
