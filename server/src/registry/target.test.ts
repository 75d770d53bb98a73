import { area, FillRule, intersectD, type PathsD } from "clipper2-ts";
import fc from "fast-check";
import type { Position, Target } from "@loa/model/target.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { newId } from "../db/id.ts";
import { type AreaTree, loadAreaTree } from "./area.ts";
import { prepareCommunes } from "./cover.ts";
import type { Polygon, Ring, Shape } from "./segment.ts";
import { installSongLua } from "./song-lua.ts";
import { createTargetResolver, type TargetResolver } from "./target.ts";
import { startTargetThread } from "./target-thread.ts";
import { createZone, retireZone } from "./zone.ts";

let database: TestDatabase;
let tree: AreaTree;
let resolver: TargetResolver;
let shapes: Map<string, Shape>;

beforeAll(async () => {
  database = await createTestDatabase();
  await installSongLua(database);
  tree = await loadAreaTree(database.db);
  resolver = createTargetResolver(database.db, tree);
  const rows = await database.db
    .selectFrom("area")
    .select(["code", "geometry"])
    .where("level", "=", "commune")
    .execute();
  shapes = new Map(
    rows.map(({ code, geometry }) => [code, (geometry as { coordinates: Shape }).coordinates]),
  );
});
afterAll(async () => {
  await resolver.close();
  await database.close();
});

const target = (parts: Partial<Target>): Target => ({
  areas: [],
  zones: [],
  rule: { kind: "touches" },
  ...parts,
});
const resolveCodes = async (parts: Partial<Target>) =>
  (await resolver.resolve(target(parts))).communes.map(({ code }) => code);

/** Somewhere on the land of Sông Lụa. */
const INLAND: Position = [109.95, 13.85];
const box = (west: number, south: number, east: number, north: number): Position[] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
];

describe("named units", () => {
  test("a province is all of its communes, whole", async () => {
    const { communes, packs } = await resolver.resolve(target({ areas: ["SL"] }));
    expect(communes.length).toBe(shapes.size);
    expect(communes.every(({ villageIds, share }) => villageIds === null && share === null)).toBe(
      true,
    );
    expect(packs).toEqual([{ name: "song-lua", validFrom: "2025-07-01" }]);
    expect(communes.map(({ code }) => code)).toEqual([...shapes.keys()].toSorted());
  });

  test("villages are those villages only, unless their commune is named as well", async () => {
    const id = (code: string) => tree.byCode(code)?.id;
    const villages = { areas: ["SL020-02", "SL020-01", "SL021-01"] };
    expect((await resolver.resolve(target(villages))).communes).toEqual([
      {
        areaId: id("SL020"),
        code: "SL020",
        villageIds: [id("SL020-01"), id("SL020-02")],
        share: null,
      },
      { areaId: id("SL021"), code: "SL021", villageIds: [id("SL021-01")], share: null },
    ]);
    const both = await resolver.resolve(target({ areas: ["SL020-02", "SL020"] }));
    expect(both.communes).toMatchObject([{ code: "SL020", villageIds: null }]);
  });

  test("unknown and former codes are refused, naming their place", async () => {
    await expect(resolver.resolve(target({ areas: ["SL001", "XX"] }))).rejects.toMatchObject({
      code: "area-unknown",
      faults: [{ at: "/areas/1" }],
    });
    await expect(resolver.resolve(target({ areas: ["SLC001"] }))).rejects.toMatchObject({
      code: "area-superseded",
      faults: [{ at: "/areas/0", what: expect.stringContaining("SL001 Phường Bến Lụa") }],
    });
  });

  test("a target that names and draws nothing is refused", async () => {
    await expect(resolver.resolve(target({}))).rejects.toMatchObject({ code: "target-empty" });
  });
});

describe("zones", () => {
  test("a list of villages comes down to those villages", async () => {
    const { communes } = await resolver.resolve(
      target({ zones: ["SL-Z2"], rule: { kind: "named" } }),
    );
    expect(communes.length).toBeGreaterThan(3);
    expect(communes.every(({ villageIds }) => villageIds !== null && villageIds.length > 0)).toBe(
      true,
    );
  });

  test("a drawn zone comes down to the communes that it touches, with their shares", async () => {
    const { communes } = await resolver.resolve(target({ zones: ["SL-Z1"] }));
    expect(communes.length).toBeGreaterThan(5);
    expect(communes.every(({ share }) => share !== null && share > 0 && share <= 1)).toBe(true);
    const half = await resolver.resolve(
      target({ zones: ["SL-Z1"], rule: { kind: "share", atLeast: 0.5 } }),
    );
    expect(half.communes.length).toBeLessThan(communes.length);
    expect(half.communes).toEqual(communes.filter(({ share }) => (share as number) >= 0.5));
  });

  test("under the rule `named` a drawn shape does not count, and alone it names nobody", async () => {
    expect(
      await resolveCodes({ zones: ["SL-Z1"], areas: ["SL001"], rule: { kind: "named" } }),
    ).toEqual(["SL001"]);
    await expect(
      resolver.resolve(target({ zones: ["SL-Z1"], rule: { kind: "named" } })),
    ).rejects.toMatchObject({ code: "target-empty" });
  });

  test("a zone that was retired is unknown, and its code is not given again", async () => {
    const zone = { code: "SL-Z9", name: { vi: "Vùng", en: "Zone" }, areas: ["SL002"] };
    await createZone(database.db, tree, zone);
    expect(await resolveCodes({ zones: ["SL-Z9"] })).toEqual(["SL002"]);
    const stranger = { agencyId: newId(), isOperator: false };
    await expect(retireZone(database.db, "SL-Z9", stranger)).rejects.toMatchObject({
      code: "not-entitled",
    });
    await retireZone(database.db, "SL-Z9", { ...stranger, isOperator: true });
    await expect(resolveCodes({ zones: ["SL-Z9"] })).rejects.toMatchObject({
      code: "zone-unknown",
    });
    await expect(createZone(database.db, tree, zone)).rejects.toMatchObject({
      code: "request-invalid",
    });
  });
});

describe("drawn shapes", () => {
  test.each([
    [
      "open",
      [
        [109.9, 13.8],
        [110, 13.8],
        [110, 13.9],
        [109.9, 13.9],
      ],
      "geometry-invalid",
      /is open/,
    ],
    [
      "of three points",
      [
        [109.9, 13.8],
        [110, 13.8],
        [109.9, 13.8],
      ],
      "geometry-invalid",
      /at least 4/,
    ],
    [
      "a bow tie",
      [
        [109.9, 13.8],
        [110, 13.9],
        [110, 13.8],
        [109.9, 13.9],
        [109.9, 13.8],
      ],
      "geometry-invalid",
      /crosses itself near \[109\.95, 13\.85\]/,
    ],
    ["latitude first", box(13.8, 109.9, 13.9, 110), "geometry-invalid", /look exchanged/],
    [
      "a line",
      [
        [109, 13],
        [110, 13],
        [109.5, 13],
        [109, 13],
      ],
      "geometry-invalid",
      /encloses nothing/,
    ],
    ["over the 180th meridian", box(-179, 10, 179, 11), "geometry-invalid", /180th meridian/],
    ["on the open sea", box(112, 13, 113, 14), "target-empty", /touch no commune/],
    [
      "of 45,001 points",
      Array.from({ length: 45_001 }, () => INLAND),
      "geometry-too-many-points",
      /45001 points/,
    ],
  ])("a polygon that is %s is refused", async (_, polygon, code, detail) => {
    const parts = { polygon: polygon as unknown as Position[] };
    await expect(resolver.resolve(target(parts))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(detail),
    });
  });

  test("an empty result says when exchanging latitude and longitude would help", async () => {
    // A commune at 14° north, 80° east: exchanged, both are in range.
    await using other = await createTestDatabase();
    await other.pool.query(
      `WITH pack AS (INSERT INTO area_pack (name, valid_from, state) VALUES ('x', '2025-01-01', 'active') RETURNING id)
       INSERT INTO area (pack_id, code, level, name_vi, name_en, geometry)
       SELECT id, 'X1', 'commune', 'X', 'X', $1 FROM pack`,
      [JSON.stringify({ type: "Polygon", coordinates: [box(80, 14, 81, 15)] })],
    );
    const there = createTargetResolver(other.db, await loadAreaTree(other.db));
    await expect(there.resolve(target({ polygon: box(14, 80, 15, 81) }))).rejects.toMatchObject({
      code: "target-empty",
      message: expect.stringContaining("latitude before longitude"),
    });
    await there.close();
  });

  test("a commune's own border covers it whole and touches its neighbours", async () => {
    const [[own]] = shapes.get("SL030") as unknown as [[Position[]]];
    const { communes } = await resolver.resolve(target({ polygon: own }));
    expect(communes.find(({ code }) => code === "SL030")?.share).toBe(1);
    expect(communes.length).toBeGreaterThan(3);
    expect(communes.filter(({ code }) => code !== "SL030").every(({ share }) => share === 0)).toBe(
      true,
    );
    expect(await resolveCodes({ polygon: own, rule: { kind: "share", atLeast: 1 } })).toEqual([
      "SL030",
    ]);
  });

  test("a commune that is named stays whole and named when a shape covers it, too", async () => {
    const polygon = box(109.9, 13.8, 110, 13.9);
    const drawn = await resolver.resolve(target({ polygon }));
    const code = drawn.communes[0]?.code as string;
    const both = await resolver.resolve(
      target({ polygon, areas: [code, `${drawn.communes[1]?.code}-01`] }),
    );
    expect(both.communes[0]).toMatchObject({ code, share: null, villageIds: null });
    expect(both.communes[1]).toMatchObject({ villageIds: null, share: drawn.communes[1]?.share });
  });

  test("a circle holds everybody within its radius, on the globe", async () => {
    const { communes } = await resolver.resolve(
      target({ circle: { center: INLAND, radiusKm: 20 } }),
    );
    const found = new Set(communes.map(({ code }) => code));
    const away = [...shapes].map(([code, shape]) => ({
      code,
      nearest: Math.min(...shape.flat(2).map((point) => kilometres(point, INLAND))),
    }));
    // Border points are about a kilometre apart, so between 20 and 21.5 both answers may be right.
    const within = away.filter(({ nearest }) => nearest <= 20).map(({ code }) => code);
    const beyond = away.filter(({ nearest }) => nearest > 21.5).map(({ code }) => code);
    expect(within.filter((code) => !found.has(code))).toEqual([]);
    expect(beyond.filter((code) => found.has(code))).toEqual([]);
    await expect(
      resolver.resolve(target({ circle: { center: INLAND, radiusKm: 2_001 } })),
    ).rejects.toMatchObject({ code: "geometry-invalid" });
    await expect(
      resolver.resolve(target({ circle: { center: [109, 89.9], radiusKm: 100 } })),
    ).rejects.toMatchObject({ message: expect.stringContaining("pole") });
  });

  test("asked together, targets are answered apart; one that is refused harms no other", async () => {
    const bad = resolver.resolve(
      target({
        polygon: [
          [109.9, 13.8],
          [110, 13.9],
          [110, 13.8],
          [109.9, 13.9],
          [109.9, 13.8],
        ],
      }),
    );
    const good = Array.from({ length: 10 }, (_, i) =>
      resolveCodes({ polygon: box(109.9, 13.8, 109.95 + i / 50, 13.9) }),
    );
    await expect(bad).rejects.toMatchObject({ code: "geometry-invalid" });
    const sizes = (await Promise.all(good)).map((codes) => codes.length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  });

  test("a shape that takes too long is refused, and the next one finds a fresh thread", async () => {
    const hasty = createTargetResolver(database.db, tree, startTargetThread(database.db, [], 0));
    await expect(hasty.resolve(target({ polygon: box(109, 13, 111, 15) }))).rejects.toMatchObject({
      code: "geometry-too-many-points",
    });
    await expect(hasty.resolve(target({ polygon: box(109, 13, 111, 15) }))).rejects.toMatchObject({
      code: "geometry-too-many-points",
    });
    await hasty.close();
  });
});

const kilometres = ([lon1, lat1]: Position, [lon2, lat2]: Position) => {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((lat2 - lat1) * rad) / 2) ** 2 +
    Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * Math.sin(((lon2 - lon1) * rad) / 2) ** 2;
  return 2 * 6371.0088 * Math.asin(Math.sqrt(h));
};

/** A star around a centre never crosses itself. */
const stars = fc
  .record({
    lon: fc.double({ min: 109.5, max: 110.5, noNaN: true }),
    lat: fc.double({ min: 13.2, max: 14.5, noNaN: true }),
    radii: fc.array(fc.double({ min: 0.002, max: 0.5, noNaN: true }), {
      minLength: 3,
      maxLength: 40,
    }),
  })
  .map(({ lon, lat, radii }): Position[] => {
    const ring = radii.map((radius, i): Position => {
      const angle = (2 * Math.PI * i) / radii.length;
      return [lon + radius * Math.cos(angle), lat + radius * Math.sin(angle)];
    });
    return [...ring, ring[0] as Position];
  });

const toPathsD = (shape: Shape): PathsD =>
  shape.flat().map((ring) => ring.map(([x, y]) => ({ x: x - 110, y: y - 14 })));
const sumAreas = (paths: PathsD) => paths.reduce((sum, path) => sum + area(path), 0);

/** Every side against every side; without a meeting, a corner of each against the other. */
function haveCommonPoint(polygon: Polygon, ring: Ring): boolean {
  const sidesOf = (points: Ring) =>
    points.slice(1).map((to, i): [Position, Position] => [points[i] as Position, to]);
  const sides = sidesOf(ring);
  const theirs = polygon.flatMap(sidesOf);
  return (
    theirs.some((a) => sides.some((b) => doMeet(a, b))) ||
    isInside(ring[0] as Position, theirs) ||
    isInside(polygon[0]?.[0] as Position, sides)
  );
}

function doMeet([a, b]: [Position, Position], [c, d]: [Position, Position]): boolean {
  const turnOf = (p: Position, q: Position, r: Position) =>
    Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  const overlap = (axis: 0 | 1) =>
    Math.max(a[axis], b[axis]) >= Math.min(c[axis], d[axis]) &&
    Math.max(c[axis], d[axis]) >= Math.min(a[axis], b[axis]);
  return (
    overlap(0) &&
    overlap(1) &&
    turnOf(a, b, c) * turnOf(a, b, d) <= 0 &&
    turnOf(c, d, a) * turnOf(c, d, b) <= 0
  );
}

/** By the sides that a ray to the east crosses: an odd number of them. */
const isInside = ([x, y]: Position, sides: readonly [Position, Position][]): boolean =>
  sides.filter(
    ([[ax, ay], [bx, by]]) => ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax),
  ).length %
    2 ===
  1;

test("the fast way finds what the slow and obvious way finds, with the same shares", () => {
  const codes = [...shapes.keys()];
  const prepared = prepareCommunes(
    codes.map((code, id) => ({ id, shape: shapes.get(code) as Shape })),
  );
  fc.assert(
    fc.property(stars, (ring) => {
      const found = new Map(prepared.cover([[[ring]]]).map(({ id, share }) => [codes[id], share]));
      for (const [code, shape] of shapes) {
        const touches = shape.some((polygon) => haveCommonPoint(polygon, ring));
        expect([code, found.has(code)]).toEqual([code, touches]);
        if (!touches) continue;
        const both = intersectD(toPathsD(shape), toPathsD([[ring]]), FillRule.EvenOdd, 8);
        const share = sumAreas(both) / Math.abs(sumAreas(toPathsD(shape)));
        expect(Math.abs((found.get(code) as number) - share)).toBeLessThan(1e-4);
      }
    }),
    { numRuns: 60 },
  );
});

test("two shapes together cover the union of what each covers", () => {
  const prepared = prepareCommunes([{ id: 7, shape: [[box(0, 0, 10, 10)]] }]);
  const left: Shape = [[box(-1, -1, 4, 11)]];
  const right: Shape = [[box(3, -1, 8, 11)]];
  expect(prepared.cover([left, right])).toEqual([{ id: 7, share: 0.8 }]);
  expect(prepared.cover([left, [[box(4, -1, 11, 11)]]])).toEqual([{ id: 7, share: 1 }]);
});

test.each([
  ["a shape within a commune", [[box(4, 4, 6, 6)]], 0.04],
  ["a hole within a commune", [[box(-1, -1, 11, 11), box(4, 4, 6, 6)]], 0.96],
  ["a commune within a hole", [[box(-2, -2, 12, 12), box(-1, -1, 11, 11)]], null],
  ["a shape in two pieces", [[box(-1, -1, 1, 11)], [box(9, -1, 11, 11)]], 0.2],
  ["a shape at its corner", [[box(10, 10, 11, 11)]], 0],
  ["a shape along its side", [[box(10, 2, 11, 3)]], 0],
  ["a shape beside it", [[box(10.001, 2, 11, 3)]], null],
] as [string, Shape, number | null][])("%s", (_, shape, share) => {
  const prepared = prepareCommunes([{ id: 7, shape: [[box(0, 0, 10, 10)]] }]);
  expect(prepared.cover([shape])).toEqual(share === null ? [] : [{ id: 7, share }]);
});

test("a commune of several islands is covered island by island", () => {
  const islands: Shape = [[box(0, 0, 1, 1)], [box(3, 0, 6, 1)]];
  const prepared = prepareCommunes([{ id: 7, shape: islands }]);
  expect(prepared.cover([[[box(-1, -1, 2, 2)]]])).toEqual([{ id: 7, share: 0.25 }]);
  expect(prepared.cover([[[box(1.5, 0, 2.5, 1)]]])).toEqual([]);
});
