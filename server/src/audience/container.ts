// The recipients of one shard as bytes: one container of Roaring's portable format
// (https://github.com/RoaringBitmap/RoaringFormatSpec), with key 0 and the ordinals' low
// 16 bits. A shard is 65,536 consecutive ordinals, which is exactly what one container
// covers, so cutting an audience into shards copies whole containers and looks at no
// ordinal. Readers need no WebAssembly: workers and the ledger decode to a Uint16Array.

/** Ordinals in one shard: what one Roaring container covers. Fixed by the format. */
export const SHARD_SIZE = 65_536;
/** Most entries of an array container; above it the format demands a bitset. */
const ARRAY_MAX = 4_096;
const BITSET_BYTES = 8_192;
/** What stands before one container that is alone: with runs, there is no offset and no count. */
const RUN_HEADER_BYTES = 9;
const HEADER_BYTES = 16;
const COOKIE_NO_RUNS = 12_346;
const COOKIE_RUNS = 12_347;
/** With runs, the format leaves the offset header out below this many containers. */
const NO_OFFSET_THRESHOLD = 4;

/** One shard of a bitmap. */
export interface ContainerSlice {
  readonly shard: number;
  /** How many ordinals, 1..65,536. */
  readonly planned: number;
  /** A portable Roaring bitmap that holds one container with key 0. */
  readonly recipients: Uint8Array;
}

type Form = "array" | "bitset" | "run";

interface Container {
  readonly key: number;
  readonly size: number;
  readonly form: Form;
  readonly data: Uint8Array;
}

/**
 * Cuts a portable Roaring bitmap into its containers, one shard each, ascending.
 * @throws {Error} when the bytes are not a whole portable bitmap.
 */
export function splitShards(bitmap: Uint8Array): ContainerSlice[] {
  const containers = readContainers(bitmap);
  // One memory for all of them: hundreds of their own have the garbage collector at work while a
  // warning is issued.
  const bytes = new Uint8Array(
    containers.reduce((sum, container) => sum + framedBytes(container), 0),
  );
  let end = 0;
  return containers.map((container) => {
    const { key, size, form, data } = container;
    const recipients = bytes.subarray(end, (end += framedBytes(container)));
    return { shard: key, planned: size, recipients: frameContainer(form, size, data, recipients) };
  });
}

/** How many ordinals a container holds, from its header alone. */
export function containerSize(bytes: Uint8Array): number {
  return readSingle(bytes).size;
}

/**
 * The low 16 bits in a container, ascending.
 * @throws {Error} when the bytes are not one container.
 */
export function decodeContainer(bytes: Uint8Array): Uint16Array {
  const { form, size, data } = readSingle(bytes);
  if (form === "array") return toUint16(data, size);
  const low = new Uint16Array(size);
  const length = form === "bitset" ? fillFromBits(low, data) : fillFromRuns(low, data);
  if (length !== size) throw new Error(`container says ${size} entries and holds ${length}`);
  return low;
}

/**
 * Sets `values` at every low that a container holds. Runs are filled as runs, so that a commune's
 * block costs one step.
 */
export function fillLows(bytes: Uint8Array, values: Uint16Array, value: number): void {
  const { form, size, data } = readSingle(bytes);
  if (form === "run") {
    forRuns(data, (start, last) => values.fill(value, start, last + 1));
    return;
  }
  const lows = form === "array" ? toUint16(data, size) : new Uint16Array(size);
  if (form === "bitset") fillFromBits(lows, data);
  for (let i = 0; i < lows.length; i++) values[lows[i] as number] = value;
}

/** The lows of a container as a bitset of 65,536 bits, the lowest bit first. */
export function containerBits(bytes: Uint8Array): Uint32Array {
  const { form, size, data } = readSingle(bytes);
  const bits = new Uint32Array(SHARD_SIZE / 32);
  if (form === "bitset") new Uint8Array(bits.buffer).set(data);
  else if (form === "array") for (const low of toUint16(data, size)) setBits(bits, low, low);
  else forRuns(data, (start, last) => setBits(bits, start, last));
  return bits;
}

/** Sets bits first..last. */
function setBits(bits: Uint32Array, first: number, last: number): void {
  const [from, to] = [first >>> 5, last >>> 5];
  const head = -1 << (first & 31);
  const tail = -1 >>> (31 - (last & 31));
  if (from === to) {
    bits[from] = (bits[from] as number) | (head & tail);
    return;
  }
  bits[from] = (bits[from] as number) | head;
  bits.fill(0xffff_ffff, from + 1, to);
  bits[to] = (bits[to] as number) | tail;
}

/** The ordinals of a shard whose low bits these are. */
export function ordinalsOf(shard: number, lows: Uint16Array): Uint32Array {
  const base = shard * SHARD_SIZE;
  const ordinals = new Uint32Array(lows.length);
  for (let rank = 0; rank < lows.length; rank++) ordinals[rank] = base + (lows[rank] as number);
  return ordinals;
}

/** A container of these low bits, which must ascend strictly; in the form that takes fewest bytes. */
export function encodeContainer(low: Uint16Array): Uint8Array {
  const size = low.length;
  if (size === 0) throw new Error("an empty shard has no container");
  let runs = 1;
  for (let i = 1; i < size; i++) {
    const gap = (low[i] as number) - (low[i - 1] as number);
    if (gap <= 0) throw new Error(`low bits must ascend strictly (position ${i})`);
    if (gap > 1) runs++;
  }
  const asRuns = RUN_HEADER_BYTES + 2 + 4 * runs;
  const other = HEADER_BYTES + Math.min(2 * size, BITSET_BYTES);
  const form: Form = asRuns < other ? "run" : size > ARRAY_MAX ? "bitset" : "array";
  if (form === "array") return frameContainer(form, size, fromUint16(low));
  if (form === "run") return frameContainer(form, size, packRuns(low, runs));
  const bits = new Uint8Array(BITSET_BYTES);
  for (const value of low) bits[value >>> 3] = (bits[value >>> 3] as number) | (1 << (value & 7));
  return frameContainer(form, size, bits);
}

/** Whether a container holds these low 16 bits. */
export function containerHas(bytes: Uint8Array, low: number): boolean {
  const { form, data, size } = readSingle(bytes);
  if (form === "bitset") return ((data[low >>> 3] as number) & (1 << (low & 7))) !== 0;
  if (form === "array") {
    const at = lowerBound(size, (i) => uint16(data, 2 * i), low);
    return at < size && uint16(data, 2 * at) === low;
  }
  const count = uint16(data, 0);
  const after = lowerBound(count, (i) => uint16(data, 2 + 4 * i), low + 1);
  if (after === 0) return false;
  const start = uint16(data, 2 + 4 * (after - 1));
  return low - start <= uint16(data, 4 + 4 * (after - 1));
}

/** The first index whose value is >= wanted; `length` if there is none. */
function lowerBound(length: number, valueAt: (index: number) => number, wanted: number): number {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (valueAt(middle) < wanted) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** A portable Roaring bitmap of shards' bits, which ascend by shard and hold at least one each. */
export function joinShards(
  shards: readonly { readonly shard: number; readonly bits: Uint32Array }[],
): Uint8Array {
  const parts = shards.map(({ shard, bits }) => {
    const size = countBits(bits);
    const data = size > ARRAY_MAX ? fromUint32(bits) : fromUint16(lowsOfBits(bits, size));
    return { shard, size, data };
  });
  const header = 8 + 8 * parts.length;
  const bytes = new Uint8Array(parts.reduce((sum, { data }) => sum + data.length, header));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, COOKIE_NO_RUNS, true);
  view.setUint32(4, parts.length, true);
  let at = header;
  for (const [index, { shard, size, data }] of parts.entries()) {
    view.setUint16(8 + 4 * index, shard, true);
    view.setUint16(10 + 4 * index, size - 1, true);
    view.setUint32(8 + 4 * parts.length + 4 * index, at, true);
    bytes.set(data, at);
    at += data.length;
  }
  return bytes;
}

function lowsOfBits(bits: Uint32Array, size: number): Uint16Array {
  const lows = new Uint16Array(size);
  let length = 0;
  for (let word = 0; word < bits.length; word++)
    for (let left = bits[word] as number; left !== 0; left &= left - 1)
      lows[length++] = word * 32 + (31 - Math.clz32(left & -left));
  return lows;
}

function countBits(words: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    let word = words[i] as number;
    if (word === 0) continue;
    word -= (word >>> 1) & 0x5555_5555;
    word = (word & 0x3333_3333) + ((word >>> 2) & 0x3333_3333);
    count += Math.imul((word + (word >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
  }
  return count;
}

const headerBytes = (form: Form): number => (form === "run" ? RUN_HEADER_BYTES : HEADER_BYTES);

const framedBytes = ({ form, data }: Pick<Container, "form" | "data">): number =>
  headerBytes(form) + data.length;

/** Puts the header of a one-container bitmap with key 0 before the container's data. */
function frameContainer(
  form: Form,
  size: number,
  data: Uint8Array,
  bytes = new Uint8Array(framedBytes({ form, data })),
): Uint8Array {
  const header = headerBytes(form);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (form === "run") {
    // Cookie with (containers - 1) in its upper half, one byte of run flags, key, size - 1.
    view.setUint32(0, COOKIE_RUNS, true);
    view.setUint8(4, 1);
    view.setUint16(7, size - 1, true);
  } else {
    // Cookie, number of containers, key, size - 1, offset of the container.
    view.setUint32(0, COOKIE_NO_RUNS, true);
    view.setUint32(4, 1, true);
    view.setUint16(10, size - 1, true);
    view.setUint32(12, header, true);
  }
  bytes.set(data, header);
  return bytes;
}

function readSingle(bytes: Uint8Array): Container {
  const [container, second] = readContainers(bytes);
  if (!container || second || container.key !== 0)
    throw new Error("a shard's recipients are exactly one container with key 0");
  return container;
}

function readContainers(bytes: Uint8Array): Container[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const need = (end: number): void => {
    if (end > bytes.length) throw new Error(`Roaring bitmap ends after ${bytes.length} bytes`);
  };
  need(4);
  const cookie = view.getUint32(0, true);
  const hasRuns = (cookie & 0xffff) === COOKIE_RUNS;
  if (!hasRuns && cookie !== COOKIE_NO_RUNS) throw new Error("not a portable Roaring bitmap");
  if (!hasRuns) need(8);
  const count = hasRuns ? (cookie >>> 16) + 1 : view.getUint32(4, true);
  if (count > SHARD_SIZE) throw new Error(`Roaring bitmap claims ${count} containers`);
  const flagsAt = 4;
  const headersAt = hasRuns ? flagsAt + ((count + 7) >>> 3) : 8;
  const hasOffsets = !hasRuns || count >= NO_OFFSET_THRESHOLD;
  let at = headersAt + 4 * count + (hasOffsets ? 4 * count : 0);
  need(at);
  const containers: Container[] = [];
  for (let i = 0; i < count; i++) {
    const key = view.getUint16(headersAt + 4 * i, true);
    const size = view.getUint16(headersAt + 4 * i + 2, true) + 1;
    const isRun = hasRuns && ((bytes[flagsAt + (i >>> 3)] as number) & (1 << (i & 7))) !== 0;
    if (isRun) need(at + 2);
    const form: Form = isRun ? "run" : size > ARRAY_MAX ? "bitset" : "array";
    const length = isRun
      ? 2 + 4 * view.getUint16(at, true)
      : form === "bitset"
        ? BITSET_BYTES
        : 2 * size;
    need(at + length);
    containers.push({ key, size, form, data: bytes.subarray(at, at + length) });
    at += length;
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes follow the Roaring bitmap`);
  return containers;
}

function fillFromBits(low: Uint16Array, data: Uint8Array): number {
  let length = 0;
  for (let byte = 0; byte < BITSET_BYTES; byte++)
    for (let bits = data[byte] as number; bits !== 0; bits &= bits - 1)
      low[length++] = byte * 8 + (31 - Math.clz32(bits & -bits));
  return length;
}

function fillFromRuns(low: Uint16Array, data: Uint8Array): number {
  let length = 0;
  forRuns(data, (start, last) => {
    for (let value = start; value <= last; value++) low[length++] = value;
  });
  return length;
}

/** Visits the runs of a run container, first and last low of each. */
function forRuns(data: Uint8Array, visit: (start: number, last: number) => void): void {
  const count = uint16(data, 0);
  for (let i = 0; i < count; i++) {
    const start = uint16(data, 2 + 4 * i);
    const last = start + uint16(data, 4 + 4 * i);
    if (last >= SHARD_SIZE) throw new Error("a run leaves its container");
    visit(start, last);
  }
}

function packRuns(low: Uint16Array, runs: number): Uint8Array {
  const pairs = new Uint16Array(1 + 2 * runs);
  pairs[0] = runs;
  let at = -1;
  for (let i = 0; i < low.length; i++) {
    if (i === 0 || low[i] !== (low[i - 1] as number) + 1) {
      at += 2;
      pairs[at] = low[i] as number;
    } else pairs[at + 1] = (pairs[at + 1] as number) + 1;
  }
  return fromUint16(pairs);
}

// The format is little endian, as is every machine that Node runs on, so typed arrays copy as is.
const uint16 = (data: Uint8Array, at: number): number =>
  (data[at] as number) | ((data[at + 1] as number) << 8);

function toUint16(data: Uint8Array, length: number): Uint16Array {
  const low = new Uint16Array(length);
  new Uint8Array(low.buffer).set(data.subarray(0, 2 * length));
  return low;
}

const fromUint32 = (values: Uint32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const fromUint16 = (values: Uint16Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
