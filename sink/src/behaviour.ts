// How the sink behaves unless it is told otherwise, and how a share becomes a decision about
// one person: by seed and ordinal alone, so that a run can be repeated.
import type { Behaviour } from "@loa/api/loopback-control.ts";

/** Everything works, and everybody gets the message at once. */
export const KIND_BEHAVIOUR: Behaviour = {
  seed: 1,
  answerLagMs: 0,
  failShare: 0,
  laterShare: 0,
  laterMs: 50,
  stall: false,
  hangUp: false,
  answerTwice: false,
  answerNonsense: false,
  receipts: true,
  receiptLagMs: 0,
  readShare: 0,
  lieForeign: false,
  lieEarly: false,
  lieTwice: false,
  refuseShare: 0,
  carryOutLagMs: 20,
  populations: {},
};

/** Some number from 0 to 1 (exclusive) for a seed and a key: always the same, evenly spread. */
export function chance(seed: number, key: number): number {
  let bits = Math.imul(key ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(seed, 0xc2b2_ae35);
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0_aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a_2d97);
  return ((bits ^ (bits >>> 15)) >>> 0) / 0x1_0000_0000;
}

/** The same for a text. */
export function chanceOfText(seed: number, key: string): number {
  let folded = 0;
  for (const character of key) folded = Math.imul(folded, 31) + (character.codePointAt(0) ?? 0);
  return chance(seed, folded);
}

/** Those for whom the share comes true, and the rest; the given array itself where it is all. */
export function splitByChance(
  ordinals: Uint32Array,
  seed: number,
  share: number,
): { hit: Uint32Array; rest: Uint32Array } {
  if (share <= 0) return { hit: ordinals.subarray(0, 0), rest: ordinals };
  if (share >= 1) return { hit: ordinals, rest: ordinals.subarray(0, 0) };
  const hit = ordinals.filter((ordinal) => chance(seed, ordinal) < share);
  const rest = ordinals.filter((ordinal) => chance(seed, ordinal) >= share);
  return { hit, rest };
}
