// Receipts as gateways report them: packed binary, one dispatch in each body. Nine bytes a receipt
// and columns on the way in, so that half a million a second cost no objects.
//
// application/vnd.loa.receipts, little endian:
//   16 bytes  the dispatch's UUID        4 bytes  how many entries
//   then for each entry 9 bytes:  u32 ordinal, u8 plane (its position in PLANES),
//                                 u32 milliseconds since the dispatch's issue
import { PLANES, type Plane, planeBit } from "@loa/model/delivery.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";

export const PACKED_RECEIPTS_MEDIA_TYPE = "application/vnd.loa.receipts";
export const PACKED_HEAD_BYTES = 20;
export const PACKED_ENTRY_BYTES = 9;
/** Most receipts in one body: bounds what one request holds in memory (under 1 MB). */
export const PACKED_ENTRIES_MAX = 100_000;
export const PACKED_BYTES_MAX = PACKED_HEAD_BYTES + PACKED_ENTRIES_MAX * PACKED_ENTRY_BYTES;
/** Ordinals are PostgreSQL `int`s that are not negative. */
export const ORDINAL_MAX = 0x7fff_ffff;
/** What a gateway may report of a message that it took; the other planes are the engine's own. */
export const GATEWAY_PLANES: readonly Plane[] = ["delivered", "read", "failed"];
/** Most faults that one refusal lists. */
const FAULTS_MAX = 20;

/** Receipts of one dispatch in columns: ordinals[i] had planes[i] set, ms[i] after the issue. */
export interface PackedReceipts {
  readonly dispatchId: string;
  readonly ordinals: Uint32Array;
  /** Plane bits (`planeBit`), one bit for each receipt. */
  readonly planes: Uint8Array;
  readonly ms: Uint32Array;
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const BIT_OF_INDEX = Uint8Array.from(PLANES, (plane) =>
  GATEWAY_PLANES.includes(plane) ? planeBit(plane) : 0,
);
const INDEX_OF_BIT = new Map(PLANES.map((plane, index) => [planeBit(plane), index]));

/** Packs receipts. @throws {RangeError} over PACKED_ENTRIES_MAX or on a plane that is not one. */
export function encodeReceipts(receipts: PackedReceipts): Uint8Array<ArrayBuffer> {
  const { dispatchId, ordinals, planes, ms } = receipts;
  if (!UUID.test(dispatchId)) throw new RangeError(`${dispatchId} is not a lower-case UUID`);
  if (ordinals.length > PACKED_ENTRIES_MAX)
    throw new RangeError(`${ordinals.length} receipts, at most ${PACKED_ENTRIES_MAX} fit`);
  const bytes = new Uint8Array(PACKED_HEAD_BYTES + ordinals.length * PACKED_ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  const hex = dispatchId.replaceAll("-", "");
  for (let i = 0; i < 16; i += 1) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  view.setUint32(16, ordinals.length, true);
  for (let i = 0, at = PACKED_HEAD_BYTES; i < ordinals.length; i += 1, at += PACKED_ENTRY_BYTES) {
    const plane = INDEX_OF_BIT.get(planes[i] as number);
    if (plane === undefined) throw new RangeError(`${planes[i]} is not the bit of one plane`);
    view.setUint32(at, ordinals[i] as number, true);
    bytes[at + 4] = plane;
    view.setUint32(at + 5, ms[i] as number, true);
  }
  return bytes;
}

/**
 * Unpacks receipts.
 * @throws {Problem} receipts-invalid, with the byte or the entry and what is wrong there; nothing of
 * a body that has a fault anywhere counts.
 */
export function decodeReceipts(bytes: Uint8Array): PackedReceipts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = readCount(view);
  const ordinals = new Uint32Array(count);
  const planes = new Uint8Array(count);
  const ms = new Uint32Array(count);
  const faults: Fault[] = [];
  for (let i = 0, at = PACKED_HEAD_BYTES; i < count; i += 1, at += PACKED_ENTRY_BYTES) {
    const ordinal = view.getUint32(at, true);
    const plane = BIT_OF_INDEX[bytes[at + 4] as number] ?? 0;
    if (ordinal > ORDINAL_MAX && faults.length < FAULTS_MAX)
      faults.push({ at: `entry ${i}`, what: `${ordinal} is no ordinal` });
    if (plane === 0 && faults.length < FAULTS_MAX)
      faults.push({
        at: `entry ${i}`,
        what: `plane ${bytes[at + 4]} is not for gateways to report`,
      });
    ordinals[i] = ordinal;
    planes[i] = plane;
    ms[i] = view.getUint32(at + 5, true);
  }
  if (faults.length > 0)
    throw new Problem(
      "receipts-invalid",
      `${faults[0]?.at}: ${faults[0]?.what}. Gateways report ${GATEWAY_PLANES.join(", ")}.`,
      faults,
    );
  return { dispatchId: readUuid(bytes), ordinals, planes, ms };
}

function readCount(view: DataView): number {
  const { byteLength } = view;
  if (byteLength < PACKED_HEAD_BYTES)
    throw refusal(`byte ${byteLength}`, `the head of ${PACKED_HEAD_BYTES} bytes is cut short`);
  const count = view.getUint32(16, true);
  if (count > PACKED_ENTRIES_MAX)
    throw refusal("byte 16", `${count} entries, at most ${PACKED_ENTRIES_MAX} are taken at once`);
  const wanted = PACKED_HEAD_BYTES + count * PACKED_ENTRY_BYTES;
  if (byteLength !== wanted)
    throw refusal(
      `byte ${Math.min(byteLength, wanted)}`,
      `${count} entries make ${wanted} bytes, and ${byteLength} came`,
    );
  return count;
}

function readUuid(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < 16; i += 1) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += HEX[bytes[i] as number];
  }
  return text;
}

const refusal = (at: string, what: string): Problem =>
  new Problem("receipts-invalid", `At ${at}: ${what}.`, [{ at, what }]);
