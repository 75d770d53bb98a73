// What follows an issued bulletin in its chain: update, last bulletin, correction. Each is a draft of
// its own, which somebody else approves before it goes out. (Cancel is in bulletins.ts.)
import { z } from "@hono/zod-openapi";
import { contentSchema } from "./bulletin-content.ts";
import { bulletinSchema, CONTENT_PROBLEMS } from "./bulletins.ts";
import { defineRoute, idParams } from "./route.ts";
import { TARGET_BODY_MAX_BYTES } from "./target.ts";

const nextFields = {
  content: contentSchema
    .optional()
    .meta({ description: "Without it the old content stands in, to be edited" }),
};
const NEXT_PROBLEMS = ["account-unknown", "not-entitled", "bulletin-unknown"] as const;
const lastField = z
  .boolean()
  .default(false)
  .meta({ description: "tin cuối cùng: after it the chain goes no further" });

export const updateBulletin = defineRoute({
  method: "post",
  path: "/v1/bulletins/{id}/update",
  noun: "Bulletins",
  summary: "Draft the update of an issued bulletin, or the last one of its chain",
  description:
    "It reaches whom it is for, and tells those who had the old one and whom it is not for that it no longer concerns them.",
  access: { kind: "member", roles: ["author"] },
  params: idParams,
  body: {
    form: "json",
    maxBytes: TARGET_BODY_MAX_BYTES,
    schema: z.strictObject({ ...nextFields, last: lastField }),
  },
  answer: { status: 201, description: "The draft of the update", schema: bulletinSchema },
  problems: [...NEXT_PROBLEMS, ...CONTENT_PROBLEMS],
});

export const updateIncident = defineRoute({
  method: "post",
  path: "/v1/incidents/{id}/update",
  noun: "Bulletins",
  summary: "Draft the update of the one bulletin in force on an incident",
  description: "Where several are in force it is refused with a list of them: name the one meant.",
  access: { kind: "member", roles: ["author"] },
  params: idParams,
  body: {
    form: "json",
    maxBytes: TARGET_BODY_MAX_BYTES,
    schema: z.strictObject({ ...nextFields, last: lastField }),
  },
  answer: { status: 201, description: "The draft of the update", schema: bulletinSchema },
  problems: [...NEXT_PROBLEMS, ...CONTENT_PROBLEMS],
});

export const correctBulletin = defineRoute({
  method: "post",
  path: "/v1/bulletins/{id}/correct",
  noun: "Bulletins",
  summary: "Draft the correction of an issued bulletin",
  description:
    "đính chính: words change, nothing else does. Whoever has the bulletin gets the corrected text in silence, whoever still waits for it gets it as the first one. Somebody else approves it, like any other.",
  access: { kind: "member", roles: ["author"] },
  params: idParams,
  body: {
    form: "json",
    maxBytes: TARGET_BODY_MAX_BYTES,
    schema: z.strictObject(nextFields),
  },
  answer: { status: 201, description: "The draft of the correction", schema: bulletinSchema },
  problems: [...NEXT_PROBLEMS, ...CONTENT_PROBLEMS],
});

export const chainRoutes = [updateBulletin, updateIncident, correctBulletin];
