// `loa areas import`: sends the files of an area pack, from a folder with a pack.json or named one
// by one with options. The server names every fault with file and line and changes nothing then.
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { importPack } from "@loa/api/areas.ts";
import {
  type AreaPackFile,
  type AreaPackInput,
  SUCCESSORS_COLUMNS,
  UNITS_COLUMNS,
} from "@loa/model/area-pack.ts";
import {
  answer,
  type Command,
  listOption,
  type OptionValues,
  requiredOption,
  textOption,
  UsageError,
} from "../command.ts";
import { formatFields, formatNumber } from "../table.ts";

const many = { type: "string", multiple: true } as const;
const one = { type: "string" } as const;

export const areasImport: Command = {
  name: "areas import",
  usage: "FOLDER | --name NAME --valid-from DAY --units LEVEL=FILE ...",
  summary: {
    en: "Import an area pack: all of it or, if anything is wrong, nothing",
    vi: "Nhập bộ địa bàn: nhập trọn vẹn, hoặc không thay đổi gì nếu có lỗi",
  },
  help: [
    ["FOLDER", "with a pack.json that names the files and how to read them"],
    ["--name NAME", "one name for one country; a later import of it supersedes the earlier"],
    ["--valid-from DAY", "from which day the units are in force, YYYY-MM-DD"],
    ["--units LEVEL=FILE", "CSV of units, once for each level, top level first"],
    ["--columns LEVEL:code=ma,name_vi=ten,...", `headers of ${UNITS_COLUMNS.join(", ")}`],
    ["--delimiter LEVEL=;", "what separates the columns of that level's CSV"],
    ["--geometry LEVEL=FILE", "GeoJSON or TopoJSON with the shapes of that level"],
    ["--code-property LEVEL=NAME", "the property that holds a shape's code (code)"],
    ["--object LEVEL=NAME", "which object of a TopoJSON"],
    ["--untangle LEVEL", "cut shapes that cross themselves at the crossings, and report each"],
    ["--successors LEVEL=FILE", "CSV of what became of former units"],
    [
      "--successors-columns old_code=cu,new_code=moi,...",
      `headers of ${SUCCESSORS_COLUMNS.join(", ")}`,
    ],
    ["--successors-delimiter ;", "what separates the columns of that CSV"],
    [
      "--whole TEXT, --part TEXT",
      'values of "how" for all of a unit and for a part of it; repeatable',
    ],
    ["--renamed OLD=NEW,...", "codes that the table spells otherwise than the units do"],
    ["--skip-blank-old-codes", "leave out rows without an old code"],
  ],
  options: {
    name: one,
    "valid-from": one,
    units: many,
    columns: many,
    delimiter: many,
    geometry: many,
    "code-property": many,
    object: many,
    untangle: many,
    successors: one,
    "successors-columns": one,
    "successors-delimiter": one,
    whole: many,
    part: many,
    renamed: many,
    "skip-blank-old-codes": { type: "boolean" },
  },
  async run({ client, values, positionals, signal }) {
    const [folder] = positionals;
    const body = folder === undefined ? await packOfOptions(values) : await packOfFolder(folder);
    const report = await client().ask(importPack, { body: body as never, signal });
    const units = Object.entries(report.units);
    const text = formatFields([
      ["Active now", `${report.name}, in force since ${report.validFrom}`],
      ...units.map(([level, count]) => [level, count] as const),
      [
        "Successors",
        `${formatNumber(report.successors.rows)} rows, ${formatNumber(report.successors.partial)} of a part`,
      ],
      ["Untangled shapes", report.untangled.length],
      ["Zones that moved", report.zones.length],
    ]);
    return answer(report, text);
  },
};

/** A folder in the form of the packs that Loa brings along. */
export async function packOfFolder(folder: string): Promise<AreaPackInput> {
  const isFolder = await stat(folder).then((each) => each.isDirectory());
  if (!isFolder) throw new UsageError(`${folder} is not a folder with a pack.json`);
  const described = JSON.parse(await readFile(join(folder, "pack.json"), "utf8")) as AreaPackInput;
  const files = await Promise.all(
    described.files.map(async (file) => ({
      ...file,
      text: await readFile(join(folder, file.name), "utf8"),
    })),
  );
  return { ...described, files };
}

async function packOfOptions(values: OptionValues): Promise<AreaPackInput> {
  const delimiters = byLevel(values, "delimiter");
  const columns = columnsByLevel(values);
  const codeProperties = byLevel(values, "code-property");
  const objects = byLevel(values, "object");
  const untangled = listOption(values, "untangle");
  const files: AreaPackFile[] = [];
  for (const [level, path] of pairs(values, "units"))
    files.push({
      ...(await fileOf(path, level)),
      kind: "units",
      options: defined({ delimiter: delimiters.get(level), columns: columns.get(level) }),
    });
  if (files.length === 0) throw new UsageError("--units LEVEL=FILE is needed, or a FOLDER");
  for (const [level, path] of pairs(values, "geometry"))
    files.push({
      ...(await fileOf(path, level)),
      kind: "geometry",
      options: defined({
        codeProperty: codeProperties.get(level),
        object: objects.get(level),
        crossings: untangled.includes(level) ? ("untangle" as const) : undefined,
      }),
    });
  for (const [level, path] of pairs(values, "successors"))
    files.push({
      ...(await fileOf(path, level)),
      kind: "successors",
      options: defined({
        delimiter: textOption(values, "successors-delimiter"),
        columns: columnsOf(textOption(values, "successors-columns")),
        whole: texts(values, "whole"),
        part: texts(values, "part"),
        renamed: columnsOf(listOption(values, "renamed").join(",") || undefined),
        blankOldCodes: values["skip-blank-old-codes"] === true ? ("skip" as const) : undefined,
      }),
    });
  return {
    name: requiredOption(values, "name"),
    validFrom: requiredOption(values, "valid-from"),
    files,
  };
}

const fileOf = async (path: string, level: string) => ({
  name: basename(path),
  level,
  text: await readFile(path, "utf8"),
});

/** `LEVEL=VALUE` options, in the order in which they were given. */
function pairs(values: OptionValues, name: string): [level: string, value: string][] {
  const value = values[name];
  const given = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return given.map((each) => splitPair(String(each), `--${name}`));
}

const byLevel = (values: OptionValues, name: string) => new Map(pairs(values, name));

/** `LEVEL:field=header,field=header`, once for each level. */
function columnsByLevel(values: OptionValues): Map<string, Record<string, string>> {
  const given = values.columns;
  const texts = Array.isArray(given) ? given : [];
  return new Map(
    texts.map((each) => {
      const [level, list] = String(each).split(/:(.*)/s);
      if (!level || !list) throw new UsageError(`--columns wants LEVEL:field=header, not ${each}`);
      return [level, columnsOf(list) ?? {}];
    }),
  );
}

/** `field=header,field=header` */
function columnsOf(list: string | undefined): Record<string, string> | undefined {
  if (list === undefined) return undefined;
  return Object.fromEntries(list.split(",").map((each) => splitPair(each, "a list of names")));
}

function splitPair(text: string, what: string): [string, string] {
  const [left, right] = text.split(/=(.*)/s);
  if (!left || !right) throw new UsageError(`${what} wants NAME=VALUE, not ${text}`);
  return [left, right];
}

/** Each as it was given: a text of a table may hold commas. */
function texts(values: OptionValues, name: string): string[] | undefined {
  const value = values[name];
  return Array.isArray(value) ? value.map(String) : undefined;
}

/** Without the fields that nobody gave: the API refuses what it does not know. */
const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
