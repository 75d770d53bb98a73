// For whom: units and zones by code, a polygon or a circle, and when a commune counts as inside. Used
// by every operation that takes a target.
import { z } from "@hono/zod-openapi";
import { CIRCLE_RADIUS_KM_MAX, POLYGON_POINTS_MAX, TARGET_NAMES_MAX } from "@loa/model/target.ts";

/**
 * Longest body of a request with a target: a polygon of POLYGON_POINTS_MAX points takes about 2 MiB,
 * and one that has too many must still arrive to be told so.
 */
export const TARGET_BODY_MAX_BYTES = 8 * 1024 * 1024;

const positionSchema = z.tuple([z.number(), z.number()]).meta({
  description: "[longitude, latitude] in degrees (WGS 84), as GeoJSON has it",
  example: [109.95, 13.85],
});

const communeRuleSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("touches") }),
    z.strictObject({ kind: z.literal("share"), atLeast: z.number().gt(0).max(1) }),
    z.strictObject({ kind: z.literal("named") }),
  ])
  .meta({
    id: "CommuneRule",
    description:
      "When a commune belongs to a drawn shape: it is touched; at least this share of its surface is covered; or only named units and zones' lists count",
  });

/** A Target of the model; what the polygon must be is checked by the server, with its place. */
export const targetSchema = z
  .strictObject({
    areas: z
      .array(z.string().min(1).max(32))
      .max(TARGET_NAMES_MAX)
      .default([])
      .meta({ description: "Codes of units of any level", example: ["SL020", "SL021-01"] }),
    zones: z
      .array(z.string().min(1).max(32))
      .max(TARGET_NAMES_MAX)
      .default([])
      .meta({ description: "Codes of zones", example: ["SL-Z1"] }),
    polygon: z
      .array(positionSchema)
      .optional()
      .meta({
        description: `One closed ring of at most ${POLYGON_POINTS_MAX} points, the first repeated at the end; it must not cross itself`,
      }),
    circle: z
      .strictObject({
        center: positionSchema,
        radiusKm: z.number().gt(0).max(CIRCLE_RADIUS_KM_MAX),
      })
      .optional(),
    rule: communeRuleSchema.default({ kind: "touches" }),
  })
  .meta({ id: "Target" });
