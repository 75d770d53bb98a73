// The tree of elements from which both the message is read and its signature is verified. There is
// one tree for both, because every attack that wraps or swaps signed content lives from two readers
// that see a document differently.

export const XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace";

export interface XmlAttribute {
  readonly prefix: string;
  readonly name: string;
  readonly namespace: string;
  readonly value: string;
}

/** `<?target data?>`; canonical XML keeps it, CAP ignores it. */
export class XmlInstruction {
  readonly target: string;
  readonly data: string;

  constructor(target: string, data: string) {
    this.target = target;
    this.data = data;
  }
}

/** Text, with CDATA and references resolved, is a string. Comments are not kept. */
export type XmlNode = XmlElement | XmlInstruction | string;

/** Prefix to namespace; the default one has the prefix "". */
export type XmlScope = ReadonlyMap<string, string>;

/** The text of a document, and which line a place in it is on. */
export class XmlSource {
  readonly text: string;
  #lineEnds: number[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  lineOf(at: number): number {
    this.#lineEnds ??= findLineEnds(this.text);
    const ends = this.#lineEnds;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ends[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }
}

function findLineEnds(text: string): number[] {
  const ends: number[] = [];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) ends.push(at);
  return ends;
}

export interface XmlElementParts {
  readonly prefix: string;
  readonly name: string;
  readonly namespace: string;
  readonly attributes: readonly XmlAttribute[];
  readonly scope: XmlScope;
  readonly parent: XmlElement | undefined;
  readonly source: XmlSource;
  readonly start: number;
}

export class XmlElement {
  readonly prefix: string;
  readonly name: string;
  readonly namespace: string;
  /** Without declarations of namespaces. */
  readonly attributes: readonly XmlAttribute[];
  /** The namespaces that hold here. */
  readonly scope: XmlScope;
  readonly parent: XmlElement | undefined;
  readonly source: XmlSource;
  readonly children: XmlNode[] = [];
  #index: number | undefined;
  /** Where its start tag begins, where its end tag begins, and where that ends. */
  readonly start: number;
  closing = 0;
  end = 0;

  constructor(parts: XmlElementParts) {
    this.prefix = parts.prefix;
    this.name = parts.name;
    this.namespace = parts.namespace;
    this.attributes = parts.attributes;
    this.scope = parts.scope;
    this.parent = parts.parent;
    this.source = parts.source;
    this.start = parts.start;
  }

  /** Its own text, without that of its children. */
  get text(): string {
    const [first] = this.children;
    if (this.children.length === 1 && typeof first === "string") return first;
    return this.children.filter((child) => typeof child === "string").join("");
  }

  /** From 1, among the children of its parent that have its local name; for a tree that was read. */
  get index(): number {
    if (this.#index === undefined && this.parent !== undefined) this.parent.#numberElements();
    return this.#index ?? 1;
  }

  /** All at once, when the first path is wanted: each path would cost a walk over siblings. */
  #numberElements(): void {
    const counts = new Map<string, number>();
    for (const child of this.children) {
      if (!(child instanceof XmlElement)) continue;
      child.#index = (counts.get(child.name) ?? 0) + 1;
      counts.set(child.name, child.#index);
    }
  }

  get elements(): XmlElement[] {
    return this.children.filter((child) => child instanceof XmlElement);
  }

  get line(): number {
    return this.source.lineOf(this.start);
  }

  /** As `/alert/info[2]/area[1]`. */
  get path(): string {
    return this.parent === undefined
      ? `/${this.name}`
      : `${this.parent.path}/${this.name}[${this.index}]`;
  }

  /** As it stands in the document. */
  get xml(): string {
    return this.source.text.slice(this.start, this.end);
  }
}

export interface XmlDocument {
  readonly root: XmlElement;
  readonly source: XmlSource;
  /** Instructions before and after the root; canonical XML of the whole document holds them. */
  readonly before: readonly XmlInstruction[];
  readonly after: readonly XmlInstruction[];
}
