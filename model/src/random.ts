// Numbers that look random and are the same for the same seed, on every machine: for
// synthetic people and other invented things. Never for secrets.

/** Numbers from 0 to 1 (exclusive), one for each call. */
export type Random = () => number;

/** A sequence of its own for each seed (Chris Doty-Humphrey's sfc32, period about 2^127). */
export function seedRandom(seed: number): Random {
  let [a, b, c] = [Math.trunc(seed) | 0, Math.trunc(seed / 2 ** 32) | 0, 0x9e37_79b9 | 0];
  let counter = 1;
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return (result >>> 0) / 2 ** 32;
  };
  // The first results still resemble the seed.
  for (let i = 0; i < 12; i++) next();
  return next;
}
