// Areas: the units of the active packs, what former codes became, and the import of a pack.
import { z } from "@hono/zod-openapi";
import {
  AREA_PACK_BYTES_MAX,
  AREA_PACK_FILES_MAX,
  SUCCESSORS_COLUMNS,
  UNITS_COLUMNS,
} from "@loa/model/area-pack.ts";
import { defineRoute, page, pageQuery } from "./route.ts";

/** Longest body of an import: the texts, with their line ends and quotes escaped for JSON. */
export const AREA_PACK_BODY_MAX_BYTES = AREA_PACK_BYTES_MAX + 16 * 1024 * 1024;

const codeSchema = z.string().min(1).max(32).meta({ description: "Code of a unit" });
const daySchema = z.iso.date().meta({ description: "A day, YYYY-MM-DD", example: "2025-07-01" });
const nameSchema = z.strictObject({ vi: z.string(), en: z.string() });

export const areaSchema = z
  .strictObject({
    code: codeSchema,
    level: z.string().meta({ description: "province, commune, village, or another word" }),
    kind: z
      .string()
      .nullable()
      .meta({ description: "What such a unit is called: phường, xã, ..." }),
    parent: codeSchema.nullable(),
    name: nameSchema,
    population: z.int().nullable().meta({ description: "Rough; null: not known" }),
    pack: z.string().meta({ description: "Name of the area pack" }),
  })
  .meta({ id: "Area" });

const resolutionSchema = z
  .strictObject({
    code: codeSchema,
    asOf: daySchema.nullable(),
    state: z.enum(["current", "former"]).meta({
      description: "former: the code, as of that day or for good, is one of an earlier division",
    }),
    formerName: z.string().nullable(),
    current: z.array(
      z.strictObject({
        area: areaSchema,
        part: z.boolean().meta({ description: "Only a part of the former unit is here" }),
      }),
    ),
    part: z.boolean().meta({
      description: "No single unit took all of it over: a person must say which one is meant",
    }),
  })
  .meta({ id: "AreaResolution" });

const codeParams = z.strictObject({ code: codeSchema });

export const listAreas = defineRoute({
  method: "get",
  path: "/v1/areas",
  noun: "Areas",
  summary: "List units of the active packs",
  description: "In the order of their codes. Without `parent` and `level`: all units.",
  access: { kind: "public" },
  query: pageQuery.extend({ parent: codeSchema.optional(), level: z.string().max(31).optional() }),
  answer: { status: 200, description: "A page of units", schema: page(areaSchema) },
  problems: ["area-unknown"],
});

export const getArea = defineRoute({
  method: "get",
  path: "/v1/areas/{code}",
  noun: "Areas",
  summary: "Say what a code means today",
  description:
    "A code in force is its unit. A former code answers the units that it went into, and whether each got only a part. With `asOf`, the code is read as it was used on that day: a code may be in force today and have meant another unit before.",
  access: { kind: "public" },
  params: codeParams,
  query: z.strictObject({ asOf: daySchema.optional() }),
  answer: { status: 200, description: "Today's units", schema: resolutionSchema },
  problems: ["area-unknown"],
});

export const getAreaGeometry = defineRoute({
  method: "get",
  path: "/v1/areas/{code}/geometry",
  noun: "Areas",
  summary: "Show the shape of a unit",
  description: "A GeoJSON Feature; its geometry is null for a unit without a shape, as a village.",
  access: { kind: "public" },
  params: codeParams,
  answer: { status: 200, description: "The shape", mediaType: "application/geo+json" },
  problems: ["area-unknown", "area-superseded"],
});

const fileFrame = {
  name: z.string().min(1).max(200).meta({ description: "Name of the file, as faults show it" }),
  level: z.string().min(1).max(31),
  text: z.string().meta({ description: "The whole text of the file" }),
};
const delimiterSchema = z.string().length(1).optional();
const headerSchema = z.string().min(1).max(200).optional();
const columnsOf = <C extends string>(columns: readonly C[]) =>
  z
    .strictObject(
      Object.fromEntries(columns.map((column) => [column, headerSchema])) as Record<
        C,
        typeof headerSchema
      >,
    )
    .optional()
    .meta({ description: "The header of each column, where it is not the name of the field" });

const packFileSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    ...fileFrame,
    kind: z.literal("units"),
    options: z
      .strictObject({ delimiter: delimiterSchema, columns: columnsOf(UNITS_COLUMNS) })
      .optional(),
  }),
  z.strictObject({
    ...fileFrame,
    kind: z.literal("geometry"),
    options: z
      .strictObject({
        codeProperty: z.string().max(200).optional(),
        object: z.string().max(200).optional(),
        crossings: z.enum(["refuse", "untangle"]).optional(),
      })
      .optional(),
  }),
  z.strictObject({
    ...fileFrame,
    kind: z.literal("successors"),
    options: z
      .strictObject({
        delimiter: delimiterSchema,
        columns: columnsOf(SUCCESSORS_COLUMNS),
        whole: z.array(z.string().max(400)).max(200).optional(),
        part: z.array(z.string().max(400)).max(200).optional(),
        renamed: z.record(codeSchema, codeSchema).optional(),
        blankOldCodes: z.enum(["refuse", "skip"]).optional(),
      })
      .optional(),
  }),
]);

const packReportSchema = z
  .strictObject({
    packId: z.int(),
    name: z.string(),
    validFrom: daySchema,
    units: z.record(z.string(), z.int()).meta({ description: "Number of units of each level" }),
    successors: z.strictObject({ rows: z.int(), partial: z.int(), skipped: z.int() }),
    untangled: z
      .array(z.strictObject({ code: codeSchema, crossings: z.int(), areaChange: z.number() }))
      .meta({ description: "Shapes that were cut where they crossed themselves" }),
    zones: z
      .array(z.strictObject({ code: codeSchema, widened: z.boolean() }))
      .meta({ description: "Zones whose lists moved to the successors of their units" }),
  })
  .meta({ id: "AreaPackReport" });

export const importPack = defineRoute({
  method: "post",
  path: "/v1/area-packs",
  noun: "Areas",
  summary: "Import an area pack",
  description:
    "CSV of units (top level first), GeoJSON or TopoJSON shapes, CSV of successors. All faults are named with file and line, and nothing changes unless the whole pack is good. A good pack is active at once and supersedes the former version of its name.",
  access: { kind: "member", roles: ["operator"] },
  yields: "bulk",
  body: {
    form: "json",
    maxBytes: AREA_PACK_BODY_MAX_BYTES,
    schema: z
      .strictObject({
        name: z.string().min(1).max(63).meta({ example: "song-lua" }),
        validFrom: daySchema,
        files: z.array(packFileSchema).min(1).max(AREA_PACK_FILES_MAX),
      })
      .meta({ id: "AreaPackInput" }),
  },
  answer: { status: 201, description: "What is active now", schema: packReportSchema },
  problems: ["area-pack-invalid", "area-pack-clash"],
});

export const listPacks = defineRoute({
  method: "get",
  path: "/v1/area-packs",
  noun: "Areas",
  summary: "List the active area packs",
  access: { kind: "public" },
  answer: {
    status: 200,
    description: "The packs",
    schema: z.strictObject({
      items: z.array(z.strictObject({ name: z.string(), validFrom: daySchema })),
    }),
  },
});

export const areaRoutes = [listAreas, getArea, getAreaGeometry, importPack, listPacks];
