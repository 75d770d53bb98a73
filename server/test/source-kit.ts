// What tests of CAP sources share: a web server that is a feed, for as long as a test lasts, and CAP
// messages of Sông Lụa that are in force now.
import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { formatLocalTime } from "@loa/model/local-time.ts";

export interface FeedServer extends AsyncDisposable {
  readonly origin: string;
  /** What was asked for, in order. */
  readonly asked: { readonly path: string; readonly headers: http.IncomingHttpHeaders }[];
  answer: (request: http.IncomingMessage, response: http.ServerResponse) => void;
}

export async function openFeedServer(): Promise<FeedServer> {
  const asked: FeedServer["asked"] = [];
  const feed: { answer: FeedServer["answer"] } = { answer: (_, response) => response.end() };
  const server = http.createServer((request, response) => {
    asked.push({ path: request.url ?? "", headers: request.headers });
    feed.answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return Object.assign(feed, {
    origin: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  });
}

const text = readFileSync(
  new URL("../../cap/fixtures/song-lua-typhoon.xml", import.meta.url),
  "utf8",
);
export const SENDER = "kttv@songlua.example";

export const minutesFromNow = (minutes: number): string =>
  formatLocalTime(new Date(Math.floor(Date.now() / 1000 + minutes * 60) * 1000));

export interface MessageWish {
  readonly identifier: string;
  readonly msgType?: "Alert" | "Update" | "Cancel";
  readonly sent?: string;
  readonly status?: string;
  /** `[identifier, sent]` of the messages that it follows. */
  readonly follows?: readonly (readonly [identifier: string, sent: string])[];
  readonly areas?: readonly string[];
  readonly change?: (text: string) => string;
}

/** The typhoon of the fixtures as a message of now, for the communes of the bulletins' small world. */
export function capMessage(wish: MessageWish): Uint8Array<ArrayBuffer> {
  const { identifier, msgType = "Alert", sent = minutesFromNow(-1), follows = [] } = wish;
  const references = follows.map(([name, at]) => `${SENDER},${name},${at}`).join(" ");
  let codes = [...(wish.areas ?? ["SL001", "SL002"])];
  const xml = text
    .replace(/<identifier>[^<]*/u, `<identifier>${identifier}`)
    .replace(/<sent>[^<]*/u, `<sent>${sent}`)
    .replace(/<status>[^<]*/u, `<status>${wish.status ?? "Actual"}`)
    .replace(/<msgType>[^<]*/u, `<msgType>${msgType}`)
    .replace(
      /\s*<references>[^<]*<\/references>/u,
      references === "" ? "" : `<references>${references}</references>`,
    )
    .replaceAll(/<(effective|onset)>[^<]*/gu, `<$1>${sent}`)
    .replaceAll(/<expires>[^<]*/gu, `<expires>${minutesFromNow(360)}`)
    .replaceAll(/(loa\.sourceTime<\/valueName>\s*<value>)[^<]*/gu, `$1${sent}`)
    .replaceAll(/(loa\.area<\/valueName>\s*<value>)[^<]*/gu, (_, lead: string) => {
      const code = codes.shift() ?? (codes = [...(wish.areas ?? ["SL001", "SL002"])]).shift();
      return `${lead}${code}`;
    });
  return new TextEncoder().encode((wish.change ?? ((each) => each))(xml));
}

export const atomFeed = (
  entries: readonly { readonly link: string; readonly updated: string }[],
): string =>
  `<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">${entries
    .map(
      ({ link, updated }) =>
        `<entry><id>${link}</id><updated>${updated}</updated><link type="application/cap+xml" href="${link}"/></entry>`,
    )
    .join("")}</feed>`;

export const rssFeed = (links: readonly string[]): string =>
  `<rss version="2.0"><channel>${links
    .map((link) => `<item><link>${link}</link><guid>${link}</guid></item>`)
    .join("")}</channel></rss>`;
