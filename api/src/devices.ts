// Devices: a citizen's own registration, by the device that they hold. Nobody else is asked; the
// token that comes back is all that the device needs from then on.
import { z } from "@hono/zod-openapi";
import { ENDPOINT_KINDS } from "@loa/model/endpoint.ts";
import { defineRoute, idSchema } from "./route.ts";

/** Longest body: 16 places, 64 follows, a few addresses. */
const DEVICE_BODY_MAX_BYTES = 16 * 1024;
const NOUN = "Devices";

const codeSchema = z.string().min(1).max(32);
const endpointSchema = z
  .strictObject({
    kind: z.enum(ENDPOINT_KINDS),
    address: z.string().max(254).nullable().default(null).meta({
      description: "For sms a number in E.164 form, for email an address; else null",
    }),
  })
  .meta({ id: "Endpoint" });

const registrationFields = {
  home: codeSchema.meta({ description: "Code of the village or commune where they live" }),
  places: z.array(codeSchema).max(16).default([]).meta({
    description: "Codes of further places that they care for",
  }),
  follows: z.array(z.string().max(64)).max(64).default([]).meta({
    description: "Handles of official accounts",
  }),
  endpoints: z
    .array(endpointSchema)
    .min(1)
    .max(ENDPOINT_KINDS.length)
    .default([{ kind: "live", address: null }]),
};

export const subscriberSchema = z
  .strictObject({
    id: idSchema,
    kind: z.enum(["person", "organisation"]),
    standing: z.enum(["public", "exercise"]),
    home: codeSchema,
    places: z.array(codeSchema),
    follows: z.array(z.string()),
    endpoints: z.array(
      z.strictObject({ kind: z.enum(ENDPOINT_KINDS), address: z.string().nullable() }),
    ),
    consent: z.strictObject({
      version: z.string().meta({ description: "Which wording was agreed to" }),
      basis: z.string(),
      at: z.iso.datetime({ offset: true }),
    }),
  })
  .meta({ id: "Subscriber", description: "All that is kept of one person or organisation" });

export const registerDevice = defineRoute({
  method: "post",
  path: "/v1/devices",
  noun: NOUN,
  summary: "Register oneself",
  description:
    "Whoever is registered before a bulletin is issued is in its audience. Keep the token: it is " +
    "shown once.",
  access: { kind: "public" },
  body: {
    form: "json",
    maxBytes: DEVICE_BODY_MAX_BYTES,
    schema: z.strictObject({
      kind: z.enum(["person", "organisation"]).default("person"),
      ...registrationFields,
      consentVersion: z.string().min(1).max(64).meta({
        description: "Which wording was shown and agreed to",
      }),
    }),
  },
  answer: {
    status: 201,
    description: "Registered",
    schema: z
      .strictObject({
        subscriberId: idSchema,
        token: z.string().meta({ description: "For `Authorization: Bearer`" }),
        streamUrl: z.string(),
        receiptsUrl: z.string(),
      })
      .meta({ id: "RegisteredDevice" }),
  },
  problems: ["area-unknown", "busy"],
});

export const getOwnData = defineRoute({
  method: "get",
  path: "/v1/devices/me",
  noun: NOUN,
  summary: "Read all that is kept of oneself",
  access: { kind: "device" },
  answer: { status: 200, description: "Everything", schema: subscriberSchema },
  problems: ["subscriber-unknown"],
});

export const moveDevice = defineRoute({
  method: "put",
  path: "/v1/devices/me",
  noun: NOUN,
  summary: "Say anew where one lives, what one cares for and how one is reached",
  description: "Replaces all of it.",
  access: { kind: "device" },
  body: {
    form: "json",
    maxBytes: DEVICE_BODY_MAX_BYTES,
    schema: z.strictObject(registrationFields),
  },
  answer: { status: 200, description: "As it is kept now", schema: subscriberSchema },
  problems: ["area-unknown", "subscriber-unknown"],
});

export const deleteDevice = defineRoute({
  method: "delete",
  path: "/v1/devices/me",
  noun: NOUN,
  summary: "Delete oneself",
  description: "Name, addresses and places are gone and the token ends, at once and for good.",
  access: { kind: "device" },
  answer: { status: 204, description: "Deleted" },
  problems: ["subscriber-unknown"],
});

export const deviceRoutes = [registerDevice, getOwnData, moveDevice, deleteDevice];
