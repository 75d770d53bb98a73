// Places as the public site knows them, from the tree and from the copy on disk alike.
import { expect, test } from "vitest";
import { type Area, buildAreaTree } from "../registry/area.ts";
import { openPlaces, recordPlaces } from "./places.ts";

const unit = (
  id: number,
  packId: number,
  code: string,
  level: string,
  parentId: number | null,
  name: string,
): Area => ({
  id,
  packId,
  code,
  level,
  kind: null,
  parentId,
  name: { vi: name, en: name },
  population: null,
});

/** Before: communes A, B, C and D. After: A and B are one, C is divided, D kept its code. */
const tree = buildAreaTree(
  [
    { id: 1, name: "song-lua", validFrom: "2020-01-01", active: false },
    { id: 2, name: "song-lua", validFrom: "2025-07-01", active: true },
  ],
  [
    unit(1, 1, "P", "province", null, "Sông Lụa"),
    unit(2, 1, "A", "commune", 1, "Bãi Dâu"),
    unit(3, 1, "C", "commune", 1, "Cồn Cát"),
    unit(4, 1, "D", "commune", 1, "Đầm Sen"),
    unit(5, 1, "L", "commune", 1, "Lạc"),
    unit(11, 2, "P", "province", null, "Sông Lụa"),
    unit(12, 2, "N1", "commune", 11, "Bãi Mới"),
    unit(13, 2, "N2", "commune", 11, "An Hòa"),
    unit(14, 2, "D", "commune", 11, "Đầm Sen"),
    unit(15, 2, "N1-01", "village", 12, "Thôn Một"),
  ],
  [
    { packId: 2, oldCode: "A", oldName: "Bãi Dâu", areaId: 12, part: false },
    { packId: 2, oldCode: "B", oldName: "Bãi Ngô", areaId: 12, part: false },
    { packId: 2, oldCode: "C", oldName: "Cồn Cát", areaId: 12, part: true },
    { packId: 2, oldCode: "C", oldName: "Cồn Cát", areaId: 13, part: true },
    { packId: 2, oldCode: "P", oldName: null, areaId: 11, part: false },
    { packId: 2, oldCode: "D", oldName: null, areaId: 14, part: false },
  ],
);
const record = recordPlaces(tree);

test.each([
  ["the tree", record],
  ["the copy on disk", JSON.parse(JSON.stringify(record)) as typeof record],
])("from %s: units of today, and what became of former ones", (_, from) => {
  const places = openPlaces(from);
  expect(places.isInvented()).toBe(true);
  expect(places.communes().map(({ name }) => name.vi)).toEqual(["An Hòa", "Bãi Mới", "Đầm Sen"]);
  expect(places.find("N1-01")).toMatchObject({ commune: "N1", name: { vi: "Thôn Một" } });
  expect(places.find("N1")?.commune).toBeUndefined();
  expect(places.find("A")).toBeUndefined();
  const into = (code: string) => places.former(code)?.into.map((each) => each.code);
  expect(into("A")).toEqual(["N1"]);
  expect(into("B")).toEqual(["N1"]);
  expect(into("C")).toEqual(["N1", "N2"]);
  expect(places.former("C")).toMatchObject({
    name: "Cồn Cát",
    into: [{ within: { vi: "Sông Lụa" } }, {}],
  });
});

test("a code that is in force again is no former one; one whose end nobody knows is unknown", () => {
  const places = openPlaces(record);
  expect(places.find("D")).toBeDefined();
  expect(places.former("D")).toBeUndefined();
  expect(places.former("L")).toBeUndefined();
  expect(places.former("Z")).toBeUndefined();
});
