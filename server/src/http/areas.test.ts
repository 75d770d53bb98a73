import { existsSync, readFileSync } from "node:fs";
import { Problem } from "@loa/model/problem.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { newId } from "../db/id.ts";
import { createLogger } from "../observe/log.ts";
import { type AreaTree, loadAreaTree } from "../registry/area.ts";
import { installSongLua, readSongLua } from "../registry/song-lua.ts";
import { type App, buildApp } from "./app.ts";
import { mountAreas } from "./areas.ts";
import type { Caller } from "./caller.ts";
import { mountZones } from "./zones.ts";

const OPERATOR = { memberId: newId(), personId: newId(), personName: "Oanh", agencyId: newId() };
const CALLERS: Record<string, Caller> = {
  operator: { kind: "member", who: { ...OPERATOR, roles: ["operator"] } },
  author: { kind: "member", who: { ...OPERATOR, agencyId: newId(), roles: ["author"] } },
  other: { kind: "member", who: { ...OPERATOR, agencyId: newId(), roles: ["author"] } },
};

let database: TestDatabase;
let tree: AreaTree;
let app: App;

beforeAll(async () => {
  database = await createTestDatabase();
  await installSongLua(database);
  const areasChanged = async () => {
    tree = await loadAreaTree(database.db);
  };
  await areasChanged();
  app = buildApp({
    db: database.db,
    log: createLogger("silent", "test"),
    checkAnswers: true,
    authenticate: async (credential) => {
      const caller = CALLERS[credential];
      if (!caller) throw new Problem("key-unknown", "No such key.");
      return caller;
    },
  });
  mountAreas(app, { db: database.db, pool: database.pool, tree: () => tree, areasChanged });
  mountZones(app, { db: database.db, tree: () => tree });
});
afterAll(() => database.close());

const get = async (path: string) => {
  const response = await app.request(path);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const post = async (path: string, key: string, body?: object) => {
  const response = await app.request(path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "idempotency-key": newId(),
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text ? JSON.parse(text) : {}) as Record<string, unknown>,
  };
};

test("units are listed by parent and level, page by page, in the order of codes", async () => {
  const first = await get("/v1/areas?parent=SL&limit=50");
  expect(first.body.next).toBe("SL050");
  const second = await get(`/v1/areas?parent=SL&limit=50&after=${String(first.body.next)}`);
  expect(second.body.next).toBe(null);
  const codes = [
    ...(first.body.items as { code: string }[]),
    ...(second.body.items as { code: string }[]),
  ].map(({ code }) => code);
  expect(codes.length).toBe(tree.communesUnder(tree.byCode("SL")?.id ?? 0).length);
  expect(codes).toEqual(codes.toSorted());
  expect((await get("/v1/areas?level=province")).body.items).toEqual([
    {
      code: "SL",
      level: "province",
      kind: "tỉnh",
      parent: null,
      name: { vi: "Tỉnh Sông Lụa", en: "Song Lua Province" },
      population: tree.byCode("SL")?.population,
      pack: "song-lua",
    },
  ]);
});

test("a code answers what it is now; a former one its successors", async () => {
  expect((await get("/v1/areas/SL001")).body).toMatchObject({ state: "current", part: false });
  expect((await get("/v1/areas/SLC001")).body).toMatchObject({
    state: "former",
    current: [{ area: { code: "SL001", parent: "SL" }, part: false }],
  });
  expect((await get("/v1/areas/SLC001?asOf=2024-01-01")).body).toMatchObject({ state: "former" });
  expect(await get("/v1/areas/SLC001?asOf=2026-01-01")).toMatchObject({
    status: 404,
    body: { code: "area-unknown" },
  });
  expect(await get("/v1/areas/nowhere")).toMatchObject({
    status: 404,
    body: { code: "area-unknown" },
  });
  expect(await get("/v1/areas/SL001?asOf=yesterday")).toMatchObject({ status: 400 });
});

test("a shape is GeoJSON; a village has none", async () => {
  const response = await app.request("/v1/areas/SL001/geometry");
  expect(response.headers.get("content-type")).toBe("application/geo+json");
  expect(await response.json()).toMatchObject({
    type: "Feature",
    id: "SL001",
    geometry: { type: "MultiPolygon" },
  });
  expect((await get("/v1/areas/SL001-01/geometry")).body.geometry).toBe(null);
  expect((await get("/v1/areas/SLC001/geometry")).body).toMatchObject({ code: "area-superseded" });
});

test("a pack is imported by an operator, and refused whole with its faults", async () => {
  const units = {
    name: "p.csv",
    kind: "units",
    level: "province",
    text: "code,name_vi,name_en\nQ,Tỉnh Q,Q Province\n",
  };
  const pack = { name: "tinh-q", validFrom: "2025-01-01", files: [units] };
  expect((await post("/v1/area-packs", "author", pack)).body).toMatchObject({
    code: "role-missing",
  });
  const bad = { ...pack, files: [{ ...units, text: `${units.text}Q,Lại,Again\n` }] };
  expect(await post("/v1/area-packs", "operator", bad)).toMatchObject({
    body: { code: "area-pack-invalid", faults: [{ at: "p.csv line 3" }] },
  });
  expect(await post("/v1/area-packs", "operator", pack)).toMatchObject({
    status: 201,
    body: { units: { province: 1 } },
  });
  expect((await get("/v1/area-packs")).body.items).toContainEqual({
    name: "tinh-q",
    validFrom: "2025-01-01",
  });
  expect((await get("/v1/areas/Q")).status).toBe(200);
  expect((await post("/v1/area-packs", "operator", readSongLua().pack)).body).toMatchObject({
    code: "area-pack-clash",
  });
});

test("a zone is drawn by an agency, shown, and retired by that agency only", async () => {
  const coordinates = [
    [
      [109.9, 13.8],
      [110, 13.8],
      [110, 13.9],
      [109.9, 13.8],
    ],
  ];
  const zone = {
    code: "SL-Z7",
    name: { vi: "Ven hồ", en: "Lakeside" },
    geometry: { type: "Polygon", coordinates },
    areas: ["SL003"],
  };
  expect(await post("/v1/zones", "author", zone)).toMatchObject({
    status: 201,
    body: { areas: ["SL003"], hasGeometry: true },
  });
  expect(await post("/v1/zones", "author", zone)).toMatchObject({
    status: 400,
    body: { code: "request-invalid" },
  });
  expect((await get("/v1/zones/SL-Z7")).body).toMatchObject({ geometry: { coordinates } });
  expect(((await get("/v1/zones")).body.items as unknown[]).length).toBe(6);
  const crossing = {
    ...zone,
    code: "SL-Z8",
    geometry: {
      type: "Polygon",
      coordinates: [
        [
          [109.9, 13.8],
          [110, 13.9],
          [110, 13.8],
          [109.9, 13.9],
          [109.9, 13.8],
        ],
      ],
    },
  };
  expect((await post("/v1/zones", "author", crossing)).body).toMatchObject({
    code: "geometry-invalid",
  });
  expect((await post("/v1/zones/SL-Z7/retire", "other")).body).toMatchObject({
    code: "not-entitled",
  });
  expect((await post("/v1/zones/SL-Z7/retire", "author")).status).toBe(204);
  expect((await get("/v1/zones/SL-Z7")).body).toMatchObject({ code: "zone-unknown" });
});

const VIETNAM = new URL("../../../../shared/area-pack-vietnam/", import.meta.url);
test.skipIf(!existsSync(VIETNAM))("a real country arrives over HTTP in time", async () => {
  const read = (name: string) => readFileSync(new URL(name, VIETNAM), "utf8");
  const columns = { name_vi: "full_name", name_en: "full_name_en", kind: "type" };
  const geometry = { kind: "geometry", options: { crossings: "untangle" } };
  const started = performance.now();
  const answer = await post("/v1/area-packs", "operator", {
    name: "vietnam",
    validFrom: "2026-04-30",
    files: [
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
        ...geometry,
        name: "provinces.topo.json",
        level: "province",
        text: read("provinces.topo.json"),
      },
      {
        ...geometry,
        name: "communes.c6.topo.json",
        level: "commune",
        text: read("communes.c6.topo.json"),
      },
    ],
  });
  expect(answer).toMatchObject({ status: 201, body: { units: { province: 34, commune: 3321 } } });
  expect(performance.now() - started).toBeLessThan(30_000);
  expect((await get("/v1/areas/01")).body).toMatchObject({
    current: [{ area: { name: { vi: "Thành phố Hà Nội" } } }],
  });
});
