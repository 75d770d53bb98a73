// What is sent to a reader: bytes in the forms that readers take, each with its own strong ETag.
// Made once; afterwards a request costs a look into a map. A rendered thing is kept for as long as
// the archive has the version of which it was made.
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Archive } from "./archive.ts";

/** Rendered pages and feeds that are kept; some 25 KiB each with both compressions. */
export const ASSETS_MAX = 2_000;
/** Smaller than this, compression gains less than it says of itself. */
const COMPRESS_FROM_BYTES = 400;
/** Level 11 takes 40 times as long for 10 percent. */
const BROTLI_QUALITY = 5;

const ENCODINGS = ["br", "gzip", "identity"] as const;
export type Encoding = (typeof ENCODINGS)[number];

export interface Asset {
  readonly contentType: string;
  /** How long a reader or a cache may go without asking. */
  readonly cacheControl: string;
  readonly etags: Readonly<Record<Encoding, string>>;
  readonly bodies: Readonly<Record<Encoding, Uint8Array<ArrayBuffer>>>;
}

/** Whatever changes with time: 20 seconds, so that what has expired is gone everywhere in 60. */
export const CACHE_CHANGING = "public, max-age=20";
/** What never changes: not asked for again. */
export const CACHE_FOR_EVER = "public, max-age=31536000, immutable";

/** Makes an asset of bytes. The same bytes give the same ETags, also in another process. */
export function makeAsset(
  body: string | Uint8Array,
  contentType: string,
  cacheControl: string,
): Asset {
  const bytes = new Uint8Array(Buffer.from(body as string));
  const tag = createHash("sha256").update(bytes).digest("base64url").slice(0, 27);
  const isSmall = bytes.byteLength < COMPRESS_FROM_BYTES;
  const params = { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY };
  return {
    contentType,
    cacheControl,
    // A strong ETag names one form: RFC 9110, 8.8.3.3.
    etags: { identity: `"${tag}"`, gzip: `"${tag}-gz"`, br: `"${tag}-br"` },
    bodies: {
      identity: bytes,
      gzip: isSmall ? bytes : new Uint8Array(gzipSync(bytes)),
      br: isSmall ? bytes : new Uint8Array(brotliCompressSync(bytes, { params })),
    },
  };
}

/** The best form that the reader takes: RFC 9110, 12.5.3. */
export function chooseEncoding(asset: Asset, acceptEncoding: string | null): Encoding {
  if (asset.bodies.br === asset.bodies.identity) return "identity";
  const accepted = new Map(
    (acceptEncoding ?? "").split(",").map((part) => {
      const [name = "", ...parameters] = part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/u);
      const q = parameters.find((parameter) => parameter.startsWith("q="));
      return [name, q === undefined ? 1 : Number(q.slice(2))] as const;
    }),
  );
  const weight = (name: Encoding): number => accepted.get(name) ?? accepted.get("*") ?? 0;
  return ENCODINGS.find((name) => name !== "identity" && weight(name) > 0) ?? "identity";
}

/** Whether the reader has this form already. `If-None-Match` compares weakly: RFC 9110, 13.1.2. */
export const isKnown = (etag: string, ifNoneMatch: string | null): boolean =>
  ifNoneMatch !== null &&
  (ifNoneMatch.trim() === "*" ||
    ifNoneMatch.split(",").some((one) => one.trim().replace(/^W\//u, "") === etag));

/** Rendered assets by path, thrown away when the archive has another version. */
export class AssetCache {
  readonly #archive: Archive;
  readonly #now: () => Date;
  readonly #assets = new Map<string, { readonly version: number; readonly asset: Asset }>();

  constructor(archive: Archive, now: () => Date) {
    this.#archive = archive;
    this.#now = now;
  }

  /** The asset of a path; undefined when there is nothing to render. */
  get(path: string, render: (now: Date) => Asset | undefined): Asset | undefined {
    const now = this.#now();
    const version = this.#archive.versionAt(now);
    const known = this.#assets.get(path);
    if (known?.version === version) return known.asset;
    const asset = render(now);
    if (asset === undefined) return undefined;
    if (!known && this.#assets.size >= ASSETS_MAX) {
      const [oldest] = this.#assets.keys();
      if (oldest !== undefined) this.#assets.delete(oldest);
    }
    this.#assets.set(path, { version, asset });
    return asset;
  }
}
