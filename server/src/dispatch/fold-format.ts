// The packed form of one folded shard: planes and times by rank, in columns, compressed.
// Columns of equal or slowly changing values compress to almost nothing, which is what
// keeps a sealed dispatch at a few bytes per recipient.
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { PLANES } from "@loa/model/delivery.ts";

/** Planes whose time is kept; the others happen to whole shards at once. */
export const TIMED_PLANES = ["sent", "delivered", "read"] as const;
const VERSION = 1;
/** A time that is not known. */
export const NO_TIME = 0xffff_ffff;

export interface FoldedShard {
  /** One byte of planes for each rank. */
  readonly planes: Uint8Array;
  /** For each timed plane, milliseconds since issue by rank; NO_TIME where the plane is not set. */
  readonly times: Record<(typeof TIMED_PLANES)[number], Uint32Array>;
}

export function emptyFold(planned: number): FoldedShard {
  const column = () => new Uint32Array(planned).fill(NO_TIME);
  return {
    planes: new Uint8Array(planned),
    times: { sent: column(), delivered: column(), read: column() },
  };
}

/** Sets planes of one rank at a time; of several times for one fact the earliest is kept. */
export function setFolded(fold: FoldedShard, rank: number, planes: number, ms: number): void {
  fold.planes[rank] = (fold.planes[rank] as number) | planes;
  for (const plane of TIMED_PLANES) {
    if ((planes & (1 << PLANES.indexOf(plane))) === 0) continue;
    const column = fold.times[plane];
    if (ms < (column[rank] as number)) column[rank] = ms;
  }
}

/** Version, rank count, then zstd over the planes and the columns split into byte planes. */
export function packFold(fold: FoldedShard): Buffer {
  const planned = fold.planes.length;
  const raw = new Uint8Array(planned * (1 + 4 * TIMED_PLANES.length));
  raw.set(fold.planes, 0);
  let at = planned;
  for (const plane of TIMED_PLANES) {
    const column = fold.times[plane];
    // High bytes of neighbouring times are equal, so byte by byte compresses far better.
    for (let shift = 0; shift < 32; shift += 8)
      for (let rank = 0; rank < planned; rank++) raw[at++] = (column[rank] as number) >>> shift;
  }
  const head = Buffer.alloc(5);
  head[0] = VERSION;
  head.writeUInt32LE(planned, 1);
  return Buffer.concat([head, zstdCompressSync(raw)]);
}

export function unpackFold(body: Buffer): FoldedShard {
  if (body[0] !== VERSION) throw new Error(`a fold of unknown version ${body[0]}`);
  const planned = body.readUInt32LE(1);
  const raw = zstdDecompressSync(body.subarray(5));
  const fold = emptyFold(planned);
  fold.planes.set(raw.subarray(0, planned));
  let at = planned;
  for (const plane of TIMED_PLANES) {
    const column = fold.times[plane];
    column.fill(0);
    for (let shift = 0; shift < 32; shift += 8)
      for (let rank = 0; rank < planned; rank++)
        column[rank] = ((column[rank] as number) | ((raw[at++] as number) << shift)) >>> 0;
  }
  return fold;
}
