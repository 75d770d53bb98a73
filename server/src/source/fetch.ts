// One GET of a feed or a message. The other side may be anybody: it is asked at a public address
// only, its answer is counted while it comes in, before and after it is unpacked, and its time is
// limited as a whole. What goes wrong out there is a value.
import http from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { addressOf, AddressRefused, lookupAllowed } from "./address.ts";

/** Protects the poller from a server that trickles. */
export const FETCH_MS_MAX = 20_000;
/** Protects from servers that send each other's visitors in circles. */
export const REDIRECTS_MAX = 3;
/** Headers of an answer together; protects memory. */
const HEADER_BYTES_MAX = 16 * 1024;
/** A validator is sent back as it came; a longer one is not kept. */
const VALIDATOR_MAX = 512;

export interface FetchOptions {
  readonly bytesMax: number;
  /** Asked for every address that would be connected to, also after a redirect. */
  readonly isAllowed: (address: string) => boolean;
  readonly etag?: string | null;
  readonly lastModified?: string | null;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type Fetched =
  | {
      readonly kind: "body";
      readonly bytes: Uint8Array;
      /** After redirects; links of the body are relative to it. */
      readonly url: URL;
      readonly etag: string | null;
      readonly lastModified: string | null;
    }
  | { readonly kind: "unchanged" }
  | { readonly kind: "fault"; readonly fault: string };

/** Fetches one document. Never throws for what the other side does. */
export async function fetchDocument(url: URL, options: FetchOptions): Promise<Fetched> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? FETCH_MS_MAX);
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout;
  try {
    let at = url;
    for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
      const answer = await requestOnce(at, options, signal);
      if (!("location" in answer)) return answer;
      const next = URL.canParse(answer.location, at.href)
        ? new URL(answer.location, at)
        : undefined;
      if (next === undefined) return fault("it redirects to no address");
      if (at.protocol === "https:" && next.protocol !== "https:")
        return fault("it redirects from https to something else");
      at = next;
    }
    return fault(`it redirects more than ${REDIRECTS_MAX} times`);
  } catch (cause) {
    if (timeout.aborted) return fault("it took too long");
    const { message, code } = cause as NodeJS.ErrnoException;
    return fault(
      cause instanceof AddressRefused ? `${message}, which is not public` : (code ?? message),
    );
  }
}

const fault = (what: string): Fetched => ({ kind: "fault", fault: what });

function requestOnce(
  url: URL,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<Fetched | { readonly location: string }> {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    return Promise.resolve(fault(`${url.protocol} is not fetched`));
  const address = addressOf(url);
  if (address !== undefined && !options.isAllowed(address))
    return Promise.resolve(fault(`it is at ${address}, which is not public`));
  const { promise, resolve, reject } = Promise.withResolvers<
    Fetched | { readonly location: string }
  >();
  const request = (url.protocol === "https:" ? https : http).get(
    url,
    {
      agent: false,
      signal,
      maxHeaderSize: HEADER_BYTES_MAX,
      lookup: lookupAllowed(options.isAllowed),
      headers: {
        accept: "application/cap+xml, application/atom+xml, application/rss+xml, application/xml",
        "accept-encoding": "gzip",
        "user-agent": "Loa",
        ...(options.etag && { "if-none-match": options.etag }),
        ...(options.lastModified && { "if-modified-since": options.lastModified }),
      },
    },
    (response) => {
      readAnswer(url, response, options.bytesMax)
        .then(resolve, reject)
        // Whatever else it would send is not waited for.
        .finally(() => response.destroy());
    },
  );
  request.on("error", reject);
  return promise;
}

async function readAnswer(
  url: URL,
  response: http.IncomingMessage,
  bytesMax: number,
): Promise<Fetched | { readonly location: string }> {
  const { statusCode = 0, headers } = response;
  if (statusCode === 304) return { kind: "unchanged" };
  if ([301, 302, 303, 307, 308].includes(statusCode) && headers.location)
    return { location: headers.location };
  if (statusCode !== 200) return fault(`it answers ${statusCode}`);
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip")
    return fault("it is encoded in another way than gzip");
  const bytes = await readWithin(response, encoding === "gzip", bytesMax);
  if (bytes === undefined) return fault(`it has more than ${bytesMax} bytes`);
  const validator = (text: string | undefined) =>
    text !== undefined && text.length <= VALIDATOR_MAX ? text : null;
  return {
    kind: "body",
    bytes,
    url,
    etag: validator(headers.etag),
    lastModified: validator(headers["last-modified"]),
  };
}

/** Undefined as soon as it is more than allowed, packed or unpacked. */
async function readWithin(
  response: http.IncomingMessage,
  isPacked: boolean,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  let stream: Readable = response;
  if (isPacked) {
    const unpacked = createGunzip();
    response.on("error", (error) => unpacked.destroy(error));
    response.on("aborted", () => unpacked.destroy(new Error("it hung up")));
    stream = response.pipe(unpacked);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
