// The zones of Sông Lụa, one of each sort: a drawn shape (below the reservoir, landslide slopes, an
// anchorage), a list of villages (along the dyke), a list of communes (coast and island).
import { EndType, inflatePathsD, JoinType } from "clipper2-ts";
import { distance, type Point, toLonLat, TOWNS } from "./landscape.ts";
import { createRandom } from "./random.ts";
import type { River } from "./rivers.ts";
import type { Commune } from "./units.ts";

/** A zone as `zones.json` lists it. */
export interface ZoneEntry {
  readonly code: string;
  readonly name: { readonly vi: string; readonly en: string };
  readonly geometry?: object;
  readonly areas?: readonly string[];
}

/** Where the reservoir lies on its river, as a share of the course, and how wide the flood path is. */
const RESERVOIR_AT = 0.22;
const FLOOD_PATH_KM = 2.4;

export function createZones(
  seed: string,
  communes: readonly Commune[],
  rivers: readonly River[],
): ZoneEntry[] {
  const [lua, uom] = rivers as [River, River];
  const dyked = communes.filter(({ cell }) => cell !== null && (lua.banks.get(cell) ?? 0) > 0.5);
  return [
    {
      code: "SL-Z1",
      name: { vi: "Hạ du hồ Đá Dựng", en: "Below the Da Dung reservoir" },
      geometry: polygon(corridor(belowReservoir(uom), FLOOD_PATH_KM)),
    },
    {
      code: "SL-Z2",
      name: { vi: "Ven đê sông Lụa", en: "Along the dyke of the Lua River" },
      areas: dyked.flatMap(({ villages }) =>
        villages.slice(0, Math.ceil(villages.length / 3)).map(({ code }) => code),
      ),
    },
    {
      code: "SL-Z3",
      name: { vi: "Sườn dốc sạt lở dãy Ba Chẻm", en: "Landslide slopes of the Ba Chem range" },
      geometry: polygon(drawBlob(`${seed} slopes`, { x: 15, y: 56 }, { x: 6, y: 21 })),
    },
    {
      code: "SL-Z4",
      name: { vi: "Các xã, phường ven biển và hải đảo", en: "Coastal communes and the island" },
      areas: communes.filter(({ coastal }) => coastal).map(({ code }) => code),
    },
    {
      code: "SL-Z5",
      name: { vi: "Khu neo đậu tàu thuyền Cửa Ươm", en: "Cua Uom boat anchorage" },
      geometry: polygon(
        drawBlob(`${seed} anchorage`, { x: TOWNS[1].x + 4, y: TOWNS[1].y }, { x: 1.6, y: 1.2 }),
      ),
    },
  ];
}

/** The reservoir's water, for maps. */
export const drawReservoir = (seed: string, rivers: readonly River[]): object =>
  polygon(
    drawBlob(`${seed} reservoir`, belowReservoir(rivers[1] as River)[0] as Point, {
      x: 1.9,
      y: 1.1,
    }),
  );

function belowReservoir({ line }: River): Point[] {
  return line.slice(Math.floor(line.length * RESERVOIR_AT));
}

/** Everything within `halfWidth` kilometres of a line. */
function corridor(line: readonly Point[], halfWidth: number): Point[] {
  // A point every two kilometres is enough: what matters is the width.
  const sparse: Point[] = [];
  for (const p of line)
    if (sparse.length === 0 || distance(sparse.at(-1) as Point, p) > 2) sparse.push(p);
  const paths = inflatePathsD(
    [sparse.map(({ x, y }) => ({ x, y }))],
    halfWidth,
    JoinType.Round,
    EndType.Round,
    2,
    4,
    0.05,
  );
  if (paths.length !== 1) throw new Error("the flood path has a hole; choose another seed");
  return (paths[0] as Point[]).map(({ x, y }) => ({ x, y }));
}

/** A rounded, uneven shape around a centre. */
export function drawBlob(seed: string, centre: Point, radius: Point, corners = 28): Point[] {
  const random = createRandom(seed);
  const waves = [2, 3, 5].map((times) => ({ times, size: 0.09 * random(), turn: random() * 6 }));
  return Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    const swell = waves.reduce(
      (sum, { times, size, turn }) => sum + size * Math.sin(times * angle + turn),
      1,
    );
    return {
      x: centre.x + radius.x * swell * Math.cos(angle),
      y: centre.y + radius.y * swell * Math.sin(angle),
    };
  });
}

function polygon(points: readonly Point[]): object {
  const ring = points.map((p) => toLonLat(p).map((degrees) => Number(degrees.toFixed(5))));
  return { type: "Polygon", coordinates: [[...ring, ring[0]]] };
}
