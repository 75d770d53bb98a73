// Fail points that are armed while the process runs, in a process that really dies of them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ARMED_IN, armedFile, createFailPoints } from "./fail-point.ts";

const FAIL_POINT = new URL("fail-point.ts", import.meta.url).href;

const withFolder = async (story: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "loa-armed-"));
  try {
    await story(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

test("a process dies at the hit that is armed, and at no other instant", () =>
  withFolder(async (folder) => {
    for (const hit of [1, 2, 3])
      writeFileSync(join(folder, armedFile("committed", hit, "kill")), "");
    const program = `
      import { createFailPoints } from ${JSON.stringify(FAIL_POINT)};
      const failPoint = createFailPoints(${JSON.stringify(ARMED_IN + folder)});
      for (const hit of [1, 2, 3, 4]) {
        failPoint("handed-over");
        process.stdout.write(String(hit));
        failPoint("committed");
      }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [, signal] = (await once(child, "close")) as [number | null, string | null];
    expect({ said, signal }).toEqual({ said: "123", signal: "SIGKILL" });
  }));

test("of two processes that come to the instant at once, one fails", () =>
  withFolder(async (folder) => {
    const path = join(folder, armedFile("mid-lease", 1, "throw"));
    writeFileSync(path, "");
    const [one, two] = [createFailPoints(ARMED_IN + folder), createFailPoints(ARMED_IN + folder)];
    expect(() => one("mid-lease")).toThrow("told to fail at mid-lease");
    expect(existsSync(path)).toBe(false);
    expect(() => two("mid-lease")).not.toThrow();
    // Armed again in the running process.
    writeFileSync(path, "");
    expect(() => two("mid-lease")).toThrow("told to fail at mid-lease");
  }));

test("a name that is no fail point is refused", () => {
  expect(() => createFailPoints("handed-over@2,nowhere")).toThrow(
    "no fail point is called nowhere",
  );
});
