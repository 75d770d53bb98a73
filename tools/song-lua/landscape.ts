// The lie of the land, in kilometres (x east, y north): where the coast, the two towns and
// the outer borders run, and how close together communes are. Everything else is drawn by
// chance within it. The sea is in the east, the hills in the west.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The corner of the plane, in open sea: no place of a real country lies here. */
const ORIGIN = { lon: 109.62, lat: 13.3 };
const KM_PER_DEGREE_LAT = 110.6;
const KM_PER_DEGREE_LON = 111.32 * Math.cos((13.8 * Math.PI) / 180);

/** Kilometres to degrees. */
export const toLonLat = (p: Point): [lon: number, lat: number] => [
  ORIGIN.lon + p.x / KM_PER_DEGREE_LON,
  ORIGIN.lat + p.y / KM_PER_DEGREE_LAT,
];

/** The plane that is filled with cells; wider than the land, so that no land cell is cut off. */
export const PLANE = { left: -18, bottom: -18, right: 92, top: 132 };

/** The two towns, at the mouths of the two rivers. */
export const TOWNS = [
  { name: "Bến Lụa", x: 48.5, y: 76, radius: 7.6, spacing: 3.1 },
  { name: "Cửa Ươm", x: 56.5, y: 31, radius: 4.9, spacing: 2.7 },
] as const;

/** Where the two rivers enter the province in the west, and near which town they end. */
export const RIVERS = [
  { code: "song-lua", vi: "sông Lụa", en: "Lua River", source: { x: 4, y: 87 }, town: TOWNS[0] },
  { code: "song-uom", vi: "sông Ươm", en: "Uom River", source: { x: 5, y: 24 }, town: TOWNS[1] },
] as const;

/** The island's two parts: centre and mean radius in kilometres. */
export const ISLAND = [
  { x: 74, y: 55, radius: 3.4 },
  { x: 78.6, y: 51.2, radius: 1.1 },
] as const;

/** East of this is sea: a long bay, a cape in the middle, a smaller bay in the south. */
export const coastX = (y: number): number =>
  54 + 5.5 * Math.sin((y - 8) / 17) + 3 * Math.sin((y + 30) / 7.3);

export const isLand = ({ x, y }: Point): boolean => {
  const west = 6 + 3.5 * Math.sin(y / 13) + 2 * Math.sin(y / 5.1);
  const south = 7 + 2.5 * Math.sin(x / 9);
  const north = 107 + 3 * Math.sin(x / 11 + 1);
  return x > west && x < coastX(y) && y > south && y < north;
};

/** The least distance between two communes' centres around a point. */
export function spacingAt(p: Point): number {
  for (const town of TOWNS) {
    const away = distance(p, town);
    if (away < town.radius) return town.spacing;
  }
  return isLand(p) && p.x > 36 ? 7.9 : 8.7;
}

export const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
