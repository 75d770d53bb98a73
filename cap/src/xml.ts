// From bytes to a tree of elements, safely: bounded before anything is built, no document type, no
// entity but XML's own five, nothing fetched. What is refused here is never looked at further.
import { parseXml, XmlElement, XmlError, XmlText } from "@rgrove/parse-xml";
import type { CapProblem } from "./message.ts";

/** The largest real message seen has 1.7 MB; protects memory. */
export const CAP_BYTES_MAX = 4 * 1024 * 1024;
/** CAP itself is 4 deep, a signature 8; protects the parser's stack. */
export const CAP_DEPTH_MAX = 32;
/** Protects memory from a document of nothing but tags. */
export const CAP_ELEMENTS_MAX = 50_000;

/** An element with its namespace resolved. */
export interface XmlNode {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: readonly string[];
  readonly children: readonly XmlNode[];
  /** Its own text and that of its children. */
  readonly text: string;
  /** Text beside child elements. */
  readonly mixed: boolean;
  readonly path: string;
  readonly line: number;
}

export type XmlReading =
  | { readonly ok: true; readonly root: XmlNode }
  | { readonly ok: false; readonly problem: CapProblem };

const refuse = (rule: string, message: string, line = 0): XmlReading => ({
  ok: false,
  problem: { rule, level: "error", path: "/", line, message },
});

/** Reads a document. Never throws. */
export function readXml(bytes: Uint8Array): XmlReading {
  if (bytes.byteLength > CAP_BYTES_MAX)
    return refuse("X3", `has ${bytes.byteLength} bytes, ${CAP_BYTES_MAX} are allowed`);
  const text = decode(bytes);
  if (typeof text !== "string") return refuse("X1", text.fault);
  const fault = scan(text);
  if (fault !== undefined) return refuse(fault.rule, fault.message, lineAt(text, fault.at));
  try {
    const document = parseXml(text, { includeOffsets: true });
    if (document.root === null) return refuse("X1", "has no root element");
    return { ok: true, root: resolve(document.root, text) };
  } catch (cause) {
    if (cause instanceof XmlError)
      return refuse("X1", (cause.message.split("\n")[0] as string).slice(0, 300), cause.line);
    // The parser knows no other error; a document must not bring a server down with one of ours.
    return refuse("X1", `cannot be parsed: ${(cause as Error).message.slice(0, 300)}`);
  }
}

const BOMS: readonly (readonly [readonly number[], string])[] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xfe, 0xff], "utf-16be"],
  [[0xff, 0xfe], "utf-16le"],
];

/** The text in the encoding that byte order mark or declaration names; UTF-8 otherwise. */
function decode(bytes: Uint8Array): string | { fault: string } {
  const mark = BOMS.find(([bom]) => bom.every((byte, index) => bytes[index] === byte))?.[1];
  const start = new TextDecoder(mark ?? "latin1").decode(bytes.subarray(0, 400));
  const declared = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/u
    .exec(start)?.[1]
    ?.toLowerCase();
  if (mark !== undefined && declared !== undefined && !mark.startsWith(declared))
    return { fault: `is marked as ${mark} and declared as ${declared}` };
  const encoding = mark ?? declared ?? "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    return cause instanceof RangeError
      ? { fault: `is in ${encoding}, which cannot be read` }
      : { fault: `is not valid ${encoding}` };
  }
}

/** Walks over the tags once, before a tree is built, to refuse what must not be parsed at all. */
function scan(text: string): { rule: string; message: string; at: number } | undefined {
  let depth = 0;
  let elements = 0;
  let at = text.indexOf("<");
  while (at !== -1) {
    let end: number;
    if (text.startsWith("<!--", at)) end = endOf(text, "-->", at);
    else if (text.startsWith("<![CDATA[", at)) end = endOf(text, "]]>", at);
    else if (text.startsWith("<?", at)) end = endOf(text, "?>", at);
    else if (text.startsWith("<!", at))
      return { rule: "X2", message: "holds a document type declaration", at };
    else {
      end = endOfTag(text, at);
      if (text[at + 1] === "/") depth--;
      else {
        elements++;
        if (text[end - 2] !== "/") depth++;
      }
      if (depth > CAP_DEPTH_MAX)
        return { rule: "X3", message: `is more than ${CAP_DEPTH_MAX} elements deep`, at };
      if (elements > CAP_ELEMENTS_MAX)
        return { rule: "X3", message: `has more than ${CAP_ELEMENTS_MAX} elements`, at };
    }
    at = text.indexOf("<", end);
  }
  return undefined;
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? text.length : at + mark.length;
}

/** Attribute values may hold `>`. */
function endOfTag(text: string, from: number): number {
  let quote = "";
  for (let at = from + 1; at < text.length; at++) {
    const char = text[at] as string;
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === ">") return at + 1;
  }
  return text.length;
}

const lineAt = (text: string, at: number): number => {
  let line = 1;
  for (let next = text.indexOf("\n"); next !== -1 && next < at; next = text.indexOf("\n", next + 1))
    line++;
  return line;
};

/** Builds the tree with namespaces and lines; offsets ascend, so lines are counted once. */
function resolve(root: XmlElement, text: string): XmlNode {
  let line = 1;
  let counted = -1;
  const lineOf = (at: number): number => {
    for (let next = text.indexOf("\n", counted + 1); next !== -1 && next < at;) {
      line++;
      counted = next;
      next = text.indexOf("\n", next + 1);
    }
    return line;
  };
  const visit = (
    element: XmlElement,
    scope: ReadonlyMap<string, string>,
    path: string,
  ): XmlNode => {
    const here = scopeOf(element, scope);
    const [prefix, name] = splitName(element.name);
    const own = lineOf(element.start);
    const counts = new Map<string, number>();
    const children: XmlNode[] = [];
    let mixed = false;
    for (const child of element.children) {
      if (child instanceof XmlElement) {
        const local = splitName(child.name)[1];
        const count = (counts.get(local) ?? 0) + 1;
        counts.set(local, count);
        children.push(visit(child, here, `${path}/${local}[${count}]`));
      } else if (child instanceof XmlText && child.text.trim() !== "") mixed = true;
    }
    return {
      name,
      namespace: here.get(prefix) ?? "",
      attributes: Object.keys(element.attributes).filter((attribute) => !isDeclaration(attribute)),
      children,
      text: element.text,
      mixed: mixed && children.length > 0,
      path,
      line: own,
    };
  };
  return visit(root, new Map(), `/${splitName(root.name)[1]}`);
}

/** Namespace declarations, and xsi:schemaLocation, which is a hint and never followed. */
const isDeclaration = (attribute: string): boolean =>
  attribute === "xmlns" || /^(?:xmlns|xsi|xml):/u.test(attribute);

function scopeOf(
  element: XmlElement,
  scope: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const declared = Object.entries(element.attributes).filter(
    ([attribute]) => attribute === "xmlns" || attribute.startsWith("xmlns:"),
  );
  if (declared.length === 0) return scope;
  const inner = new Map(scope);
  for (const [attribute, namespace] of declared)
    inner.set(attribute === "xmlns" ? "" : attribute.slice(6), namespace);
  return inner;
}

function splitName(name: string): [prefix: string, local: string] {
  const colon = name.indexOf(":");
  return colon === -1 ? ["", name] : [name.slice(0, colon), name.slice(colon + 1)];
}
