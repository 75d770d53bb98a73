// Turns cells into communes: kind, code, name, people, villages, and the former units whose
// merger made them. Codes begin with SL, as no code of the real country does.
import type { Borders } from "./borders.ts";
import { coastX, distance, type Point, TOWNS } from "./landscape.ts";
import {
  COAST_NAMES,
  HILL_NAMES,
  ISLAND_NAME,
  type NamedKind,
  nameUnit,
  PLAIN_NAMES,
  TOWN_NAMES,
  VILLAGE_NAMES,
} from "./names.ts";
import { createRandom, pickInteger, type Random, shuffle } from "./random.ts";

export const PROVINCE_CODE = "SL";

interface Names {
  readonly vi: string;
  readonly en: string;
}

export interface Village {
  readonly code: string;
  readonly kind: "thôn" | "tổ dân phố";
  readonly name: Names;
  readonly population: number;
}

export interface Commune {
  readonly code: string;
  readonly kind: "phường" | "xã" | "đặc khu";
  readonly shortName: string;
  readonly name: Names;
  readonly population: number;
  readonly villages: readonly Village[];
  /** Its cell; null for the island. */
  readonly cell: number | null;
  readonly coastal: boolean;
}

/** A row of the table of successors. */
export interface Succession {
  readonly oldCode: string;
  readonly oldName: string;
  readonly newCode: string;
  readonly how: "whole" | "part";
}

const townOf = (p: Point) => TOWNS.findIndex((town) => distance(p, town) < town.radius + 1.4);
const codeOf = (number: number) => `${PROVINCE_CODE}${String(number).padStart(3, "0")}`;

/** All communes in the order of their codes: the two towns' wards, communes from north to south, the island. */
export function createCommunes(
  seed: string,
  centres: readonly Point[],
  land: readonly number[],
  { borders }: Borders,
): Commune[] {
  const random = createRandom(`${seed} units`);
  const names = {
    town: [...TOWN_NAMES],
    coast: shuffle(random, COAST_NAMES),
    plain: shuffle(random, PLAIN_NAMES),
    // The reservoir's commune and the range's commune come first: zones speak of them.
    hill: [...HILL_NAMES],
  } as Record<string, string[]>;
  const wet = new Set(
    borders
      .filter(({ cells: [, other] }) => {
        const p = centres[other] as Point;
        return !land.includes(other) && p.x > coastX(p.y) - 3 && p.y > 4 && p.y < 112;
      })
      .map(({ cells: [cell] }) => cell),
  );
  const centreOf = (cell: number) => centres[cell] as Point;
  const rank = (cell: number) => {
    const town = townOf(centreOf(cell));
    return (town < 0 ? TOWNS.length : town) * 1000 - centreOf(cell).y;
  };
  const communes = land
    .toSorted((a, b) => rank(a) - rank(b))
    .map((cell, i) => {
      const ward = townOf(centreOf(cell)) >= 0;
      const pool = ward
        ? "town"
        : wet.has(cell)
          ? "coast"
          : centreOf(cell).x < 24
            ? "hill"
            : "plain";
      const shortName = names[pool]?.shift();
      if (shortName === undefined) throw new Error(`the list of ${pool} names is too short`);
      const people = ward
        ? pickInteger(random, 27_000, 49_000)
        : pool === "hill"
          ? pickInteger(random, 7_000, 15_000)
          : pickInteger(random, 15_000, 29_000);
      return createCommune(random, codeOf(i + 1), ward ? "phường" : "xã", shortName, people, {
        cell,
        coastal: wet.has(cell),
      });
    });
  communes.push(
    createCommune(random, codeOf(land.length + 1), "đặc khu", ISLAND_NAME, 4_870, {
      cell: null,
      coastal: true,
    }),
  );
  return communes;
}

function createCommune(
  random: Random,
  code: string,
  kind: Commune["kind"],
  shortName: string,
  population: number,
  place: { cell: number | null; coastal: boolean },
): Commune {
  const count = pickInteger(random, kind === "đặc khu" ? 4 : 5, kind === "đặc khu" ? 5 : 12);
  const weights = Array.from({ length: count }, () => 0.6 + random());
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const villageNames = shuffle(random, VILLAGE_NAMES);
  let left = population;
  const villages = weights.map((weight, i): Village => {
    const people = i === count - 1 ? left : Math.round((population * weight) / total);
    left -= people;
    const villageCode = `${code}-${String(i + 1).padStart(2, "0")}`;
    return kind === "phường"
      ? {
          code: villageCode,
          kind: "tổ dân phố",
          name: { vi: `Tổ dân phố ${i + 1}`, en: `Residential Group ${i + 1}` },
          population: people,
        }
      : {
          code: villageCode,
          kind: "thôn",
          name: nameUnit("thôn", villageNames[i] as string),
          population: people,
        };
  });
  return {
    code,
    kind,
    shortName,
    name: nameUnit(kind satisfies NamedKind, shortName),
    population,
    villages,
    ...place,
  };
}

/**
 * The communes before the merger: two or three went into each of today's, and of some of them
 * a part went to a neighbour.
 */
export function createSuccessions(
  seed: string,
  communes: readonly Commune[],
  { borders }: Borders,
): Succession[] {
  const random = createRandom(`${seed} successions`);
  const ofCell = new Map(communes.map((commune) => [commune.cell, commune]));
  const rows: Succession[] = [];
  let number = 0;
  for (const { code, cell, shortName } of communes) {
    const sides = shuffle(random, ["Thượng", "Hạ", "Đông", "Tây", "Nội", "Ngoại"]);
    const count = cell === null ? 1 : pickInteger(random, 2, 3);
    const neighbours = borders
      .filter(({ cells }) => cell !== null && cells.includes(cell))
      .map(({ cells }) => ofCell.get(cells[0] === cell ? cells[1] : cells[0]))
      .filter((neighbour) => neighbour !== undefined);
    for (let i = 0; i < count; i++) {
      number += 1;
      const old = {
        oldCode: `SLC${String(number).padStart(3, "0")}`,
        oldName: count === 1 ? `Huyện đảo ${shortName}` : `Xã ${shortName} ${sides[i]}`,
      };
      const neighbour = neighbours[Math.floor(random() * neighbours.length)];
      const divided = neighbour !== undefined && random() < 0.1;
      rows.push({ ...old, newCode: code, how: divided ? "part" : "whole" });
      if (divided) rows.push({ ...old, newCode: neighbour.code, how: "part" });
    }
  }
  return rows;
}
