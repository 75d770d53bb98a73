// A seeded source of numbers, so that Sông Lụa comes out the same on every machine.
// Math.random and anything that depends on the order of a Map of objects stay out of it.

/** Numbers from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

/** sfc32 with its state taken from the text by FNV-1a: the same text, the same numbers. */
export function createRandom(seed: string): Random {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(seed))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  let a = hash;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let counter = 1;
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 2 ** 32;
  };
  // The first numbers still resemble the seed.
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** A whole number from `min` to `max`, both included. */
export const pickInteger = (random: Random, min: number, max: number): number =>
  min + Math.floor(random() * (max - min + 1));

/** A copy in another order (Fisher-Yates). */
export function shuffle<T>(random: Random, list: readonly T[]): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}
