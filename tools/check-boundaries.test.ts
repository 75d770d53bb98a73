import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { checkBoundaries, drawPicture, partOf, readTable, type Table } from "./check-boundaries.ts";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

const TABLE: Table = {
  parts: [
    { name: "model", path: "model", may: [], builtins: ["node:crypto"] },
    { name: "registry", path: "server/src/registry", may: ["model"] },
    { name: "dispatch", path: "server/src/dispatch", may: ["model", "registry", "interface"] },
    { name: "interface", path: "server/src/channel/channel.ts", may: ["model"] },
    { name: "channel", path: "server/src/channel", may: ["model", "interface"] },
    { name: "main", path: "server/src/main.ts", may: ["*"] },
  ],
  testsMay: ["channel"],
};

const planted: string[] = [];
afterEach(() => {
  for (const folder of planted.splice(0)) rmSync(folder, { recursive: true });
});

/** A repository with these files, which may be broken on purpose. */
function plant(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "loa-boundaries-"));
  planted.push(folder);
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), source);
  }
  return folder;
}
const check = (files: Record<string, string>) => checkBoundaries(plant(files), TABLE);

const SOUND = {
  "model/src/problem.ts": 'import { createHash } from "node:crypto";',
  "server/src/registry/area.ts": 'import { Problem } from "@loa/model/problem.ts";',
  "server/src/channel/channel.ts": 'import type { Problem } from "@loa/model/problem.ts";',
  "server/src/channel/null.ts": 'import type { Channel } from "./channel.ts";',
  "server/src/dispatch/plan.ts":
    'import { A } from "../registry/area.ts"; import type { C } from "../channel/channel.ts";',
  "server/src/dispatch/plan.test.ts": 'import { n } from "../channel/null.ts"; import "vitest";',
  "server/src/main.ts": 'import "./dispatch/plan.ts"; import "./channel/null.ts";',
};

test("a sound repository has no faults", () => {
  expect(check(SOUND)).toEqual([]);
});

test.each([
  [
    "a later stage",
    { "server/src/registry/area.ts": '\nimport "../dispatch/lease.ts";' },
    "server/src/registry/area.ts:2: registry may not import dispatch (../dispatch/lease.ts)",
  ],
  [
    "a later stage, for its types only",
    { "server/src/registry/area.ts": 'import type { P } from "../dispatch/lease.ts";' },
    "registry may not import dispatch",
  ],
  [
    "a type inside a type",
    { "server/src/registry/area.ts": 'type P = import("../dispatch/lease.ts").P;' },
    "registry may not import dispatch",
  ],
  [
    "a later stage, on demand",
    { "server/src/registry/area.ts": 'await import("../dispatch/lease.ts");' },
    "registry may not import dispatch",
  ],
  [
    "a later stage, exported again",
    { "server/src/registry/area.ts": 'export * from "../dispatch/lease.ts";' },
    "registry may not import dispatch",
  ],
  [
    "a later stage, as a worker",
    {
      "server/src/registry/area.ts":
        'new Worker(new URL("../dispatch/lease.ts", import.meta.url));',
    },
    "registry may not import dispatch",
  ],
  [
    "more of the channels than their interface",
    { "server/src/dispatch/plan.ts": 'import "../channel/null.ts";' },
    "dispatch may not import channel",
  ],
  [
    "main",
    { "server/src/dispatch/plan.ts": 'import type { X } from "../main.ts";' },
    "dispatch may not import main",
  ],
  [
    "another package by path",
    { "server/src/registry/area.ts": 'import "../../../model/src/problem.ts";' },
    "reaches into model past its exports",
  ],
  [
    "a package that is not there",
    { "server/src/registry/area.ts": 'import "@loa/modle/problem.ts";' },
    "@loa/modle/problem.ts names no file of a package",
  ],
  ["I/O in the model", { "model/src/problem.ts": 'import "node:fs";' }, "may not use node:fs"],
  [
    "a test",
    { "server/src/dispatch/plan.ts": 'import "./plan.test.ts";' },
    "nobody imports a test",
  ],
  [
    "from a folder without a name",
    { "server/src/manager/x.ts": "" },
    "server/src/manager/x.ts: tools/boundaries.json names no part for this folder",
  ],
  [
    "in a circle",
    {
      "server/src/dispatch/plan.ts": 'import "./shard.ts";',
      "server/src/dispatch/shard.ts": 'import "./lease.ts";',
      "server/src/dispatch/lease.ts": 'export { x } from "./plan.ts";',
    },
    "circle of runtime imports: server/src/dispatch/lease.ts → server/src/dispatch/plan.ts → " +
      "server/src/dispatch/shard.ts → server/src/dispatch/lease.ts",
  ],
])("importing %s is found", (_, files, fault) => {
  const faults = check({ ...SOUND, ...files });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain(fault);
});

test("a part may start what it may not import", () => {
  const files = {
    "cli/src/drill.ts": 'spawn(new URL("../../server/src/main.ts", import.meta.url));',
  };
  const cli = { name: "cli", path: "cli", may: [], starts: ["main"] };
  const folder = plant({ ...SOUND, ...files });
  expect(checkBoundaries(folder, { ...TABLE, parts: [...TABLE.parts, cli] })).toEqual([]);
});

test("a circle of types alone is none", () => {
  const files = {
    "server/src/dispatch/plan.ts": 'import "./shard.ts";',
    "server/src/dispatch/shard.ts": 'import type { P } from "./plan.ts";',
  };
  expect(check({ ...SOUND, ...files })).toEqual([]);
});

test("the picture shows the order and leaves out what follows from it", () => {
  const files = {
    "server/src/main.ts":
      'import "./dispatch/plan.ts"; import "./registry/area.ts"; import "./channel/null.ts";',
  };
  expect(drawPicture(plant({ ...SOUND, ...files }), TABLE)).toBe(
    [
      "```mermaid",
      "flowchart TD",
      "  channel[channel] --> interface[interface]",
      "  dispatch[dispatch] --> interface[interface]",
      "  dispatch[dispatch] --> registry[registry]",
      "  main[main] --> channel[channel]",
      "  main[main] --> dispatch[dispatch]",
      "```",
    ].join("\n"),
  );
});

test("the table names every part once, and allows only parts that there are", () => {
  const { parts, testsMay } = readTable(root);
  const names = parts.map((part) => part.name);
  expect(new Set(names).size).toBe(names.length);
  const allowed = parts.flatMap((part) => part.may).filter((name) => name !== "*");
  expect(names).toEqual(expect.arrayContaining([...new Set([...allowed, ...testsMay])]));
});

test("stages stand in flow order: each imports only earlier ones", () => {
  const { parts } = readTable(root);
  const flow = ["registry", "account", "bulletin", "audience", "dispatch", "receipt", "report"];
  for (const part of parts.filter(({ name }) => flow.includes(name))) {
    const later = flow.slice(flow.indexOf(part.name));
    expect(part.may.filter((name) => later.includes(name))).toEqual([]);
  }
});

test("a file belongs to its most specific part", () => {
  expect(partOf(TABLE, "server/src/channel/channel.ts")?.name).toBe("interface");
  expect(partOf(TABLE, "server/src/channel/sms.ts")?.name).toBe("channel");
  expect(partOf(TABLE, "server/src/desk/case.ts")).toBeUndefined();
});
