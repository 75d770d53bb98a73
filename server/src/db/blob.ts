// Many byte strings as parameters of one statement. An array of bytea travels as hexadecimal
// text, twice as long and parsed byte by byte; one bytea travels as it is, and PostgreSQL cuts
// it into the parts.

/** Parameters for one bytea, the positions and the lengths of the parts in it (int[] each). */
export function blobValues(parts: readonly Uint8Array[]): [Buffer, number[], number[]] {
  const lengths = parts.map((part) => part.length);
  let at = 1;
  const positions = lengths.map((length) => {
    const own = at;
    at += length;
    return own;
  });
  return [Buffer.concat(parts), positions, lengths];
}

/** SQL for one part: `blob` is the parameter of the bytea, `row` has columns `at` and `length`. */
export const blobPart = (blob: `$${number}`, row: string): string =>
  `substring(${blob}::bytea FROM ${row}.at FOR ${row}.length)`;
