// Reads who imports whom from the sources. Type-only imports are kept apart, because only the
// others exist at runtime; a file that is started as a worker thread counts as imported.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync, Visitor } from "oxc-parser";

/** One import as it is written. */
export interface Import {
  readonly from: string;
  /** As spelled: `./area.ts`, `@loa/model/problem.ts`, `node:fs`, `hono`. */
  readonly specifier: string;
  readonly line: number;
  /** value: exists at runtime; type: is erased; url: another thread or process is started on it. */
  readonly kind: "value" | "type" | "url";
}

const SKIPPED = new Set(["node_modules", "data", ".git", "coverage", "dist"]);

/** All TypeScript files below a folder, relative to it, sorted; configuration at the root is not ours. */
export function listSources(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length)
        .replace(/^[/\\]/, ""),
    )
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.includes("/") && !path.split("/").some((part) => SKIPPED.has(part)))
    .toSorted();
}

/** All imports of one file. @throws if the file cannot be parsed. */
export function readImports(root: string, file: string): Import[] {
  const source = readFileSync(join(root, file), "utf8");
  const { program, errors } = parseSync(file, source);
  const [broken] = errors;
  if (broken) throw new Error(`${file}: ${broken.message}`);
  const imports: Import[] = [];
  const add = (specifier: string, start: number, kind: Import["kind"]) =>
    imports.push({ from: file, specifier, line: source.slice(0, start).split("\n").length, kind });
  new Visitor({
    ImportDeclaration: (node) => add(node.source.value, node.start, node.importKind ?? "value"),
    ExportAllDeclaration: (node) => add(node.source.value, node.start, node.exportKind ?? "value"),
    ExportNamedDeclaration: (node) => {
      if (node.source) add(node.source.value, node.start, node.exportKind ?? "value");
    },
    ImportExpression: (node) => {
      if (node.source.type === "Literal") add(String(node.source.value), node.start, "value");
    },
    TSImportType: (node) => add(node.source.value, node.start, "type"),
    NewExpression: (node) => {
      const [url, base] = node.arguments;
      const isUrl = node.callee.type === "Identifier" && node.callee.name === "URL";
      if (!isUrl || url?.type !== "Literal" || base?.type !== "MemberExpression") return;
      if (String(url.value).endsWith(".ts")) add(String(url.value), node.start, "url");
    },
  }).visit(program);
  return imports;
}
