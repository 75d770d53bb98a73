// The habits of CONTRIBUTING.md that no other tool checks, each as a test.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const SKIPPED = new Set(["node_modules", "data", ".git", "coverage"]);

/** Every file of ours, relative to the root. */
function listFiles(folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (SKIPPED.has(entry.name)) return [];
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}
const files = listFiles();
const sources = files.filter((file) => /\.(ts|mjs)$/.test(file) && file.includes("/"));
const tested = sources.filter((file) => file.endsWith(".test.ts"));
const shipped = sources.filter((file) => !file.endsWith(".test.ts"));
const documents = files.filter((file) => file.endsWith(".md"));
const read = (file: string): string => readFileSync(join(root, file), "utf8");
/** Lines of those files that match, as file:line. */
const findLines = (paths: readonly string[], pattern: RegExp): string[] =>
  paths.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );

describe("names", () => {
  test("say what is inside: no utils, helpers, common, manager, service, lib, index", () => {
    const vague =
      /(^|[/-])(utils?|helpers?|common|managers?|services?|lib|misc)([/.-]|$)|(^|\/)index\./;
    expect(sources.filter((file) => vague.test(file))).toEqual([]);
  });

  test("of files are kebab-case", () => {
    const kebab = /^(.*\/)?[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.(ts|mjs)$/;
    expect(sources.filter((file) => !kebab.test(file))).toEqual([]);
  });
});

describe("sources", () => {
  test("begin by saying what the file is for", () => {
    expect(shipped.filter((file) => !/^(#!.*\n)?\/[/*]/.test(read(file)))).toEqual([]);
  });

  test("hold no task without an owner", () => {
    const ownerless = /\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b(?!\(#\d+\))/;
    expect(findLines(sources, ownerless)).toEqual([]);
  });

  test("read the environment in one file of each program only", () => {
    const readers = ["server/src/config.ts", "cli/src/environment.ts", "tools/install.mjs"];
    const others = shipped.filter((file) => !readers.includes(file));
    expect(findLines(others, /process\.env\b/)).toEqual([]);
  });

  test("of cap and model know no clock and no chance", () => {
    const pure = shipped.filter((file) => /^(cap|model)\/src\//.test(file));
    const impure = /Date\.now\(|new Date\(\)|performance\.now|Math\.random|random(Bytes|UUID)/;
    expect(findLines(pure, impure)).toEqual([]);
  });
});

test("tests never sleep for a fixed time", () => {
  const sleep = /setTimeout\(\s*(resolve|r|done),|sleep\(\d/;
  expect(findLines(tested, sleep)).toEqual([]);
});

describe("dependencies", () => {
  const manifests = files
    .filter((file) => file.endsWith("package.json"))
    .map((file) => JSON.parse(read(file)) as Record<string, Record<string, string> | undefined>);
  const all = new Map(
    manifests.flatMap((manifest) =>
      ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
        Object.entries(manifest[kind] ?? {}),
      ),
    ),
  );

  test("have exact versions", () => {
    expect([...all].filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual(
      [],
    );
  });

  test("are each explained in docs/dependencies.md", () => {
    const text = read("docs/dependencies.md");
    const explained = (name: string) =>
      text.includes(`\`${name}\``) || text.includes(`\`${name.replace(/\/.*$/, "/*")}\``);
    const foreign = [...all.keys()].filter((name) => !name.startsWith("@loa/"));
    expect(foreign.filter((name) => !explained(name))).toEqual([]);
  });
});

describe("documents", () => {
  test("the changelog keeps its Unreleased section on top, with something in it", () => {
    expect(read("CHANGELOG.md")).toMatch(/^# Changelog\n[\s\S]*?\n## Unreleased\n\n[\s\S]*?\n- /);
  });

  test("link only to what is there", () => {
    const broken = documents.flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)]
        .map((match) => match[1] as string)
        .filter((target) => !existsSync(join(root, dirname(file), target)))
        .map((target) => `${file}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test("every rule of what must never be names tests that are there", () => {
    const text = read("ARCHITECTURE.md");
    const section = /## What must never be\n([\s\S]*?)\n## /.exec(text)?.[1] ?? "";
    const rules = section.split(/\n(?=\d+\. )/).filter((part) => /^\d+\. /.test(part.trim()));
    expect(rules).toHaveLength(12);
    expect(rules.filter((rule) => !rule.includes('.test.ts`: "'))).toEqual([]);
    const missing = [...section.matchAll(/`([\w/.-]+\.ts)`: ("[^"]+"(?:,\s+"[^"]+")*)/g)].flatMap(
      ([, file = "", titles = ""]) =>
        [...titles.matchAll(/"([^"]+)"/g)]
          .map((match) => (match[1] as string).replaceAll(/\s+/g, " "))
          .filter((title) => !existsSync(join(root, file)) || !read(file).includes(title))
          .map((title) => `${file}: ${title}`),
    );
    expect(missing).toEqual([]);
  });
});
