// Canonical XML: the one form of a tree over which signatures are made. Exclusive (the W3C's
// xml-exc-c14n) for what we sign, inclusive (Canonical XML 1.0 and 1.1) for what others signed. Both
// without comments: the tree holds none.
import { CAP_CANONICAL_CHARS_MAX } from "./limit.ts";
import { type XmlAttribute, type XmlDocument, XmlElement, XmlInstruction } from "./xml.ts";

export interface CanonicalForm {
  readonly isExclusive: boolean;
  /** Prefixes that an exclusive form treats as an inclusive one would. */
  readonly inclusivePrefixes?: readonly string[] | undefined;
  /** Elements that are left out: the signature itself. */
  readonly without?: ReadonlySet<XmlElement> | undefined;
}

/** The form of an element; undefined when it would be larger than any message. */
export function canonicalizeElement(element: XmlElement, form: CanonicalForm): string | undefined {
  const writer = new Writer(form);
  writer.writeElement(element, new Map());
  return writer.text;
}

/** The form of a whole document, with the instructions around its root. */
export function canonicalizeDocument(
  { root, before, after }: XmlDocument,
  form: CanonicalForm,
): string | undefined {
  const writer = new Writer(form);
  for (const instruction of before) writer.put(`${formatInstruction(instruction)}\n`);
  writer.writeElement(root, new Map());
  for (const instruction of after) writer.put(`\n${formatInstruction(instruction)}`);
  return writer.text;
}

/** Prefix to namespace, as the nearest element of the output above has it. */
type Rendered = ReadonlyMap<string, string>;

class Writer {
  readonly #form: CanonicalForm;
  readonly #pieces: string[] = [];
  #left = CAP_CANONICAL_CHARS_MAX;

  constructor(form: CanonicalForm) {
    this.#form = form;
  }

  get text(): string | undefined {
    return this.#left < 0 ? undefined : this.#pieces.join("");
  }

  put(piece: string): void {
    this.#left -= piece.length;
    if (this.#left >= 0) this.#pieces.push(piece);
  }

  /** As deep as the tree, which the reader bounds. */
  writeElement(element: XmlElement, above: Rendered): void {
    if (this.#left < 0 || this.#form.without?.has(element) === true) return;
    const name = formatName(element.prefix, element.name);
    const declared = this.#declarationsOf(element, above);
    const here = declared.length === 0 ? above : new Map([...above, ...declared]);
    const { attributes } = element;
    this.put(`<${name}`);
    for (const [prefix, namespace] of declared)
      this.put(` ${prefix === "" ? "xmlns" : `xmlns:${prefix}`}="${escapeValue(namespace)}"`);
    for (const { prefix, name: local, value } of attributes.length > 1
      ? attributes.toSorted(compareAttributes)
      : attributes)
      this.put(` ${formatName(prefix, local)}="${escapeValue(value)}"`);
    this.put(">");
    for (const child of element.children) {
      if (typeof child === "string") this.put(escapeText(child));
      else if (child instanceof XmlElement) this.writeElement(child, here);
      else this.put(formatInstruction(child));
    }
    this.put(`</${name}>`);
  }

  /** Whether only the element's own prefix can be declared here, as with nearly all elements. */
  #isPlain({ attributes }: XmlElement): boolean {
    const { isExclusive, inclusivePrefixes } = this.#form;
    if (!isExclusive || (inclusivePrefixes?.length ?? 0) > 0) return false;
    return attributes.every(({ prefix }) => prefix === "");
  }

  /** The namespaces that must be declared here, in order of their prefixes. */
  #declarationsOf(element: XmlElement, above: Rendered): readonly (readonly [string, string])[] {
    if (this.#isPlain(element)) {
      const namespace = element.scope.get(element.prefix) ?? "";
      const isDeclared =
        element.prefix === "xml" || (above.get(element.prefix) ?? "") === namespace;
      return isDeclared ? NOTHING : [[element.prefix, namespace]];
    }
    const used = new Set([element.prefix, ...element.attributes.map(({ prefix }) => prefix)]);
    // An attribute without prefix is in no namespace, so only the element can use the default one.
    if (element.prefix !== "") used.delete("");
    const prefixes = this.#form.isExclusive
      ? used.union(new Set(this.#form.inclusivePrefixes))
      : used.union(new Set(element.scope.keys()));
    prefixes.delete("xml");
    return [...prefixes]
      .map((prefix): [string, string] => [prefix, element.scope.get(prefix) ?? ""])
      .filter(([prefix, namespace]) => (above.get(prefix) ?? "") !== namespace)
      .toSorted(([a], [b]) => compare(a, b));
  }
}

const NOTHING: readonly (readonly [string, string])[] = [];

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareAttributes = (a: XmlAttribute, b: XmlAttribute): number =>
  compare(a.namespace, b.namespace) || compare(a.name, b.name);

const formatName = (prefix: string, name: string): string =>
  prefix === "" ? name : `${prefix}:${name}`;

const formatInstruction = ({ target, data }: XmlInstruction): string =>
  `<?${target}${data === "" ? "" : ` ${data}`}?>`;

const TEXT = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;" } as const;
const VALUE = {
  "&": "&amp;",
  "<": "&lt;",
  '"': "&quot;",
  "\t": "&#x9;",
  "\n": "&#xA;",
  "\r": "&#xD;",
} as const;

/** Text as canonical XML has it; also how messages are written. */
export const escapeText = (text: string): string =>
  // Most texts hold none of them, and asking is cheaper than replacing nothing.
  /[&<>\r]/.test(text)
    ? text.replaceAll(/[&<>\r]/gu, (char) => TEXT[char as keyof typeof TEXT])
    : text;

const escapeValue = (text: string): string =>
  /[&<"\t\n\r]/.test(text)
    ? text.replaceAll(/[&<"\t\n\r]/gu, (char) => VALUE[char as keyof typeof VALUE])
    : text;
