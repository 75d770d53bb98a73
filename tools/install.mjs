// Installs what is missing, and then runs a file on the project's own Node, so that every npm
// script works from a fresh clone:
//
//   node tools/install.mjs [file [arguments]]
//
// It runs on whatever Node the machine has (>= 20.19), before the pinned one exists; therefore it is
// plain JavaScript with no dependency. It starts that Node by its path: a shell that once found
// another `node` would take that one again.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const isWindows = process.platform === "win32";

installWhatIsMissing();
const [file, ...args] = process.argv.slice(2);
if (file) runOnPinnedNode([file, ...args]);

function installWhatIsMissing() {
  const marker = join(root, "node_modules", ".loa-installed");
  const wanted = readFileSync(join(root, "package-lock.json"), "utf8");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  process.stderr.write("Installing Loa's dependencies (once, about a minute) ...\n");
  const npm = process.env.npm_execpath;
  // Not `npm ci`: it refuses a lock file that lacks the optional binaries of another platform, and
  // npm leaves those out when it locks on a machine that cannot see them. --no-save keeps to the
  // lock file and does not write it.
  const install = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const command = npm ? [process.execPath, [npm, ...install]] : ["npm", install];
  const { status, error } = spawnSync(command[0], command[1], {
    cwd: root,
    // stdout belongs to what runs afterwards, so npm's own output goes to stderr.
    stdio: ["ignore", 2, 2],
    shell: !npm && isWindows,
  });
  if (status !== 0) {
    const reason = error ? `: ${error.message}` : "";
    process.stderr.write(`npm install failed${reason}. Loa cannot start.\n`);
    process.exit(2);
  }
  writeFileSync(marker, wanted);
}

/** Takes the place of this process as well as can be: same streams, signals passed on, same end. */
function runOnPinnedNode(command) {
  const node = join(root, "node_modules", "node", "bin", isWindows ? "node.exe" : "node");
  // Beside what npm installed, and gone with it. Where it cannot be written, nothing is kept.
  const compiled = join(root, "node_modules", ".cache", "compiled");
  const env = { NODE_COMPILE_CACHE: compiled, ...process.env };
  const child = spawn(node, command, { stdio: "inherit", env });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`${node} cannot be started: ${error.message}\n`);
    process.exit(2);
  });
  child.on("exit", (code, signal) => {
    if (!signal) process.exit(code ?? 2);
    for (const each of signals) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}
