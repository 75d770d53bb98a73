// What the supervisor reports beside its vitals: its children, and the disk of the data folder, which
// it owns. The disk is looked at before it is asked for, so that a disk that hangs holds nobody up.
import { statfs } from "node:fs/promises";
import type { Bus } from "../bus/bus.ts";
import { Counters } from "../observe/counters.ts";
import type { ChildState, SupervisorReport } from "../observe/process-report.ts";
import { startReporting } from "./process-reporter.ts";

/** How often the disk is looked at: it runs full within seconds. */
export const DISK_EVERY_MS = 500;

export interface SupervisorReportOptions {
  readonly bus: Pick<Bus, "publish">;
  readonly dataFolder: string;
  readonly diskLowBytes: number;
  readonly children: () => readonly ChildState[];
}

/** Reports until the returned function is called. */
export function startSupervisorReport(options: SupervisorReportOptions): () => void {
  const { bus, dataFolder, diskLowBytes, children } = options;
  let disk: SupervisorReport["disk"];
  let isLooking = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      const { bsize, bavail, blocks } = await statfs(dataFolder);
      disk = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch {
      disk = undefined;
    }
    isLooking = false;
  };
  void look();
  const timer = setInterval(() => void look(), DISK_EVERY_MS);
  const stop = startReporting({
    bus,
    role: "supervisor",
    counters: new Counters(),
    supervisor: () => ({ children: children(), disk, diskLowBytes }),
  });
  return () => {
    clearInterval(timer);
    stop();
  };
}
