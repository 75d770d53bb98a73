// Reads XML 1.0 with namespaces, safely: bounded before anything is built, no recursion, no document
// type, no entity but XML's own five, nothing fetched. Its cost is linear in the bytes. What is
// refused here is never looked at further.
import { decodeText } from "./encoding.ts";
import {
  CAP_ASK_EVERY,
  CAP_ATTRIBUTES_MAX,
  CAP_BYTES_MAX,
  CAP_DEPTH_MAX,
  CAP_ELEMENTS_MAX,
  CAP_NAME_MAX,
  type CapLimits,
} from "./limit.ts";
import type { CapProblem } from "./message.ts";
import {
  XML_NAMESPACE,
  type XmlAttribute,
  type XmlDocument,
  XmlElement,
  XmlInstruction,
  type XmlScope,
  XmlSource,
} from "./xml.ts";

export type XmlReading =
  | { readonly ok: true; readonly document: XmlDocument }
  | { readonly ok: false; readonly problem: CapProblem };

/** Reads a document. Never throws. */
export function readXml(bytes: Uint8Array, limits: CapLimits = {}): XmlReading {
  const refuse = (rule: string, message: string, line = 0): XmlReading => ({
    ok: false,
    problem: { rule, level: "error", path: "/", line, message },
  });
  if (bytes.byteLength > CAP_BYTES_MAX)
    return refuse("X3", `has ${bytes.byteLength} bytes, ${CAP_BYTES_MAX} are allowed`);
  const decoded = decodeText(bytes);
  if ("fault" in decoded) return refuse("X1", decoded.fault);
  const source = new XmlSource(decoded.text);
  try {
    return { ok: true, document: new Reader(source, limits).readDocument() };
  } catch (cause) {
    if (cause instanceof XmlFault)
      return refuse(cause.rule, cause.message, source.lineOf(cause.at));
    // A document must not bring a server down with a fault of ours.
    return refuse("X1", `cannot be read: ${String(cause).slice(0, 200)}`);
  }
}

/** Leaves the reader from any depth of calls; never leaves this file. */
class XmlFault extends Error {
  readonly rule: string;
  readonly at: number;

  constructor(rule: string, at: number, message: string) {
    super(message);
    this.rule = rule;
    this.at = at;
  }
}

/** XML 1.0, 2.2: what no document may hold; decoded text holds no half of a surrogate pair. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const START =
  ":A-Z_a-z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d" +
  "\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}";
const NAME = new RegExp(`[${START}][${START}\\-.0-9\\u00b7\\u0300-\\u036f\\u203f-\\u2040]*`, "uy");
const VALUE = /[ \t\n]*=[ \t\n]*(?:"([^<"]*)"|'([^<']*)')/y;
const DECLARATION =
  /<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(["'])1\.0\1(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(["'])[A-Za-z][\w.-]*\2)?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(["'])(?:yes|no)\3)?[ \t\n]*\?>/y;
const REFERENCE = /&(?:#x([0-9a-fA-F]{1,8})|#([0-9]{1,8})|(lt|gt|amp|quot|apos));|&/gu;
const NAMED = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const NO_SCOPE: XmlScope = new Map([["xml", XML_NAMESPACE]]);
const NO_ATTRIBUTES: readonly XmlAttribute[] = [];
/** What ends a name and is no letter of any script. */
const ENDS_PLAIN_NAME: ReadonlySet<string> = new Set([">", "/", " ", "\n", "\t", "="]);
const XMLNS = "http://www.w3.org/2000/xmlns/";

class Reader {
  readonly #source: XmlSource;
  readonly #text: string;
  readonly #isLate: (() => boolean) | undefined;
  readonly #open: XmlElement[] = [];
  #at = 0;
  #count = 0;

  constructor(source: XmlSource, { isLate }: CapLimits) {
    this.#source = source;
    this.#text = source.text;
    this.#isLate = isLate;
  }

  readDocument(): XmlDocument {
    const bad = FORBIDDEN.exec(this.#text);
    if (bad !== null) this.#fail("holds a character that XML does not allow", bad.index);
    DECLARATION.lastIndex = 0;
    if (DECLARATION.test(this.#text)) this.#at = DECLARATION.lastIndex;
    else if (/^<\?xml[\s?]/u.test(this.#text)) this.#fail("has a declaration that is not XML 1.0");
    const before = this.#readMisc();
    if (this.#at >= this.#text.length) this.#fail("has no root element");
    if (this.#text[this.#at] !== "<") this.#fail("holds text outside its root element");
    const root = this.#readTree();
    const after = this.#readMisc();
    if (this.#at < this.#text.length) this.#fail("goes on after its root element");
    return { root, source: this.#source, before, after };
  }

  #fail(message: string, at = this.#at, rule = "X1"): never {
    throw new XmlFault(rule, at, message);
  }

  #skipSpace(): boolean {
    const from = this.#at;
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#at > from;
  }

  /** What may stand around the root: space, comments, instructions. */
  #readMisc(): XmlInstruction[] {
    const found: XmlInstruction[] = [];
    for (;;) {
      this.#skipSpace();
      if (this.#text.startsWith("<?", this.#at)) found.push(this.#readInstruction());
      else if (this.#text.startsWith("<!", this.#at)) this.#readComment();
      else return found;
    }
  }

  #readTree(): XmlElement {
    const root = this.#openElement(undefined);
    for (let element = this.#open.at(-1); element !== undefined; element = this.#open.at(-1)) {
      const next = this.#text.indexOf("<", this.#at);
      if (next === -1) this.#fail("ends before all its elements do", this.#text.length);
      if (next > this.#at) this.#readText(element, next);
      this.#at = next;
      const mark = this.#text[next + 1];
      if (mark === "/") this.#closeElement(element);
      else if (mark === "?") element.children.push(this.#readInstruction());
      else if (mark !== "!") this.#openElement(element);
      else if (this.#text.startsWith("<![CDATA[", next)) this.#readCdata(element);
      else this.#readComment();
    }
    return root;
  }

  #readText(element: XmlElement, end: number): void {
    const raw = this.#text.slice(this.#at, end);
    if (raw.includes("]]>")) this.#fail('holds "]]>" in text');
    addText(element, this.#resolve(raw));
  }

  #readCdata(element: XmlElement): void {
    const end = this.#text.indexOf("]]>", this.#at);
    if (end === -1) this.#fail("holds a CDATA section that does not end");
    addText(element, this.#text.slice(this.#at + 9, end));
    this.#at = end + 3;
  }

  #readComment(): void {
    if (!this.#text.startsWith("<!--", this.#at))
      this.#fail("holds a document type declaration", this.#at, "X2");
    const end = this.#text.indexOf("--", this.#at + 4);
    if (end === -1 || this.#text[end + 2] !== ">") this.#fail("holds a comment that does not end");
    this.#at = end + 3;
  }

  #readInstruction(): XmlInstruction {
    const from = this.#at;
    this.#at += 2;
    const target = this.#readName();
    const end = this.#text.indexOf("?>", this.#at);
    if (target.toLowerCase() === "xml" || end === -1)
      this.#fail("holds a processing instruction that is none", from);
    const isSpaced = this.#skipSpace();
    if (!isSpaced && this.#at !== end) this.#fail("holds a processing instruction that is none");
    const data = this.#text.slice(Math.min(this.#at, end), end);
    this.#at = end + 2;
    return new XmlInstruction(target, data);
  }

  #readName(): string {
    const name = this.#plainName() ?? this.#anyName();
    if (name === undefined) this.#fail("holds a tag without a name");
    if (name.length > CAP_NAME_MAX) this.#fail("holds a name that is too long", this.#at, "X3");
    this.#at += name.length;
    return name;
  }

  /** A name of ASCII letters and digits, as nearly all are; the full grammar costs ten times as much. */
  #plainName(): string | undefined {
    let end = this.#at;
    while (isPlain(this.#text.charCodeAt(end))) end++;
    const isWhole = end > this.#at && ENDS_PLAIN_NAME.has(this.#text[end] ?? "");
    const isName = isWhole && !isDigit(this.#text.charCodeAt(this.#at));
    return isName ? this.#text.slice(this.#at, end) : undefined;
  }

  #anyName(): string | undefined {
    NAME.lastIndex = this.#at;
    return NAME.exec(this.#text)?.[0];
  }

  #openElement(parent: XmlElement | undefined): XmlElement {
    const start = this.#at;
    this.#count++;
    if (this.#count > CAP_ELEMENTS_MAX)
      this.#fail(`has more than ${CAP_ELEMENTS_MAX} elements`, start, "X3");
    if (this.#open.length >= CAP_DEPTH_MAX)
      this.#fail(`is more than ${CAP_DEPTH_MAX} elements deep`, start, "X3");
    if (this.#count % CAP_ASK_EVERY === 0 && this.#isLate?.() === true)
      this.#fail("takes too long to read", start, "X3");
    this.#at++;
    const [prefix, name] = this.#split(this.#readName());
    const { attributes, scope } = this.#readAttributes(parent?.scope ?? NO_SCOPE);
    const namespace = this.#namespaceOf(prefix, scope);
    const element = new XmlElement({
      prefix,
      name,
      namespace,
      attributes,
      scope,
      parent,
      source: this.#source,
      start,
    });
    parent?.children.push(element);
    if (this.#text.startsWith("/>", this.#at)) {
      element.closing = this.#at;
      this.#at += 2;
      element.end = this.#at;
    } else if (this.#text[this.#at] === ">") {
      this.#at++;
      this.#open.push(element);
    } else this.#fail("holds a tag that does not end");
    return element;
  }

  #closeElement(element: XmlElement): void {
    element.closing = this.#at;
    this.#at += 2;
    const name = this.#readName();
    const expected = element.prefix === "" ? element.name : `${element.prefix}:${element.name}`;
    if (name !== expected) this.#fail(`ends ${name} where ${expected} is open`, element.closing);
    this.#skipSpace();
    if (this.#text[this.#at] !== ">") this.#fail("holds a tag that does not end");
    this.#at++;
    element.end = this.#at;
    this.#open.pop();
  }

  #readAttributes(outer: XmlScope): {
    attributes: readonly XmlAttribute[];
    scope: XmlScope;
  } {
    if (this.#text[this.#at] === ">") return { attributes: NO_ATTRIBUTES, scope: outer };
    const given = new Map<string, string>();
    while (this.#skipSpace() && this.#text[this.#at] !== ">" && this.#text[this.#at] !== "/") {
      const from = this.#at;
      const name = this.#readName();
      VALUE.lastIndex = this.#at;
      const found = VALUE.exec(this.#text);
      if (found === null) this.#fail(`holds an attribute ${name} without a value`, from);
      if (given.has(name)) this.#fail(`holds the attribute ${name} twice`, from);
      if (given.size >= CAP_ATTRIBUTES_MAX)
        this.#fail(`has more than ${CAP_ATTRIBUTES_MAX} attributes in one tag`, from, "X3");
      this.#at = VALUE.lastIndex;
      given.set(name, this.#resolve((found[1] ?? found[2] ?? "").replaceAll(/[\t\n]/gu, " ")));
    }
    return given.size === 0
      ? { attributes: NO_ATTRIBUTES, scope: outer }
      : this.#bind(given, outer);
  }

  /** Namespaces in XML 1.0: declarations hold for the element itself, so they come first. */
  #bind(
    given: ReadonlyMap<string, string>,
    outer: XmlScope,
  ): { attributes: XmlAttribute[]; scope: XmlScope } {
    const declared: [string, string][] = [];
    const others: [string, string][] = [];
    for (const [name, value] of given) {
      if (name !== "xmlns" && !name.startsWith("xmlns:")) {
        others.push([name, value]);
        continue;
      }
      const prefix = name === "xmlns" ? "" : this.#split(name)[1];
      const isXml = prefix === "xml" || value === XML_NAMESPACE;
      if ((isXml && !(prefix === "xml" && value === XML_NAMESPACE)) || value === XMLNS)
        this.#fail("gives a name of XML's own to something else");
      if (prefix === "xmlns" || (prefix !== "" && value === ""))
        this.#fail(`declares the prefix ${prefix} as nothing`);
      declared.push([prefix, value]);
    }
    const scope = declared.length === 0 ? outer : new Map([...outer, ...declared]);
    const seen = new Set<string>();
    const attributes = others.map(([full, value]) => {
      const [prefix, name] = this.#split(full);
      const namespace = prefix === "" ? "" : this.#namespaceOf(prefix, scope);
      const key = `${namespace} ${name}`;
      if (seen.has(key)) this.#fail(`holds the attribute ${name} twice`);
      seen.add(key);
      return { prefix, name, namespace, value };
    });
    return { attributes, scope };
  }

  #namespaceOf(prefix: string, scope: XmlScope): string {
    const namespace = scope.get(prefix);
    if (namespace === undefined && prefix !== "")
      this.#fail(`uses the prefix ${prefix}, which is not declared`);
    return namespace ?? "";
  }

  #split(full: string): [prefix: string, local: string] {
    const colon = full.indexOf(":");
    if (colon === -1) return ["", full];
    const local = full.slice(colon + 1);
    NAME.lastIndex = 0;
    if (colon === 0 || local.includes(":") || !NAME.test(local))
      this.#fail(`holds the name ${full}, which has its colon in the wrong place`);
    return [full.slice(0, colon), local];
  }

  /** Replaces references: XML's own five, and characters by number. There are no others. */
  #resolve(raw: string): string {
    if (!raw.includes("&")) return raw;
    return raw.replaceAll(
      REFERENCE,
      (whole, hex?: string, decimal?: string, named?: keyof typeof NAMED) => {
        if (named !== undefined) return NAMED[named];
        const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
        const isKnown = whole !== "&" && code <= 0x10_ffff;
        const char = isKnown ? String.fromCodePoint(code) : "";
        if (!isKnown || !char.isWellFormed() || FORBIDDEN.test(char))
          this.#fail("holds an entity that XML does not know");
        return char;
      },
    );
  }
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isPlain = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || isDigit(code);
/** XML 1.0, 2.3; the end of the text is none of them. */
const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 9;

function addText(element: XmlElement, text: string): void {
  if (text === "") return;
  const { children } = element;
  const last = children.at(-1);
  if (typeof last === "string") children[children.length - 1] = last + text;
  else children.push(text);
}
