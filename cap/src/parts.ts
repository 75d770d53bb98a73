// Takes an element apart by the schema: which children, how often, in which order (X5). What the
// schema does not know is an error, and is kept as it stood.
import type { Report } from "./report.ts";
import { CAP_NAMESPACE, type Sequence } from "./schema.ts";
import { checkText, clip } from "./text.ts";
import { XmlElement } from "./xml.ts";

const CONTAINERS: ReadonlySet<string> = new Set([
  "info",
  "eventCode",
  "parameter",
  "resource",
  "area",
  "geocode",
]);
/** May stand anywhere: hints to schemas, which are never followed. */
const XSI = "http://www.w3.org/2001/XMLSchema-instance";
const NONE: readonly XmlElement[] = [];

/** The children of an element by name. */
export class Parts {
  readonly #byName: ReadonlyMap<string, readonly XmlElement[]>;

  constructor(byName: ReadonlyMap<string, readonly XmlElement[]>) {
    this.#byName = byName;
  }

  all(name: string): readonly XmlElement[] {
    return this.#byName.get(name) ?? NONE;
  }

  /** The first, where there should be one. */
  one(name: string): XmlElement | undefined {
    return this.#byName.get(name)?.[0];
  }

  /** Its text as written; undefined when it is absent or empty (X8). */
  text(name: string): string | undefined {
    const text = this.one(name)?.text;
    return text === undefined || text.trim() === "" ? undefined : text;
  }
}

/** Checks order and number of the children; leaves out those for which `skip` is true. */
export function takeParts(
  report: Report,
  node: XmlElement,
  { rows, places }: Sequence,
  skip?: (child: XmlElement) => boolean,
): Parts {
  const byName = new Map<string, XmlElement[]>();
  let reached = 0;
  checkAttributes(report, node);
  for (const child of node.children) {
    if (typeof child === "string") {
      if (child.trim() !== "")
        report.error("X5", node, `${node.name} holds text between its elements`);
      continue;
    }
    if (!(child instanceof XmlElement) || skip?.(child) === true) continue;
    const place = child.namespace === CAP_NAMESPACE ? places.get(child.name) : undefined;
    if (place === undefined) {
      keepUnknown(report, child, node);
      continue;
    }
    if (place < reached && !report.mends("element-order", child))
      report.error("X5", child, `${child.name} comes too late in ${node.name}`);
    reached = Math.max(reached, place);
    if (!CONTAINERS.has(child.name)) checkLeaf(report, child, rows[place]?.often === "?");
    const same = byName.get(child.name);
    if (same === undefined) byName.set(child.name, [child]);
    else same.push(child);
  }
  for (const { name, often, rule } of rows) {
    const found = byName.get(name);
    if (found === undefined && (often === "1" || often === "+")) {
      if (name !== "sender") report.error(rule, node, `${node.name} has no ${name}`);
    } else if (found !== undefined && found.length > 1 && (often === "1" || often === "?"))
      report.error("X5", found[1] ?? node, `${name} is there ${found.length} times`);
  }
  return new Parts(byName);
}

function keepUnknown(report: Report, child: XmlElement, node: XmlElement): void {
  report.unknown.push({ path: child.path, xml: child.xml });
  // In an area it could be a shape, and whoever it holds would not be warned.
  if (node.name === "area" || !report.mends("unknown-elements", child))
    report.error("X5", child, `${clip(child.name)} is not an element of ${node.name}`);
}

function checkAttributes(report: Report, node: XmlElement): void {
  for (const { name, namespace, value } of node.attributes) {
    if (namespace === XSI) continue;
    report.unknown.push({ path: `${node.path}/@${name}`, xml: `${name}=${JSON.stringify(value)}` });
    if (!report.mends("unknown-elements", node))
      report.error("X5", node, `${node.name} has no attribute ${clip(name)}`);
  }
}

/** An element of plain text: nothing inside, and the text is checked as such. */
function checkLeaf(report: Report, node: XmlElement, isOptional: boolean): void {
  checkAttributes(report, node);
  for (const child of node.children)
    if (child instanceof XmlElement) keepUnknown(report, child, node);
  const { name, text } = node;
  // It is read as if it were not there, and whoever wrote it may have meant to say something.
  if (isOptional && text.trim() === "") report.warning("X8", node, `${name} is empty`);
  if (name === "derefUri" || name === "polygon" || name === "circle") return;
  checkText(report, node, text);
}
