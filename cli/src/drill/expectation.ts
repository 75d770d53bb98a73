// Who should hear of it: worked out by plain loops over the very rows that were imported and the
// area pack's own tables, with no code of the server. What the receiving side counts, and what the
// ledger says, is held against this list.
import type { AudienceRule } from "@loa/model/target.ts";

/** A row of the people's file, as far as it decides who hears of it. */
export interface Person {
  readonly reference: string;
  /** Code of a commune or village. */
  readonly home: string;
  readonly places: readonly string[];
  readonly follows: readonly string[];
  readonly endpoints: readonly string[];
}

/** A row of the area pack's tables. */
export interface Unit {
  readonly code: string;
  readonly level: string;
  readonly parent: string;
  readonly population: number;
}

export interface Meant {
  /** Codes of units of any level. */
  readonly areas: readonly string[];
  readonly rule: AudienceRule;
  readonly account: string;
}

/** One person who should hear of it, and why. */
export interface Expected {
  /** The number of the row. */
  readonly index: number;
  readonly as: "resident" | "concerned";
  /** Code of the commune in whose figures this person counts. */
  readonly commune: string;
}

export interface Expectation {
  /** Codes of the communes that the target comes down to. */
  readonly communes: readonly string[];
  /** Of those communes together. */
  readonly population: number;
  /** Everybody who should hear of it, in the order of the rows. */
  readonly people: readonly Expected[];
}

/** Goes through every row once. @throws when a code is not in the pack. */
export function expectAudience(
  people: readonly Person[],
  units: readonly Unit[],
  meant: Meant,
): Expectation {
  const unitOf = new Map(units.map((unit) => [unit.code, unit]));
  const above = (code: string): Unit[] => {
    const line: Unit[] = [];
    for (let at = unitOf.get(code); at !== undefined; at = unitOf.get(at.parent)) line.push(at);
    if (line.length === 0) throw new Error(`the area pack has no ${code}`);
    return line;
  };
  const targets = new Set(meant.areas);
  const isInside = (code: string) => above(code).some((unit) => targets.has(unit.code));
  const communeOf = (code: string) =>
    above(code).find(({ level }) => level === "commune")?.code ?? "";
  const communes = units
    .filter(({ code, level }) => level === "commune" && touches(code))
    .map(({ code }) => code)
    .toSorted();

  /** Inside the target, or holding a village that is. */
  function touches(commune: string): boolean {
    return isInside(commune) || meant.areas.some((code) => communeOf(code) === commune);
  }

  const reasonFor = (person: Person): Omit<Expected, "index"> | undefined => {
    const follows = person.follows.includes(meant.account);
    if (meant.rule === "followers" && !follows) return undefined;
    if (isInside(person.home)) return { as: "resident", commune: communeOf(person.home) };
    const [place] = person.places.filter(isInside).map(communeOf).toSorted();
    if (place !== undefined) return { as: "concerned", commune: place };
    if (meant.rule === "residents" || !follows) return undefined;
    return { as: "concerned", commune: communeOf(person.home) };
  };

  return {
    communes,
    population: communes.reduce((sum, code) => sum + (unitOf.get(code)?.population ?? 0), 0),
    people: people.flatMap((person, index) => {
      const reason = reasonFor(person);
      return reason === undefined ? [] : [{ index, ...reason }];
    }),
  };
}
