import { expect, test } from "vitest";
import { expectAudience, type Meant, type Person, type Unit } from "./expectation.ts";

const unit = (code: string, level: string, parent: string, population = 0): Unit => ({
  code,
  level,
  parent,
  population,
});
const UNITS = [
  unit("SL", "province", "", 60_000),
  unit("SL001", "commune", "SL", 30_000),
  unit("SL002", "commune", "SL", 20_000),
  unit("SL003", "commune", "SL", 10_000),
  unit("SL001-01", "village", "SL001"),
  unit("SL001-02", "village", "SL001"),
];
const person = (reference: string, home: string, more: Partial<Person> = {}): Person => ({
  reference,
  home,
  places: [],
  follows: [],
  endpoints: ["live"],
  ...more,
});
const PEOPLE = [
  person("lives in the village", "SL001-01"),
  person("lives in the commune, village unknown", "SL001"),
  person("lives elsewhere", "SL002"),
  person("has parents there", "SL002", { places: ["SL003", "SL001-02"] }),
  person("follows", "SL003", { follows: ["songlua"] }),
  person("lives there and follows", "SL001", { follows: ["songlua"], places: ["SL001-01"] }),
];
const meant = (more: Partial<Meant>): Meant => ({
  areas: ["SL001"],
  rule: "residents",
  account: "songlua",
  ...more,
});
const heard = (more: Partial<Meant>) =>
  expectAudience(PEOPLE, UNITS, meant(more)).people.map(
    ({ index, as, commune }) => `${index} ${as} ${commune}`,
  );

test("whoever lives or has a place inside counts once, residents before concerned", () => {
  expect(heard({})).toEqual([
    "0 resident SL001",
    "1 resident SL001",
    "3 concerned SL001",
    "5 resident SL001",
  ]);
});

test("a village of a commune means its own people only", () => {
  expect(heard({ areas: ["SL001-01"] })).toEqual(["0 resident SL001", "5 concerned SL001"]);
});

test("a province means everybody in it", () => {
  expect(heard({ areas: ["SL"] })).toHaveLength(PEOPLE.length);
});

test("followers are concerned wherever they live, and count where they live", () => {
  expect(heard({ rule: "both", areas: ["SL002"] })).toEqual([
    "2 resident SL002",
    "3 resident SL002",
    "4 concerned SL003",
    "5 concerned SL001",
  ]);
  expect(heard({ rule: "followers" })).toEqual(["4 concerned SL003", "5 resident SL001"]);
});

test("of several places inside, the first commune by code is the one that counts", () => {
  const people = [person("two places", "SL002", { places: ["SL003", "SL001"] })];
  const { people: heard } = expectAudience(people, UNITS, meant({ areas: ["SL003", "SL001"] }));
  expect(heard).toEqual([{ index: 0, as: "concerned", commune: "SL001" }]);
});

test("communes and population are those of the target", () => {
  const { communes, population } = expectAudience(
    [],
    UNITS,
    meant({ areas: ["SL001-01", "SL002"] }),
  );
  expect(communes).toEqual(["SL001", "SL002"]);
  expect(population).toBe(50_000);
});

test("a home that is not in the pack is a fault of the drill, not somebody to forget", () => {
  expect(() => expectAudience([person("?", "XX")], UNITS, meant({}))).toThrow(/no XX/);
});
