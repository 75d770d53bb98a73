// Rows on their way into PostgreSQL: each is packed once, as a tuple of binary COPY, when it
// is read. So a batch of hundreds of thousands of people is one buffer and a few typed arrays, and
// sorting it by home, which makes the bitmaps short, moves numbers only.
import { Buffer } from "node:buffer";
import { idStart, uuidOf } from "./imported-id.ts";
import type { Place } from "./place.ts";
import type { SubscriberRow } from "./subscriber-row.ts";
import {
  copyTuple,
  packTuple,
  type Room,
  roomOf,
  TUPLE_BYTES_MAX,
  TUPLE_SLACK,
  tupleId,
} from "./subscriber-tuple.ts";

/** Rows in the first batch: small, so that PostgreSQL has work soon; each further one doubles. */
export const BATCH_ROWS_FIRST = 15_000;
/** Rows in one batch: sorted together by home. */
export const BATCH_ROWS_MAX = 250_000;
/** Bytes in one batch. Two batches are in memory: one is read while the other is written. */
export const BATCH_BYTES_MAX = 48 * 1024 * 1024;

export interface SubscriberBatch {
  readonly count: number;
  /** Whether another row fits, where at most so many rows are wanted. */
  hasRoom(rowsMax: number): boolean;
  /** `consent` is any number that `writeTuple` will understand. */
  add(row: SubscriberRow, line: number, consent: number): void;
  /** Rows sorted by home, so that neighbours get neighbouring ordinals; within a place by id. */
  order(): Uint32Array;
  homeOf(row: number): number;
  lineOf(row: number): number;
  /** The id as UUID text. */
  idOf(row: number): string;
  /** The first bits of the id, as many as `sortRows` takes. */
  idStartOf(row: number): number;
  consentAtOf(row: number): Date;
  /** Kind and address by turns, or undefined when the row has none. */
  addressesOf(row: number): readonly string[] | undefined;
  /** Room that the row's tuple wants, at least its bytes. */
  sizeOf(row: number): number;
  /** Writes the tuple, its ordinal and consent filled in; answers where it ends. */
  writeTuple(
    row: number,
    ordinal: number,
    consentIds: readonly number[],
    into: Room,
    at: number,
  ): number;
  clear(): void;
}

export function createBatch(): SubscriberBatch {
  const room = roomOf(Buffer.allocUnsafeSlow(BATCH_BYTES_MAX));
  const starts = new Uint32Array(BATCH_ROWS_MAX + 1);
  const lines = new Uint32Array(BATCH_ROWS_MAX);
  const consents = new Uint16Array(BATCH_ROWS_MAX);
  const consentAtMs = new Float64Array(BATCH_ROWS_MAX);
  const placeOf = new Uint32Array(BATCH_ROWS_MAX);
  const idStarts = new Float64Array(BATCH_ROWS_MAX);
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
      count < Math.min(rowsMax, BATCH_ROWS_MAX) &&
      start(count) + TUPLE_BYTES_MAX <= BATCH_BYTES_MAX,
    add(row, line, consent) {
      places[row.home.index] = row.home;
      placeOf[count] = row.home.index;
      lines[count] = line;
      consents[count] = consent;
      consentAtMs[count] = row.consentAtMs;
      idStarts[count] = idStart(row.id);
      if (row.endpoints.addresses) addresses.set(count, row.endpoints.addresses);
      const end = packTuple(room, start(count), row);
      count += 1;
      starts[count] = end;
    },
    order: () =>
      sortByPlace(
        sortRows(count, (row) => idStarts[row] as number),
        placeOf,
        places,
      ),
    homeOf: (row) => (places[placeOf[row] as number] as Place).communeId,
    lineOf: (row) => lines[row] as number,
    idOf: (row) => uuidOf(tupleId(room, start(row))),
    idStartOf: (row) => idStarts[row] as number,
    addressesOf: (row) => addresses.get(row),
    consentAtOf: (row) => new Date(consentAtMs[row] as number),
    sizeOf: (row) => start(row + 1) - start(row) + TUPLE_SLACK,
    writeTuple(row, ordinal, consentIds, into, at) {
      const consentId = consentIds[consents[row] as number] as number;
      return copyTuple(room, start(row), start(row + 1), into, at, { ordinal, consentId });
    },
    clear() {
      count = 0;
      addresses.clear();
    },
  };
}

/** The rows by commune, then village; within a place in the order that they have. */
function sortByPlace(
  rows: Uint32Array,
  placeOf: Uint32Array,
  places: readonly (Place | undefined)[],
): Uint32Array {
  const next = new Uint32Array(places.length);
  for (const row of rows)
    next[placeOf[row] as number] = (next[placeOf[row] as number] as number) + 1;
  const sorted = places
    .filter((place) => place !== undefined)
    .toSorted((a, b) => a.communeId - b.communeId || (a.villageId ?? 0) - (b.villageId ?? 0));
  let first = 0;
  for (const { index } of sorted) {
    const many = next[index] as number;
    next[index] = first;
    first += many;
  }
  const order = new Uint32Array(rows.length);
  for (const row of rows) {
    const place = placeOf[row] as number;
    const at = next[place] as number;
    order[at] = row;
    next[place] = at + 1;
  }
  return order;
}

/** The numbers below `count` by a key of at most 35 bits, and then by themselves. */
export function sortRows(count: number, keyOf: (row: number) => number): Uint32Array {
  // Key and row in one number, which sorts as fast as numbers do.
  const keys = new Float64Array(count);
  for (let row = 0; row < count; row++) keys[row] = keyOf(row) * ROW_SPAN + row;
  keys.sort();
  const order = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    const key = keys[index] as number;
    order[index] = key - Math.floor(key / ROW_SPAN) * ROW_SPAN;
  }
  return order;
}
/** A power of two above every number of a row; with 35 bits of key it fills the 53 bits of a number. */
const ROW_SPAN = 2 ** 18;
