// Checks that the sources import only what tools/boundaries.json allows, and draws the picture
// of what they do import.
//
// Four things are faults: an import that the table does not allow (type-only ones included), a
// circle of runtime imports, a reach into another package past its exports, and a file in a folder
// that the table does not name.
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { type Import, listSources, readImports } from "./import-graph.ts";

/** A folder or file with a name, and what it may import. */
export interface Part {
  readonly name: string;
  /** A folder, a file, or the beginning of files' names with `*` at its end. */
  readonly path: string;
  /** Names of parts; a part that lies inside an allowed one is allowed too. `*`: all but main. */
  readonly may: readonly string[];
  /** Modules of Node that it may use; all, if the list is missing. */
  readonly builtins?: readonly string[];
  /** Names of parts whose files it may start as a process or thread, and not import. */
  readonly starts?: readonly string[];
  /** May import other packages' files by path; for tools, which generate documents from them. */
  readonly reachIn?: boolean;
}
export interface Table {
  readonly parts: readonly Part[];
  /** What test files may import beside what their part may. */
  readonly testsMay: readonly string[];
}

interface Edge extends Import {
  /** The file that is imported, relative to the root; undefined for what is not ours. */
  readonly to: string | undefined;
}

/** Every fault as one sentence with file and line. An empty list is what we want. */
export function checkBoundaries(root: string, table: Table): string[] {
  const files = listSources(root);
  const homeless = files
    .filter((file) => !partOf(table, file))
    .map((file) => `${file}: tools/boundaries.json names no part for this folder`);
  const edges = readEdges(root, files);
  return [
    ...homeless,
    ...edges.flatMap((edge) => faultOf(table, edge) ?? []),
    ...findCircles(edges).map((circle) => `circle of runtime imports: ${circle.join(" → ")}`),
  ];
}

const readEdges = (root: string, files: readonly string[]): Edge[] =>
  files
    .flatMap((file) => readImports(root, file))
    .map((found) => ({ ...found, to: resolveImport(root, found) }));

/** `./x.ts` beside the importer; `@loa/model/x.ts` is model/src/x.ts, as its exports say. */
function resolveImport(root: string, { from, specifier }: Import): string | undefined {
  if (specifier.startsWith(".")) return posix.normalize(posix.join(posix.dirname(from), specifier));
  const [, folder, path] = /^@loa\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
  if (!folder || !path) return undefined;
  return existsSync(join(root, folder)) ? `${folder}/src/${path}` : undefined;
}

/** The most specific part that a file belongs to. */
export function partOf(table: Table, file: string): Part | undefined {
  return partsAround(table, file)[0];
}

/** All parts that a file lies in, the most specific first. */
const partsAround = (table: Table, file: string): Part[] =>
  table.parts
    .filter(({ path }) =>
      path.endsWith("*")
        ? file.startsWith(path.slice(0, -1))
        : file === path || file.startsWith(`${path}/`),
    )
    .toSorted((a, b) => b.path.length - a.path.length);

const packageOf = (file: string): string => file.split("/")[0] as string;
const isTest = (file: string): boolean => file.endsWith(".test.ts");

function faultOf(table: Table, edge: Edge): string | undefined {
  const part = partOf(table, edge.from);
  if (!part) return undefined;
  const where = `${edge.from}:${edge.line}`;
  if (edge.specifier.startsWith("node:")) {
    const forbidden = part.builtins && !part.builtins.includes(edge.specifier);
    return forbidden && !isTest(edge.from)
      ? `${where}: ${part.name} may not use ${edge.specifier}`
      : undefined;
  }
  if (edge.specifier.startsWith("@loa/") && !edge.to)
    return `${where}: ${edge.specifier} names no file of a package`;
  if (!edge.to) return undefined;
  if (isTest(edge.to)) return `${where}: nobody imports a test (${edge.specifier})`;
  const crosses = packageOf(edge.from) !== packageOf(edge.to);
  if (edge.kind === "url" && mayStart(table, part, edge)) return undefined;
  if (crosses && edge.specifier.startsWith(".") && !part.reachIn)
    return `${where}: reaches into ${packageOf(edge.to)} past its exports (${edge.specifier})`;
  if (isAllowed(table, part, edge)) return undefined;
  const target = partOf(table, edge.to)?.name ?? "nothing that the table names";
  return `${where}: ${part.name} may not import ${target} (${edge.specifier})`;
}

function mayStart(table: Table, part: Part, edge: Edge): boolean {
  const target = partOf(table, edge.to as string)?.name ?? "";
  return isTest(edge.from) || (part.starts?.includes(target) ?? false);
}

function isAllowed(table: Table, part: Part, edge: Edge): boolean {
  const may = isTest(edge.from) ? [...part.may, ...table.testsMay] : part.may;
  const around = partsAround(table, edge.to as string);
  if (around.some((target) => target.name === part.name || may.includes(target.name))) return true;
  return may.includes("*") && around.length > 0 && around[0]?.name !== "main";
}

/** Groups of files that import one another at runtime, each as a path that returns to its start. */
function findCircles(edges: readonly Edge[]): string[][] {
  const next = Map.groupBy(
    edges.filter((edge) => edge.kind === "value" && edge.to !== undefined),
    (edge) => edge.from,
  );
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const since = path.indexOf(file);
    if (since !== -1) circles.push([...path.slice(since), file]);
    if (since !== -1 || done.has(file)) return;
    for (const edge of next.get(file) ?? []) visit(edge.to as string, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return circles;
}

/** Parts on which nearly everything stands; drawn as ground and not with an arrow from everyone. */
const GROUND = new Set(["model", "db", "bus", "observe", "config"]);

/**
 * The imports between parts as a Mermaid flowchart. An arrow that follows from others is left out,
 * so that the picture shows the order and not every line.
 */
export function drawPicture(root: string, table: Table): string {
  const arrows = new Map<string, Set<string>>();
  for (const edge of readEdges(root, listSources(root))) {
    const from = partOf(table, edge.from);
    const to = edge.to === undefined ? undefined : partOf(table, edge.to);
    if (!from || !to || from.name === to.name || isTest(edge.from)) continue;
    if (edge.kind === "url") continue;
    if ([from.name, to.name].some((name) => GROUND.has(name) || isAside(name))) continue;
    const targets = arrows.get(from.name) ?? new Set();
    arrows.set(from.name, targets.add(to.name));
  }
  const lines = [...arrows]
    .flatMap(([from, targets]) => [...reduce(arrows, targets)].map((to) => [from, to] as const))
    .map(([from, to]) => `  ${idOf(from)}[${from}] --> ${idOf(to)}[${to}]`);
  return ["```mermaid", "flowchart TD", ...lines.toSorted(), "```"].join("\n");
}

const isAside = (name: string): boolean => ["tools", "bench", "server/test"].includes(name);
const idOf = (name: string): string => name.replaceAll(/\W/g, "_");

/** Only those targets that are not reached through another target. */
function reduce(arrows: Map<string, Set<string>>, targets: Set<string>): string[] {
  const reaches = (from: string, to: string): boolean => {
    const seen = new Set<string>();
    const look = (name: string): boolean =>
      [...(arrows.get(name) ?? [])].some(
        (target) => target === to || (!seen.has(target) && look(seen.add(target) && target)),
      );
    return look(from);
  };
  return [...targets].filter((to) => ![...targets].some((via) => via !== to && reaches(via, to)));
}

export const readTable = (root: string): Table =>
  JSON.parse(readFileSync(join(root, "tools/boundaries.json"), "utf8")) as Table;

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[/\\]$/, "");
  const faults = checkBoundaries(root, readTable(root));
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.stdout.write(`${faults.length} faults in the imports.\n`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
