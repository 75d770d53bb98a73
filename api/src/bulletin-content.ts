// The content of a bulletin as it comes over HTTP: its shape. Lengths, marks, levels and spans are
// checked by the model (bulletin-check.ts), which lists all faults at once.
import { z } from "@hono/zod-openapi";
import { BULLETIN_KINDS } from "@loa/model/bulletin-type.ts";
import {
  FORM_RULES,
  ITEM_CATEGORIES,
  ITEM_TEXT_MAX,
  ITEM_TITLE_MAX,
  ITEMS_MAX,
  LEGAL_BASIS_MAX,
  NATURES,
} from "@loa/model/bulletin.ts";
import { CHANNEL_NAMES } from "@loa/model/entitlement.ts";
import { HAZARD_KEYS, RISK_LEVELS } from "@loa/model/hazard.ts";
import { AUDIENCE_RULES } from "@loa/model/target.ts";
import { idSchema, instantSchema } from "./route.ts";
import { targetSchema } from "./target.ts";

/** A text in both languages, as it was written: nothing is trimmed, for it will be signed. */
export const textsSchema = z.strictObject({ vi: z.string(), en: z.string() });

const formsSchema = z
  .strictObject({
    headline: z.string(),
    short: z.string(),
    full: z.string(),
    spoken: z.string(),
  })
  .meta({
    id: "Forms",
    description: `One text for each way of reading or hearing it, at most ${FORM_RULES.headline.max}, ${FORM_RULES.short.max}, ${FORM_RULES.full.max} and ${FORM_RULES.spoken.max} characters`,
  });

export const allFormsSchema = z.strictObject({ vi: formsSchema, en: formsSchema });

const briefSchema = z.strictObject({ headline: z.string(), short: z.string() });
export const briefTextsSchema = z.strictObject({ vi: briefSchema, en: briefSchema });
const wordingsSchema = z
  .strictObject({ concerned: briefTextsSchema.optional(), left: briefTextsSchema.optional() })
  .meta({
    id: "Wordings",
    description:
      "Words of your own for people who only care for that place (`concerned`), and for people who had the replaced bulletin and whom this one is not for (`left`). What is absent Loa words; the bulletin shows all of it, and the approval covers it.",
  });

export const itemSchema = z
  .strictObject({
    category: z.enum(ITEM_CATEGORIES),
    title: textsSchema.meta({ description: `At most ${ITEM_TITLE_MAX} characters each` }),
    text: textsSchema.meta({ description: `At most ${ITEM_TEXT_MAX} characters each` }),
  })
  .meta({ id: "Item" });

export const sourceSchema = z
  .strictObject({ body: z.string(), number: z.string(), time: instantSchema })
  .meta({ id: "SourceBulletin", description: "The bulletin that is quoted (Decree 155/2024)" });

export const hazardSchema = z.enum(HAZARD_KEYS);
export const riskLevelSchema = z
  .literal(RISK_LEVELS)
  .meta({ description: "1 light blue to 5 purple (Decision 18/2021/QĐ-TTg, article 4)" });
export const channelSchema = z.enum(CHANNEL_NAMES);

/** What a standing order signs beforehand; the rest of a content is said at each use. */
const signedFields = {
  nature: z.enum(NATURES).meta({
    description: "forecast: a quoted bản tin; order: lệnh, công điện; advice: khuyến cáo",
  }),
  number: z.string().meta({ description: "As on the paper", example: "09/CĐ-PTDS" }),
  legalBasis: z.array(z.string()).max(LEGAL_BASIS_MAX),
  signatory: z.strictObject({ name: z.string().nullable(), post: textsSchema }),
  hazard: hazardSchema,
  alongside: z.array(hazardSchema).default([]),
  texts: allFormsSchema,
  wordings: wordingsSchema.optional(),
  items: z.array(itemSchema).max(ITEMS_MAX).default([]),
  audienceRule: z.enum(AUDIENCE_RULES),
  channels: z.array(channelSchema),
};

const sentFields = {
  source: sourceSchema.nullable().default(null),
  incidentId: idSchema.nullable().default(null),
  riskLevel: riskLevelSchema.nullable().default(null),
  target: targetSchema,
  expiresAt: instantSchema,
};

const actual = { type: z.literal("Actual"), kind: z.enum(BULLETIN_KINDS) };
const exercise = {
  type: z.literal("Exercise"),
  kind: z.enum(BULLETIN_KINDS),
  exerciseName: z.string(),
};
const publicTest = {
  type: z.literal("PublicTest"),
  kind: z.literal("notice").meta({ description: "A test sounds no alarm" }),
  announcement: z.strictObject({ where: z.string(), at: instantSchema }),
};

export const contentSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ ...actual, ...signedFields, ...sentFields }),
    z.strictObject({ ...exercise, ...signedFields, ...sentFields }),
    z.strictObject({ ...publicTest, ...signedFields, ...sentFields }),
  ])
  .meta({ id: "BulletinContent" });

export const templateSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ ...actual, ...signedFields }),
    z.strictObject({ ...exercise, ...signedFields }),
    z.strictObject({ ...publicTest, ...signedFields }),
  ])
  .meta({ id: "OrderTemplate", description: "Texts may hold {{blanks}}" });
