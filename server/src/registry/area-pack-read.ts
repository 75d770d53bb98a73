// Reads a whole pack from its texts, without a database: units, shapes, successors. Either the
// pack is good, or every fault is named; there is no pack that is half good.
import {
  AREA_PACK_BYTES_MAX,
  AREA_PACK_FILES_MAX,
  type AreaPackInput,
} from "@loa/model/area-pack.ts";
import type { Fault } from "@loa/model/problem.ts";
import { FaultList } from "./area-pack-fault.ts";
import { readShapes, type UntangledShape } from "./area-pack-shapes.ts";
import {
  type PackSuccession,
  type PackUnit,
  readSuccessors,
  readUnits,
} from "./area-pack-units.ts";

export interface ReadPack {
  /** Parents before children. */
  readonly units: readonly PackUnit[];
  readonly successions: readonly PackSuccession[];
  readonly skippedSuccessions: number;
  readonly untangled: readonly UntangledShape[];
}

/** Plain data, so that it travels from the worker thread. */
export type PackAnswer =
  | { readonly pack: ReadPack }
  | { readonly detail: string; readonly faults: readonly Fault[] };

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const LEVEL = /^[a-z][a-z-]{0,30}$/;

/** Takes seconds of processor time for a country; run it in a worker thread. */
export function readAreaPack(input: AreaPackInput): PackAnswer {
  const faults = new FaultList();
  checkFrame(input, faults);
  const pack = faults.count === 0 ? readFiles(input, faults) : null;
  if (pack && faults.count === 0) return { pack };
  return { detail: faults.describe(input.name), faults: faults.faults };
}

function checkFrame({ name, validFrom, files }: AreaPackInput, faults: FaultList): void {
  if (!NAME.test(name))
    faults.add("name", "wants small letters, digits and hyphens, at most 63, as in song-lua");
  const day = new Date(`${validFrom}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== validFrom)
    faults.add("validFrom", "wants a day as YYYY-MM-DD");
  if (files.length > AREA_PACK_FILES_MAX)
    faults.add("files", `${files.length} files; at most ${AREA_PACK_FILES_MAX} are allowed`);
  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  if (bytes > AREA_PACK_BYTES_MAX)
    faults.add("files", `${bytes} bytes in all; at most ${AREA_PACK_BYTES_MAX} are allowed`);
  for (const file of files)
    if (!LEVEL.test(file.level))
      faults.add(
        file.name,
        `the level ${JSON.stringify(file.level)} must be a word in small letters`,
      );
}

function readFiles({ files }: AreaPackInput, faults: FaultList): ReadPack {
  const units = readUnits(
    files.filter((file) => file.kind === "units"),
    faults,
  );
  const untangled = readShapes(
    files.filter((file) => file.kind === "geometry"),
    units,
    faults,
  );
  const { successions, skipped } = readSuccessors(
    files.filter((file) => file.kind === "successors"),
    units,
    faults,
  );
  return { units: [...units.values()], successions, skippedSuccessions: skipped, untangled };
}
