// `npm run check`: everything that CI does, in its order, stopping at the first failure.
//
//   npm run check -- --report FILE    also writes Vitest's results as JSON
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { report } = parseArgs({ options: { report: { type: "string" } } }).values;
const reporters = report ? ["--reporter=default", "--reporter=json", `--outputFile=${report}`] : [];

/** Name, and the command that must succeed. Cheap ones first. */
const STEPS: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ["format", "oxfmt", "--check"],
  ["lint", "oxlint", "--type-aware"],
  ["types", "tsc", "--project", "."],
  ["boundaries", "node", "tools/check-boundaries.ts"],
  ["dead code", "knip", "--no-progress"],
  ["generated documents", "node", "tools/generate-docs.ts", "--check"],
  ["tests", "vitest", "run", ...reporters],
];

const seconds = (sinceMs: number): string =>
  `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

const begunMs = performance.now();
for (const [name, command, ...args] of STEPS) {
  process.stdout.write(`\n── ${name}: ${[command, ...args].join(" ")}\n`);
  const stepMs = performance.now();
  // npm put node_modules/.bin in front of the path, where the pinned Node is too.
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    const reason = error ? `: ${error.message}` : "";
    process.stdout.write(`\n✗ ${name} failed after ${seconds(stepMs)}${reason}\n`);
    process.exit(1);
  }
  process.stdout.write(`✓ ${name} in ${seconds(stepMs)}\n`);
}
process.stdout.write(`\n✓ all ${STEPS.length} steps in ${seconds(begunMs)}\n`);
