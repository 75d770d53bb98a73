// What stands behind a source's address: one CAP message, or an Atom or RSS feed whose entries link to
// messages. Read by the one reader of XML that CAP messages are read by: bounded, without document
// types, and nothing is fetched. An entry that vanished says nothing about its message.
import { readXml } from "@loa/cap/read-xml.ts";
import { CAP_NAMESPACE } from "@loa/cap/schema.ts";
import type { XmlElement } from "@loa/cap/xml.ts";

/** Entries of a feed that are looked at; protects those who are asked for each. */
export const FEED_ENTRIES_MAX = 200;
const LINK_MAX = 2_000;
const STAMP_MAX = 200;
/** Protects the front from a document that takes long to read. */
const READ_MS_MAX = 2_000;
const ATOM = "http://www.w3.org/2005/Atom";
const CAP_MEDIA_TYPE = "application/cap+xml";

export interface FeedEntry {
  readonly link: string;
  /** When the feed says it was changed last; empty where it does not say. */
  readonly stamp: string;
}

export type Feed =
  | { readonly kind: "message" }
  | { readonly kind: "feed"; readonly entries: readonly FeedEntry[]; readonly left: number }
  | { readonly kind: "fault"; readonly fault: string };

/** `url` is where it was fetched from; links are made absolute by it. */
export function readFeed(bytes: Uint8Array, url: URL): Feed {
  const startMs = performance.now();
  const reading = readXml(bytes, { isLate: () => performance.now() - startMs > READ_MS_MAX });
  if (!reading.ok) {
    const { rule, line, message } = reading.problem;
    return { kind: "fault", fault: `line ${line}: ${rule}, ${message}` };
  }
  const { root } = reading.document;
  if (root.name === "alert" && root.namespace === CAP_NAMESPACE) return { kind: "message" };
  const links = entriesOf(root);
  if (links === undefined)
    return { kind: "fault", fault: `<${root.name}> is no Atom, no RSS and no CAP 1.2` };
  const entries = new Map<string, FeedEntry>();
  for (const { link, stamp } of links) {
    const absolute = URL.canParse(link, url.href) ? new URL(link, url) : undefined;
    if (absolute === undefined || absolute.href.length > LINK_MAX) continue;
    absolute.hash = "";
    if (absolute.protocol !== "https:" && absolute.protocol !== url.protocol) continue;
    if (!entries.has(absolute.href))
      entries.set(absolute.href, { link: absolute.href, stamp: stamp.slice(0, STAMP_MAX) });
  }
  const all = [...entries.values()];
  return {
    kind: "feed",
    entries: all.slice(0, FEED_ENTRIES_MAX),
    left: Math.max(0, all.length - FEED_ENTRIES_MAX),
  };
}

/** Undefined when it is no feed. */
function entriesOf(root: XmlElement): FeedEntry[] | undefined {
  if (root.name === "feed" && root.namespace === ATOM)
    return children(root, "entry").flatMap((entry) => {
      const link = atomLink(entry);
      return link === undefined ? [] : [{ link, stamp: textOf(entry, "updated", "published") }];
    });
  if (root.name !== "rss" || root.namespace !== "") return undefined;
  return children(root, "channel")
    .flatMap((channel) => children(channel, "item"))
    .flatMap((item) => {
      const enclosed = children(item, "enclosure").find(
        (each) => attribute(each, "type") === CAP_MEDIA_TYPE,
      );
      const link = (enclosed && attribute(enclosed, "url")) ?? textOf(item, "link");
      return link === "" ? [] : [{ link, stamp: textOf(item, "pubDate", "guid") }];
    });
}

/** The link that says it is CAP, or else the one to the entry itself. */
function atomLink(entry: XmlElement): string | undefined {
  const links = [...children(entry, "link"), ...children(entry, "content")];
  const chosen =
    links.find((each) => attribute(each, "type")?.split(";")[0]?.trim() === CAP_MEDIA_TYPE) ??
    links.find((each) => (attribute(each, "rel") ?? "alternate") === "alternate");
  return chosen && (attribute(chosen, "href") ?? attribute(chosen, "src"));
}

const children = (element: XmlElement, name: string): XmlElement[] =>
  element.elements.filter((each) => each.name === name && each.namespace === element.namespace);

const attribute = (element: XmlElement, name: string): string | undefined =>
  element.attributes.find((each) => each.name === name && each.namespace === "")?.value;

function textOf(element: XmlElement, ...names: string[]): string {
  for (const name of names) {
    const text = children(element, name)[0]?.text.trim();
    if (text) return text;
  }
  return "";
}
