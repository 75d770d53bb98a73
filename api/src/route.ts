// How the contract describes one operation: address, who may ask, what goes in and comes out.
//
// A noun's file (areas.ts, bulletins.ts, ...) exports its schemas and its routes; openapi.ts turns
// all routes into the OpenAPI document; the server mounts a handler for each (http/app.ts), and
// what the handler gets was checked against the very same schemas.
//
// Rule: objects are z.strictObject, so that a field which nobody reads is refused, not ignored.
import { z } from "@hono/zod-openapi";
import type { ProblemCode } from "@loa/model/problem.ts";
import type { Role } from "@loa/model/transition.ts";

/** Who may use an operation. A member with any one of `roles`; an empty list means any member. */
export type Access =
  | { readonly kind: "public" }
  | { readonly kind: "member"; readonly roles: readonly Role[] }
  | { readonly kind: "gateway" }
  | { readonly kind: "source" }
  | { readonly kind: "device" };

/** Longest JSON body where a route names no other limit: protects the front's memory. */
export const JSON_BODY_MAX_BYTES = 256 * 1024;

/**
 * What a request carries. `json` is read whole, checked and parsed; `bytes` is read whole;
 * `stream` is handed on as it arrives. `maxBytes` is the limit of each, named by its noun.
 */
export type RequestBody =
  | { readonly form: "json"; readonly schema: z.ZodType; readonly maxBytes?: number }
  | { readonly form: "bytes"; readonly mediaType: string; readonly maxBytes: number }
  | { readonly form: "stream"; readonly mediaType: string; readonly maxBytes: number };

/** What comes back. Without a schema the handler answers with a Response of `mediaType` itself. */
export interface RouteAnswer {
  readonly status: 200 | 201 | 202 | 204 | 307;
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly mediaType?: string;
}

/**
 * Work that gives way when something is short, so that warnings do not: `bulk` first (imports,
 * exports, backups), then `comfort` (estimates, which make work and send nothing).
 */
export type Yielding = "bulk" | "comfort";

/** One operation of the API. */
export interface Route {
  readonly method: "get" | "post" | "put" | "delete";
  /** With parameters in braces: `/v1/bulletins/{id}`. */
  readonly path: string;
  /** The noun under which the documentation lists it. */
  readonly noun: string;
  /** One line, starting with a verb. */
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: RequestBody;
  readonly answer: RouteAnswer;
  /** What it may refuse, beside what every operation may (see COMMON_PROBLEMS). */
  readonly problems?: readonly ProblemCode[];
  /** Every POST needs an Idempotency-Key; "none" is for those that store nothing, or stream. */
  readonly idempotency?: "none";
  /**
   * A page for people. Links to it are passed on and grow parameters on their way, so a query that
   * it does not know is no fault; what it refuses comes as a page too.
   */
  readonly readers?: "people";
  /** Refused as `busy` while warnings need what it takes; operations without this never are. */
  readonly yields?: Yielding;
  /** Served at the device edge's own origin; the API answers 307 to there. */
  readonly servedBy?: "stream";
}

/** Keeps the literal types of a route, so that its handler knows what it gets. */
export const defineRoute = <const R extends Route>(route: R): R => route;

/** Whether a request must carry an Idempotency-Key. */
export const needsIdempotencyKey = (route: Route): boolean =>
  route.method === "post" && route.idempotency !== "none";

// -- Schemas that many nouns share -------------------------------------------------------------

/** A text in Vietnamese and in English; both are needed. */
export const bilingual = (maxLength: number) =>
  z.strictObject({
    vi: z.string().trim().min(1).max(maxLength),
    en: z.string().trim().min(1).max(maxLength),
  });

/** An instant: RFC 3339 with an offset, which is never guessed. */
export const instantSchema = z.iso
  .datetime({ offset: true })
  .meta({ description: "RFC 3339 with offset", example: "2026-09-07T14:00:00+07:00" });

export const idSchema = z.uuid().meta({ description: "A UUID" });
export const idParams = z.strictObject({ id: idSchema });

/** Most rows of one page of a list. */
export const PAGE_MAX = 200;
/** `?limit=` and `?after=`: lists are read page by page, `next` of one page is `after` of the next. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
  after: z.string().max(100).optional(),
});
export const page = <T extends z.ZodType>(item: T) =>
  z.strictObject({
    items: z.array(item),
    next: z.string().nullable().meta({ description: "Pass as `after`; null: that was all" }),
  });
