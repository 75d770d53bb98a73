// Synthetic people for exercises, demonstrations and measurements: invented registrations,
// spread over communes as the population is, the same for the same seed. They become a list
// in CSV and go through the same import as a real one.
import type { Standing } from "./bulletin-type.ts";
import type { EndpointKind } from "./endpoint.ts";
import { type Random, seedRandom } from "./random.ts";

/** Where synthetic people may live. */
export interface SyntheticCommune {
  readonly code: string;
  /** The weight of the commune; 0 for nobody. */
  readonly population: number;
  /** Codes of its villages, if it has any. */
  readonly villages: readonly string[];
}

export interface SyntheticOptions {
  readonly count: number;
  /** Any whole number; the same seed gives the same people. */
  readonly seed: number;
  readonly communes: readonly SyntheticCommune[];
  /** Handles of accounts that may be followed. */
  readonly accounts: readonly string[];
  /** Default: exercise. */
  readonly standing?: Standing | undefined;
  /** The share, 0..1, who have a live endpoint; everybody else has `loopback`. Default 0. */
  readonly liveShare?: number | undefined;
}

/** One row of the list. */
export interface SyntheticSubscriber {
  readonly ref: string;
  readonly kind: "person" | "organisation";
  readonly standing: Standing;
  /** Code of a commune or village. */
  readonly home: string;
  readonly places: readonly string[];
  readonly follows: readonly string[];
  readonly endpoints: readonly EndpointKind[];
}

/** Shares as registries of this kind show them: most people give their home and nothing else. */
const ORGANISATION_SHARE = 0.02;
const VILLAGE_SHARE = 0.6;
const PLACES_SHARE = 0.15;
const SECOND_PLACE_SHARE = 0.2;
const FOLLOWS_SHARE = 0.2;
const SECOND_FOLLOW_SHARE = 0.25;

/** What synthetic people agreed to, and when; not a clock's time, so that lists stay the same. */
export const SYNTHETIC_CONSENT = "synthetic";
export const SYNTHETIC_CONSENT_AT = "2026-01-05T08:00:00+07:00";

/**
 * Invents people one by one, forever the same for the same options.
 * @throws {Error} when no commune has inhabitants.
 */
export function* synthesizeSubscribers(options: SyntheticOptions): Generator<SyntheticSubscriber> {
  const { count, seed, communes, accounts, standing = "exercise", liveShare = 0 } = options;
  const random = seedRandom(seed);
  const pickCommune = weighCommunes(communes);
  const pickPlace = (villageShare: number): string => {
    const { code, villages } = pickCommune(random);
    return villages.length > 0 && random() < villageShare ? pick(villages, random) : code;
  };
  const none: readonly string[] = [];
  for (let i = 0; i < count; i++) {
    const kind = random() < ORGANISATION_SHARE ? "organisation" : "person";
    const home = pickPlace(VILLAGE_SHARE);
    yield {
      ref: `synthetic-${seed}-${i}`,
      kind,
      standing,
      home,
      places:
        random() < PLACES_SHARE ? some(SECOND_PLACE_SHARE, random, () => pickPlace(0.3)) : none,
      follows:
        accounts.length > 0 && random() < FOLLOWS_SHARE
          ? some(SECOND_FOLLOW_SHARE, random, () => pick(accounts, random))
          : none,
      endpoints: random() < liveShare ? ["live"] : ["loopback"],
    };
  }
}

/** One, or two that differ. */
function some(secondShare: number, random: Random, make: () => string): readonly string[] {
  const first = make();
  if (random() >= secondShare) return [first];
  const second = make();
  return second === first ? [first] : [first, second];
}

const pick = <T>(items: readonly T[], random: Random): T =>
  items[Math.floor(random() * items.length)] as T;

/** Picks a commune as often as its share of the population. */
function weighCommunes(
  communes: readonly SyntheticCommune[],
): (random: Random) => SyntheticCommune {
  const ends = new Float64Array(communes.length);
  let total = 0;
  for (const [index, { population }] of communes.entries()) ends[index] = total += population;
  if (total <= 0) throw new Error("nobody can live where no commune has inhabitants");
  return (random) => {
    const at = random() * total;
    let [from, to] = [0, ends.length - 1];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((ends[middle] as number) > at) to = middle;
      else from = middle + 1;
    }
    return communes[from] as SyntheticCommune;
  };
}

/** The columns of the list. */
const HEADER = "ref,kind,standing,home,places,follows,endpoints,consent_version,consent_at\n";
/** Characters of one piece of the list. */
const PIECE_CHARS = 256 * 1024;

/** The list as CSV, in pieces. Codes and handles hold neither commas nor quotes. */
export function* writeSubscriberCsv(people: Iterable<SyntheticSubscriber>): Generator<string> {
  const consent = `${SYNTHETIC_CONSENT},${SYNTHETIC_CONSENT_AT}\n`;
  let piece = HEADER;
  for (const one of people) {
    const lists = `${one.places.join(";")},${one.follows.join(";")},${one.endpoints.join(";")}`;
    piece += `${one.ref},${one.kind},${one.standing},${one.home},${lists},${consent}`;
    if (piece.length < PIECE_CHARS) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
