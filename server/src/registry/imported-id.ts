// The id of somebody who comes from a list: the same for the same source and reference,
// for ever and everywhere, so that importing a list again makes no twins.
//
// 90 of the id's bits are of a SHA-256 over source and reference. The first 32 are the same for
// references that differ only in the last digits: people who follow each other in a list
// have ids that lie together, and the index on id is written page by page and not all over,
// which counts when there are 33 million. A reference can be told from its id only by
// guessing it.
import { createHash, hash } from "node:crypto";

/** References that end in numbers which agree when divided by this have neighbouring ids. */
const NEIGHBOURS = 4_096;
/** More trailing digits than this do not fit a number. */
const DIGITS_MAX = 15;
const DIGEST_BYTES = 12;

/** What an id is made of. */
export interface ImportedKey {
  /** The first 32 bits. */
  readonly group: number;
  /** One character for each byte; the first 12 are used. */
  readonly digest: string;
}

/** Makes keys for the references of one source. */
export function openKeys(source: string): (ref: string) => ImportedKey {
  const scope = createHash("sha256").update(source).digest("base64url").slice(0, 22);
  const start = mix(0x811c_9dc5, scope, scope.length);
  return (ref) => {
    let digits = ref.length;
    while (digits > 0 && ref.length - digits < DIGITS_MAX && isDigit(ref.charCodeAt(digits - 1)))
      digits -= 1;
    const group = Math.floor(Number(ref.slice(digits)) / NEIGHBOURS);
    const low = Math.imul(mix(start, ref, digits) ^ group, 0x0100_0193);
    return {
      // Spread once more: neighbouring groups are no neighbours.
      group: Math.imul(low ^ (low >>> 15) ^ Math.floor(group / 2 ** 32), 0x85eb_ca6b) >>> 0,
      digest: hash("sha256", `loa ${scope} ${ref}`, "latin1"),
    };
  };
}

/** Writes the id's 16 bytes: a UUIDv8 (RFC 9562 section 5.8). */
export function writeImportedId(key: ImportedKey, bytes: Buffer, at: number): void {
  bytes.writeUInt32BE(key.group, at);
  bytes.write(key.digest, at + 4, DIGEST_BYTES, "latin1");
  bytes[at + 6] = ((bytes[at + 6] as number) & 0x0f) | 0x80;
  bytes[at + 8] = ((bytes[at + 8] as number) & 0x3f) | 0x80;
}

/** The id of the person whom this source calls by this reference. */
export const importedId = (source: string, ref: string): string =>
  importedIdOf(openKeys(source)(ref));

/** The id that a key makes. */
export function importedIdOf(key: ImportedKey): string {
  const bytes = Buffer.alloc(16);
  writeImportedId(key, bytes, 0);
  return uuidOf(bytes);
}

/** 16 bytes in the form of text that UUIDs have. */
export function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** FNV-1a over the first characters of a text. */
function mix(start: number, text: string, length: number): number {
  let result = start;
  for (let i = 0; i < length; i++) result = Math.imul(result ^ text.charCodeAt(i), 0x0100_0193);
  return result;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
