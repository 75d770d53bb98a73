// Agencies, official accounts, members and keys. Everybody with a key may read who is who; the
// platform operator admits them.
import { z } from "@hono/zod-openapi";
import { BULLETIN_KINDS, BULLETIN_TYPES } from "@loa/model/bulletin-type.ts";
import { CHANNEL_NAMES, JURISDICTION_AREAS_MAX } from "@loa/model/entitlement.ts";
import { HAZARD_KEYS } from "@loa/model/hazard.ts";
import { AUDIENCE_RULES } from "@loa/model/target.ts";
import { ROLES } from "@loa/model/transition.ts";
import { textsSchema } from "./bulletin-content.ts";
import { defineRoute, idParams, idSchema, instantSchema, page, pageQuery } from "./route.ts";

const OPERATOR = { kind: "member", roles: ["operator"] } as const;
const MEMBER = { kind: "member", roles: [] } as const;
const idPageQuery = pageQuery.extend({ after: idSchema.optional() });

export const entitlementSchema = z
  .strictObject({
    areas: z
      .array(z.string().min(1).max(32))
      .max(JURISDICTION_AREAS_MAX)
      .meta({ description: "Codes of units; all below them is included" }),
    hazards: z.array(z.enum(HAZARD_KEYS)),
    channels: z.array(z.enum(CHANNEL_NAMES)),
    audienceRules: z.array(z.enum(AUDIENCE_RULES)),
    kinds: z.array(z.enum(BULLETIN_KINDS)),
    types: z.array(z.enum(BULLETIN_TYPES)),
  })
  .meta({ id: "Entitlement", description: "What an agency may send, where, how and to whom" });

export const agencySchema = z
  .strictObject({
    id: idSchema,
    parentId: idSchema.nullable(),
    name: textsSchema,
    entitlement: entitlementSchema,
    suspended: z.boolean(),
  })
  .meta({ id: "Agency" });

export const accountSchema = z
  .strictObject({
    id: idSchema,
    ordinal: z.int(),
    agencyId: idSchema,
    handle: z.string(),
    name: textsSchema,
    verified: z.boolean(),
  })
  .meta({ id: "OfficialAccount" });

export const memberSchema = z
  .strictObject({
    id: idSchema,
    personId: idSchema,
    personName: z.string(),
    agencyId: idSchema,
    post: textsSchema,
    roles: z.array(z.enum(ROLES)),
    revoked: z.boolean(),
  })
  .meta({ id: "Member" });

const fingerprintSchema = z.string().regex(/^[0-9a-f]{24}$/);
const keyInfoSchema = z
  .strictObject({
    fingerprint: fingerprintSchema,
    memberId: idSchema.nullable(),
    gateway: z.string().nullable(),
    sourceId: idSchema.nullable(),
    label: z.string(),
    createdAt: instantSchema,
    revokedAt: instantSchema.nullable(),
  })
  .meta({ id: "KeyInfo" });
const freshKeySchema = z
  .strictObject({
    key: z.string().meta({ description: "Shown this once; only its hash is kept" }),
    fingerprint: fingerprintSchema,
  })
  .meta({ id: "FreshKey" });

export const getMe = defineRoute({
  method: "get",
  path: "/v1/me",
  noun: "Members",
  summary: "Say who holds this key",
  access: MEMBER,
  answer: { status: 200, description: "The member", schema: memberSchema },
});

export const listAgencies = defineRoute({
  method: "get",
  path: "/v1/agencies",
  noun: "Agencies",
  summary: "List agencies",
  access: MEMBER,
  query: idPageQuery,
  answer: { status: 200, description: "A page", schema: page(agencySchema) },
});

export const getAgency = defineRoute({
  method: "get",
  path: "/v1/agencies/{id}",
  noun: "Agencies",
  summary: "Show an agency",
  access: MEMBER,
  params: idParams,
  answer: { status: 200, description: "The agency", schema: agencySchema },
  problems: ["agency-unknown"],
});

export const createAgency = defineRoute({
  method: "post",
  path: "/v1/agencies",
  noun: "Agencies",
  summary: "Admit an agency",
  description: "It gets no more than the agency above it.",
  access: OPERATOR,
  body: {
    form: "json",
    schema: z.strictObject({
      parentId: idSchema.nullable(),
      name: textsSchema,
      entitlement: entitlementSchema,
    }),
  },
  answer: { status: 201, description: "The agency", schema: agencySchema },
  problems: ["agency-unknown", "area-unknown", "not-entitled"],
});

export const changeAgency = defineRoute({
  method: "put",
  path: "/v1/agencies/{id}",
  noun: "Agencies",
  summary: "Change what an agency may do, or suspend it",
  access: OPERATOR,
  params: idParams,
  body: {
    form: "json",
    schema: z.strictObject({ entitlement: entitlementSchema, suspended: z.boolean() }),
  },
  answer: { status: 200, description: "The agency", schema: agencySchema },
  problems: ["agency-unknown", "area-unknown", "not-entitled"],
});

export const listAccounts = defineRoute({
  method: "get",
  path: "/v1/accounts",
  noun: "Accounts",
  summary: "List official accounts",
  description: "Open to all: citizens choose whom to follow.",
  access: { kind: "public" },
  query: idPageQuery,
  answer: { status: 200, description: "A page", schema: page(accountSchema) },
});

export const createAccount = defineRoute({
  method: "post",
  path: "/v1/accounts",
  noun: "Accounts",
  summary: "Open an official account for an agency",
  access: OPERATOR,
  body: {
    form: "json",
    schema: z.strictObject({
      agencyId: idSchema,
      handle: z.string().max(100),
      name: textsSchema,
    }),
  },
  answer: { status: 201, description: "The account", schema: accountSchema },
  problems: ["agency-unknown", "handle-taken"],
});

export const listMembers = defineRoute({
  method: "get",
  path: "/v1/members",
  noun: "Members",
  summary: "List members",
  access: MEMBER,
  query: idPageQuery.extend({ agencyId: idSchema.optional() }),
  answer: { status: 200, description: "A page", schema: page(memberSchema) },
});

export const createMember = defineRoute({
  method: "post",
  path: "/v1/members",
  noun: "Members",
  summary: "Appoint a person to a post in an agency",
  description: "Who hands out keys takes no part in bulletins: operator goes with no such role.",
  access: OPERATOR,
  body: {
    form: "json",
    schema: z.strictObject({
      agencyId: idSchema,
      post: textsSchema,
      roles: z.array(z.enum(ROLES)).min(1),
      person: z.union([
        z.strictObject({ id: idSchema }),
        z.strictObject({ name: z.string().max(400) }),
      ]),
    }),
  },
  answer: { status: 201, description: "The member", schema: memberSchema },
  problems: ["agency-unknown", "member-unknown", "roles-conflict"],
});

export const revokeMember = defineRoute({
  method: "post",
  path: "/v1/members/{id}/revoke",
  noun: "Members",
  summary: "End a membership and its keys",
  access: OPERATOR,
  params: idParams,
  answer: { status: 200, description: "The member", schema: memberSchema },
  problems: ["member-unknown"],
});

export const listKeys = defineRoute({
  method: "get",
  path: "/v1/keys",
  noun: "Keys",
  summary: "List keys without their secrets, newest first",
  access: OPERATOR,
  query: z.strictObject({ memberId: idSchema.optional() }),
  answer: {
    status: 200,
    description: "The newest keys",
    schema: z.strictObject({ items: z.array(keyInfoSchema) }),
  },
});

export const createKey = defineRoute({
  method: "post",
  path: "/v1/keys",
  noun: "Keys",
  summary: "Make a key for a member, a channel's gateway or a CAP source",
  access: OPERATOR,
  body: {
    form: "json",
    schema: z.strictObject({
      holder: z.union([
        z.strictObject({ memberId: idSchema }),
        z.strictObject({ gateway: z.enum(CHANNEL_NAMES) }),
        z.strictObject({ sourceId: idSchema }),
      ]),
      label: z.string().min(1).max(100),
    }),
  },
  answer: { status: 201, description: "The key", schema: freshKeySchema },
  problems: ["member-unknown", "source-unknown"],
});

export const revokeKey = defineRoute({
  method: "delete",
  path: "/v1/keys/{fingerprint}",
  noun: "Keys",
  summary: "Revoke a key",
  access: OPERATOR,
  params: z.strictObject({ fingerprint: fingerprintSchema }),
  answer: { status: 204, description: "Revoked" },
  problems: ["api-key-unknown"],
});

export const listSigningKeys = defineRoute({
  method: "get",
  path: "/v1/signing-keys",
  noun: "Keys",
  summary: "Show the public keys with which bulletins are signed",
  access: { kind: "public" },
  answer: {
    status: 200,
    description: "The keys",
    schema: z.strictObject({
      items: z.array(
        z.strictObject({
          keyId: z.string(),
          algorithm: z.literal("Ed25519"),
          publicKey: z.string().meta({ description: "SPKI, PEM" }),
        }),
      ),
    }),
  },
});

export const accountRoutes = [
  getMe,
  listAgencies,
  getAgency,
  createAgency,
  changeAgency,
  listAccounts,
  createAccount,
  listMembers,
  createMember,
  revokeMember,
  listKeys,
  createKey,
  revokeKey,
  listSigningKeys,
];
