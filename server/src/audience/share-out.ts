// Gives people to the first of several sets that holds them.
//
// The people with a further place in a commune live all over the country, a few in each shard.
// Taking such a set from a bitmap of nearly everybody costs WebAssembly a step for each shard and
// each set; here shards are walked once, with one shard's bits at hand, and each person costs a
// step.
import { RoaringBitmap32 } from "roaring-wasm";
import { containerBits, joinShards, SHARD_SIZE, splitShards } from "./container.ts";

export interface SharedOut {
  /** By set: those who were given to it, ascending. */
  readonly shares: readonly Uint32Array[];
  /** Everybody who was given; the caller disposes it. */
  readonly all: RoaringBitmap32;
}

/** Gives each of `people` to the first set that holds them. */
export function shareOut(people: RoaringBitmap32, sets: readonly RoaringBitmap32[]): SharedOut {
  const ordinals = sets.map((set) => set.toUint32Array());
  const read = new Uint32Array(sets.length);
  const kept = new Uint32Array(sets.length);
  const given: { shard: number; bits: Uint32Array }[] = [];
  for (const { shard, recipients } of splitShards(people.serialize("portable"))) {
    const left = containerBits(recipients);
    const bits = new Uint32Array(SHARD_SIZE / 32);
    const [first, end] = [shard * SHARD_SIZE, (shard + 1) * SHARD_SIZE];
    let isGiven = false;
    for (let set = 0; set < ordinals.length; set++) {
      const own = ordinals[set] as Uint32Array;
      let at = read[set] as number;
      // Ordinals of shards in which nobody is left.
      while (at < own.length && (own[at] as number) < first) at++;
      let to = kept[set] as number;
      for (; at < own.length && (own[at] as number) < end; at++) {
        const ordinal = own[at] as number;
        const word = (ordinal & 0xffff) >>> 5;
        const bit = 1 << (ordinal & 31);
        if (((left[word] as number) & bit) === 0) continue;
        left[word] = (left[word] as number) & ~bit;
        bits[word] = (bits[word] as number) | bit;
        own[to++] = ordinal;
        isGiven = true;
      }
      read[set] = at;
      kept[set] = to;
    }
    if (isGiven) given.push({ shard, bits });
  }
  return {
    shares: ordinals.map((own, set) => own.subarray(0, kept[set])),
    all: RoaringBitmap32.deserialize("portable", joinShards(given)),
  };
}
