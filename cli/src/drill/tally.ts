// The receiving side's counts against the list of who should hear of it: who was lost, who got a
// copy too many, who heard of it without being meant, and how long it took. Pure.
import type { Expectation } from "./expectation.ts";
import type { Testimony } from "./witness-protocol.ts";

/** How one person of the file is reached. */
export interface Reach {
  readonly channel: "live" | "loopback";
  /** The registry's number of this person, by which the loopback wire names people. */
  readonly ordinal: number;
}

export interface Tally {
  /** People on the list who got nothing. */
  readonly lost: number;
  /** Messages beyond the first, over all people. */
  readonly duplicates: number;
  /** People who got it and are not on the list. */
  readonly outsideArea: number;
  /** People on the list, by channel. */
  readonly expected: Readonly<Record<Reach["channel"], number>>;
  /** People who got it, by channel. */
  readonly got: Readonly<Record<Reach["channel"], number>>;
  /** Milliseconds from the issue, ascending, one for each person who got it. */
  readonly waitsMs: Float64Array;
}

/**
 * @param reach how each row of the file is reached; the index is the row's.
 * @param issuedAtMs the instant of the issue on the witness's clock.
 */
export function tallyArrivals(
  expectation: Expectation,
  reach: readonly Reach[],
  testimony: Testimony,
  issuedAtMs: number,
): Tally {
  const times = new Uint32Array(reach.length);
  const waits: number[] = [];
  let strangers = 0;
  let duplicates = 0;
  const arrive = (index: number | undefined, count: number, firstAtMs: number) => {
    if (count === 0) return;
    waits.push(firstAtMs - issuedAtMs);
    duplicates += count - 1;
    if (index === undefined) strangers += 1;
    else times[index] = (times[index] ?? 0) + count;
  };
  const { live, loopback } = testimony;
  for (const [i, index] of live.index.entries())
    arrive(index, live.times[i] ?? 0, live.firstAtMs[i] ?? 0);
  const indexOf = new Map(reach.map(({ ordinal }, index) => [ordinal, index]));
  for (const [i, ordinal] of loopback.ordinal.entries())
    arrive(indexOf.get(ordinal), loopback.times[i] ?? 0, loopback.firstAtMs[i] ?? 0);

  const isMeant = new Uint8Array(reach.length);
  const expected = { live: 0, loopback: 0 };
  for (const { index } of expectation.people) {
    isMeant[index] = 1;
    const way = reach[index]?.channel;
    if (way !== undefined) expected[way] += 1;
  }
  const got = { live: 0, loopback: 0 };
  let lost = 0;
  let outsideArea = strangers;
  for (const [index, { channel }] of reach.entries()) {
    const count = times[index] ?? 0;
    if (count > 0) got[channel] += 1;
    if (count === 0 && isMeant[index] === 1) lost += 1;
    if (count > 0 && isMeant[index] === 0) outsideArea += 1;
  }
  const waitsMs = Float64Array.from(waits).toSorted();
  return { lost, duplicates, outsideArea, expected, got, waitsMs };
}

/** The wait that this share of the people did not exceed, rounded to a tenth; 0 if nobody got it. */
export function waitAt(waitsMs: Float64Array, share: number): number {
  if (waitsMs.length === 0) return 0;
  const rank = Math.min(waitsMs.length - 1, Math.max(0, Math.ceil(share * waitsMs.length) - 1));
  return Math.round((waitsMs[rank] ?? 0) * 10) / 10;
}
