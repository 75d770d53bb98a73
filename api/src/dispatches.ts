// Dispatches and their ledger: what was planned, what happened, in all, by commune and for one
// person; and the reports of those who carry out orders for areas.
import { z } from "@hono/zod-openapi";
import { BULLETIN_TYPES, LANES } from "@loa/model/bulletin-type.ts";
import { PLANES, STATES } from "@loa/model/delivery.ts";
import { defineRoute, idParams, idSchema, instantSchema } from "./route.ts";

const count = z.number().int().min(0);

export const figuresSchema = z
  .strictObject({
    planned: count.meta({ description: "Recipients of this channel, frozen at issue" }),
    state: z
      .strictObject({
        queued: count,
        sent: count,
        delivered: count,
        read: count,
        failed: count,
        unsure: count,
        suppressed: count,
        expired: count,
      })
      .meta({ description: "Exclusive current states; they sum to planned" }),
    reached: z
      .strictObject({ sent: count, delivered: count, read: count })
      .meta({ description: "Cumulative: read implies delivered implies sent" }),
  })
  .meta({ id: "Figures" });

export const faultSchema = z.string().nullable().meta({
  description:
    "Why it is handed to nobody: read back, the message is not for the approved area. Null when all is well",
});

const nameSchema = z.strictObject({ vi: z.string(), en: z.string() });

export const areaChannelSchema = z
  .strictObject({
    channel: z.string(),
    orders: count,
    carriedOut: count,
    claimed: count.meta({
      description: "What those who carried out say they reached: a claim, never part of reached",
    }),
    states: z.record(z.string(), count),
  })
  .meta({ id: "AreaChannelFigures" });

export const dispatchSchema = z
  .strictObject({
    id: idSchema,
    bulletin: idSchema,
    type: z.enum(BULLETIN_TYPES),
    lane: z.enum(LANES),
    state: z.enum(["open", "cancelled", "expired", "sealed"]),
    issuedAt: instantSchema,
    expiresAt: instantSchema,
    audience: z.strictObject({ residents: count, concerned: count, total: count }),
    communes: count.meta({ description: "How many communes the bulletin is for" }),
    population: count.nullable().meta({
      description: "Inhabitants of these communes, by the area pack; null if it does not say",
    }),
    channels: z.record(z.string(), figuresSchema),
    area: z.array(areaChannelSchema),
    fault: faultSchema,
    joinedLater: count.meta({ description: "Came into the area after issue; outside every sum" }),
    refusedReceipts: z.array(
      z.strictObject({ channel: z.string(), reason: z.string(), refused: count }),
    ),
  })
  .meta({ id: "Dispatch" });
export type DispatchDocument = z.infer<typeof dispatchSchema>;

export const dispatchCommuneSchema = z
  .strictObject({
    code: z.string(),
    name: nameSchema,
    population: count.nullable(),
    inside: z.boolean().meta({ description: "False: followers who live outside the target" }),
    channels: z.record(
      z.string(),
      z.strictObject({ residents: figuresSchema, concerned: figuresSchema }),
    ),
  })
  .meta({ id: "DispatchCommune" });

export const recipientSchema = z
  .strictObject({
    dispatch: idSchema,
    subscriber: idSchema,
    inAudience: z.boolean(),
    group: z.enum(["residents", "concerned"]).nullable(),
    commune: z.string().nullable().meta({ description: "The commune that counts this person" }),
    channels: z.array(
      z.strictObject({
        channel: z.string(),
        state: z.enum(STATES),
        facts: z.array(
          z.strictObject({
            plane: z.enum(PLANES),
            at: instantSchema.nullable(),
          }),
        ),
      }),
    ),
  })
  .meta({ id: "Recipient" });

export const areaOrderSchema = z
  .strictObject({
    id: idSchema,
    channel: z.string(),
    area: z.string(),
    state: z.string(),
    claimed: count.nullable(),
    evidence: z.string().nullable(),
    changedAt: instantSchema,
  })
  .meta({ id: "AreaOrder" });

const readAccess = { kind: "member", roles: [] } as const;

export const getDispatch = defineRoute({
  method: "get",
  path: "/v1/dispatches/{id}",
  noun: "Ledger",
  summary: "Read the figures of a dispatch",
  description:
    "Exact at the moment of asking. For members of the issuing agency, of those above it, and operators.",
  access: readAccess,
  params: idParams,
  answer: { status: 200, description: "The figures", schema: dispatchSchema },
  problems: ["dispatch-unknown", "unavailable"],
});

export const listDispatchCommunes = defineRoute({
  method: "get",
  path: "/v1/dispatches/{id}/communes",
  noun: "Ledger",
  summary: "Read the figures of a dispatch by commune",
  access: readAccess,
  params: idParams,
  answer: {
    status: 200,
    description: "One row for each commune, sorted by code",
    schema: z.strictObject({ items: z.array(dispatchCommuneSchema) }),
  },
  problems: ["dispatch-unknown", "unavailable"],
});

export const getRecipient = defineRoute({
  method: "get",
  path: "/v1/dispatches/{id}/recipients/{subscriber}",
  noun: "Ledger",
  summary: "Say what happened to one subscriber for one bulletin",
  access: readAccess,
  params: z.strictObject({ id: idSchema, subscriber: idSchema }),
  answer: { status: 200, description: "Each fact with its time", schema: recipientSchema },
  problems: ["dispatch-unknown", "subscriber-unknown", "facts-reduced"],
});

export const exportDispatch = defineRoute({
  method: "get",
  path: "/v1/dispatches/{id}/export",
  noun: "Ledger",
  summary: "Export a dispatch, one row for each recipient and channel",
  description:
    "CSV or newline-delimited JSON: subscriber, commune, group, channel, state and the times of sent, delivered and read. Subscribers that were deleted have an empty id.",
  access: readAccess,
  yields: "bulk",
  params: idParams,
  query: z.strictObject({ format: z.enum(["csv", "json"]).default("csv") }),
  answer: { status: 200, description: "Rows, in order of shard", mediaType: "text/csv" },
  problems: ["dispatch-unknown", "facts-reduced"],
});

export const listAreaOrders = defineRoute({
  method: "get",
  path: "/v1/dispatches/{id}/area-orders",
  noun: "Area orders",
  summary: "List the orders of a dispatch to area channels",
  access: readAccess,
  params: idParams,
  answer: {
    status: 200,
    description: "Sorted by channel and area",
    schema: z.strictObject({ items: z.array(areaOrderSchema) }),
  },
  problems: ["dispatch-unknown"],
});

/** Longest evidence that a gateway may hand in with a report. */
export const EVIDENCE_CHARS_MAX = 500;

export const reportAreaOrder = defineRoute({
  method: "post",
  path: "/v1/area-orders/{id}/report",
  noun: "Area orders",
  summary: "Report what became of an order",
  description: "For the gateway of the order's channel.",
  access: { kind: "gateway" },
  params: idParams,
  body: {
    form: "json",
    schema: z.strictObject({
      state: z.enum(["accepted", "carried-out", "refused"]),
      claimed: z.number().int().min(0).max(2_000_000_000).optional(),
      evidence: z.string().max(EVIDENCE_CHARS_MAX).optional(),
    }),
  },
  answer: { status: 204, description: "Recorded" },
  problems: ["not-found", "area-order-state"],
});

export const dispatchRoutes = [
  getDispatch,
  listDispatchCommunes,
  getRecipient,
  exportDispatch,
  listAreaOrders,
  reportAreaOrder,
];
