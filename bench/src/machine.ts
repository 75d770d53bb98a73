// On what something was measured: a figure without its machine and its commit is a rumour.
import { execFileSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly platform: string;
  readonly commit: string;
  /** The load before the measurement, in processes: above 1 somebody else was busy, too. */
  readonly load: number;
  readonly at: string;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    commit: readCommit(),
    load: Math.round((loadavg()[1] ?? 0) * 10) / 10,
    at: new Date().toISOString().slice(0, 16),
  };
}

function readCommit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    // What a benchmark writes itself says nothing about what was measured.
    const changed = git(
      "status",
      "--porcelain",
      "--untracked-files=no",
      "--",
      ":!docs/benchmarks.*",
    );
    const isClean = changed === "";
    return `${git("rev-parse", "--short", "HEAD")}${isClean ? "" : " and uncommitted changes"}`;
  } catch {
    return "unknown";
  }
}
