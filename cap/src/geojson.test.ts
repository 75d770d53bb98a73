import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Geometry, toGeoJson } from "./geojson.ts";
import type { CapArea, CapPoint } from "./message.ts";
import { crossesItself } from "./polygon.ts";
import { readCap } from "./read.ts";

const file = new URL("../fixtures/song-lua-typhoon.xml", import.meta.url);
const { message } = readCap(readFileSync(file));
if (message === undefined) throw new Error("the fixture is no message");
const typhoon = message;

function geometryOf(area: Partial<CapArea>): Geometry | null | undefined {
  const whole = { areaDesc: "Ven biển", polygons: [], circles: [], geocodes: [], ...area };
  const [info] = typhoon.infos;
  const infos = info === undefined ? [] : [{ ...info, areas: [whole] }];
  return toGeoJson({ ...typhoon, infos }).features[0]?.geometry;
}

test("a feature for each area of each language, longitude first and counterclockwise", () => {
  const { type, features } = toGeoJson(typhoon);
  expect(type).toBe("FeatureCollection");
  expect(features.map(({ properties }) => properties.language)).toEqual(["vi-VN", "en"]);
  expect(features[0]?.geometry).toEqual({
    type: "Polygon",
    coordinates: [
      [
        [109.8, 13.62],
        [110.2, 13.62],
        [110.2, 14.1],
        [109.8, 14.1],
        [109.8, 13.62],
      ],
    ],
  });
  expect(features[0]?.properties).toMatchObject({
    identifier: "SLUA.2026.09.KC-05",
    expires: "2026-09-08T08:00:00+07:00",
    geocode: [
      { valueName: "loa.area", value: "SL021" },
      { valueName: "loa.area", value: "SL022" },
    ],
  });
});

test("an area of codes alone has no geometry, one of several shapes has them all", () => {
  expect(geometryOf({})).toBeNull();
  const circle = { center: [14, 109], radiusKm: 0 } as const;
  expect(geometryOf({ circles: [circle] })).toEqual({ type: "Point", coordinates: [109, 14] });
  const two = geometryOf({ circles: [circle, { ...circle, radiusKm: 5 }] });
  expect(two).toMatchObject({ type: "GeometryCollection", geometries: [{}, { type: "Polygon" }] });
});

test("a circle becomes a polygon whose corners are its radius away", () => {
  const geometry = geometryOf({ circles: [{ center: [14, 109], radiusKm: 10 }] });
  const ring = geometry?.type === "Polygon" ? (geometry.coordinates[0] ?? []) : [];
  expect(ring).toHaveLength(65);
  expect(ring.at(-1)).toEqual(ring[0]);
  const kmPerDegree = (Math.PI * 6371.0088) / 180;
  for (const [longitude, latitude] of ring) {
    const north = (latitude - 14) * kmPerDegree;
    const east = (longitude - 109) * kmPerDegree * Math.cos((14 * Math.PI) / 180);
    expect(Math.abs(Math.hypot(north, east) - 10)).toBeLessThan(0.02);
  }
});

const SQUARE: readonly CapPoint[] = [
  [0, 0],
  [0, 1],
  [1, 1],
  [1, 0],
  [0, 0],
];

test("a ring that crosses, touches or runs back over itself is seen, another is not", () => {
  const ring = (...points: readonly (readonly [number, number])[]) => crossesItself(points);
  expect(crossesItself(SQUARE)).toBe(false);
  expect(crossesItself(SQUARE.toReversed())).toBe(false);
  expect(ring([0, 0], [1, 1], [0, 1], [1, 0], [0, 0])).toBe(true);
  expect(ring([0, 0], [2, 0], [1, 0], [1, 1], [0, 0])).toBe(true);
  expect(ring([0, 0], [0, 2], [2, 2], [0, 1], [2, 0], [0, 0])).toBe(true);
  // A point that is given twice is clumsy, and no crossing.
  expect(ring([0, 0], [0, 1], [0, 1], [1, 1], [1, 0], [0, 0])).toBe(false);
});

test("a star around a point never crosses itself, whatever its rays", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1, max: 9, noNaN: true }), { minLength: 3, maxLength: 40 }),
      (rays) => {
        const points = rays.map((ray, index): CapPoint => {
          const angle = (2 * Math.PI * index) / rays.length;
          return [ray * Math.sin(angle), ray * Math.cos(angle)];
        });
        expect(crossesItself([...points, points[0] as CapPoint])).toBe(false);
      },
    ),
  );
});

test("a ring that is too large to compare is told, and the time is bounded", () => {
  const comb = Array.from({ length: 20_000 }, (_, index): CapPoint => [
    index % 2 === 0 ? -80 : 80,
    index / 200,
  ]);
  expect(crossesItself([...comb, [-89, 100], comb[0] as CapPoint])).toBe("unknown");
});
