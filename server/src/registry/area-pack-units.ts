// Reads the units of a pack: every code once, every parent there and above, populations that
// are numbers. Successors are read against the finished list of units.
import {
  AREA_PACK_SUCCESSORS_MAX,
  AREA_PACK_UNITS_MAX,
  SUCCESSORS_COLUMNS,
  type SuccessorsFile,
  UNITS_COLUMNS,
  type UnitsFile,
} from "@loa/model/area-pack.ts";
import type { FaultList } from "./area-pack-fault.ts";
import { readTable } from "./area-pack-table.ts";

const CODE = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,31}$/u;
/** What the column of the database holds. */
const POPULATION_MAX = 2 ** 31 - 1;

export interface PackUnit {
  readonly code: string;
  readonly level: string;
  readonly kind: string | null;
  readonly parent: string | null;
  readonly nameVi: string;
  readonly nameEn: string;
  readonly population: number | null;
  /** GeoJSON text, filled in when the shapes are read. */
  geometry: string | null;
  /** Where it was read, for faults that show later. */
  readonly at: string;
}

/** Reads all files of units, top level first, into one map by code. */
export function readUnits(files: readonly UnitsFile[], faults: FaultList): Map<string, PackUnit> {
  const units = new Map<string, PackUnit>();
  const levels: string[] = [];
  for (const file of files) {
    const above = new Set(levels.filter((level) => level !== file.level));
    readUnitsFile(file, units, above, faults);
    if (units.size > AREA_PACK_UNITS_MAX) {
      faults.add(file.name, `more than ${AREA_PACK_UNITS_MAX} units in all`);
      break;
    }
    levels.push(file.level);
  }
  if (units.size === 0 && faults.count === 0) faults.add("pack", "has no units");
  return units;
}

function readUnitsFile(
  { name, level, text, options }: UnitsFile,
  units: Map<string, PackUnit>,
  levelsAbove: ReadonlySet<string>,
  faults: FaultList,
): void {
  const rows = readTable(
    name,
    text,
    { ...options, known: UNITS_COLUMNS, required: ["code", "name_vi"] },
    faults,
  );
  for (const { at, get } of rows) {
    const code = get("code") ?? "";
    const nameVi = get("name_vi") ?? "";
    const nameEn = get("name_en") ?? nameVi;
    const parent = get("parent");
    const fault =
      checkCode(code, units) ??
      (nameVi === "" || nameEn === "" ? `unit ${code} has no name` : null) ??
      checkParent(code, parent, units, levelsAbove) ??
      checkPopulation(code, get("population") ?? "");
    if (fault) {
      faults.add(at, fault);
      // Its children are not orphans for that; one fault is enough.
      if (CODE.test(code) && units.has(code)) continue;
      if (!CODE.test(code)) continue;
    }
    const population = get("population");
    units.set(code, {
      code,
      level,
      kind: get("kind") || null,
      parent: parent ?? null,
      nameVi,
      nameEn,
      population: population && !fault ? Number(population) : null,
      geometry: null,
      at,
    });
  }
}

function checkCode(code: string, units: ReadonlyMap<string, PackUnit>): string | null {
  if (code === "") return "has no code";
  if (!CODE.test(code))
    return `code ${JSON.stringify(code)} must be letters, digits, ".", "_" or "-", at most 32`;
  const twin = units.get(code);
  return twin ? `code ${code} is there twice; first in ${twin.at} (${twin.nameVi})` : null;
}

function checkParent(
  code: string,
  parent: string | undefined,
  units: ReadonlyMap<string, PackUnit>,
  levelsAbove: ReadonlySet<string>,
): string | null {
  if (parent === undefined)
    return levelsAbove.size === 0
      ? null
      : `unit ${code} needs a column parent: it is not of the top level`;
  if (parent === "") return `unit ${code} has no parent`;
  const above = units.get(parent);
  if (!above || !levelsAbove.has(above.level))
    return `unit ${code} is an orphan: its parent ${parent} is ${
      above
        ? `a ${above.level} and not above it`
        : "not in this pack (files are listed from the top level down)"
    }`;
  return null;
}

function checkPopulation(code: string, population: string): string | null {
  if (population === "") return null;
  if (/^\d{1,10}$/.test(population) && Number(population) <= POPULATION_MAX) return null;
  return `unit ${code} has the population ${JSON.stringify(population)}; wanted is a whole number in digits, or nothing`;
}

/** One former unit and one of the units that it went into. */
export interface PackSuccession {
  readonly oldCode: string;
  readonly oldName: string | null;
  readonly newCode: string;
  readonly part: boolean;
}

/**
 * Reads all tables of successors. A former unit with several successors went to each of them in
 * part, whatever the table says: which one is a person's home only the person knows.
 */
export function readSuccessors(
  files: readonly SuccessorsFile[],
  units: ReadonlyMap<string, PackUnit>,
  faults: FaultList,
): { successions: PackSuccession[]; skipped: number } {
  const byPair = new Map<string, PackSuccession>();
  let skipped = 0;
  for (const { name, level, text, options = {} } of files) {
    const rows = readTable(
      name,
      text,
      { ...options, known: SUCCESSORS_COLUMNS, required: ["old_code", "new_code"] },
      faults,
    );
    const whole = new Set(options.whole ?? ["whole"]);
    const part = options.part && new Set(options.part);
    for (const { at, get } of rows) {
      const oldCode = get("old_code") ?? "";
      if (oldCode === "" && options.blankOldCodes === "skip") {
        skipped += 1;
        continue;
      }
      const named = get("new_code") ?? "";
      const newCode = options.renamed?.[named] ?? named;
      const how = get("how");
      const fault =
        checkOldCode(oldCode) ??
        checkSuccessor(units.get(newCode), newCode, level) ??
        (how !== undefined && part && !whole.has(how) && !part.has(how)
          ? `says ${JSON.stringify(how)}, which is listed neither as whole nor as part`
          : null);
      if (fault) {
        faults.add(at, fault);
        continue;
      }
      const pair = `${oldCode} ${newCode}`;
      const isPart = how !== undefined && !whole.has(how);
      const known = byPair.get(pair);
      byPair.set(pair, {
        oldCode,
        oldName: get("old_name") || (known?.oldName ?? null),
        newCode,
        part: isPart && (known?.part ?? true),
      });
      if (byPair.size > AREA_PACK_SUCCESSORS_MAX) {
        faults.add(at, `more than ${AREA_PACK_SUCCESSORS_MAX} successors in all`);
        return { successions: [], skipped };
      }
    }
  }
  const targets = Map.groupBy(byPair.values(), ({ oldCode }) => oldCode);
  const successions = [...targets.values()].flatMap((rows) =>
    rows.length === 1 ? rows : rows.map((row) => ({ ...row, part: true })),
  );
  return { successions, skipped };
}

function checkOldCode(code: string): string | null {
  if (code === "") return 'has no old code (the option blankOldCodes: "skip" leaves such rows out)';
  return CODE.test(code) ? null : `has the old code ${JSON.stringify(code)}, which is none`;
}

function checkSuccessor(unit: PackUnit | undefined, code: string, level: string): string | null {
  if (!unit)
    return `the successor ${JSON.stringify(code)} is not a unit of this pack (the option renamed can correct a code)`;
  if (unit.level !== level) return `the successor ${code} is a ${unit.level}, not a ${level}`;
  return null;
}
