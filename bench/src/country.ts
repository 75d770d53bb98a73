// Where the people of a benchmark live. The invented province Sông Lụa is always there, with the
// agencies of the demonstration; where an area pack of a real country lies beside the repository,
// the people live in that country, because thousands of communes are another load than sixty.
import { existsSync, readFileSync } from "node:fs";
import type { AreaPackInput } from "@loa/model/area-pack.ts";
import type { SyntheticCommune } from "@loa/model/synth.ts";
import type { AreaTree } from "../../server/src/registry/area.ts";

const VIETNAM = new URL("../../../shared/area-pack-vietnam/", import.meta.url);
/** The province of the demonstration. */
const SONG_LUA = "SL";

export type CountryName = "song-lua" | "vietnam";

/** The country that there is on this machine. */
export const availableCountry = (): CountryName => (existsSync(VIETNAM) ? "vietnam" : "song-lua");

/** The pack to import for it; undefined for Sông Lụa, which is there already. */
export function readCountryPack(country: CountryName): AreaPackInput | undefined {
  if (country === "song-lua") return undefined;
  const read = (name: string) => readFileSync(new URL(name, VIETNAM), "utf8");
  const columns = { name_vi: "full_name", name_en: "full_name_en", kind: "type" };
  const options = { crossings: "untangle" } as const;
  return {
    name: country,
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
        name: "communes.c6.topo.json",
        kind: "geometry",
        level: "commune",
        text: read("communes.c6.topo.json"),
        options,
      },
    ],
  };
}

/** Codes of the provinces of the country. */
export function provincesOf(tree: AreaTree, country: CountryName): string[] {
  return tree.areas
    .filter(({ level, code }) => level === "province" && (code === SONG_LUA) === isSongLua(country))
    .map(({ code }) => code);
}

/** Its communes with their weights and villages, as people are spread over them. */
export function communesOf(tree: AreaTree, country: CountryName): SyntheticCommune[] {
  return provincesOf(tree, country)
    .flatMap((code) => tree.communesUnder((tree.byCode(code) as { id: number }).id))
    .map(({ id, code, population }) => ({
      code,
      population: population ?? 0,
      villages: tree
        .children(id)
        .filter(({ level }) => level === "village")
        .map((village) => village.code),
    }));
}

const isSongLua = (country: CountryName): boolean => country === "song-lua";
