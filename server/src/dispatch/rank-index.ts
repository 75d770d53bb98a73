// From an ordinal to its rank among the recipients of one shard, and back. All state of
// recipients is indexed by rank, so that a shard with 40 recipients costs 40 bytes and
// not 65,536.

import {
  containerBits,
  containerSize,
  decodeContainer,
  SHARD_SIZE,
} from "../audience/container.ts";

const WORDS = SHARD_SIZE / 32;
/** Up to here a binary search in the list beats 12 KiB of bitset and prefix sums. */
const SPARSE_MAX = 4096;

export class RankIndex {
  readonly size: number;
  /** Sorted low 16 bits of the recipients' ordinals; only while they are few. */
  readonly #lows: Uint16Array | undefined;
  readonly #bits: Uint32Array | undefined;
  readonly #before: Uint16Array | undefined;

  /** @param recipients the container of the shard (audience/container.ts). */
  constructor(recipients: Uint8Array) {
    this.size = containerSize(recipients);
    if (this.size <= SPARSE_MAX) {
      this.#lows = decodeContainer(recipients);
      return;
    }
    const bits = containerBits(recipients);
    const before = new Uint16Array(WORDS);
    let sum = 0;
    for (let word = 0; word < WORDS; word++) {
      // The last word's prefix is at most 65,504, so 16 bits hold every one.
      before[word] = sum;
      sum += popCount(bits[word] as number);
    }
    this.#bits = bits;
    this.#before = before;
  }

  /** The low 16 bits by rank. */
  toLows(): Uint16Array {
    if (this.#bits === undefined) return this.#lows as Uint16Array;
    const lows = new Uint16Array(this.size);
    let rank = 0;
    for (let word = 0; word < WORDS; word++)
      for (let bits = this.#bits[word] as number; bits !== 0; bits &= bits - 1)
        lows[rank++] = word * 32 + (31 - Math.clz32(bits & -bits));
    return lows;
  }

  /** The rank of an ordinal's low 16 bits; -1 when it is not a recipient. */
  rankOf(low: number): number {
    return this.has(low) ? this.rankFrom(low) : -1;
  }

  /** How many recipients come before these low 16 bits, 0..65,536 of which are valid. */
  rankFrom(low: number): number {
    if (low >= SHARD_SIZE) return this.size;
    if (this.#bits === undefined || this.#before === undefined)
      return search(this.#lows as Uint16Array, low);
    const bit = 1 << (low & 31);
    return (
      (this.#before[low >>> 5] as number) + popCount((this.#bits[low >>> 5] as number) & (bit - 1))
    );
  }

  has(low: number): boolean {
    if (this.#bits !== undefined)
      return ((this.#bits[low >>> 5] as number) & (1 << (low & 31))) !== 0;
    const lows = this.#lows as Uint16Array;
    return lows[search(lows, low)] === low;
  }
}

function popCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}

/** The position of the first low that is not below the wanted one. */
function search(lows: Uint16Array, wanted: number): number {
  let from = 0;
  let to = lows.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((lows[middle] as number) < wanted) from = middle + 1;
    else to = middle;
  }
  return from;
}
