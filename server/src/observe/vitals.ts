// How one process is: memory, event loop, open files. Read once a second and published, so that an
// operator sees a process that is about to fail before it does.
import { readdirSync, statSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

/** Readings over which the worst lag of the event loop is kept: one long block stays visible. */
export const LAG_READINGS = 3;
/** Resolution of the lag: below it nobody waits. */
const LAG_RESOLUTION_MS = 10;

/** Holds a name for each open file. */
const OPEN_FILES = process.platform === "linux" ? "/proc/self/fd" : "/dev/fd";

/** Plain data, for the bus. */
export interface Vitals {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapMaxBytes: number;
  /** What the machine, or the container, still has for everybody. */
  readonly memoryFreeBytes: number;
  readonly memoryTotalBytes: number;
  /** Longest that the event loop was blocked in the last LAG_READINGS readings. */
  readonly loopLagMs: number;
  /** Undefined where the system does not say. */
  readonly openFiles: number | undefined;
  readonly openFilesMax: number | undefined;
  readonly uptimeSeconds: number;
}

/** Reads vitals until closed. */
export function openVitals(): { read(): Vitals; close(): void } {
  const delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delay.enable();
  const lags: number[] = [];
  const openFilesMax = readOpenFilesMax();
  return {
    read() {
      // The histogram holds the whole interval, of which the timer's own resolution is no lag.
      lags.push(Math.max(0, delay.max / 1e6 - LAG_RESOLUTION_MS));
      delay.reset();
      if (lags.length > LAG_READINGS) lags.shift();
      const { rss, heapUsed } = process.memoryUsage();
      const constrained = process.constrainedMemory();
      const total = totalmem();
      return {
        rssBytes: rss,
        heapUsedBytes: heapUsed,
        heapMaxBytes: getHeapStatistics().heap_size_limit,
        memoryFreeBytes: process.availableMemory() || freemem(),
        memoryTotalBytes: constrained > 0 && constrained < total ? constrained : total,
        loopLagMs: Math.max(...lags),
        openFiles: countOpenFiles(),
        openFilesMax,
        uptimeSeconds: process.uptime(),
      };
    },
    close: () => void delay.disable(),
  };
}

function countOpenFiles(): number | undefined {
  try {
    // Linux says how many there are as the size of the folder since 6.2; to list the sockets of ten
    // thousand phones would keep the loop from them for milliseconds, every second.
    const counted = process.platform === "linux" ? statSync(OPEN_FILES).size : 0;
    // One of those listed is the reading itself.
    return counted > 0 ? counted : readdirSync(OPEN_FILES).length - 1;
  } catch {
    return undefined;
  }
}

/** How many files and sockets this process may have open; undefined where the system does not say. */
export function readOpenFilesMax(): number | undefined {
  const report = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } };
  };
  const soft = Number(report.userLimits?.open_files?.soft);
  return Number.isFinite(soft) ? soft : undefined;
}
