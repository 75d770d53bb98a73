// The people of a simulation: synthetic, registered once for many runs through the API. A tenth holds
// a device and is connected; the others are reached over one of the two loopback channels.
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Cast } from "@loa/cli/drill/desk.ts";
import { enrol } from "@loa/cli/drill/enrol.ts";
import type { Person, Unit } from "@loa/cli/drill/expectation.ts";
import { communesOf, personOf } from "@loa/cli/drill/people.ts";
import { readPlainCsv } from "@loa/cli/drill/plain-csv.ts";
import { seedRandom } from "@loa/model/random.ts";
import { synthesizeSubscribers, writeSubscriberCsv } from "@loa/model/synth.ts";
import type { ArrivalWay } from "./witness-protocol.ts";

/** Registered people of one installation. */
export const PEOPLE = 12_000;
const LIVE_SHARE = 0.1;
const ONCE_SHARE = 0.35;
const CHOICE_SEED_OFFSET = 104_729;

export interface World {
  /** The rows as they stand in the imported file. */
  readonly rows: readonly Person[];
  readonly ways: readonly ArrivalWay[];
  readonly ordinals: readonly number[];
  readonly tokens: readonly string[];
  /** The number of the row, by id of the registration. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** The number of the row, by ordinal. */
  readonly indexOfOrdinal: ReadonlyMap<number, number>;
  readonly units: readonly Unit[];
  /** Codes of all communes. */
  readonly communes: readonly string[];
  /** The official account that sends. */
  readonly account: string;
}

export async function makeWorld(
  cast: Cast,
  units: readonly Unit[],
  seed: number,
  folder: string,
): Promise<World> {
  const random = seedRandom(seed + CHOICE_SEED_OFFSET);
  const people = [
    ...synthesizeSubscribers({
      count: PEOPLE,
      seed,
      communes: communesOf(units),
      accounts: [cast.account.handle],
    }),
  ].map((person) => {
    const luck = random();
    const once = luck < LIVE_SHARE + ONCE_SHARE ? "loopback-once" : "loopback";
    return { ...person, endpoints: [luck < LIVE_SHARE ? "live" : once] as const };
  });
  const file = join(folder, "people.csv");
  await pipeline(Readable.from(writeSubscriberCsv(people)), createWriteStream(file));
  const rows = readPlainCsv(await readFile(file, "utf8")).map(personOf);
  const enrolled = await enrol(
    cast.operator,
    { file, rows, live: [], liveOutside: 0 },
    {
      progress() {},
    },
  );
  return {
    rows,
    ways: rows.map(({ endpoints: [way] }) => way as ArrivalWay),
    ordinals: enrolled.map(({ ordinal }) => ordinal),
    tokens: enrolled.map(({ token }) => token),
    indexOf: new Map(enrolled.map(({ subscriber }, index) => [subscriber, index])),
    indexOfOrdinal: new Map(enrolled.map(({ ordinal }, index) => [ordinal, index])),
    units,
    communes: units.filter(({ level }) => level === "commune").map(({ code }) => code),
    account: cast.account.handle,
  };
}
