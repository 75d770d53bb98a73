// What values of a list came to, found again by their bytes: a list of millions holds few
// different kinds, places, wordings and times, and making a text of each costs more than all else.
import { textOf } from "./csv-line.ts";

/** Distinct values that are remembered of one column; others are read again. */
export const REMEMBERED_MAX = 10_000;

/** What the bytes from `from` up to `to` came to. */
export type ValueReader<T> = (bytes: Uint8Array, from: number, to: number) => T;

interface Entry<T> {
  readonly bytes: Uint8Array;
  readonly result: T;
}

/** Remembers what `parse` made of values, which must always make the same of the same. */
export function rememberValues<T>(parse: (text: string) => T): ValueReader<T> {
  const known = new Map<number, Entry<T>>();
  let last: Entry<T> | undefined;
  return (bytes, from, to) => {
    if (last && isSame(last.bytes, bytes, from, to)) return last.result;
    const hash = hashOf(bytes, from, to);
    let entry = known.get(hash);
    if (!entry || !isSame(entry.bytes, bytes, from, to)) {
      // A copy: bytes of a list must not be kept for a value.
      const made = {
        bytes: Uint8Array.from(bytes.subarray(from, to)),
        result: parse(textOf(bytes, from, to)),
      };
      // Of two values with one hash, the first is remembered.
      if (!entry && known.size < REMEMBERED_MAX) known.set(hash, made);
      entry = made;
    }
    last = entry;
    return entry.result;
  };
}

function isSame(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c_9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
  return hash;
}
