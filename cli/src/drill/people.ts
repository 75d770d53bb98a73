// The people of a drill: synthetic ones, written to a file that is imported through the API. A few
// of them connect for real, four fifths of those meant and one fifth not; everybody else is
// reached over loopback.
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Random, seedRandom } from "@loa/model/random.ts";
import {
  type SyntheticSubscriber,
  synthesizeSubscribers,
  writeSubscriberCsv,
} from "@loa/model/synth.ts";
import { expectAudience, type Meant, type Person, type Unit } from "./expectation.ts";
import { readPlainCsv } from "./plain-csv.ts";

/** The share of the people who connect although the warning is not for them. */
export const LIVE_OUTSIDE_SHARE = 0.2;
/** Keeps the choice of who connects apart from the making of the people. */
const CHOICE_SEED_OFFSET = 7_919;

export interface PeopleOptions {
  readonly subscribers: number;
  /** How many connect; fewer if so many are not to be had. */
  readonly live: number;
  readonly seed: number;
  readonly units: readonly Unit[];
  readonly meant: Meant;
  /** Where the file is written. */
  readonly folder: string;
}

export interface People {
  /** The file that is imported. */
  readonly file: string;
  /** The rows as they stand in that file. */
  readonly rows: readonly Person[];
  /** The rows of those who connect. */
  readonly live: readonly number[];
  /** How many of them the warning is not for. */
  readonly liveOutside: number;
}

/** Writes the file, and reads it back with a reader of the drill's own. */
export async function makePeople(options: PeopleOptions): Promise<People> {
  const { subscribers, seed, units, meant, folder } = options;
  const invented = [
    ...synthesizeSubscribers({
      count: subscribers,
      seed,
      communes: communesOf(units),
      accounts: [meant.account],
    }),
  ];
  const persons = invented.map((one) => ({ ...one, reference: one.ref }));
  const { inside, outside } = chooseLive(persons, options);
  const live = [...inside, ...outside];
  const isLive = new Set(live);
  const listed = invented.map((one, index): SyntheticSubscriber => ({
    ...one,
    endpoints: isLive.has(index) ? ["live"] : ["loopback"],
  }));
  const file = join(folder, "people.csv");
  await pipeline(Readable.from(writeSubscriberCsv(listed)), createWriteStream(file));
  const rows = readPlainCsv(await readFile(file, "utf8")).map(personOf);
  return { file, rows, live, liveOutside: outside.length };
}

export const personOf = (row: Readonly<Record<string, string>>): Person => ({
  reference: row.ref ?? "",
  home: row.home ?? "",
  places: splitList(row.places),
  follows: splitList(row.follows),
  endpoints: splitList(row.endpoints),
});

const splitList = (text = ""): string[] => (text === "" ? [] : text.split(";"));

export function communesOf(units: readonly Unit[]) {
  return units
    .filter(({ level }) => level === "commune")
    .map(({ code, population }) => ({
      code,
      population,
      villages: units.filter(({ parent }) => parent === code).map((village) => village.code),
    }));
}

function chooseLive(
  people: readonly Person[],
  { live, seed, units, meant }: PeopleOptions,
): { inside: number[]; outside: number[] } {
  const random = seedRandom(seed + CHOICE_SEED_OFFSET);
  const meantIndexes = expectAudience(people, units, meant).people.map(({ index }) => index);
  const isMeant = new Set(meantIndexes);
  const others = people.flatMap((_, index) => (isMeant.has(index) ? [] : [index]));
  const outside = Math.round(live * LIVE_OUTSIDE_SHARE);
  return {
    inside: draw(meantIndexes, live - outside, random),
    outside: draw(others, outside, random),
  };
}

/** Some of these, each at most once: all if there are not as many. */
function draw(from: readonly number[], count: number, random: Random): number[] {
  const left = [...from];
  for (let i = 0; i < Math.min(count, left.length); i += 1) {
    const other = i + Math.floor(random() * (left.length - i));
    [left[i], left[other]] = [left[other] as number, left[i] as number];
  }
  return left.slice(0, count);
}
