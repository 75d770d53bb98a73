// Reads subscribers in bulk: copied, and parsed row by row into one reused state, so that reading 33
// million people holds one buffer of them at a time.
import { STANDINGS } from "@loa/model/bulletin-type.ts";
import type pg from "pg";
import { copyOut } from "../db/copy.ts";
import type { OrdinalRange, SubscriberState } from "../registry/subscriber-state.ts";

/** Most ranges in one statement: keeps its text below a megabyte. */
const RANGES_PER_STATEMENT = 20_000;

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
  const state = {
    home: 0,
    village: null as number | null,
    places: [] as number[],
    follows: [] as number[],
    endpoints: 0,
    standing: STANDINGS[0] as SubscriberState["standing"],
  };
  await copyOut(client, select, (bytes, at) => {
    readRow(bytes, at, state);
    visit(bytes.getInt32(at + 4), state);
  });
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
  row.standing = bytes.getUint8(from + 12) === 1 ? STANDINGS[1] : STANDINGS[0];
  row.endpoints = bytes.getInt16(from + 17);
  row.home = bytes.getInt32(from + 23);
  let at = from + 27;
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
