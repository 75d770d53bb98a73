// Zones: areas that an agency draws and names itself, free to overlap.
import { z } from "@hono/zod-openapi";
import { TARGET_NAMES_MAX } from "@loa/model/target.ts";
import { bilingual, defineRoute, idSchema } from "./route.ts";
import { TARGET_BODY_MAX_BYTES } from "./target.ts";

const codeSchema = z.string().min(1).max(32).meta({ description: "Code of a zone" });

const geometrySchema = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("Polygon"),
      coordinates: z.array(z.array(z.array(z.number()))),
    }),
    z.strictObject({
      type: z.literal("MultiPolygon"),
      coordinates: z.array(z.array(z.array(z.array(z.number())))),
    }),
  ])
  .meta({ id: "ZoneGeometry", description: "GeoJSON, longitude before latitude" });

const zoneFields = {
  id: idSchema,
  code: codeSchema,
  agencyId: idSchema.nullable(),
  name: z.strictObject({ vi: z.string(), en: z.string() }),
  areas: z.array(z.string()).meta({ description: "Codes of the units in its list" }),
  hasGeometry: z.boolean(),
};
export const zoneSchema = z.strictObject(zoneFields).meta({ id: "Zone" });
const zoneDetailSchema = z
  .strictObject({ ...zoneFields, geometry: geometrySchema.nullable() })
  .meta({ id: "ZoneDetail" });

export const listZones = defineRoute({
  method: "get",
  path: "/v1/zones",
  noun: "Zones",
  summary: "List the zones in use",
  access: { kind: "public" },
  answer: {
    status: 200,
    description: "All zones in use, without their shapes",
    schema: z.strictObject({ items: z.array(zoneSchema) }),
  },
});

export const getZone = defineRoute({
  method: "get",
  path: "/v1/zones/{code}",
  noun: "Zones",
  summary: "Show a zone with its shape",
  access: { kind: "public" },
  params: z.strictObject({ code: codeSchema }),
  answer: { status: 200, description: "The zone", schema: zoneDetailSchema },
  problems: ["zone-unknown"],
});

export const createZone = defineRoute({
  method: "post",
  path: "/v1/zones",
  noun: "Zones",
  summary: "Draw or list a zone",
  description:
    "A zone is a shape, a list of units, or both. It belongs to the caller's agency and is never edited: retire it and draw another.",
  access: { kind: "member", roles: ["author", "manager", "operator"] },
  body: {
    form: "json",
    maxBytes: TARGET_BODY_MAX_BYTES,
    schema: z
      .strictObject({
        code: codeSchema,
        name: bilingual(200),
        geometry: geometrySchema.optional(),
        areas: z.array(z.string().min(1).max(32)).max(TARGET_NAMES_MAX).default([]),
      })
      .meta({ id: "ZoneInput" }),
  },
  answer: { status: 201, description: "The zone", schema: zoneSchema },
  problems: ["area-unknown", "geometry-invalid", "geometry-too-many-points"],
});

export const retireZone = defineRoute({
  method: "post",
  path: "/v1/zones/{code}/retire",
  noun: "Zones",
  summary: "Take a zone out of use",
  description: "By its agency or an operator. Bulletins that were issued keep what it meant.",
  access: { kind: "member", roles: ["author", "manager", "operator"] },
  params: z.strictObject({ code: codeSchema }),
  answer: { status: 204, description: "It is out of use" },
  problems: ["zone-unknown", "not-entitled"],
});

export const zoneRoutes = [listZones, getZone, createZone, retireZone];
