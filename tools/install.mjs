// Installs what is missing, so that every npm script works from a fresh clone.
// It runs on whatever Node the machine has (>= 20.19), before the project's own
// pinned Node exists; therefore it is plain JavaScript with no dependency.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const root = fileURLToPath(new URL("..", import.meta.url));
const marker = join(root, "node_modules", ".loa-installed");
const wanted = readFileSync(join(root, "package-lock.json"), "utf8");

if (!existsSync(marker) || readFileSync(marker, "utf8") !== wanted) {
  process.stderr.write("Installing Loa's dependencies (once, about a minute) ...\n");
  // stdout belongs to the command that follows, so npm's own output goes to stderr.
  const npm = process.env.npm_execpath;
  // Not `npm ci`: it refuses a lock file that lacks the optional binaries of another platform, and
  // npm leaves those out when it locks on a machine that cannot see them. --no-save keeps to the
  // lock file and does not write it.
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const command = npm ? [process.execPath, [npm, ...args]] : ["npm", args];
  const { status, error } = spawnSync(command[0], command[1], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: !npm && process.platform === "win32",
  });
  if (status !== 0) {
    process.stderr.write(
      `npm install failed${error ? `: ${error.message}` : ""}. Loa cannot start.\n`,
    );
    process.exit(2);
  }
  writeFileSync(marker, wanted);
}
