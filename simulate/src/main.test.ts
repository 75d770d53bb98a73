// The command's manners: what it says and how it ends when it cannot run.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const run = (...options: string[]) =>
  spawnSync(process.execPath, [MAIN, ...options], { encoding: "utf8" });

test("help is told, and ends well", () => {
  const { status, stdout } = run("--help");
  expect({ status, first: stdout.split(" --")[0] }).toEqual({
    status: 0,
    first: "Usage: npm run simulate",
  });
});

test("a wish that cannot be is refused in a sentence, and nothing is started", () => {
  expect(run("--runs", "0")).toMatchObject({
    status: 2,
    stdout: "",
    stderr: "--runs wants a whole number from 1 to 100000\n",
  });
  expect(run("--seeed", "1")).toMatchObject({ status: 2, stdout: "" });
});
