// A subscriber as a row of binary COPY (db/copy.ts). The first fields have a fixed length, so that
// ordinal and consent can be filled in later at the places where every tuple has them.
import { Buffer } from "node:buffer";
import { ID_BYTES } from "./imported-id.ts";
import type { SubscriberRow } from "./subscriber-row.ts";

/** More than the longest tuple: fixed part, 32 places, 64 follows. */
export const TUPLE_BYTES_MAX = 1_024;
/** `copyTuple` may write so many bytes more than the tuple has. */
export const TUPLE_SLACK = 3;

/** The columns of `subscriber` that a tuple holds, in its order. */
export const TUPLE_COLUMNS = `ordinal, id, consent_id, consent_at, endpoint_bits, home_area_id,
  kind, standing, home_village_id, place_area_ids, follow_ordinals`;
const FIELDS = 11;

// Offsets in a tuple.
const ORDINAL = 6;
const ID = 14;
const CONSENT = 34;
const CONSENT_AT = 42;
const ENDPOINTS = 54;
const HOME = 60;
const VARIABLE = 64;

const INT4_OID = 23;
/** A length of -1 says that there is nothing. */
const NULL_FIELD = Uint8Array.of(0xff, 0xff, 0xff, 0xff);
/** PostgreSQL counts time from 2000-01-01, in microseconds. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

/** Bytes that can be written as such and as numbers. */
export interface Room {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export const roomOf = (bytes: Buffer): Room => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
});

/** Packs a row from `from` on, without ordinal and consent; answers where it ends. */
export function packTuple({ bytes, view }: Room, from: number, row: SubscriberRow): number {
  view.setInt16(from, FIELDS);
  view.setInt32(from + ORDINAL - 4, 4);
  view.setInt32(from + ID - 4, ID_BYTES);
  put(bytes, from + ID, row.id);
  view.setInt32(from + CONSENT - 4, 4);
  view.setInt32(from + CONSENT_AT - 4, 8);
  const micros = (row.consentAtMs - EPOCH_MS) * 1_000;
  const high = Math.floor(micros / 2 ** 32);
  view.setInt32(from + CONSENT_AT, high);
  view.setUint32(from + CONSENT_AT + 4, micros - high * 2 ** 32);
  view.setInt32(from + ENDPOINTS - 4, 2);
  view.setInt16(from + ENDPOINTS, row.endpoints.bits);
  view.setInt32(from + HOME - 4, 4);
  view.setInt32(from + HOME, row.home.communeId);
  let at = put(bytes, from + VARIABLE, row.kind);
  at = put(bytes, at, row.standing);
  const village = row.home.villageId;
  view.setInt32(at, village === null ? -1 : 4);
  at += 4;
  if (village !== null) {
    view.setInt32(at, village);
    at += 4;
  }
  at = put(bytes, at, row.places);
  return put(bytes, at, row.follows);
}

/** Copies a tuple and fills in what it lacks; answers where it ends. */
export function copyTuple(
  { view: source }: Room,
  from: number,
  to: number,
  { view }: Room,
  at: number,
  { ordinal, consentId }: { readonly ordinal: number; readonly consentId: number },
): number {
  const length = to - from;
  for (let i = 0; i < length; i += 4) view.setInt32(at + i, source.getInt32(from + i));
  view.setInt32(at + ORDINAL, ordinal);
  view.setInt32(at + CONSENT, consentId);
  return at + length;
}

/** The id within the tuple that starts at `from`. */
export const tupleId = ({ bytes }: Room, from: number): Buffer =>
  bytes.subarray(from + ID, from + ID + ID_BYTES);

/** A field of text. */
export function packText(text: string): Uint8Array {
  const bytes = Buffer.from(`    ${text}`);
  bytes.writeInt32BE(bytes.length - 4);
  return bytes;
}

/**
 * A field of int[]: dimensions, no nulls, element type, count, lower bound, and each element. None is
 * NULL, as everywhere in `subscriber`.
 */
export function packInts(values: readonly number[]): Uint8Array {
  if (values.length === 0) return NULL_FIELD;
  const words = [1, 0, INT4_OID, values.length, 1];
  for (const value of values) words.push(4, value);
  const bytes = Buffer.alloc(4 + 4 * words.length);
  bytes.writeInt32BE(4 * words.length);
  for (const [index, word] of words.entries()) bytes.writeInt32BE(word, 4 + 4 * index);
  return bytes;
}

/** A loop, because handing a few bytes to a native function costs more than they do. */
function put(bytes: Uint8Array, at: number, what: Uint8Array): number {
  for (let i = 0; i < what.length; i++) bytes[at + i] = what[i] as number;
  return at + what.length;
}
