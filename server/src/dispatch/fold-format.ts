// The packed form of one folded shard: planes and times by rank, in columns, compressed.
// A column that holds one value is that value; the others compress well, because times of
// neighbours differ little. That keeps a sealed dispatch at a few bytes per recipient.
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type Plane, planeBit } from "@loa/model/delivery.ts";

/** Planes whose time is kept; the others happen to whole shards at once. */
export const TIMED_PLANES = ["sent", "delivered", "read"] as const satisfies readonly Plane[];
type TimedPlane = (typeof TIMED_PLANES)[number];
const VERSION = 1;
/** Version and rank count. */
const HEAD_BYTES = 5;
/** A time that is not known. */
export const NO_TIME = 0xffff_ffff;

export interface FoldedShard {
  /** One byte of planes for each rank. */
  readonly planes: Uint8Array;
  /** For each timed plane, milliseconds since issue by rank; NO_TIME where the plane is not set. */
  readonly times: Record<TimedPlane, Uint32Array>;
}

export function emptyFold(planned: number): FoldedShard {
  const column = () => new Uint32Array(planned).fill(NO_TIME);
  return {
    planes: new Uint8Array(planned),
    times: { sent: column(), delivered: column(), read: column() },
  };
}

/** Sets planes of `count` ranks at a time; of several times for one fact the earliest is kept. */
export function setFolded(
  fold: FoldedShard,
  start: number,
  count: number,
  planes: number,
  ms: number,
): void {
  const end = start + count;
  const bytes = fold.planes;
  for (let rank = start; rank < end; rank++) bytes[rank] = (bytes[rank] as number) | planes;
  for (const plane of TIMED_PLANES) {
    if ((planes & planeBit(plane)) === 0) continue;
    const column = fold.times[plane];
    for (let rank = start; rank < end; rank++) if (ms < (column[rank] as number)) column[rank] = ms;
  }
}

/**
 * Version and rank count, then the planes and each column of times, each as one byte that says
 * how many values follow: 1, which is every rank's, or all, split into byte planes, in zstd.
 */
export function packFold(fold: FoldedShard): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = VERSION;
  head.writeUInt32LE(fold.planes.length, 1);
  const columns = [packColumn(fold.planes, 1)];
  for (const plane of TIMED_PLANES) columns.push(packColumn(fold.times[plane], 4));
  return Buffer.concat([head, ...columns.flat()]);
}

/** @throws {Error} when the bytes are not a fold: the database holds what this file wrote. */
export function unpackFold(body: Buffer): FoldedShard {
  if (body[0] !== VERSION) throw new Error(`a fold of unknown version ${body[0]}`);
  const fold = emptyFold(body.readUInt32LE(1));
  let at = unpackColumn(body, HEAD_BYTES, fold.planes, 1);
  for (const plane of TIMED_PLANES) at = unpackColumn(body, at, fold.times[plane], 4);
  if (at !== body.length) throw new Error(`${body.length - at} bytes follow the fold`);
  return fold;
}

type Column = Uint8Array | Uint32Array;
const ONE_VALUE = 0;
const ALL_VALUES = 1;

function packColumn(column: Column, width: number): Buffer[] {
  if (isConstant(column, width)) {
    const value = Buffer.alloc(5);
    value[0] = ONE_VALUE;
    value.writeUInt32LE(column[0] ?? 0, 1);
    return [value];
  }
  const raw = new Uint8Array(column.length * width);
  let at = 0;
  // High bytes of neighbouring times are equal, so byte by byte compresses far better.
  for (let shift = 0; shift < 8 * width; shift += 8)
    for (let rank = 0; rank < column.length; rank++) raw[at++] = (column[rank] as number) >>> shift;
  const packed = zstdCompressSync(raw);
  const head = Buffer.alloc(5);
  head[0] = ALL_VALUES;
  head.writeUInt32LE(packed.length, 1);
  return [head, packed];
}

/** All values are equal when the column without its first is the column without its last. */
function isConstant(column: Column, width: number): boolean {
  const bytes = Buffer.from(column.buffer, column.byteOffset, column.byteLength);
  return bytes.subarray(width).equals(bytes.subarray(0, Math.max(0, bytes.length - width)));
}

/** Fills a column from the bytes at `at`; answers where the next one begins. */
function unpackColumn(body: Buffer, at: number, column: Column, width: number): number {
  const kind = body[at];
  const value = body.readUInt32LE(at + 1);
  const after = at + 5;
  if (kind === ONE_VALUE) {
    column.fill(value);
    return after;
  }
  if (kind !== ALL_VALUES) throw new Error(`a fold's column of unknown kind ${kind}`);
  const raw = zstdDecompressSync(body.subarray(after, after + value));
  if (raw.length !== column.length * width) throw new Error("a fold's column is of another length");
  column.fill(0);
  let from = 0;
  for (let shift = 0; shift < 8 * width; shift += 8)
    for (let rank = 0; rank < column.length; rank++)
      column[rank] = (column[rank] as number) | ((raw[from++] as number) << shift);
  return after + value;
}
