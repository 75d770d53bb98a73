// Rows on their way into PostgreSQL: each is packed once, as a tuple of binary COPY, when it
// is read; ordinal and consent are filled in later, at the places where every tuple has them.
// So a batch of hundreds of thousands of people is one buffer and a few typed arrays, and
// sorting it by home, which makes the bitmaps short, moves numbers only.
import { uuidOf, writeImportedId } from "./imported-id.ts";
import type { Place } from "./place.ts";
import type { SubscriberRow } from "./subscriber-row.ts";

/** Rows in the first batch: small, so that PostgreSQL has work soon; each further one doubles. */
export const BATCH_ROWS_FIRST = 15_000;
/** Rows in one batch: sorted together by home. */
export const BATCH_ROWS_MAX = 250_000;
/** Bytes in one batch. Two batches are in memory: one is read while the other is written. */
export const BATCH_BYTES_MAX = 48 * 1024 * 1024;
/** More than the longest tuple: fixed part, 32 places, 64 follows. */
const ROW_BYTES_MAX = 1_024;

/** The columns of `subscriber` that a tuple holds, in its order. */
export const TUPLE_COLUMNS = `ordinal, id, consent_id, consent_at, endpoint_bits, home_area_id,
  kind, standing, home_village_id, place_area_ids, follow_ordinals`;
const FIELDS = 11;

// Offsets in a tuple: two bytes field count, then each field after four bytes of length.
const ORDINAL = 6;
const ID = 14;
const CONSENT = 34;
const CONSENT_AT = 42;
const ENDPOINTS = 54;
const HOME = 60;
const VARIABLE = 64;

const INT4_OID = 23;
/** PostgreSQL counts time from 2000-01-01, in microseconds. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

/** The header of a binary COPY: signature, flags, length of the extension. */
export const COPY_HEADER: Buffer = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
/** What ends a binary COPY. */
export const COPY_TRAILER: Buffer = Buffer.from([0xff, 0xff]);

export interface SubscriberBatch {
  readonly count: number;
  /** Whether another row fits, where at most so many rows are wanted. */
  hasRoom(rowsMax: number): boolean;
  /** `consent` is any number that `resolveConsents` will understand. */
  add(row: SubscriberRow, line: number, consent: number): void;
  /** Rows sorted by home, so that neighbours get neighbouring ordinals. */
  order(): Uint32Array;
  homeOf(row: number): number;
  lineOf(row: number): number;
  /** The id as UUID text. */
  idOf(row: number): string;
  consentAtOf(row: number): Date;
  /** Kind and address by turns, or undefined when the row has none. */
  addressesOf(row: number): readonly string[] | undefined;
  /** Bytes of the row's tuple. */
  sizeOf(row: number): number;
  /** Writes the tuple, its ordinal and consent filled in; answers where it ends. */
  writeTuple(
    row: number,
    ordinal: number,
    consentIds: readonly number[],
    into: Buffer,
    at: number,
  ): number;
  clear(): void;
}

export function createBatch(): SubscriberBatch {
  const bytes = Buffer.allocUnsafeSlow(BATCH_BYTES_MAX);
  const starts = new Uint32Array(BATCH_ROWS_MAX + 1);
  const lines = new Uint32Array(BATCH_ROWS_MAX);
  const consents = new Uint16Array(BATCH_ROWS_MAX);
  const consentAtMs = new Float64Array(BATCH_ROWS_MAX);
  const placeOf = new Uint32Array(BATCH_ROWS_MAX);
  // By the number that the place book gave them.
  const places: (Place | undefined)[] = [];
  const addresses = new Map<number, readonly string[]>();
  let count = 0;
  const start = (row: number): number => starts[row] as number;
  return {
    get count() {
      return count;
    },
    hasRoom: (rowsMax) =>
      count < Math.min(rowsMax, BATCH_ROWS_MAX) && start(count) + ROW_BYTES_MAX <= BATCH_BYTES_MAX,
    add(row, line, consent) {
      places[row.home.index] = row.home;
      placeOf[count] = row.home.index;
      lines[count] = line;
      consents[count] = consent;
      consentAtMs[count] = row.consentAtMs;
      if (row.endpoints.addresses) addresses.set(count, row.endpoints.addresses);
      const end = packTuple(bytes, start(count), row);
      count += 1;
      starts[count] = end;
    },
    order: () => sortByPlace(places, placeOf.subarray(0, count)),
    homeOf: (row) => (places[placeOf[row] as number] as Place).communeId,
    lineOf: (row) => lines[row] as number,
    idOf: (row) => uuidOf(bytes.subarray(start(row) + ID, start(row) + ID + 16)),
    addressesOf: (row) => addresses.get(row),
    consentAtOf: (row) => new Date(consentAtMs[row] as number),
    sizeOf: (row) => start(row + 1) - start(row),
    writeTuple(row, ordinal, consentIds, into, at) {
      const length = bytes.copy(into, at, start(row), start(row + 1));
      into.writeInt32BE(ordinal, at + ORDINAL);
      into.writeInt32BE(consentIds[consents[row] as number] as number, at + CONSENT);
      return at + length;
    },
    clear() {
      count = 0;
      addresses.clear();
    },
  };
}

/** Row numbers sorted by commune, then village; within a place in the order of the list. */
function sortByPlace(places: readonly (Place | undefined)[], placeOf: Uint32Array): Uint32Array {
  const rank = new Float64Array(places.length);
  const sorted = places
    .filter((place) => place !== undefined)
    .toSorted((a, b) => a.communeId - b.communeId || (a.villageId ?? 0) - (b.villageId ?? 0));
  for (const [position, { index }] of sorted.entries()) rank[index] = position;
  // Rank and row in one number, which sorts as fast as numbers do.
  const keys = new Float64Array(placeOf.length);
  for (let row = 0; row < keys.length; row++)
    keys[row] = (rank[placeOf[row] as number] as number) * BATCH_ROWS_MAX + row;
  const order = new Uint32Array(keys.length);
  for (const [index, key] of keys.toSorted().entries()) order[index] = key % BATCH_ROWS_MAX;
  return order;
}

/** Packs a row from `at` on; answers where it ends. */
function packTuple(bytes: Buffer, from: number, row: SubscriberRow): number {
  bytes.writeInt16BE(FIELDS, from);
  bytes.writeInt32BE(4, from + ORDINAL - 4);
  bytes.writeInt32BE(16, from + ID - 4);
  writeImportedId(row.key, bytes, from + ID);
  bytes.writeInt32BE(4, from + CONSENT - 4);
  bytes.writeInt32BE(8, from + CONSENT_AT - 4);
  const micros = (row.consentAtMs - EPOCH_MS) * 1_000;
  bytes.writeInt32BE(Math.floor(micros / 2 ** 32), from + CONSENT_AT);
  bytes.writeUInt32BE(micros - Math.floor(micros / 2 ** 32) * 2 ** 32, from + CONSENT_AT + 4);
  bytes.writeInt32BE(2, from + ENDPOINTS - 4);
  bytes.writeInt16BE(row.endpoints.bits, from + ENDPOINTS);
  bytes.writeInt32BE(4, from + HOME - 4);
  bytes.writeInt32BE(row.home.communeId, from + HOME);
  let at = packText(bytes, from + VARIABLE, row.kind);
  at = packText(bytes, at, row.standing);
  if (row.home.villageId === null) at = bytes.writeInt32BE(-1, at);
  else at = bytes.writeInt32BE(row.home.villageId, bytes.writeInt32BE(4, at));
  at = packInts(bytes, at, row.places);
  return packInts(bytes, at, row.follows);
}

function packText(bytes: Buffer, at: number, text: string): number {
  const length = bytes.write(text, at + 4);
  return bytes.writeInt32BE(length, at) + length;
}

/** An array: dimensions, no nulls, element type, and if there are elements length, lower bound. */
function packInts(bytes: Buffer, at: number, values: readonly number[]): number {
  let end = bytes.writeInt32BE(values.length === 0 ? 0 : 1, at + 4);
  end = bytes.writeInt32BE(0, end);
  end = bytes.writeInt32BE(INT4_OID, end);
  if (values.length > 0) end = bytes.writeInt32BE(1, bytes.writeInt32BE(values.length, end));
  for (const value of values) end = bytes.writeInt32BE(value, bytes.writeInt32BE(4, end));
  bytes.writeInt32BE(end - at - 4, at);
  return end;
}
