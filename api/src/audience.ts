// Audience: how many people a bulletin would be for, while it is being drawn.
import { z } from "@hono/zod-openapi";
import { BULLETIN_TYPES } from "@loa/model/bulletin-type.ts";
import { ENDPOINT_KINDS } from "@loa/model/endpoint.ts";
import { AUDIENCE_RULES } from "@loa/model/target.ts";
import { defineRoute, idSchema } from "./route.ts";
import { TARGET_BODY_MAX_BYTES, targetSchema } from "./target.ts";

const peopleFields = { residents: z.int(), concerned: z.int() };
const peopleSchema = z.strictObject(peopleFields);
const shareSchema = z.number().nullable().meta({
  description: "Registered residents divided by `population`; null where that is not known",
});

export const estimateSchema = z
  .strictObject({
    ...peopleFields,
    total: z.int(),
    endpoints: z.strictObject(
      Object.fromEntries(ENDPOINT_KINDS.map((kind) => [kind, peopleSchema])) as Record<
        (typeof ENDPOINT_KINDS)[number],
        typeof peopleSchema
      >,
    ),
    population: z.int().meta({ description: "Of the places inside whose population is known" }),
    populationUnknown: z.int().meta({ description: "How many places inside have no figure" }),
    registered: z.int().meta({ description: "Registered with their home inside" }),
    registeredShare: shareSchema,
    communes: z.array(
      z.strictObject({
        code: z.string(),
        name: z.strictObject({ vi: z.string(), en: z.string() }),
        inside: z.boolean().meta({ description: "false: followers who live elsewhere" }),
        coveredShare: z.number().nullable().meta({
          description: "Of its surface, by a drawn shape; null when it was named",
        }),
        ...peopleFields,
        population: z.int().nullable(),
        registered: z.int(),
        registeredShare: shareSchema,
      }),
    ),
  })
  .meta({ id: "AudienceEstimate" });

export const estimateAudience = defineRoute({
  method: "post",
  path: "/v1/audience/estimate",
  noun: "Audience",
  summary: "Say how many people a bulletin would be for",
  description:
    "Exactly those whom it would be frozen for at this instant: residents have their home inside; " +
    "concerned have a further place inside, or follow the account. Each person counts once.",
  access: { kind: "member", roles: [] },
  yields: "comfort",
  body: {
    form: "json",
    maxBytes: TARGET_BODY_MAX_BYTES,
    schema: z.strictObject({
      target: targetSchema,
      type: z.enum(BULLETIN_TYPES).default("Actual"),
      audienceRule: z.enum(AUDIENCE_RULES).default("residents"),
      accountId: idSchema.optional().meta({ description: "Whose followers; not for residents" }),
    }),
  },
  answer: { status: 200, description: "People, beside population", schema: estimateSchema },
  problems: [
    "area-unknown",
    "area-superseded",
    "zone-unknown",
    "geometry-invalid",
    "geometry-too-many-points",
    "target-empty",
  ],
  idempotency: "none",
});

export const audienceRoutes = [estimateAudience];
