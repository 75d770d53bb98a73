// Installs the invented province Sông Lụa from the checked-in pack, through the same import as
// any real country: what the demonstration shows is what an import does.
import { readFileSync } from "node:fs";
import type { AreaPackFile, AreaPackInput } from "@loa/model/area-pack.ts";
import type { Connection } from "../db/connection.ts";
import { loadAreaTree } from "./area.ts";
import { importAreaPack } from "./area-pack.ts";
import { createZone, listZones, type ZoneInput } from "./zone.ts";

const folder = new URL("../../areas/song-lua/", import.meta.url);

/** Reads the checked-in pack with the texts of its files. */
export function readSongLua(): { pack: AreaPackInput; zones: readonly ZoneInput[] } {
  const described = readJson("pack.json") as AreaPackInput;
  const files = described.files.map((file): AreaPackFile => ({
    ...file,
    text: readFileSync(new URL(file.name, folder), "utf8"),
  }));
  return { pack: { ...described, files }, zones: readJson("zones.json") as ZoneInput[] };
}

/**
 * Imports the pack and stores its zones, owned by `agencyId` if one is given. What is there
 * already is left as it is, so that a first start that was interrupted can be repeated.
 */
export async function installSongLua(
  { db, pool }: Pick<Connection, "db" | "pool">,
  agencyId: string | null = null,
): Promise<void> {
  const { pack, zones } = readSongLua();
  const before = await loadAreaTree(db);
  if (!before.packs.some(({ name }) => name === pack.name)) await importAreaPack({ pool }, pack);
  const tree = await loadAreaTree(db);
  const there = new Set((await listZones(db, { retired: true })).map(({ code }) => code));
  for (const zone of zones)
    if (!there.has(zone.code)) await createZone(db, tree, { ...zone, agencyId });
}

const readJson = (name: string): unknown => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
