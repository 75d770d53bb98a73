// Reads subscribers in bulk: PostgreSQL's binary COPY, parsed row by row into one reused
// state, so that reading 33 million people holds one buffer of them at a time.
import { Buffer } from "node:buffer";
import { STANDINGS } from "@loa/model/bulletin-type.ts";
import type pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import type { OrdinalRange, SubscriberState } from "../registry/subscriber-state.ts";

/** Most ranges in one statement: keeps its text below a megabyte. */
const RANGES_PER_STATEMENT = 20_000;

/** "PGCOPY\n\xff\r\n\0", four bytes of flags, four bytes of extension length. */
const COPY_HEADER = 19;
/** The field count that ends a binary COPY. */
const COPY_END = -1;
/** Dimensions, flags and element type, which every array has; length and lower bound follow. */
const ARRAY_HEADER = 12;
const ARRAY_ELEMENTS = 20;

// Deleted people have no id any more.
const SELECT = `SELECT s.ordinal, s.standing = '${STANDINGS[1]}' AS exercise, s.endpoint_bits,
  s.home_area_id, s.home_village_id, s.place_area_ids, s.follow_ordinals FROM subscriber s`;

type Visit = (ordinal: number, state: SubscriberState) => void;

/** Visits everybody. The state is valid during the visit only. */
export async function readEverybody(client: pg.ClientBase, visit: Visit): Promise<void> {
  await copyRows(client, `${SELECT} WHERE s.id IS NOT NULL`, visit);
}

/** Visits everybody within the ranges. The state is valid during the visit only. */
export async function readRanges(
  client: pg.ClientBase,
  ranges: readonly OrdinalRange[],
  visit: Visit,
): Promise<void> {
  for (let from = 0; from < ranges.length; from += RANGES_PER_STATEMENT) {
    const some = ranges.slice(from, from + RANGES_PER_STATEMENT);
    // COPY takes no parameters; these are numbers.
    const firsts = some.map(([first]) => first).join(",");
    const lasts = some.map(([, last]) => last).join(",");
    await copyRows(
      client,
      `${SELECT} JOIN unnest('{${firsts}}'::int[], '{${lasts}}'::int[]) AS r (first, last)
         ON s.ordinal BETWEEN r.first AND r.last WHERE s.id IS NOT NULL`,
      visit,
    );
  }
}

/** Joins ranges that touch or overlap; answers them ascending. */
export function mergeRanges(ranges: readonly OrdinalRange[]): OrdinalRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const previous = merged.at(-1);
    if (previous && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

async function copyRows(client: pg.ClientBase, select: string, visit: Visit): Promise<void> {
  const stream = client.query(copyTo(`COPY (${select}) TO STDOUT (FORMAT binary)`));
  let rest: Buffer = Buffer.alloc(0);
  let skipped = false;
  const state = {
    home: 0,
    village: null as number | null,
    places: [] as number[],
    follows: [] as number[],
    endpoints: 0,
    standing: STANDINGS[0] as SubscriberState["standing"],
  };
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    if (!skipped) {
      if (bytes.length < COPY_HEADER) {
        rest = bytes;
        continue;
      }
      at = COPY_HEADER;
      skipped = true;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (;;) {
      const end = rowEnd(view, at);
      if (end < 0) break;
      readRow(view, at, state);
      visit(view.getInt32(at + 6), state);
      at = end;
    }
    rest = bytes.subarray(at);
  }
  if (rest.length !== 2 || rest.readInt16BE(0) !== COPY_END)
    throw new Error("the registry's COPY ended within a row");
}

/** Where the row that starts at `at` ends; -1 when it is not all here, or at the end mark. */
function rowEnd(bytes: DataView, at: number): number {
  if (at + 2 > bytes.byteLength) return -1;
  const fields = bytes.getInt16(at);
  let end = at + 2;
  for (let field = 0; field < fields; field++) {
    if (end + 4 > bytes.byteLength) return -1;
    end += 4 + Math.max(0, bytes.getInt32(end));
  }
  return fields === COPY_END || end > bytes.byteLength ? -1 : end;
}

interface Row {
  home: number;
  village: number | null;
  places: number[];
  follows: number[];
  endpoints: number;
  standing: SubscriberState["standing"];
}

/** Fields in the order of SELECT; the first four have a fixed length and are never null. */
function readRow(bytes: DataView, from: number, row: Row): void {
  row.standing = bytes.getUint8(from + 14) === 1 ? STANDINGS[1] : STANDINGS[0];
  row.endpoints = bytes.getInt16(from + 19);
  row.home = bytes.getInt32(from + 25);
  let at = from + 29;
  const hasVillage = bytes.getInt32(at) === 4;
  row.village = hasVillage ? bytes.getInt32(at + 4) : null;
  at += hasVillage ? 8 : 4;
  at = readInts(bytes, at, row.places);
  readInts(bytes, at, row.follows);
}

/** Reads an int[] without nulls, or NULL for none; answers where the next field starts. */
function readInts(bytes: DataView, at: number, into: number[]): number {
  const length = bytes.getInt32(at);
  const start = at + 4;
  into.length = 0;
  if (length > ARRAY_HEADER) {
    const count = bytes.getInt32(start + ARRAY_HEADER);
    for (let i = 0; i < count; i++) into.push(bytes.getInt32(start + ARRAY_ELEMENTS + 8 * i + 4));
  }
  return start + Math.max(0, length);
}
