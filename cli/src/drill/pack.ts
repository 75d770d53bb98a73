// The tables of Sông Lụa, the invented province, as its area pack has them on disk: the drill's own
// knowledge of places, beside the server's.
import { readFile } from "node:fs/promises";
import type { Unit } from "./expectation.ts";
import { readPlainCsv } from "./plain-csv.ts";

const FOLDER = new URL("../../../server/areas/song-lua/", import.meta.url);

/**
 * The coast where the typhoon comes ashore: from the river mouth at Guồng Tơ, around the cape Mũi
 * Thoi, south to Gành Lụa, and the island Hòn Nhạn.
 */
export const TYPHOON_COAST = [
  "SL007",
  "SL011",
  "SL012",
  "SL013",
  "SL017",
  "SL019",
  "SL033",
  "SL037",
  "SL041",
  "SL046",
  "SL052",
  "SL057",
  "SL060",
  "SL061",
] as const;

export interface NamedUnit extends Unit {
  readonly name: string;
}

/** Every unit of the pack, top level first. */
export async function readUnits(): Promise<NamedUnit[]> {
  const units: NamedUnit[] = [];
  for (const level of ["province", "commune", "village"] as const) {
    const name = level === "province" ? "province.csv" : `${level}s.csv`;
    for (const row of readPlainCsv(await readFile(new URL(name, FOLDER), "utf8")))
      units.push({
        code: row.code ?? "",
        level,
        parent: row.parent ?? "",
        population: Number(row.population ?? 0),
        name: row.name_vi ?? "",
      });
  }
  return units;
}
