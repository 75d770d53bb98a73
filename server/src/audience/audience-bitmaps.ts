// The registry as bitmaps over ordinals: one for each home commune and village, further
// place, followed account, endpoint kind and standing.
//
// Adding and removing are idempotent, and a person's bits change in one synchronous step, so
// nobody is ever seen half. The bitmaps live in WebAssembly memory and are freed by
// `dispose` alone. They are also kept in parts that can be saved and loaded one by one.
import { type Standing, STANDINGS } from "@loa/model/bulletin-type.ts";
import { type EndpointKind, ENDPOINT_KINDS } from "@loa/model/endpoint.ts";
import { RoaringBitmap32 } from "roaring-wasm";
import type { SubscriberState } from "../registry/subscriber-state.ts";

/** What bitmaps are kept by; the position is stored in snapshots, so new ones are appended. */
export const DIMENSIONS = ["home", "village", "place", "follow", "endpoint", "standing"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Parts of a snapshot: packing one holds the event loop, at 33 million subscribers for 10-40 ms. */
export const PARTS = 128;
/** Raised whenever the packed form or the way into parts changes; others are not read. */
const PART_FORMAT = 1;
const RECORD_HEADER = 9;
/** Ordinals that wait to be added together; adding many to a bitmap at once is ten times cheaper. */
const PENDING_MAX = 2_000_000;

export const standingId = (standing: Standing): number => STANDINGS.indexOf(standing);
export const endpointId = (kind: EndpointKind): number => ENDPOINT_KINDS.indexOf(kind);

export interface AudienceBitmaps {
  get(dimension: Dimension, id: number): RoaringBitmap32 | undefined;
  /** The ids that have a bitmap. */
  ids(dimension: Dimension): Iterable<number>;
  add(ordinal: number, state: SubscriberState): void;
  remove(ordinal: number, state: SubscriberState): void;
  /** Like add, for reading millions: takes effect at the next `flush` at the latest. */
  readonly addLater: (ordinal: number, state: SubscriberState) => void;
  flush(): void;
  /** The parts that changed since their last packing, or whose packing was lost. */
  changedParts(): number[];
  packPart(part: number): Uint8Array;
  markChanged(part: number): void;
  /** @throws {Error} when the bytes are not a packed part of this format. */
  loadPart(bytes: Uint8Array): void;
  dispose(): void;
}

export function createAudienceBitmaps(): AudienceBitmaps {
  const bitmaps = DIMENSIONS.map(() => new Map<number, RoaringBitmap32>());
  const pending = DIMENSIONS.map(() => new Map<number, number[]>());
  let pendingCount = 0;
  const changed = new Set<number>();
  // Where a bitmap is runs, saying so saves most of its memory; checked once after each change.
  const unpacked = new Set<RoaringBitmap32>();

  function open(dimension: number, id: number): RoaringBitmap32 {
    const kept = bitmaps[dimension] as Map<number, RoaringBitmap32>;
    let bitmap = kept.get(id);
    if (!bitmap) kept.set(id, (bitmap = new RoaringBitmap32()));
    changed.add(partOf(dimension, id));
    unpacked.add(bitmap);
    return bitmap;
  }
  function wait(dimension: number, id: number, ordinal: number): void {
    const waiting = pending[dimension] as Map<number, number[]>;
    const list = waiting.get(id);
    if (list) list.push(ordinal);
    else waiting.set(id, [ordinal]);
    pendingCount += 1;
  }
  function flush(): void {
    for (const [dimension, waiting] of pending.entries()) {
      for (const [id, ordinals] of waiting) open(dimension, id).addMany(new Uint32Array(ordinals));
      waiting.clear();
    }
    pendingCount = 0;
  }

  return {
    get: (dimension, id) => bitmaps[DIMENSIONS.indexOf(dimension)]?.get(id),
    ids: (dimension) => (bitmaps[DIMENSIONS.indexOf(dimension)] as Map<number, unknown>).keys(),
    add(ordinal, state) {
      eachBit(state, (dimension, id) => open(dimension, id).add(ordinal));
    },
    remove(ordinal, state) {
      eachBit(state, (dimension, id) => open(dimension, id).remove(ordinal));
    },
    addLater(ordinal, state) {
      eachBit(state, (dimension, id) => wait(dimension, id, ordinal));
      if (pendingCount >= PENDING_MAX) flush();
    },
    flush,
    changedParts: () => [...changed].toSorted((a, b) => a - b),
    packPart(part) {
      const records: Uint8Array[] = [Uint8Array.of(PART_FORMAT)];
      for (const [dimension, kept] of bitmaps.entries())
        for (const [id, bitmap] of kept)
          if (partOf(dimension, id) === part && !bitmap.isEmpty) {
            if (unpacked.delete(bitmap)) bitmap.optimize();
            records.push(...packRecord(dimension, id, bitmap));
          }
      changed.delete(part);
      return Buffer.concat(records);
    },
    markChanged: (part) => void changed.add(part),
    loadPart(bytes) {
      for (const { dimension, id, body } of readRecords(bytes)) {
        const kept = bitmaps[dimension] as Map<number, RoaringBitmap32>;
        kept.get(id)?.dispose();
        kept.set(id, RoaringBitmap32.deserialize("portable", body));
      }
    },
    dispose() {
      for (const kept of bitmaps) for (const bitmap of kept.values()) bitmap.dispose();
    },
  };
}

/** Every bitmap that a state puts its ordinal into. */
function eachBit(state: SubscriberState, visit: (dimension: number, id: number) => void): void {
  visit(0, state.home);
  if (state.village !== null) visit(1, state.village);
  for (const place of state.places) visit(2, place);
  for (const account of state.follows) visit(3, account);
  for (let kind = 0; kind < ENDPOINT_KINDS.length; kind++)
    if ((state.endpoints & (1 << kind)) !== 0) visit(4, kind);
  visit(5, standingId(state.standing));
}

/** Spreads ids, which are consecutive, over the parts. */
const partOf = (dimension: number, id: number): number =>
  (Math.imul(id * DIMENSIONS.length + dimension, 0x9e37_79b1) >>> 16) % PARTS;

/** One byte dimension, four bytes id, four bytes length, then the portable bitmap. */
function packRecord(
  dimension: number,
  id: number,
  bitmap: RoaringBitmap32,
): [header: Uint8Array, body: Uint8Array] {
  const body = bitmap.serialize("portable");
  const header = Buffer.alloc(RECORD_HEADER);
  header.writeUInt8(dimension, 0);
  header.writeInt32LE(id, 1);
  header.writeUInt32LE(body.length, 5);
  return [header, body];
}

function* readRecords(
  part: Uint8Array,
): Generator<{ dimension: number; id: number; body: Uint8Array }> {
  const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  if (bytes[0] !== PART_FORMAT) throw new Error(`a part of format ${bytes[0]} cannot be read`);
  for (let at = 1; at < bytes.length;) {
    if (at + RECORD_HEADER > bytes.length) throw new Error("a part ends within a record");
    const [dimension, id] = [bytes.readUInt8(at), bytes.readInt32LE(at + 1)];
    const from = at + RECORD_HEADER;
    const to = from + bytes.readUInt32LE(at + 5);
    if (to > bytes.length || dimension >= DIMENSIONS.length)
      throw new Error("a part holds a record that cannot be");
    yield { dimension, id, body: bytes.subarray(from, to) };
    at = to;
  }
}
