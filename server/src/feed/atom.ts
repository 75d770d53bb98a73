// Atom (RFC 4287) with a link to each CAP document, and GeoJSON (RFC 7946), of what is in force and
// of what ended within two weeks. An entry's id is the CAP identifier, for ever. An entry that
// vanishes was not cancelled: a cancel is an entry of its own.
import { HAZARDS } from "@loa/model/hazard.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import type { Archive, Choice, Entry } from "./archive.ts";
import { pagePath } from "./compose.ts";
import { type Publication, type PublicState, stepOf } from "./publication.ts";

/** Entries of one feed, the newest: Google's readers take 900 KB, an entry has 2 to 3. */
export const FEED_ENTRIES_MAX = 250;

export interface FeedFacts {
  readonly archive: Archive;
  readonly now: Date;
  readonly origin: string;
}

export interface Fed {
  readonly entry: Entry;
  readonly publication: Publication;
  readonly state: PublicState;
}

/** What a feed holds, newest first. */
export function fedOf({ archive, now }: FeedFacts, choice: Choice): Fed[] {
  return archive
    .list(choice)
    .filter((entry) => archive.isFed(entry, now))
    .slice(0, FEED_ENTRIES_MAX)
    .flatMap((entry) => {
      const publication = archive.publication(entry);
      return publication ? [{ entry, publication, state: archive.stateAt(entry, now) }] : [];
    });
}

export const capPath = (code: string): string => `/feeds/bulletins/${code}/cap.xml`;

export const escapeXml = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

/** @param title in Vietnamese. @param path of this feed. */
export function renderAtom(
  facts: FeedFacts,
  feed: { readonly choice: Choice; readonly title: string; readonly path: string },
): string {
  const fed = fedOf(facts, feed.choice);
  const changed = Math.max(
    0,
    ...fed.map(({ entry, state }) => ("at" in state ? state.at.getTime() : entry.issuedAtMs)),
  );
  const self = facts.origin + feed.path;
  const marked = feed.choice.shelf === "alerts" ? "" : "DIỄN TẬP, THỬ NGHIỆM · ";
  return `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:cap="urn:oasis:names:tc:emergency:cap:1.2" xml:lang="vi">
<id>${escapeXml(self)}</id>
<title>${escapeXml(marked + feed.title)}</title>
<updated>${formatLocalTime(new Date(changed))}</updated>
<link rel="self" type="application/atom+xml" href="${escapeXml(self)}"/>
<link rel="alternate" type="text/html" hreflang="vi" href="${escapeXml(facts.origin)}/"/>
<generator>Loa</generator>
${fed.map((each) => renderEntry(facts.origin, each)).join("\n")}
</feed>
`;
}

function renderEntry(origin: string, { publication, state }: Fed): string {
  const { content, code, account, msgType } = publication;
  const issued = new Date(publication.issuedAt);
  const { vi } = content.texts;
  return `<entry>
<id>${escapeXml(entryId(publication))}</id>
<title>${escapeXml(vi.headline)}</title>
<updated>${formatLocalTime("at" in state ? state.at : issued)}</updated>
<published>${formatLocalTime(issued)}</published>
<author><name>${escapeXml(account.name.vi)}</name></author>
<category term="${STATUS_TERM[content.type]}" scheme="urn:loa:type"/>
<category term="${state.kind}" scheme="urn:loa:state"/>
<category term="${stepOf(publication)}" scheme="urn:loa:step"/>
<link rel="alternate" type="text/html" hreflang="vi" href="${escapeXml(origin + pagePath(code, "vi"))}"/>
<link rel="alternate" type="text/html" hreflang="en" href="${escapeXml(origin + pagePath(code, "en"))}"/>
<link rel="related" type="application/cap+xml" href="${escapeXml(origin + capPath(code))}"/>
<summary>${escapeXml(vi.short)}</summary>
<cap:status>${STATUS_TERM[content.type]}</cap:status>
<cap:msgType>${msgType}</cap:msgType>
<cap:event>${escapeXml(HAZARDS[content.hazard].name.vi)}</cap:event>
<cap:sent>${formatLocalTime(issued)}</cap:sent>
<cap:expires>${formatLocalTime(new Date(publication.expiresAt))}</cap:expires>
</entry>`;
}

/** CAP's status; the same as in the document. */
const STATUS_TERM = { Actual: "Actual", Exercise: "Exercise", PublicTest: "Test" } as const;

/** An IRI, as Atom wants; the identifier is in it as it is. */
const entryId = ({ identifier }: Publication): string => `urn:loa:${identifier}`;
