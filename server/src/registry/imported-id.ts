// The id of somebody who comes from a list: the same for the same source and reference,
// for ever and everywhere, so that importing a list again makes no twins.
//
// 90 of the id's bits are of a SHA-256 over source and reference. The first 32 are the same for
// references that differ only in the last digits: people who follow each other in a list
// have ids that lie together, and the index on id is written page by page and not all over,
// which counts when there are 33 million. A reference can be told from its id only by
// guessing it.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { openSha256, paddedBytes } from "./sha256.ts";

/** Longest reference of a person in the list that it comes from. */
export const REF_CHARS_MAX = 200;
/** Bytes of an id. */
export const ID_BYTES = 16;
/** References that end in numbers which agree when divided by this have neighbouring ids. */
const NEIGHBOURS = 4_096;
/** More trailing digits than this do not fit a number. */
const DIGITS_MAX = 15;
/** UTF-8 has at most so many bytes for each UTF-16 unit. */
const UTF8_BYTES_MAX = 3;

/** Answers the id's 16 bytes, a UUIDv8 (RFC 9562 section 5.8); valid until the next call. */
export type IdMaker = (ref: Uint8Array, from: number, to: number) => Uint8Array;

/** Makes ids for the references of one source, each at most REF_CHARS_MAX characters of UTF-8. */
export function openIds(source: string): IdMaker {
  const scope = createHash("sha256").update(source).digest("base64url").slice(0, 22);
  const start = mix(0x811c_9dc5, Buffer.from(scope), 0, scope.length);
  const prefix = `loa ${scope} `;
  const room = Buffer.alloc(paddedBytes(prefix.length + UTF8_BYTES_MAX * REF_CHARS_MAX));
  room.write(prefix);
  const digestOf = openSha256(room);
  const id = Buffer.alloc(ID_BYTES);
  const view = new DataView(id.buffer, id.byteOffset, ID_BYTES);
  return (ref, from, to) => {
    const length = to - from;
    let isAscii = true;
    for (let i = 0; i < length; i++) {
      const byte = ref[from + i] as number;
      room[prefix.length + i] = byte;
      if (byte > 0x7f) isAscii = false;
    }
    const digest = digestOf(prefix.length + length);
    // Groups are made of UTF-16 units, which bytes of ASCII are.
    const group = isAscii
      ? groupOf(start, ref, from, to)
      : groupOf(start, unitsOf(Buffer.from(ref.subarray(from, to)).toString()), 0);
    view.setUint32(0, group);
    view.setInt32(4, ((digest[0] as number) & 0xffff_0fff) | 0x8000);
    view.setInt32(8, ((digest[1] as number) & 0x3fff_ffff) | 0x8000_0000);
    view.setInt32(12, digest[2] as number);
    return id;
  };
}

/** The first 32 bits of an id. */
function groupOf(start: number, ref: ArrayLike<number>, from: number, to = ref.length): number {
  let digits = to;
  while (digits > from && to - digits < DIGITS_MAX && isDigit(ref[digits - 1] as number))
    digits -= 1;
  let trailing = 0;
  for (let at = digits; at < to; at++) trailing = trailing * 10 + (ref[at] as number) - ZERO;
  const group = Math.floor(trailing / NEIGHBOURS);
  const low = Math.imul(mix(start, ref, from, digits) ^ group, 0x0100_0193);
  // Spread once more: neighbouring groups are no neighbours.
  return Math.imul(low ^ (low >>> 15) ^ Math.floor(group / 2 ** 32), 0x85eb_ca6b) >>> 0;
}

const unitsOf = (text: string): Uint16Array =>
  Uint16Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));

/** The id of the person whom this source calls by this reference. */
export const importedId = (source: string, ref: string): string => openIdTexts(source)(ref);

/** Makes ids for the references of one source, as text. */
export function openIdTexts(source: string): (ref: string) => string {
  const idOf = openIds(source);
  return (ref) => {
    const bytes = Buffer.from(ref);
    return uuidOf(Buffer.from(idOf(bytes, 0, bytes.length)));
  };
}

/** The first 35 bits of an id as a number: ids sorted by it lie as they do in an index, or nearly. */
export const idStart = (id: Uint8Array): number =>
  (((id[0] as number) << 16) | ((id[1] as number) << 8) | (id[2] as number)) * 2 ** 11 +
  (((id[3] as number) << 3) | ((id[4] as number) >>> 5));

/** 16 bytes in the form of text that UUIDs have. */
export function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** FNV-1a over a part of a text. */
function mix(start: number, text: ArrayLike<number>, from: number, to: number): number {
  let result = start;
  for (let at = from; at < to; at++) result = Math.imul(result ^ (text[at] as number), 0x0100_0193);
  return result;
}

const ZERO = 0x30;
const isDigit = (code: number): boolean => code >= ZERO && code <= 0x39;
