// Draws Sông Lụa, the invented coastal province in which demonstrations, drills and tests take
// place, so that nobody mistakes them for a real warning. `node tools/generate-song-lua.ts`
// writes server/areas/song-lua/; the same seed always draws the same province, and a test
// compares. No name, code or position belongs to a place of a real country.
import { mkdirSync, writeFileSync } from "node:fs";
import { drawBorders, GRID, type GridPoint, toGrid } from "./song-lua/borders.ts";
import { cellOf, scatterCentres } from "./song-lua/cells.ts";
import { ISLAND, isLand, type Point } from "./song-lua/landscape.ts";
import { nameUnit } from "./song-lua/names.ts";
import { createRandom } from "./song-lua/random.ts";
import { drawRivers, type River } from "./song-lua/rivers.ts";
import {
  type Commune,
  createCommunes,
  createSuccessions,
  PROVINCE_CODE,
  type Succession,
} from "./song-lua/units.ts";
import { createZones, drawBlob, drawReservoir } from "./song-lua/zones.ts";

const SEED = "sông lụa";
const VALID_FROM = "2025-07-01";
const folder = new URL("../server/areas/song-lua/", import.meta.url);

/** The files of the pack: name → text. */
export function generateSongLua(): Map<string, string> {
  const centres = scatterCentres(createRandom(SEED));
  const land = centres.flatMap((centre, i) => (isLand(centre) ? [i] : []));
  const borders = drawBorders(SEED, centres, new Map(land.map((i) => [i, cellOf(centres, i)])));
  const communes = createCommunes(SEED, centres, land, borders);
  const rivers = drawRivers(borders, new Set(land));
  const islands = ISLAND.map(({ x, y, radius }, i) => {
    const shore = drawBlob(`${SEED} island ${i}`, { x, y }, { x: radius * 0.8, y: radius }, 90);
    return [...shore, shore[0] as Point];
  });
  const lines = [...borders.borders.map(({ line }) => line), ...islands];
  const shapes = { lines, outlines: borders.outlines, islands: islands.length };
  return new Map([
    ["pack.json", formatJson(describePack())],
    ["units.topo.json", formatTopology(shapes, communes, rivers)],
    ["province.csv", formatProvince(communes)],
    ["communes.csv", formatCommunes(communes)],
    ["villages.csv", formatVillages(communes)],
    ["successors.csv", formatSuccessors(createSuccessions(SEED, communes, borders))],
    ["zones.json", formatJson(createZones(SEED, communes, rivers))],
  ]);
}

/** What each file is, in the form that `loa areas import` reads. */
function describePack(): object {
  return {
    name: "song-lua",
    validFrom: VALID_FROM,
    files: [
      { name: "province.csv", kind: "units", level: "province" },
      { name: "communes.csv", kind: "units", level: "commune" },
      { name: "villages.csv", kind: "units", level: "village" },
      {
        name: "units.topo.json",
        kind: "geometry",
        level: "province",
        options: { object: "province" },
      },
      {
        name: "units.topo.json",
        kind: "geometry",
        level: "commune",
        options: { object: "communes" },
      },
      { name: "successors.csv", kind: "successors", level: "commune" },
    ],
  };
}

interface Shapes {
  readonly lines: readonly (readonly Point[])[];
  readonly outlines: ReadonlyMap<number, readonly number[]>;
  readonly islands: number;
}

/** One topology for communes, province, rivers and the reservoir, sharing every arc. */
function formatTopology(shapes: Shapes, communes: readonly Commune[], rivers: readonly River[]) {
  const firstIsland = shapes.lines.length - shapes.islands;
  const islandRings = shapes.lines.slice(firstIsland).map((_, i) => [[firstIsland + i]]);
  const outer = joinOuterBorder([...shapes.outlines.values()], shapes.lines);
  return `${JSON.stringify({
    type: "Topology",
    transform: GRID,
    objects: {
      province: collect([
        {
          type: "MultiPolygon",
          properties: { code: PROVINCE_CODE },
          arcs: [[outer], ...islandRings],
        },
      ]),
      communes: collect(
        communes.map(({ code, cell }) =>
          cell === null
            ? { type: "MultiPolygon", properties: { code }, arcs: islandRings }
            : { type: "Polygon", properties: { code }, arcs: [shapes.outlines.get(cell)] },
        ),
      ),
      rivers: collect(
        rivers.map(({ code, name, arcs }) => ({
          type: "LineString",
          properties: { code, ...name },
          arcs,
        })),
      ),
    },
    arcs: shapes.lines.map(formatArc),
    reservoir: drawReservoir(SEED, rivers),
  })}\n`;
}

const collect = (geometries: readonly object[]) => ({ type: "GeometryCollection", geometries });

/** Arcs that only one cell uses, in order around the province. */
function joinOuterBorder(
  outlines: readonly (readonly number[])[],
  lines: readonly (readonly Point[])[],
): number[] {
  const used = new Set(outlines.flat());
  const byStart = new Map<string, number>();
  const end = (arc: number, last: boolean) => {
    const line = lines[arc < 0 ? ~arc : arc] as readonly Point[];
    return toGrid((last === arc >= 0 ? line.at(-1) : line[0]) as Point).join();
  };
  for (const arc of used) if (!used.has(~arc)) byStart.set(end(arc, false), arc);
  const ring: number[] = [];
  let arc = [...byStart.values()][0];
  while (arc !== undefined && arc !== ring[0]) {
    ring.push(arc);
    arc = byStart.get(end(arc, true));
  }
  if (ring.length !== byStart.size) throw new Error("the province is not in one piece");
  return ring;
}

/** First position absolute, then steps, as TopoJSON wants; steps of zero are left out. */
function formatArc(line: readonly Point[]): GridPoint[] {
  const grid = line.map(toGrid);
  const steps: GridPoint[] = [];
  let before: GridPoint = [0, 0];
  for (const [i, at] of grid.entries()) {
    const step = [at[0] - before[0], at[1] - before[1]] as const;
    if (i > 0 && step[0] === 0 && step[1] === 0) continue;
    steps.push(step);
    before = at;
  }
  return steps;
}

const formatJson = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
const formatRows = (rows: readonly (readonly (string | number)[])[]) =>
  `${rows.map((row) => row.join(",")).join("\n")}\n`;
const HEADER = ["code", "kind", "name_vi", "name_en", "parent", "population"];

function formatProvince(communes: readonly Commune[]): string {
  const { vi, en } = nameUnit("tỉnh", "Sông Lụa");
  const people = communes.reduce((sum, { population }) => sum + population, 0);
  return formatRows([
    HEADER.filter((column) => column !== "parent"),
    [PROVINCE_CODE, "tỉnh", vi, en, people],
  ]);
}

const formatCommunes = (communes: readonly Commune[]) =>
  formatRows([
    HEADER,
    ...communes.map(({ code, kind, name, population }) => [
      code,
      kind,
      name.vi,
      name.en,
      PROVINCE_CODE,
      population,
    ]),
  ]);

const formatVillages = (communes: readonly Commune[]) =>
  formatRows([
    HEADER,
    ...communes.flatMap(({ code: parent, villages }) =>
      villages.map(({ code, kind, name, population }) => [
        code,
        kind,
        name.vi,
        name.en,
        parent,
        population,
      ]),
    ),
  ]);

const formatSuccessors = (rows: readonly Succession[]) =>
  formatRows([
    ["old_code", "old_name", "new_code", "how"],
    ...rows.map(({ oldCode, oldName, newCode, how }) => [oldCode, oldName, newCode, how]),
  ]);

if (import.meta.main) {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of generateSongLua()) writeFileSync(new URL(name, folder), text);
}
