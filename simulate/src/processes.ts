// The processes of an installation as the operating system has them, by role, for killing and
// stopping them as an accident would. Only what descends from the one supervisor, or is the
// PostgreSQL of the one data folder, is ever found here.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Victim } from "./plan.ts";

/** One process. */
export interface Seen {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly isStopped: boolean;
}

/** Every process of this machine that may be looked at. */
export function listProcesses(): Seen[] {
  return existsSync("/proc/self/stat") ? readProc() : readPs();
}

function readProc(): Seen[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      // The name of the program stands in parentheses and may hold anything.
      const [state = "", parent = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return [
        {
          pid: Number(name),
          parent: Number(parent),
          isStopped: state === "T",
          // Read when asked for: this looks at every process of the machine, many times a second.
          get command() {
            return readCommand(name);
          },
        },
      ];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}

function readCommand(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

function readPs(): Seen[] {
  const text = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,command="], { encoding: "utf8" });
  return text.split("\n").flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined) return [];
    const isStopped = (state ?? "").startsWith("T");
    return [{ pid: Number(pid), parent: Number(parent), command: command ?? "", isStopped }];
  });
}

/** The processes of one role now, oldest first; none while it is being started again. */
export function findVictims(
  all: readonly Seen[],
  victim: Victim,
  supervisor: number,
  folder: string,
): number[] {
  if (victim === "supervisor") return all.some(({ pid }) => pid === supervisor) ? [supervisor] : [];
  if (victim === "postgres" || victim === "backend") {
    const postmaster = readPostmaster(folder);
    if (!all.some(({ pid }) => pid === postmaster)) return [];
    if (victim === "postgres") return [postmaster];
    return all
      .filter(({ parent, command }) => parent === postmaster && command.includes("loa"))
      .map(({ pid }) => pid);
  }
  return all
    .filter(({ parent, command }) => parent === supervisor && command.includes(`--role ${victim}`))
    .map(({ pid }) => pid)
    .toSorted((a, b) => a - b);
}

/** Everybody of the installation, PostgreSQL and its own processes included. */
export function findAll(all: readonly Seen[], supervisor: number, folder: string): Seen[] {
  const roots = new Set([supervisor, readPostmaster(folder)]);
  return all.filter(({ pid, parent }) => roots.has(pid) || roots.has(parent));
}

/** The process id of the PostgreSQL of a data folder; 0 when none is known. */
export function readPostmaster(folder: string): number {
  try {
    const file = join(folder, "data", "postgresql", "postmaster.pid");
    return Number(readFileSync(file, "utf8").split("\n")[0]);
  } catch {
    return 0;
  }
}
