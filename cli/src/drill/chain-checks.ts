// The checks of the chain drill: at every step the receiving side must have what the people's own file
// says, each once and in the right words, the ledger must say the same, and afterwards nobody may hold
// a warning that no longer holds. Pure.
import { PURPOSES, type Purpose } from "@loa/model/chain-step.ts";
import { type ArrivedMessage, type IssuedAs, messageFaults, messagesOf } from "./chain-message.ts";
import type { DrillCheck } from "./document.ts";
import type { Testimony } from "./witness-protocol.ts";

/** People whom a check names; the rest is counted. */
const NAMED_MAX = 5;

/** What is asked of every step. */
export const STAGE_CHECKS = [
  "exactly those were told who should be",
  "nobody was told twice",
  "nobody is left with a warning that no longer holds",
  "what arrived is what was approved, in words for each group",
  "loudspeakers were ordered where they should be",
  "the ledger says what the receivers say, and sums",
  "a phone that missed it all comes back to the present state, once",
] as const;
type StageCheck = (typeof STAGE_CHECKS)[number];

export const checkName = (stage: string, check: string): string => `${stage}: ${check}`;

/** What arrived of one sending. */
export interface StageArrivals {
  /** How often each person, by the number of the row, got it. */
  readonly times: ReadonlyMap<number, number>;
  /** Communes whose loudspeakers were ordered. */
  readonly ordered: readonly string[];
  /** The different messages that came. */
  readonly messages: readonly ArrivedMessage[];
}

/** One step as it was seen from outside. */
export interface SeenStage extends IssuedAs {
  /** What is wrong with the ledger's figures of it. */
  readonly ledger: readonly string[];
  /** What devices heard that came back after missing everything so far, where that was wrong. */
  readonly returned: readonly string[];
  readonly seen: Readonly<Record<Purpose, StageArrivals>>;
}

/** Reads one sending out of a testimony. @param indexOf the row of a person by the registry's number. */
export function arrivalsOf(
  testimony: Testimony | undefined,
  dispatchId: string,
  indexOf: ReadonlyMap<number, number>,
): StageArrivals {
  const times = new Map<number, number>();
  if (testimony === undefined) return { times, ordered: [], messages: [] };
  const add = (index: number, count: number) => {
    if (count > 0) times.set(index, (times.get(index) ?? 0) + count);
  };
  const { live, loopback, orders } = testimony;
  for (const [i, index] of live.index.entries()) add(index, live.times[i] ?? 0);
  for (const [i, ordinal] of loopback.ordinal.entries())
    add(indexOf.get(ordinal) ?? -1, loopback.times[i] ?? 0);
  const ordered = orders.map(({ areaCode }) => areaCode).toSorted();
  return { times, ordered, messages: messagesOf(testimony, dispatchId) };
}

/** What somebody has in the end: the bulletin that they would act on, or nothing. */
export function holdersAfter(stages: readonly SeenStage[]): Map<number, string> {
  const holds = new Map<number, string>();
  for (const { seen, bulletin, replaces, expected } of stages) {
    const isEnd = expected.stage.step === "cancel";
    for (const index of seen.main.times.keys())
      if (isEnd) holds.delete(index);
      else holds.set(index, bulletin);
    for (const index of seen.left.times.keys()) holds.delete(index);
    // Whoever has no live channel keeps the wording that was corrected, and nothing else differs.
    if (expected.stage.step === "correction")
      for (const [index, held] of holds) if (held === replaces) holds.set(index, bulletin);
  }
  return holds;
}

export function checkChain(stages: readonly SeenStage[]): DrillCheck[] {
  return stages.flatMap((stage, at) => {
    const { name } = stage.expected.stage;
    const told = PURPOSES.flatMap((purpose) => difference(stage, purpose));
    const twice = PURPOSES.flatMap((purpose) =>
      [...stage.seen[purpose].times].filter(([, times]) => times > 1).map(([index]) => index),
    );
    const both = twiceAmong(stage);
    const stale = [...holdersAfter(stages.slice(0, at + 1))]
      .filter(([, bulletin]) => bulletin !== stage.bulletin)
      .map(([index]) => index);
    const orders = (["main", "left"] as const).flatMap((purpose) => {
      const wanted = [...stage.expected.ordered[purpose]].toSorted().join(" ");
      const got = stage.seen[purpose].ordered.join(" ");
      return wanted === got ? [] : [`${purpose}: ordered [${got}], should be [${wanted}]`];
    });
    const says = PURPOSES.flatMap((purpose) =>
      messageFaults(stage, purpose, stage.seen[purpose].messages),
    );
    const wrongs: Readonly<Record<StageCheck, readonly string[]>> = {
      "exactly those were told who should be": told,
      "nobody was told twice": people([...twice, ...both]),
      "nobody is left with a warning that no longer holds": people(stale),
      "what arrived is what was approved, in words for each group": says,
      "loudspeakers were ordered where they should be": orders,
      "the ledger says what the receivers say, and sums": stage.ledger,
      "a phone that missed it all comes back to the present state, once": stage.returned,
    };
    return STAGE_CHECKS.map((each) => check(checkName(name, each), wrongs[each]));
  });
}

function difference({ expected, seen }: SeenStage, purpose: Purpose): string[] {
  const got = new Set(seen[purpose].times.keys());
  const wanted = expected.told[purpose];
  return [
    ...people([...wanted.difference(got)]).map((text) => `${purpose} missed ${text}`),
    ...people([...got.difference(wanted)]).map((text) => `${purpose} also told ${text}`),
  ];
}

/** People who got two sendings of one bulletin. */
function twiceAmong({ seen }: SeenStage): number[] {
  const all = PURPOSES.flatMap((purpose) => [...seen[purpose].times.keys()]);
  const known = new Set<number>();
  return all.filter((index) => known.size === known.add(index).size);
}

const people = (indexes: readonly number[]): string[] =>
  indexes.length === 0
    ? []
    : [`${indexes.length} (rows ${indexes.slice(0, NAMED_MAX).join(", ")})`];

const check = (name: string, wrongs: readonly string[]): DrillCheck =>
  wrongs.length === 0 ? { name, ok: true } : { name, ok: false, found: wrongs.join("; ") };
