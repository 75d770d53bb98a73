// Standing orders: signed by two beforehand, used by one when minutes count, reviewed afterwards.
import { z } from "@hono/zod-openapi";
import { ORDER_AREAS_MAX } from "@loa/model/standing-order.ts";
import { bulletinSchema, ISSUE_PROBLEMS, issueSchema } from "./bulletins.ts";
import { riskLevelSchema, sourceSchema, templateSchema, textsSchema } from "./bulletin-content.ts";
import { defineRoute, idParams, idSchema, instantSchema, page, pageQuery } from "./route.ts";

const blankSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("text"), label: textsSchema, max: z.int() }),
    z.strictObject({
      kind: z.literal("number"),
      label: textsSchema,
      min: z.number(),
      max: z.number(),
    }),
    z.strictObject({ kind: z.literal("time"), label: textsSchema }),
    z.strictObject({
      kind: z.literal("choice"),
      label: textsSchema,
      choices: z.array(textsSchema),
    }),
  ])
  .meta({ id: "Blank" });

const codesSchema = z.array(z.string().min(1).max(32)).max(ORDER_AREAS_MAX);

const orderBodySchema = z
  .strictObject({
    name: textsSchema,
    highestLevel: riskLevelSchema.nullable(),
    areas: codesSchema.meta({ description: "A use may only name places inside these" }),
    hoursMax: z.number().gt(0).meta({ description: "Most hours from a use to its expiry" }),
    template: templateSchema,
    blanks: z.record(z.string().max(64), blankSchema),
    expiresAt: instantSchema.meta({ description: "No use after this" }),
    source: idSchema
      .optional()
      .meta({ description: "A CAP source whose messages may use it by themselves" }),
  })
  .meta({ id: "StandingOrderBody" });

const orderSchema = z
  .strictObject({
    id: idSchema,
    agencyId: idSchema,
    accountId: idSchema,
    body: orderBodySchema,
    hash: bulletinSchema.shape.hash.unwrap(),
    createdBy: idSchema,
    createdAt: instantSchema,
    revokedAt: instantSchema.nullable(),
    usable: z.boolean().meta({ description: "Signed by two others, in force, not revoked" }),
    approvals: bulletinSchema.shape.approvals,
  })
  .meta({ id: "StandingOrder" });

const answer = { description: "The standing order", schema: orderSchema } as const;

export const createStandingOrder = defineRoute({
  method: "post",
  path: "/v1/standing-orders",
  noun: "Standing orders",
  summary: "Write a standing order",
  access: { kind: "member", roles: ["author"] },
  body: {
    form: "json",
    schema: z.strictObject({ accountId: idSchema, body: orderBodySchema }),
  },
  answer: { status: 201, ...answer },
  problems: ["account-unknown", "not-entitled", "bulletin-invalid", "area-unknown"],
});

export const listStandingOrders = defineRoute({
  method: "get",
  path: "/v1/standing-orders",
  noun: "Standing orders",
  summary: "List the standing orders of your agency and those directly below",
  access: { kind: "member", roles: [] },
  query: pageQuery.extend({ after: idSchema.optional() }),
  answer: { status: 200, description: "A page", schema: page(orderSchema) },
});

export const getStandingOrder = defineRoute({
  method: "get",
  path: "/v1/standing-orders/{id}",
  noun: "Standing orders",
  summary: "Show a standing order",
  access: { kind: "member", roles: [] },
  params: idParams,
  answer: { status: 200, ...answer },
  problems: ["standing-order-unknown"],
});

export const approveStandingOrder = defineRoute({
  method: "post",
  path: "/v1/standing-orders/{id}/approve",
  noun: "Standing orders",
  summary: "Sign a standing order",
  description: "It takes two signatures, neither by who wrote it.",
  access: { kind: "member", roles: ["approver", "duty"] },
  params: idParams,
  body: { form: "json", schema: z.strictObject({ hash: orderSchema.shape.hash }) },
  answer: { status: 200, ...answer },
  problems: [
    "standing-order-unknown",
    "standing-order-unusable",
    "approver-took-part",
    "approver-foreign",
    "approval-mismatch",
  ],
});

export const revokeStandingOrder = defineRoute({
  method: "post",
  path: "/v1/standing-orders/{id}/revoke",
  noun: "Standing orders",
  summary: "End a standing order at once",
  access: { kind: "member", roles: ["approver", "duty"] },
  params: idParams,
  answer: { status: 200, ...answer },
  problems: ["standing-order-unknown", "approver-foreign"],
});

const blankValueSchema = z.union([textsSchema, z.number(), z.string().max(64)]);

export const useStandingOrder = defineRoute({
  method: "post",
  path: "/v1/standing-orders/{id}/use",
  noun: "Standing orders",
  summary: "Warn at once under a standing order",
  access: { kind: "member", roles: ["author", "approver", "duty"] },
  params: idParams,
  body: {
    form: "json",
    schema: z.strictObject({
      values: z.record(z.string().max(64), blankValueSchema),
      areas: codesSchema,
      riskLevel: riskLevelSchema.nullable().default(null),
      source: sourceSchema.nullable().default(null),
      incidentId: idSchema.nullable().default(null),
      expiresAt: instantSchema,
    }),
  },
  answer: { status: 201, description: "What was issued", schema: issueSchema },
  problems: [
    "standing-order-unknown",
    "standing-order-unusable",
    "incident-unknown",
    "area-unknown",
    ...ISSUE_PROBLEMS,
  ],
});

export const reviewOrderUse = defineRoute({
  method: "post",
  path: "/v1/standing-orders/uses/{id}/review",
  noun: "Standing orders",
  summary: "Review a use afterwards",
  description: "`id` is the bulletin's. Whoever pressed the button cannot.",
  access: { kind: "member", roles: ["approver", "duty"] },
  params: idParams,
  body: {
    form: "json",
    schema: z.strictObject({
      verdict: z.enum(["justified", "not-justified"]),
      comment: z.string(),
    }),
  },
  answer: { status: 204, description: "Reviewed" },
  problems: ["bulletin-unknown", "bulletin-state", "approver-took-part", "approver-foreign"],
});

export const standingOrderRoutes = [
  createStandingOrder,
  listStandingOrders,
  getStandingOrder,
  approveStandingOrder,
  revokeStandingOrder,
  useStandingOrder,
  reviewOrderUse,
];
