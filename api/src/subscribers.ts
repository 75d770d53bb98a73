// Subscribers, for the operator of the platform: lists in and out, one person, and tokens for the
// synthetic people of an exercise.
import { z } from "@hono/zod-openapi";
import { subscriberSchema } from "./devices.ts";
import type { ProblemDocument } from "./problems.ts";
import { defineRoute, idParams, idSchema } from "./route.ts";

/** Longest list: 200 million rows of 80 bytes. It streams through, so this protects no memory. */
export const IMPORT_BYTES_MAX = 16 * 1024 ** 3;
/** Most synthetic people in one request. */
export const SYNTHETIC_MAX = 50_000_000;
/** Most tokens in one request. */
export const TOKEN_REFS_MAX = 10_000;
const TOKENS_BODY_MAX_BYTES = 4 * 1024 * 1024;
const NOUN = "Subscribers";
const OPERATOR = { kind: "member", roles: ["operator"] } as const;

/** How far an import is. Rows that were read become added, known or rejected. */
export interface ImportCounts {
  readonly read: number;
  readonly added: number;
  /** Registered before, or twice in the list. */
  readonly known: number;
  readonly rejected: number;
}

/** A row that was not stored. */
export interface RejectedRow {
  /** Counted from 1, the header. */
  readonly line: number;
  readonly reason: string;
  /** The line as it came, cut to 500 characters; empty when it is no longer at hand. */
  readonly text: string;
}

/** One line of the answer to an import: newline-delimited JSON. The last is `done` or `problem`. */
export type ImportLine =
  | { readonly progress: ImportCounts }
  | { readonly rejects: readonly RejectedRow[] }
  | { readonly done: ImportCounts & { readonly importId: string } }
  | { readonly problem: ProblemDocument };
export const NDJSON_MEDIA_TYPE = "application/x-ndjson";

const progressAnswer = {
  status: 200,
  description:
    "Lines of JSON while it runs: `{progress}` several times a second, `{rejects}` with bad rows, and " +
    "last `{done}` with the sums or `{problem}`; what was added before a problem stays",
  mediaType: NDJSON_MEDIA_TYPE,
} as const;

export const importSubscribers = defineRoute({
  method: "post",
  path: "/v1/subscribers/import",
  noun: NOUN,
  summary: "Import a list of people",
  description:
    "CSV in UTF-8, one record on one line, with the columns `ref`, `kind` (person, organisation), " +
    "`standing` (public, exercise), `home`, `places`, `follows`, `endpoints`, `consent_version`, " +
    "`consent_at`; kind, standing, places and follows may be left out. Lists within a value are " +
    "separated by semicolons; endpoints are kinds, with an address after a colon where one is " +
    "needed (`live;sms:+84912345678`). Read the answer while you send: whoever does not read " +
    "stops the import. Running the same list again adds nobody.",
  access: OPERATOR,
  yields: "bulk",
  query: z.strictObject({
    source: z.string().meta({
      description: "Names the list: the same source and ref is the same person for ever",
    }),
    basis: z.string().default("").meta({ description: "On what basis they are registered" }),
    asOf: z.string().optional().meta({
      description: "YYYY-MM-DD: the codes of places are those of that day",
    }),
  }),
  body: { form: "stream", mediaType: "text/csv", maxBytes: IMPORT_BYTES_MAX },
  answer: progressAnswer,
  problems: ["csv-invalid", "consent-missing", "busy"],
  idempotency: "none",
});

export const synthesizeSubscribers = defineRoute({
  method: "post",
  path: "/v1/subscribers/synth",
  noun: NOUN,
  summary: "Register synthetic people",
  description:
    "Invented people, as many in each commune as its share of the population. The same seed makes " +
    "the same people, so a repeat adds nobody.",
  access: OPERATOR,
  yields: "bulk",
  body: {
    form: "json",
    schema: z.strictObject({
      count: z.int().min(1).max(SYNTHETIC_MAX),
      seed: z.int().min(0).default(1),
      standing: z.enum(["exercise", "public"]).default("exercise"),
      liveShare: z.number().min(0).max(1).default(0).meta({
        description: "The share who have a live endpoint; all others have loopback",
      }),
    }),
  },
  answer: progressAnswer,
  problems: ["busy", "area-unknown"],
  idempotency: "none",
});

export const exportSubscribers = defineRoute({
  method: "get",
  path: "/v1/subscribers/export",
  noun: NOUN,
  summary: "Export everybody",
  access: OPERATOR,
  yields: "bulk",
  answer: { status: 200, description: "CSV, as of one instant", mediaType: "text/csv" },
});

export const getSubscriber = defineRoute({
  method: "get",
  path: "/v1/subscribers/{id}",
  noun: NOUN,
  summary: "Read all that is kept of one person",
  access: OPERATOR,
  params: idParams,
  answer: { status: 200, description: "Everything", schema: subscriberSchema },
  problems: ["subscriber-unknown"],
});

export const deleteSubscriber = defineRoute({
  method: "delete",
  path: "/v1/subscribers/{id}",
  noun: NOUN,
  summary: "Delete one person",
  description: "Name, addresses and places are gone and the tokens end, at once and for good.",
  access: OPERATOR,
  params: idParams,
  answer: { status: 204, description: "Deleted" },
  problems: ["subscriber-unknown"],
});

export const issueTokens = defineRoute({
  method: "post",
  path: "/v1/subscribers/tokens",
  noun: NOUN,
  summary: "Get device tokens for synthetic people of exercises",
  description: "Only for `standing` exercise: nobody but their own device speaks for the public.",
  access: OPERATOR,
  body: {
    form: "json",
    maxBytes: TOKENS_BODY_MAX_BYTES,
    schema: z.strictObject({
      source: z.string().min(1).max(200),
      refs: z.array(z.string().min(1).max(200)).min(1).max(TOKEN_REFS_MAX),
    }),
  },
  answer: {
    status: 200,
    description:
      "One token for each reference, in the same order; null: no such person of exercises",
    schema: z
      .strictObject({
        items: z.array(
          z
            .strictObject({
              ref: z.string(),
              subscriberId: idSchema,
              ordinal: z.int(),
              token: z.string(),
            })
            .nullable(),
        ),
      })
      .meta({ id: "ExerciseTokens" }),
  },
  idempotency: "none",
});

export const subscriberRoutes = [
  importSubscribers,
  synthesizeSubscribers,
  exportSubscribers,
  issueTokens,
  getSubscriber,
  deleteSubscriber,
];
