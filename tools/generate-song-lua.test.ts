import { existsSync, readdirSync, readFileSync } from "node:fs";
import { area, FillRule, type PathD, unionD } from "clipper2-ts";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import { describe, expect, test } from "vitest";
import { generateSongLua } from "./generate-song-lua.ts";

type Ring = [number, number][];
const folder = new URL("../server/areas/song-lua/", import.meta.url);
const files = generateSongLua();
const topology = JSON.parse(files.get("units.topo.json") as string) as Topology;

/** All rings of one object: for each unit its polygons. */
function shapesOf(object: string): Map<string, Ring[][]> {
  const collection = feature(
    topology,
    topology.objects[object] as GeometryCollection<{ code: string }>,
  );
  return new Map(
    collection.features.map(({ properties, geometry }) => {
      if (geometry.type === "Polygon") return [properties.code, [geometry.coordinates as Ring[]]];
      if (geometry.type === "MultiPolygon")
        return [properties.code, geometry.coordinates as Ring[][]];
      throw new Error(`${properties.code} is a ${geometry.type}`);
    }),
  );
}

const rowsOf = (name: string) =>
  (files.get(name) as string)
    .trim()
    .split("\n")
    .slice(1)
    .map((row) => row.split(","));

/** In centimetres around the middle of the province, where products stay exact. */
const toPath = (ring: Ring): PathD => ring.slice(1).map(([x, y]) => ({ x: x - 110, y: y - 13.8 }));

const contains = (polygons: Ring[][], x: number, y: number) =>
  polygons.flat().reduce((inside, ring) => {
    let odd = inside;
    for (let i = 1; i < ring.length; i++) {
      const [x1, y1] = ring[i - 1] as [number, number];
      const [x2, y2] = ring[i] as [number, number];
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
    }
    return odd;
  }, false);

test("the checked-in pack is what the generator draws", () => {
  expect(readdirSync(folder).toSorted()).toEqual([...files.keys()].toSorted());
  for (const [name, text] of files) expect(readFileSync(new URL(name, folder), "utf8")).toBe(text);
});

describe("communes tile the province", () => {
  const communes = shapesOf("communes");
  const [province] = shapesOf("province").values() as Iterator<Ring[][]> & Iterable<Ring[][]>;

  test("the sum of their surfaces is the surface of their union and of the province", () => {
    const paths = [...communes.values()].flatMap((polygons) =>
      polygons.map((rings) => toPath(rings[0] as Ring)),
    );
    const sum = paths.reduce((total, path) => total + Math.abs(area(path)), 0);
    const union = unionD(paths, [], FillRule.NonZero, 8).reduce(
      (total, path) => total + area(path),
      0,
    );
    const whole = (province as Ring[][]).reduce(
      (total, rings) => total + Math.abs(area(toPath(rings[0] as Ring))),
      0,
    );
    expect(union / sum).toBeCloseTo(1, 6);
    expect(whole / sum).toBeCloseTo(1, 9);
  });

  test("every place of the province lies in exactly one commune", () => {
    const counts = new Set<string>();
    for (let i = 0; i < 20_000; i++) {
      // A low-discrepancy walk: even, and the same on every run.
      const x = 109.4 + ((i * 0.7548776662466927) % 1) * 1.1;
      const y = 13.2 + ((i * 0.5698402909980532) % 1) * 1.3;
      const inside = contains(province as Ring[][], x, y) ? 1 : 0;
      const found = [...communes.values()].filter((polygons) => contains(polygons, x, y)).length;
      counts.add(`${inside} ${found}`);
    }
    expect([...counts].toSorted()).toEqual(["0 0", "1 1"]);
  });
});

test("communes are of two kinds beside the island, each with 4 to 12 villages", () => {
  const communes = rowsOf("communes.csv");
  const kinds = Map.groupBy(communes, ([, kind]) => kind);
  expect(communes.length).toBeGreaterThanOrEqual(58);
  expect(communes.length).toBeLessThanOrEqual(64);
  expect([...kinds.keys()]).toEqual(["phường", "xã", "đặc khu"]);
  expect(kinds.get("đặc khu")?.length).toBe(1);
  const villages = Map.groupBy(rowsOf("villages.csv"), (row) => row[4]);
  for (const [code, , , , , population] of communes) {
    const inside = villages.get(code) ?? [];
    expect(inside.length).toBeGreaterThanOrEqual(4);
    expect(inside.length).toBeLessThanOrEqual(12);
    expect(inside.reduce((sum, row) => sum + Number(row[5]), 0)).toBe(Number(population));
  }
  const people = Number(rowsOf("province.csv")[0]?.[4]);
  expect(people).toBeGreaterThan(1_200_000);
  expect(people).toBeLessThan(1_600_000);
});

test("names are in NFC, none is given twice among communes, English ones bear no marks", () => {
  const rows = [...rowsOf("communes.csv"), ...rowsOf("villages.csv"), ...rowsOf("province.csv")];
  for (const [, , vi, en] of rows) {
    expect(vi).toBe((vi as string).normalize("NFC"));
    expect(en).toMatch(/^[A-Za-z0-9 ]+$/);
  }
  const names = rowsOf("communes.csv").map((row) => row[2]);
  expect(new Set(names).size).toBe(names.length);
});

test("coastal communes form one unbroken coast", () => {
  const communes = shapesOf("communes");
  const zones = JSON.parse(files.get("zones.json") as string) as {
    code: string;
    areas?: string[];
  }[];
  const coastal = zones.find(({ code }) => code === "SL-Z4")?.areas ?? [];
  const points = new Map(
    coastal.map((code) => [code, new Set((communes.get(code) as Ring[][]).flat(2).map(String))]),
  );
  const [first, ...rest] = coastal.slice(0, -1);
  const reached = [first as string];
  for (const code of reached)
    for (const other of rest)
      if (
        !reached.includes(other) &&
        !points.get(code)?.isDisjointFrom(points.get(other) ?? new Set())
      )
        reached.push(other);
  // The island comes last and lies apart.
  expect(reached.toSorted()).toEqual(coastal.slice(0, -1).toSorted());
});

const REAL = new URL("../../shared/area-pack-vietnam/", import.meta.url);
test.skipIf(!existsSync(REAL))("no name, code or place is a real country's", () => {
  const read = (name: string) => readFileSync(new URL(name, REAL), "utf8");
  const rows = read("communes.csv")
    .split("\n")
    .slice(1)
    .map((row) => row.split(","));
  const names = new Set([
    ...rows.map((row) => row[5]),
    ...read("old_to_new_communes.csv")
      .split("\n")
      .map((row) => row.split(",")[1]),
  ]);
  const codes = new Set(rows.map((row) => row[0]));
  for (const [code, , name] of rowsOf("communes.csv")) {
    expect(names).not.toContain(name);
    expect(codes).not.toContain(code);
  }
});
