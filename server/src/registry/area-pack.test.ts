import { existsSync, readFileSync } from "node:fs";
import type { AreaPackFile, AreaPackInput, GeometryFile, UnitsFile } from "@loa/model/area-pack.ts";
import { Problem } from "@loa/model/problem.ts";
import { expect, test } from "vitest";
import { createTestDatabase } from "../../test/database.ts";
import { loadAreaTree, resolveCode } from "./area.ts";
import { importAreaPack } from "./area-pack.ts";
import { readAreaPack } from "./area-pack-read.ts";
import { installSongLua, readSongLua } from "./song-lua.ts";
import { createZone, listZones } from "./zone.ts";

const VIETNAM = new URL("../../../../shared/area-pack-vietnam/", import.meta.url);

const province: UnitsFile = {
  name: "province.csv",
  kind: "units",
  level: "province",
  text: "code,name_vi,name_en,population\nT,Tỉnh Thử,Thu Province,300\n",
};
const communes = (rows: string): UnitsFile => ({
  name: "communes.csv",
  kind: "units",
  level: "commune",
  text: `code,name_vi,name_en,parent,population\n${rows}`,
});
const twoCommunes = communes("T1,Xã Một,Mot Commune,T,100\nT2,Xã Hai,Hai Commune,T,200\n");
const square = (code: string, x: number) => ({
  type: "Feature",
  properties: { code },
  geometry: {
    type: "Polygon",
    coordinates: [
      [
        [x, 0],
        [x + 1, 0],
        [x + 1, 1],
        [x, 1],
        [x, 0],
      ],
    ] as number[][][],
  },
});
const shapes = (...features: object[]): GeometryFile => ({
  name: "communes.geojson",
  kind: "geometry",
  level: "commune",
  text: JSON.stringify({ type: "FeatureCollection", features }),
});
const successors = (rows: string, options = {}): AreaPackFile => ({
  name: "successors.csv",
  kind: "successors",
  level: "commune",
  text: `old_code,old_name,new_code,how\n${rows}`,
  options,
});
const pack = (files: AreaPackFile[], validFrom = "2025-07-01", name = "thu"): AreaPackInput => ({
  name,
  validFrom,
  files,
});
const faultsOf = (input: AreaPackInput) => {
  const answer = readAreaPack(input);
  return "pack" in answer ? [] : answer.faults.map(({ at, what }) => `${at}: ${what}`);
};

test("a sound pack has no fault", () => {
  expect(faultsOf(pack([province, twoCommunes, shapes(square("T1", 0), square("T2", 1))]))).toEqual(
    [],
  );
});

test.each([
  [
    "a duplicate code",
    [province, communes("T1,A,A,T,1\nT1,B,B,T,1\n")],
    /communes\.csv line 3: code T1 is there twice/,
  ],
  [
    "an orphan",
    [province, communes("T1,A,A,X,1\n")],
    /communes\.csv line 2: unit T1 is an orphan: its parent X/,
  ],
  ["a missing parent", [province, communes("T1,A,A,,1\n")], /line 2: unit T1 has no parent/],
  [
    "a parent of its own level",
    [province, communes("T1,A,A,T,1\nT2,B,B,T1,1\n")],
    /line 3: .*not above it/,
  ],
  [
    "a population in words",
    [province, communes("T1,A,A,T,một trăm\n")],
    /line 2: unit T1 has the population "một trăm"/,
  ],
  ["a negative population", [province, communes("T1,A,A,T,-3\n")], /line 2: .*population "-3"/],
  [
    "a name in NFD",
    [province, communes(`T1,${"Xã Hòa".normalize("NFD")},A,T,1\n`)],
    /line 2: .*not in Unicode NFC/,
  ],
  ["a missing name", [province, communes("T1,,A,T,1\n")], /line 2: unit T1 has no name/],
  [
    "a row that is too short",
    [province, communes("T1,A\n")],
    /line 2: has 2 fields, but the header has 5/,
  ],
  [
    "an unknown column",
    [province, { ...twoCommunes, options: { columns: { parent: "tinh" } } }],
    /line 1: has no column tinh \(for parent\)/,
  ],
  ["a lost quote", [province, communes('T1,"A,A,T,1\n')], /communes\.csv line \d+: is not CSV/],
  [
    "a unit without a shape",
    [province, twoCommunes, shapes(square("T1", 0))],
    /communes\.csv line 3: unit T2 has no shape/,
  ],
  [
    "a shape without a unit",
    [province, twoCommunes, shapes(square("T1", 0), square("T2", 1), square("T9", 2))],
    /communes\.geojson feature 3 \(T9\): "T9" is not a unit/,
  ],
  [
    "a shape twice",
    [province, communes("T1,A,A,T,1\n"), shapes(square("T1", 0), square("T1", 1))],
    /feature 2 \(T1\): "T1" has two shapes/,
  ],
  [
    "an unknown successor",
    [province, twoCommunes, successors("C1,Cũ,T7,whole\n")],
    /successors\.csv line 2: the successor "T7" is not a unit/,
  ],
  [
    "a successor of another level",
    [province, twoCommunes, successors("C1,Cũ,T,whole\n")],
    /line 2: the successor T is a province, not a commune/,
  ],
  [
    "a row without an old code",
    [province, twoCommunes, successors(",Cũ,T1,whole\n")],
    /line 2: has no old code/,
  ],
  [
    "an unlisted how",
    [province, twoCommunes, successors("C1,Cũ,T1,có lẽ\n", { whole: ["hết"], part: ["một phần"] })],
    /line 2: says "có lẽ"/,
  ],
  [
    "a file that is not JSON",
    [province, twoCommunes, { ...shapes(), text: "{" }],
    /communes\.geojson: is not JSON/,
  ],
] satisfies [string, AreaPackFile[], RegExp][])(
  "%s is refused, naming file and row",
  (_, files, fault) => {
    expect(faultsOf(pack(files)).join("\n")).toMatch(fault);
  },
);

const ringOf = (coordinates: number[][]) => {
  const feature = square("T1", 0);
  feature.geometry.coordinates = [coordinates];
  return pack([province, communes("T1,A,A,T,1\n"), shapes(feature)]);
};

test.each([
  [
    "open",
    [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ],
    /feature 1 \(T1\): ring 1: is open/,
  ],
  [
    "of three points",
    [
      [0, 0],
      [1, 0],
      [0, 0],
    ],
    /has 3 points/,
  ],
  [
    "a bow tie",
    [
      [0, 0],
      [2, 2],
      [2, 0],
      [0, 2],
      [0, 0],
    ],
    /crosses itself near \[1, 1\]/,
  ],
  [
    "crossing at a corner",
    [
      [0, 0],
      [2, 2],
      [2, 0],
      [1, 1],
      [0, 2],
      [0, 0],
    ],
    /crosses itself/,
  ],
  [
    "crossing corner to corner",
    [
      [0, 0],
      [1, 1],
      [2, 2],
      [2, 0],
      [1, 1],
      [0, 2],
      [0, 0],
    ],
    /crosses itself/,
  ],
  [
    "flat",
    [
      [0, 0],
      [1, 1],
      [2, 2],
      [0, 0],
    ],
    /encloses nothing/,
  ],
  [
    "with latitude first",
    [
      [14, 109],
      [14, 110],
      [15, 110],
      [14, 109],
    ],
    /these look exchanged/,
  ],
])("a ring that is %s is refused, naming the place", (_, ring, fault) => {
  expect(faultsOf(ringOf(ring)).join("\n")).toMatch(fault);
});

test.each([
  [
    "in a point",
    [
      [0, 0],
      [2, 0],
      [2, 2],
      [1, 0],
      [0, 2],
      [0, 0],
    ],
  ],
  [
    "at a corner",
    [
      [0, 0],
      [2, 0],
      [1, 1],
      [2, 2],
      [0, 2],
      [1, 1],
      [0, 0],
    ],
  ],
])("a ring that touches itself %s is sound", (_, ring) => {
  expect(faultsOf(ringOf(ring))).toEqual([]);
});

test("a border that crosses itself is cut only when that was asked for, and reported", () => {
  // A corner that overshoots its neighbour by a hair, as simplification leaves it.
  const ring = [
    [0, 0],
    [10, 0],
    [10, 10],
    [4.999, 10],
    [5.001, 9.999],
    [5, 10.001],
    [0, 10],
    [0, 0],
  ];
  const input = ringOf(ring);
  expect(faultsOf(input).join()).toMatch(/crosses itself .*untangle/);
  const file = { ...(input.files[2] as GeometryFile), options: { crossings: "untangle" as const } };
  const answer = readAreaPack({ ...input, files: [...input.files.slice(0, 2), file] });
  expect("pack" in answer && answer.pack.untangled).toMatchObject([{ code: "T1" }]);
});

test("a cut that would make another shape of it is refused", () => {
  const input = ringOf([
    [0, 0],
    [2, 2],
    [2, 0],
    [0, 2],
    [0, 0],
  ]);
  const file = { ...(input.files[2] as GeometryFile), options: { crossings: "untangle" as const } };
  expect(faultsOf({ ...input, files: [...input.files.slice(0, 2), file] }).join()).toMatch(
    /cannot be cut there/,
  );
});

test("a refusal lists at most a hundred faults and says how many there are", () => {
  const rows = Array.from({ length: 250 }, (_, i) => `T${i},A,A,X,1\n`).join("");
  const answer = readAreaPack(pack([province, communes(rows)]));
  expect(answer).toMatchObject({ detail: expect.stringMatching(/249 more faults.*first 100/) });
  expect("faults" in answer && answer.faults.length).toBe(100);
});

test("Sông Lụa is imported with its levels, zones and former units", async () => {
  await using database = await createTestDatabase();
  await installSongLua(database);
  const tree = await loadAreaTree(database.db);
  const [top] = tree.areas;
  expect(top).toMatchObject({ code: "SL", name: { vi: "Tỉnh Sông Lụa" }, parentId: null });
  const inside = tree.communesUnder(top?.id ?? 0);
  expect(inside.length).toBeGreaterThanOrEqual(58);
  expect(inside.reduce((sum, { population }) => sum + (population ?? 0), 0)).toBe(top?.population);
  expect((await listZones(database.db)).length).toBe(5);
  // Again: what is there stays.
  await installSongLua(database);
  expect((await loadAreaTree(database.db)).areas.length).toBe(tree.areas.length);
});

test("a pack whose codes clash with another's changes nothing", async () => {
  await using database = await createTestDatabase();
  await importAreaPack(database, pack([province, twoCommunes]));
  const clashing = pack(
    [{ ...province, text: province.text.replace("T,", "U,") }, communes("T2,Khác,Other,U,1\n")],
    "2025-07-01",
    "khac",
  );
  await expect(importAreaPack(database, clashing)).rejects.toThrow(
    expect.objectContaining({
      code: "area-pack-clash",
      faults: [
        { at: "communes.csv line 2", what: "code T2 is taken by Xã Hai of the active pack thu" },
      ],
    }),
  );
  expect((await loadAreaTree(database.db)).packs.map(({ name }) => name)).toEqual(["thu"]);
});

test("a later version supersedes the former: people are counted where their unit went", async () => {
  await using database = await createTestDatabase();
  const three = communes("T1,Một,Mot,T,1\nT2,Hai,Hai,T,2\nT3,Ba,Ba,T,3\nT4,Bốn,Bon,T,4\n");
  const villages: UnitsFile = {
    ...three,
    name: "villages.csv",
    level: "village",
    text: "code,name_vi,name_en,parent\nT1-1,Thôn A,A,T1\nT2-1,Thôn B,B,T2\n",
  };
  await importAreaPack(database, pack([province, three, villages]));
  const before = await loadAreaTree(database.db);
  const id = (code: string) => before.byCode(code)?.id as number;
  await createZone(database.db, before, {
    code: "Z",
    name: { vi: "Vùng", en: "Zone" },
    areas: ["T2", "T1-1", "T2-1"],
  });
  // T1 persists, T2 goes whole into N1, T3 is divided, T4 keeps its code but means part of T3, too.
  const later = pack(
    [
      province,
      communes("T1,Một,Mot,T,1\nN1,Mới,New,T,4\nT4,Bốn,Bon,T,4\n"),
      { ...villages, text: "code,name_vi,name_en,parent\nT1-1,Thôn A,A,T1\n" },
      successors("T2,Hai,N1,whole\nT3,Ba,N1,whole\nT3,Ba,T4,part\n"),
    ],
    "2026-01-01",
  );
  const report = await importAreaPack(database, later);
  expect(report).toMatchObject({
    units: { commune: 3 },
    successors: { rows: 3, partial: 2 },
    zones: [{ code: "Z", widened: true }],
  });
  const tree = await loadAreaTree(database.db);
  const now = (code: string) => tree.byCode(code)?.id as number;
  expect(tree.countedIn(now("T1"))).toEqual([now("T1"), id("T1")]);
  expect(tree.countedIn(now("N1"))).toEqual([now("N1"), id("T2"), id("T3")]);
  expect(tree.countedIn(now("T4"))).toEqual([now("T4"), id("T3"), id("T4")]);
  expect(tree.countedIn(now("T1-1"))).toEqual([now("T1-1"), id("T1-1")]);
  expect(tree.currentOf(id("T3")).map(({ part }) => part)).toEqual([true, true]);
  expect(tree.currentOf(id("T2-1"))).toEqual([]);
  expect((await listZones(database.db))[0]?.areaIds).toEqual([now("N1"), now("T1-1")]);
  expect(tree.byId(id("T2"))?.name.vi).toBe("Hai");

  expect(resolveCode(tree, "T2")).toMatchObject({
    state: "former",
    part: false,
    former: { id: id("T2") },
  });
  expect(resolveCode(tree, "T3")).toMatchObject({ state: "former", part: true });
  expect(resolveCode(tree, "T4")).toMatchObject({ state: "current", part: false });
  expect(resolveCode(tree, "T4", "2025-08-01")).toMatchObject({
    state: "former",
    current: [{ area: { id: now("T4") } }],
  });
  expect(resolveCode(tree, "N1", "2026-02-01")).toMatchObject({ state: "current" });
  expect(() => resolveCode(tree, "N1", "2025-08-01")).toThrow(Problem);
  expect(() => resolveCode(tree, "nowhere")).toThrow(Problem);

  await expect(importAreaPack(database, later)).rejects.toMatchObject({ code: "area-pack-clash" });
  const forgetful = pack([province, communes("T1,Một,Mot,T,1\nT4,Bốn,Bon,T,4\n")], "2026-02-01");
  await expect(importAreaPack(database, forgetful)).rejects.toMatchObject({
    code: "area-pack-invalid",
    faults: [{ what: expect.stringContaining("commune N1") }],
  });
  expect((await loadAreaTree(database.db)).byCode("N1")?.id).toBe(now("N1"));
});

test("a version that lies in the future is refused", async () => {
  await using database = await createTestDatabase();
  await expect(importAreaPack(database, pack([province], "2999-01-01"))).rejects.toMatchObject({
    code: "area-pack-invalid",
  });
});

test("a former code of Sông Lụa leads to today's unit and says when that is only a part", async () => {
  await using database = await createTestDatabase();
  await installSongLua(database);
  const tree = await loadAreaTree(database.db);
  const table = readSongLua().pack.files.find(({ kind }) => kind === "successors")?.text ?? "";
  const divided =
    table
      .split("\n")
      .find((row) => row.endsWith(",part"))
      ?.split(",")[0] ?? "";
  expect(resolveCode(tree, "SLC001")).toMatchObject({
    state: "former",
    part: false,
    current: [{ area: { code: "SL001" } }],
  });
  expect(resolveCode(tree, divided)).toMatchObject({ part: true });
  expect(resolveCode(tree, divided).current.length).toBe(2);
});

const read = (name: string) => readFileSync(new URL(name, VIETNAM), "utf8");
const vietnam = (): AreaPackInput => {
  const columns = { name_vi: "full_name", name_en: "full_name_en", kind: "type" };
  return pack(
    [
      {
        name: "provinces.csv",
        kind: "units",
        level: "province",
        text: read("provinces.csv"),
        options: { columns },
      },
      {
        name: "communes.csv",
        kind: "units",
        level: "commune",
        text: read("communes.csv"),
        options: { columns: { ...columns, parent: "province_code" } },
      },
      {
        name: "provinces.geojson",
        kind: "geometry",
        level: "province",
        text: read("provinces.geojson"),
        options: { crossings: "untangle" },
      },
      {
        name: "communes.c6.topo.json",
        kind: "geometry",
        level: "commune",
        text: read("communes.c6.topo.json"),
        options: { crossings: "untangle" },
      },
      {
        name: "old_to_new_communes.csv",
        kind: "successors",
        level: "commune",
        text: read("old_to_new_communes.csv"),
        options: {
          whole: ["Nhập toàn bộ", "Giữ nguyên"],
          renamed: { "06970": "06978" },
          blankOldCodes: "skip",
        },
      },
    ],
    "2026-04-30",
    "vietnam",
  );
};

test.skipIf(!existsSync(VIETNAM))("a real country is imported in well under a minute", async () => {
  await using database = await createTestDatabase();
  const started = performance.now();
  const report = await importAreaPack(database, vietnam());
  expect(performance.now() - started).toBeLessThan(30_000);
  expect(report.units).toEqual({ province: 34, commune: 3321 });
  expect(report.successors).toMatchObject({ rows: 10_565, skipped: 6 });
  expect(report.untangled.length).toBe(6);
  expect(Math.max(...report.untangled.map(({ areaChange }) => areaChange))).toBeLessThan(1e-5);
  const tree = await loadAreaTree(database.db);
  // 00004 is Ba Đình today and was Trúc Bạch, which went wholly into it.
  expect(resolveCode(tree, "00004")).toMatchObject({ state: "current" });
  expect(resolveCode(tree, "00004", "2025-01-01")).toMatchObject({
    state: "former",
    formerName: "Phường Trúc Bạch",
    part: false,
    current: [{ area: { code: "00004", name: { vi: "Phường Ba Đình" } } }],
  });
  expect(resolveCode(tree, "00016")).toMatchObject({ state: "former", part: true });
});

test.skipIf(!existsSync(VIETNAM))("as it comes, the real country is refused and says where", () => {
  const input = vietnam();
  const faults = faultsOf({
    ...input,
    files: input.files.map((file) => ({
      ...file,
      options: file.kind === "units" ? file.options : {},
    })) as AreaPackFile[],
  });
  expect(faults.filter((fault) => fault.includes("crosses itself")).length).toBe(6);
  expect(faults.filter((fault) => fault.includes('successor "06970"')).length).toBe(5);
});
