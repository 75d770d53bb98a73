// Bulletins: written by one person, approved by another, issued once and never edited afterwards.
import { z } from "@hono/zod-openapi";
import { BULLETIN_KINDS, BULLETIN_TYPES } from "@loa/model/bulletin-type.ts";
import { MSG_TYPES, REFERENCES_MAX } from "@loa/model/bulletin.ts";
import type { ProblemCode } from "@loa/model/problem.ts";
import { CHAIN_STEPS, PURPOSES } from "@loa/model/chain-step.ts";
import { BULLETIN_STATES } from "@loa/model/transition.ts";
import { AUDIENCE_RULES } from "@loa/model/target.ts";
import {
  briefTextsSchema,
  channelSchema,
  contentSchema,
  hazardSchema,
  riskLevelSchema,
  textsSchema,
} from "./bulletin-content.ts";
import { faultSchema } from "./dispatches.ts";
import { defineRoute, idParams, idSchema, instantSchema, page, pageQuery } from "./route.ts";
import { TARGET_BODY_MAX_BYTES } from "./target.ts";

const hashSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: "SHA-256 of all that will go out, in hex" });
/** The reader's own limit (CAP_BYTES_MAX) is lower, and says which rule is broken. */
export const CAP_BODY_MAX_BYTES = 5 * 1024 * 1024;
/** Longest list of codes in an address; more places are chosen by editing the draft. */
export const CODE_LIST_MAX = 4_000;
const versionSchema = z.int().min(1).meta({ description: "The version that you read" });

export const bulletinSummarySchema = z
  .strictObject({
    id: idSchema,
    agencyId: idSchema,
    accountId: idSchema,
    state: z.enum(BULLETIN_STATES),
    version: versionSchema,
    msgType: z.enum(MSG_TYPES),
    step: z.enum(CHAIN_STEPS).meta({
      description:
        "alert; update (cập nhật); correction (đính chính: words only, wakes nobody); last (tin cuối cùng); cancel (thu hồi)",
    }),
    type: z.enum(BULLETIN_TYPES),
    kind: z.enum(BULLETIN_KINDS),
    hazard: hazardSchema,
    riskLevel: riskLevelSchema.nullable(),
    number: z.string(),
    headline: textsSchema,
    incidentId: idSchema.nullable(),
    references: z.array(idSchema).meta({ description: "Bulletins that it updates or cancels" }),
    unknownReferences: z
      .array(z.string())
      .meta({ description: "CAP's triples of messages that this installation does not have" }),
    createdAt: instantSchema,
    issuedAt: instantSchema.nullable(),
    expiresAt: instantSchema,
  })
  .meta({ id: "BulletinSummary" });

export const bulletinSchema = bulletinSummarySchema
  .extend({
    content: contentSchema,
    places: z
      .strictObject({
        packs: z.array(z.strictObject({ name: z.string(), validFrom: z.string() })),
        communes: z.array(
          z.strictObject({
            code: z.string(),
            villages: z.array(z.string()).nullable().meta({ description: "Null: all of it" }),
          }),
        ),
      })
      .nullable()
      .meta({ description: "What the target came down to when it was submitted" }),
    hash: hashSchema.nullable().meta({ description: "Since it was submitted; approve this" }),
    standingOrderId: idSchema.nullable(),
    identifier: z.string().nullable().meta({ description: "CAP identifier, since it was issued" }),
    signature: z.string().nullable().meta({ description: "Ed25519, base64url" }),
    keyId: z.string().nullable(),
    wordings: z
      .strictObject({ concerned: briefTextsSchema, left: briefTextsSchema.nullable() })
      .meta({ description: "What the concerned and those left out read, whoever worded it" }),
    dispatchId: idSchema.nullable(),
    dispatches: z
      .array(z.strictObject({ id: idSchema, purpose: z.enum(PURPOSES), fault: faultSchema }))
      .meta({ description: "All its sendings; those left out are found shortly after the issue" }),
    isSettling: z.boolean().meta({ description: "Those whom it leaves out are still to be found" }),
    history: z.array(
      z.strictObject({
        at: instantSchema,
        action: z.string(),
        version: z.int(),
        personId: idSchema.nullable(),
        person: z.string().nullable(),
        reason: z.string().nullable(),
      }),
    ),
    approvals: z.array(
      z.strictObject({
        personId: idSchema,
        person: z.string(),
        capacity: z.enum(["member", "parent-duty", "standing-order"]),
        standingOrderId: idSchema
          .nullable()
          .meta({ description: "The order under which a bulletin went out at once" }),
        hash: hashSchema,
        at: instantSchema,
        keyId: z.string(),
        signature: z.string().meta({ description: "Over RFC 8785 {hash, person, time}" }),
        voidedAt: instantSchema.nullable(),
      }),
    ),
  })
  .meta({ id: "Bulletin" });

const answer = { description: "The bulletin", schema: bulletinSchema } as const;
/** What a content can be refused for. */
export const CONTENT_PROBLEMS = [
  "bulletin-invalid",
  "bulletin-state",
  "incident-unknown",
  "area-unknown",
  "area-superseded",
  "zone-unknown",
  "geometry-invalid",
  "geometry-too-many-points",
  "target-empty",
] as const satisfies readonly ProblemCode[];
const ROLES = ["author", "approver", "duty"] as const;

export const createBulletin = defineRoute({
  method: "post",
  path: "/v1/bulletins",
  noun: "Bulletins",
  summary: "Write a draft",
  description:
    "With `updates` it becomes an Update of those bulletins, and replaces them at issue.",
  access: { kind: "member", roles: ["author"] },
  body: {
    form: "json",
    maxBytes: TARGET_BODY_MAX_BYTES,
    schema: z.strictObject({
      accountId: idSchema,
      content: contentSchema,
      updates: z.array(idSchema).max(REFERENCES_MAX).default([]),
    }),
  },
  answer: { status: 201, ...answer },
  problems: ["account-unknown", "not-entitled", "bulletin-unknown", ...CONTENT_PROBLEMS],
});

export const listBulletins = defineRoute({
  method: "get",
  path: "/v1/bulletins",
  noun: "Bulletins",
  summary: "List bulletins, newest first",
  description: "All that were issued, and the drafts of your agency and of those directly below.",
  access: { kind: "member", roles: [] },
  query: pageQuery.extend({
    after: idSchema.optional(),
    state: z.enum(BULLETIN_STATES).optional(),
    incidentId: idSchema.optional(),
    agencyId: idSchema.optional(),
  }),
  answer: { status: 200, description: "A page", schema: page(bulletinSummarySchema) },
});

export const getBulletin = defineRoute({
  method: "get",
  path: "/v1/bulletins/{id}",
  noun: "Bulletins",
  summary: "Show a bulletin with its history and approvals",
  access: { kind: "member", roles: [] },
  params: idParams,
  answer: { status: 200, ...answer },
  problems: ["bulletin-unknown"],
});

export const editBulletin = defineRoute({
  method: "put",
  path: "/v1/bulletins/{id}",
  noun: "Bulletins",
  summary: "Replace the content of the version that you read",
  description: "Takes it back to draft; approvals given so far are void.",
  access: { kind: "member", roles: ["author"] },
  params: idParams,
  body: {
    form: "json",
    maxBytes: TARGET_BODY_MAX_BYTES,
    schema: z.strictObject({ version: versionSchema, content: contentSchema }),
  },
  answer: { status: 200, ...answer },
  problems: ["bulletin-unknown", "bulletin-changed", ...CONTENT_PROBLEMS],
});

export const submitBulletin = defineRoute({
  method: "post",
  path: "/v1/bulletins/{id}/submit",
  noun: "Bulletins",
  summary: "Hand a draft to the approvers",
  access: { kind: "member", roles: ["author"] },
  params: idParams,
  body: { form: "json", schema: z.strictObject({ version: versionSchema }) },
  answer: { status: 200, ...answer },
  problems: [
    "bulletin-unknown",
    "bulletin-changed",
    "not-entitled",
    "message-too-large",
    ...CONTENT_PROBLEMS,
  ],
});

export const returnBulletin = defineRoute({
  method: "post",
  path: "/v1/bulletins/{id}/return",
  noun: "Bulletins",
  summary: "Give a bulletin back to its authors",
  access: { kind: "member", roles: ROLES },
  params: idParams,
  body: { form: "json", schema: z.strictObject({ reason: z.string() }) },
  answer: { status: 200, ...answer },
  problems: ["bulletin-unknown", "bulletin-state"],
});

export const approveBulletin = defineRoute({
  method: "post",
  path: "/v1/bulletins/{id}/approve",
  noun: "Bulletins",
  summary: "Approve exactly what you read",
  description: "Nobody who wrote, edited or submitted any version may.",
  access: { kind: "member", roles: ["approver", "duty"] },
  params: idParams,
  body: { form: "json", schema: z.strictObject({ hash: hashSchema }) },
  answer: { status: 200, ...answer },
  problems: [
    "bulletin-unknown",
    "bulletin-state",
    "bulletin-changed",
    "bulletin-expired",
    "approver-took-part",
    "approver-foreign",
    "approval-mismatch",
    "not-entitled",
    "resolves-otherwise",
  ],
});

export const issueSchema = z
  .strictObject({
    bulletin: bulletinSchema,
    dispatch: z.strictObject({ id: idSchema, seq: z.int(), issuedAt: instantSchema }),
  })
  .meta({ id: "Issue" });

export const ISSUE_PROBLEMS = [
  "bulletin-state",
  "bulletin-changed",
  "bulletin-expired",
  "bulletin-invalid",
  "approval-mismatch",
  "not-entitled",
  "resolves-otherwise",
  "message-too-large",
] as const satisfies readonly ProblemCode[];

export const issueBulletin = defineRoute({
  method: "post",
  path: "/v1/bulletins/{id}/issue",
  noun: "Bulletins",
  summary: "Send an approved bulletin",
  access: { kind: "member", roles: ROLES },
  params: idParams,
  answer: { status: 200, description: "What was issued", schema: issueSchema },
  problems: ["bulletin-unknown", ...ISSUE_PROBLEMS],
});

export const cancelBulletin = defineRoute({
  method: "post",
  path: "/v1/bulletins/{id}/cancel",
  noun: "Bulletins",
  summary: "Draft the cancel of an issued bulletin",
  description:
    "The Cancel is a bulletin of its own: submit it, let somebody else approve it, and issue it. It reaches those who had the old one.",
  access: { kind: "member", roles: ["author", "duty"] },
  params: idParams,
  body: { form: "json", schema: z.strictObject({ reason: textsSchema }) },
  answer: { status: 201, description: "The draft of the Cancel", schema: bulletinSchema },
  problems: ["bulletin-unknown", "bulletin-state"],
});

/** Codes in one query parameter, separated by commas. */
const codeList = z
  .string()
  .max(CODE_LIST_MAX)
  .transform((text) => text.split(",").map((code) => code.trim()))
  .pipe(z.array(z.string().min(1).max(32)));
const channelList = z
  .string()
  .max(200)
  .transform((text) => text.split(",").map((name) => name.trim()))
  .pipe(z.array(channelSchema));

export const createBulletinFromCap = defineRoute({
  method: "post",
  path: "/v1/bulletins/from-cap",
  noun: "Bulletins",
  summary: "Write a draft from a CAP 1.2 message",
  description:
    "The body is the message as it was received. With `areas` or `zones` it goes there instead of where it says. What could not be carried over is in `remarks`.",
  access: { kind: "member", roles: ["author"] },
  query: z.strictObject({
    accountId: idSchema,
    type: z.enum(["Actual", "Exercise"]),
    kind: z.enum(BULLETIN_KINDS).default("warning"),
    channels: channelList.meta({ example: "live,loopback" }),
    audienceRule: z.enum(AUDIENCE_RULES).default("residents"),
    areas: codeList.optional().meta({ example: "SL020,SL021" }),
    zones: codeList.optional(),
    hazard: hazardSchema.optional(),
    expiresAt: instantSchema.optional(),
    incidentId: idSchema.optional(),
    exerciseName: z.string().max(200).optional(),
    updates: z
      .string()
      .max(37 * REFERENCES_MAX)
      .transform((text) => text.split(","))
      .pipe(z.array(idSchema))
      .optional(),
  }),
  body: { form: "bytes", mediaType: "application/cap+xml", maxBytes: CAP_BODY_MAX_BYTES },
  answer: {
    status: 201,
    description: "The draft, and what to look at",
    schema: z
      .strictObject({
        bulletin: bulletinSchema,
        remarks: z.array(z.string()),
        problems: z.array(
          z.strictObject({
            rule: z.string(),
            level: z.enum(["error", "warning"]),
            path: z.string(),
            line: z.int(),
            message: z.string(),
          }),
        ),
      })
      .meta({ id: "CapDraft" }),
  },
  problems: [
    "cap-invalid",
    "account-unknown",
    "not-entitled",
    "bulletin-unknown",
    ...CONTENT_PROBLEMS,
  ],
});

export const bulletinRoutes = [
  createBulletinFromCap,
  createBulletin,
  listBulletins,
  getBulletin,
  editBulletin,
  submitBulletin,
  returnBulletin,
  approveBulletin,
  issueBulletin,
  cancelBulletin,
];
