// What processes cost: processor time and memory of a process with all its children, from Linux'
// /proc. Elsewhere there is no such figure, and it is left out rather than guessed.
//
// A child that has ended is in its parent's sum, so that the difference of two readings is right
// whatever started and ended in between.
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ, which Linux fixes for user space on every platform that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/PID/stat behind the name in brackets, which may hold spaces. */
const STAT = { parent: 1, userTicks: 11, childSystemTicks: 14 } as const;

export interface ProcessCost {
  readonly cpuSeconds: number;
  /** Memory with shared pages divided among those who share them. */
  readonly bytes: number;
}

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

/**
 * Sums over `roots` and everything below them, without trees for whose root `isLeftOut` answers true.
 * Undefined where there is no /proc.
 */
export function readCost(
  roots: readonly number[],
  isLeftOut: (commandLine: string, pid: number) => boolean = () => false,
): ProcessCost | undefined {
  if (process.platform !== "linux") return undefined;
  const all = readStats();
  const queue = all.filter(({ pid }) => roots.includes(pid));
  let ticks = 0;
  let bytes = 0;
  for (let next = queue.pop(); next; next = queue.pop()) {
    const { pid } = next;
    if (isLeftOut(read(`/proc/${pid}/cmdline`), pid)) continue;
    ticks += next.ticks;
    bytes += proportionalBytes(pid);
    queue.push(...all.filter(({ parent }) => parent === pid));
  }
  return { cpuSeconds: ticks / TICKS_PER_SECOND, bytes };
}

/** The children of a process whose command line (arguments apart by NUL) holds `text`. */
export function findChildren(parent: number, text: string): number[] {
  if (process.platform !== "linux") return [];
  return readStats()
    .filter((each) => each.parent === parent && read(`/proc/${each.pid}/cmdline`).includes(text))
    .map(({ pid }) => pid);
}

function readStats(): ProcessStat[] {
  const stats: ProcessStat[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = read(`/proc/${name}/stat`);
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (fields.length < STAT.childSystemTicks) continue;
    const ticks = fields
      .slice(STAT.userTicks, STAT.childSystemTicks + 1)
      .reduce((sum, field) => sum + Number(field), 0);
    stats.push({ pid: Number(name), parent: Number(fields[STAT.parent]), ticks });
  }
  return stats;
}

function proportionalBytes(pid: number): number {
  const match = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`));
  return match ? Number(match[1]) * 1024 : 0;
}

/** Empty when the process ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
