// CAP sources: whose messages come in, from where, and how far each is trusted; and the messages.
import { z } from "@hono/zod-openapi";
import { CAP_REPAIR_NAMES } from "@loa/cap/message.ts";
import { CAP_SIGNATURE_GRANTS, type CapSignatureGrant } from "@loa/cap/verify.ts";
import { JURISDICTION_AREAS_MAX } from "@loa/model/entitlement.ts";
import { HAZARD_KEYS } from "@loa/model/hazard.ts";
import { AUDIENCE_RULES } from "@loa/model/target.ts";
import { channelSchema, hazardSchema } from "./bulletin-content.ts";
import { CAP_BODY_MAX_BYTES } from "./bulletins.ts";
import { defineRoute, idParams, idSchema, instantSchema, page, pageQuery } from "./route.ts";

/** Protects a source from being asked without a pause, and people from hearing of a storm too late. */
export const INTERVAL_SECONDS = [10, 86_400] as const;
/** Keys pinned for one source; protects the check of each message. */
export const PINNED_KEYS_MAX = 20;
const SOURCE_BYTES = [1_024, 4 * 1024 * 1024] as const;
const OPERATOR = { kind: "member", roles: ["operator"] } as const;
const GRANTS = Object.keys(CAP_SIGNATURE_GRANTS) as [CapSignatureGrant, ...CapSignatureGrant[]];

const pinnedKeySchema = z
  .strictObject({
    sender: z.string().min(1).max(256),
    publicKey: z.string().max(16_384).meta({ description: "PEM of a public key or certificate" }),
    from: instantSchema.nullable().default(null),
    until: instantSchema.nullable().default(null),
  })
  .meta({ id: "PinnedKey" });

const settingsSchema = z
  .strictObject({
    intervalSeconds: z
      .int()
      .min(INTERVAL_SECONDS[0])
      .max(INTERVAL_SECONDS[1])
      .default(60)
      .meta({ description: "Between two polls, give or take a tenth" }),
    bytesMax: z
      .int()
      .min(SOURCE_BYTES[0])
      .max(SOURCE_BYTES[1])
      .default(1_048_576)
      .meta({ description: "Of one document, also unpacked" }),
    privateAllowed: z
      .boolean()
      .default(false)
      .meta({ description: "Also at private, loopback and link-local addresses" }),
    repairs: z.array(z.enum(CAP_REPAIR_NAMES)).max(CAP_REPAIR_NAMES.length).default([]),
    sender: z
      .string()
      .max(256)
      .nullable()
      .default(null)
      .meta({ description: "For the repair missing-sender" }),
    grants: z.array(z.enum(GRANTS)).max(GRANTS.length).default([]),
    keys: z
      .array(pinnedKeySchema)
      .max(PINNED_KEYS_MAX)
      .default([])
      .meta({ description: "With one or more, what none of them signed is refused" }),
    areas: z
      .array(z.string().min(1).max(32))
      .min(1)
      .max(JURISDICTION_AREAS_MAX)
      .meta({ description: "Codes of units about which it may speak" }),
    hazards: z.array(hazardSchema).min(1).max(HAZARD_KEYS.length),
    channels: z.array(channelSchema).min(1).max(20).meta({ description: "Of its drafts" }),
    audienceRule: z.enum(AUDIENCE_RULES).default("residents"),
  })
  .meta({ id: "CapSourceSettings" });

const urlSchema = z
  .string()
  .max(2_000)
  .nullable()
  .meta({ description: "Of an Atom, RSS or CAP feed; null: it pushes" });

export const capSourceSchema = z
  .strictObject({
    id: idSchema,
    name: z.string(),
    agencyId: idSchema,
    accountId: idSchema,
    memberId: idSchema.meta({ description: "As whom it writes drafts" }),
    url: urlSchema,
    settings: settingsSchema,
    createdAt: instantSchema,
    suspendedAt: instantSchema.nullable(),
    polledAt: instantSchema.nullable(),
    nextPollAt: instantSchema,
    fault: z.string().nullable().meta({ description: "Of the last poll" }),
  })
  .meta({ id: "CapSource" });

export const capMessageSchema = z
  .strictObject({
    id: idSchema,
    sourceId: idSchema,
    sender: z.string(),
    identifier: z.string(),
    sent: instantSchema.nullable(),
    msgType: z.string(),
    sha256: z.string(),
    receivedAt: instantSchema,
    via: z.enum(["poll", "push", "hand"]),
    verified: z.boolean().meta({ description: "A pinned key signed it" }),
    state: z.enum(["received", "drafted", "issued", "kept", "refused", "alarm"]).meta({
      description: "alarm: the identifier came before with other content; never processed",
    }),
    orphan: z.boolean().meta({ description: "It refers to a message that never came" }),
    reason: z.string().nullable(),
    remarks: z.array(z.string()).meta({ description: "What a person must look at" }),
    bulletinIds: z.array(idSchema),
    known: z.boolean().meta({ description: "It was there before; nothing happened" }),
  })
  .meta({ id: "CapMessage" });

const source = { description: "The source", schema: capSourceSchema } as const;

export const createCapSource = defineRoute({
  method: "post",
  path: "/v1/cap-sources",
  noun: "CAP sources",
  summary: "Admit a source of CAP messages",
  access: OPERATOR,
  body: {
    form: "json",
    schema: z.strictObject({
      name: z.string().min(1).max(120),
      accountId: idSchema.meta({ description: "Its drafts are of this account's agency" }),
      url: urlSchema,
      settings: settingsSchema,
    }),
  },
  answer: { status: 201, ...source },
  problems: ["account-unknown", "agency-unknown", "roles-conflict"],
});

export const listCapSources = defineRoute({
  method: "get",
  path: "/v1/cap-sources",
  noun: "CAP sources",
  summary: "List sources, and how polling them stands",
  access: { kind: "member", roles: [] },
  query: pageQuery.extend({ after: idSchema.optional() }),
  answer: { status: 200, description: "A page", schema: page(capSourceSchema) },
});

export const changeCapSource = defineRoute({
  method: "put",
  path: "/v1/cap-sources/{id}",
  noun: "CAP sources",
  summary: "Change or suspend a source",
  description: "What was refused before is looked at again when it comes again.",
  access: OPERATOR,
  params: idParams,
  body: {
    form: "json",
    schema: z.strictObject({
      url: urlSchema.optional(),
      settings: settingsSchema.optional(),
      suspended: z.boolean().optional(),
    }),
  },
  answer: { status: 200, ...source },
  problems: ["source-unknown"],
});

export const listCapMessages = defineRoute({
  method: "get",
  path: "/v1/cap-sources/{id}/messages",
  noun: "CAP sources",
  summary: "List what came from a source, and what became of it, newest first",
  access: { kind: "member", roles: [] },
  params: idParams,
  query: pageQuery.extend({ after: idSchema.optional() }),
  answer: { status: 200, description: "A page", schema: page(capMessageSchema) },
  problems: ["source-unknown"],
});

const message = {
  body: { form: "bytes", mediaType: "application/cap+xml", maxBytes: CAP_BODY_MAX_BYTES },
  answer: {
    status: 200,
    description: "What became of it; also when it was refused, which is its `state`",
    schema: capMessageSchema,
  },
} as const;

export const importCapMessage = defineRoute({
  method: "post",
  path: "/v1/cap-sources/{id}/messages",
  noun: "CAP sources",
  summary: "Hand in a message of a source by hand",
  description: "It becomes a draft at most: nothing goes out at once for what a person brings.",
  access: { kind: "member", roles: ["author"] },
  params: idParams,
  ...message,
  problems: ["source-unknown", "source-suspended", "not-entitled", "busy"],
});

export const pushCapMessage = defineRoute({
  method: "post",
  path: "/v1/cap",
  noun: "CAP sources",
  summary: "Push a CAP 1.2 message",
  description:
    "With the key of a source. The same message again changes nothing; the same identifier with other content is an alarm.",
  access: { kind: "source" },
  ...message,
  problems: ["source-unknown", "source-suspended", "busy"],
});

export const capSourceRoutes = [
  createCapSource,
  listCapSources,
  changeCapSource,
  listCapMessages,
  importCapMessage,
  pushCapMessage,
];
