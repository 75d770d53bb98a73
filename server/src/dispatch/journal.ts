// The journal: what happened to recipients, as it was committed, packed.
//
// A row holds entries of one channel of one dispatch. There are two kinds, told apart by
// the row's `shard`: runs of ranks of that shard (what workers write: a slice with one
// outcome is one entry, whatever its size), or single ordinals (what the stream and
// receipts write). Entries set planes, which are monotone, so rows may be read in any order
// and more than once. Times are milliseconds since the dispatch's issue.
import type pg from "pg";
import { committedSince, type Position } from "../db/commit-order.ts";

/** `shard` of rows whose entries name ordinals. */
export const BY_ORDINAL = -1;
/** `shard` of rows that name ordinals outside the audience, who came later. */
export const JOINED_LATER = -2;

const RUN_BYTES = 13;
const POINT_BYTES = 9;
/** Most entries in one row: 64 Ki runs or points, under 1 MB. */
export const ROW_ENTRIES_MAX = 65_536;

/** `count` recipients from rank `start` on had `planes` set at `ms`. */
export interface Run {
  readonly start: number;
  readonly count: number;
  readonly planes: number;
  readonly ms: number;
}

/** Single recipients, in columns: ordinals[i] had planes[i] set at ms[i]. */
export interface Points {
  readonly ordinals: Uint32Array;
  readonly planes: Uint8Array;
  readonly ms: Uint32Array;
}

export interface JournalRow {
  readonly id: number;
  readonly dispatchId: string;
  readonly channel: string;
  readonly shard: number;
  readonly entries: Buffer;
}

export type NewJournalRow = Omit<JournalRow, "id" | "entries"> & { readonly entries: Uint8Array };

export function packRuns(runs: readonly Run[]): Buffer {
  const bytes = Buffer.allocUnsafe(runs.length * RUN_BYTES);
  let at = 0;
  for (const run of runs) {
    bytes.writeUInt32LE(run.start, at);
    bytes.writeUInt32LE(run.count, at + 4);
    bytes[at + 8] = run.planes;
    bytes.writeUInt32LE(run.ms, at + 9);
    at += RUN_BYTES;
  }
  return bytes;
}

export function* unpackRuns(bytes: Buffer): Generator<Run> {
  for (let at = 0; at < bytes.length; at += RUN_BYTES)
    yield {
      start: bytes.readUInt32LE(at),
      count: bytes.readUInt32LE(at + 4),
      planes: bytes[at + 8] as number,
      ms: bytes.readUInt32LE(at + 9),
    };
}

/** Packs points from..to of some columns. */
export function packPoints(points: Points, from = 0, to = points.ordinals.length): Buffer {
  const bytes = Buffer.allocUnsafe((to - from) * POINT_BYTES);
  let at = 0;
  for (let i = from; i < to; i++) {
    bytes.writeUInt32LE(points.ordinals[i] as number, at);
    bytes[at + 4] = points.planes[i] as number;
    bytes.writeUInt32LE(points.ms[i] as number, at + 5);
    at += POINT_BYTES;
  }
  return bytes;
}

export function unpackPoints(bytes: Buffer): Points {
  const length = bytes.length / POINT_BYTES;
  const points = {
    ordinals: new Uint32Array(length),
    planes: new Uint8Array(length),
    ms: new Uint32Array(length),
  };
  for (let i = 0, at = 0; i < length; i++, at += POINT_BYTES) {
    points.ordinals[i] = bytes.readUInt32LE(at);
    points.planes[i] = bytes[at + 4] as number;
    points.ms[i] = bytes.readUInt32LE(at + 5);
  }
  return points;
}

/** Those at the positions `kept`, in that order. */
export function pickPoints(points: Points, kept: readonly number[]): Points {
  const { length } = kept;
  const picked = {
    ordinals: new Uint32Array(length),
    planes: new Uint8Array(length),
    ms: new Uint32Array(length),
  };
  for (let at = 0; at < length; at++) {
    const from = kept[at] as number;
    picked.ordinals[at] = points.ordinals[from] as number;
    picked.planes[at] = points.planes[from] as number;
    picked.ms[at] = points.ms[from] as number;
  }
  return picked;
}

/** Splits points into rows of at most ROW_ENTRIES_MAX. */
export function pointRows(
  dispatchId: string,
  channel: string,
  points: Points,
  shard: typeof BY_ORDINAL | typeof JOINED_LATER = BY_ORDINAL,
): NewJournalRow[] {
  const rows: NewJournalRow[] = [];
  for (let from = 0; from < points.ordinals.length; from += ROW_ENTRIES_MAX) {
    const to = Math.min(from + ROW_ENTRIES_MAX, points.ordinals.length);
    rows.push({ dispatchId, channel, shard, entries: packPoints(points, from, to) });
  }
  return rows;
}

/** Appends rows in one statement, hence one commit; answers their ids. */
export async function appendRows(pool: pg.Pool, rows: readonly NewJournalRow[]): Promise<number[]> {
  if (rows.length === 0) return [];
  const { rows: inserted } = await pool.query<{ id: number }>({
    name: "journal-append",
    text: `INSERT INTO journal (dispatch_id, channel, shard, entries)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bytea[])
           RETURNING id`,
    values: [
      rows.map((row) => row.dispatchId),
      rows.map((row) => row.channel),
      rows.map((row) => row.shard),
      rows.map((row) => row.entries),
    ],
  });
  return inserted.map((row) => row.id);
}

const COLUMNS = `j.id, j.dispatch_id AS "dispatchId", j.channel, j.shard, j.entries`;

/** Reads all rows of a dispatch that no fold has replaced. */
export async function readRows(
  pool: pg.Pool | pg.PoolClient,
  dispatchId: string,
  channel?: string,
): Promise<JournalRow[]> {
  const { rows } = await pool.query<JournalRow>(
    `SELECT ${COLUMNS} FROM journal j
     WHERE j.dispatch_id = $1 AND ($2::text IS NULL OR j.channel = $2) ORDER BY j.id`,
    [dispatchId, channel ?? null],
  );
  return rows;
}

/** The present position: every row committed up to now is before it. */
export async function journalPosition(pool: pg.Pool): Promise<Position> {
  const { rows } = await pool.query<{ at: string }>("SELECT pg_current_snapshot()::text AS at");
  return (rows[0] as { at: string }).at;
}

/**
 * The rows that are visible now and were not at `position`, and the new position. Exact whatever
 * the order of commits: visibility is asked, not a sequence, which would skip who commits late.
 * Rows whose ids are in `without` are left out.
 */
export async function tailRows(
  pool: pg.Pool,
  position: Position,
  without: readonly number[] = [],
): Promise<{ rows: JournalRow[]; position: Position }> {
  const { rows } = await pool.query<JournalRow & { at: string }>({
    name: "journal-tail",
    text: `SELECT s.at::text AS at, ${COLUMNS}
           FROM (SELECT pg_current_snapshot() AS at) s
           LEFT JOIN journal j
             ON ${committedSince("$1")} AND j.id <> ALL ($2::bigint[])
           ORDER BY j.id`,
    values: [position, without],
  });
  const at = (rows[0] as { at: string }).at;
  return { rows: rows.filter((row) => row.id !== null), position: at };
}
