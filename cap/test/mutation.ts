// Messages in which bytes were dropped, put in and doubled, as a bad disk or a bad person would; and
// whether the reader answers to them as it must to anything.
import fc from "fast-check";
import { CAP_REPAIR_NAMES } from "../src/message.ts";
import { readCap } from "../src/read.ts";

const PIECES = [
  "<",
  ">",
  "&",
  "]]>",
  "<!--",
  '"',
  "<?",
  "</info>",
  "\u0000",
  "<!DOCTYPE a>",
  "&#1;",
  "xmlns=''",
];

interface Mutation {
  /** How far into the bytes, 0 to 1. */
  readonly at: number;
  readonly drop: number;
  readonly put: Uint8Array;
}

export const anyMutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    drop: fc.nat(200),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.constantFrom(...PIECES).map((piece) => new TextEncoder().encode(piece)),
    ),
  }),
  { minLength: 1, maxLength: 4 },
);

export const mutate = (original: Uint8Array, mutations: readonly Mutation[]): Uint8Array =>
  mutations.reduce((mutant, { at, drop, put }) => {
    const start = Math.floor(at * mutant.length);
    return Buffer.concat([mutant.subarray(0, start), put, mutant.subarray(start + drop)]);
  }, Buffer.from(original));

/** Nobody waits longer for a message of some kilobytes, however broken; loaded machines included. */
const HANG_MS = 5_000;

/** Whether a message or its faults came back, and soon. */
export function isAnswered(bytes: Uint8Array): boolean {
  const start = performance.now();
  const { message, problems } = readCap(bytes, { repairs: CAP_REPAIR_NAMES });
  return (message !== undefined || problems.length > 0) && performance.now() - start < HANG_MS;
}
