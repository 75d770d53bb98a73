// What the public reads: feeds for machines, pages for people. All of it is served from memory and
// disk, to anybody, without a key; docs/feeds.md says what is guaranteed.
import { z } from "@hono/zod-openapi";
import { defineRoute, idSchema } from "./route.ts";

/** Longest body of a check: a text of 10,000 letters, of which each takes up to nine bytes. */
export const CHECK_BODY_MAX_BYTES = 96 * 1024;

const file = z
  .enum(["alerts.atom", "alerts.geojson", "exercises.atom", "exercises.geojson"])
  .meta({ description: "Alerts are Actual; exercises and tests have files of their own" });
const shortCode = z
  .string()
  .regex(/^[0-9A-Z]{9}$/u)
  .meta({ description: "A short code" });
const feed = {
  status: 200,
  description: "Atom or GeoJSON",
  mediaType: "application/atom+xml",
} as const;
const everybody = { kind: "public" } as const;

export const getFeed = defineRoute({
  method: "get",
  path: "/feeds/{file}",
  noun: "Feeds",
  summary: "Get the feed of everything",
  access: everybody,
  params: z.strictObject({ file }),
  answer: feed,
});
export const getAccountFeed = defineRoute({
  method: "get",
  path: "/feeds/accounts/{handle}/{file}",
  noun: "Feeds",
  summary: "Get the feed of one account",
  access: everybody,
  params: z.strictObject({ handle: z.string().max(100), file }),
  answer: feed,
  problems: ["not-found"],
});
export const getAreaFeed = defineRoute({
  method: "get",
  path: "/feeds/areas/{code}/{file}",
  noun: "Feeds",
  summary: "Get the feed of what concerns one unit",
  description:
    "The code of a former unit leads to the unit that took its place (308); where there are several, they are named.",
  access: everybody,
  params: z.strictObject({ code: z.string().max(40), file }),
  answer: feed,
  problems: ["not-found", "area-superseded"],
});
export const getIncidentFeed = defineRoute({
  method: "get",
  path: "/feeds/incidents/{id}/{file}",
  noun: "Feeds",
  summary: "Get the feed of one incident",
  access: everybody,
  params: z.strictObject({ id: idSchema, file }),
  answer: feed,
  problems: ["not-found"],
});
export const getCapDocument = defineRoute({
  method: "get",
  path: "/feeds/bulletins/{code}/cap.xml",
  noun: "Feeds",
  summary: "Get the CAP 1.2 document of a bulletin, which never changes",
  access: everybody,
  params: z.strictObject({ code: shortCode }),
  answer: { status: 200, description: "CAP 1.2", mediaType: "application/cap+xml" },
  problems: ["not-found"],
});
export const getBulletinFeature = defineRoute({
  method: "get",
  path: "/feeds/bulletins/{code}/bulletin.geojson",
  noun: "Feeds",
  summary: "Get a bulletin as a GeoJSON feature, which never changes",
  access: everybody,
  params: z.strictObject({ code: shortCode }),
  answer: { status: 200, description: "GeoJSON", mediaType: "application/geo+json" },
  problems: ["not-found"],
});
export const getCapKey = defineRoute({
  method: "get",
  path: "/feeds/cap-key.pem",
  noun: "Feeds",
  summary: "Get the public key with which the CAP documents are signed",
  access: everybody,
  answer: { status: 200, description: "SPKI, PEM", mediaType: "application/x-pem-file" },
  problems: ["not-found"],
});

/** A page, in Vietnamese at its path and in English under /en. */
const page = <const Path extends string, P extends z.ZodObject>(
  path: Path,
  summary: string,
  params: P,
) =>
  defineRoute({
    method: "get",
    path,
    noun: "Public pages",
    summary,
    access: everybody,
    params,
    readers: "people",
    answer: { status: 200, description: "A page without scripts", mediaType: "text/html" },
  });

const none = z.strictObject({});
const code = z.strictObject({ code: z.string().max(60) });
const part = z.strictObject({ code: z.string().max(60), part: z.string().max(20) });
const handle = z.strictObject({ handle: z.string().max(100) });
const id = z.strictObject({ id: z.string().max(60) });

/** The same pages in both languages. */
export const publicPages = {
  vi: {
    list: page("/", "Read what is in force", none),
    exercises: page("/exercises", "Read exercises and tests", none),
    areas: page("/areas", "Find a commune", none),
    area: page("/a/{code}", "Read what concerns one unit", code),
    account: page("/o/{handle}", "Read what an account issued", handle),
    incident: page("/i/{id}", "Read the bulletins of an incident", id),
    bulletin: page("/b/{code}", "Read a bulletin", code),
    part: page("/b/{code}/{part}", "Read an item or the places of a bulletin", part),
    check: page("/check", "Check a notice by its code", none),
  },
  en: {
    list: page("/en", "Read what is in force, in English", none),
    exercises: page("/en/exercises", "Read exercises and tests, in English", none),
    areas: page("/en/areas", "Find a commune, in English", none),
    area: page("/en/a/{code}", "Read what concerns one unit, in English", code),
    account: page("/en/o/{handle}", "Read what an account issued, in English", handle),
    incident: page("/en/i/{id}", "Read the bulletins of an incident, in English", id),
    bulletin: page("/en/b/{code}", "Read a bulletin, in English", code),
    part: page("/en/b/{code}/{part}", "Read a part of a bulletin, in English", part),
    check: page("/en/check", "Check a notice by its code, in English", none),
  },
} as const;

const check = <const Path extends string>(path: Path, summary: string) =>
  defineRoute({
    method: "post",
    path,
    noun: "Public pages",
    summary,
    description: "The text is compared and forgotten: it is neither stored nor logged.",
    access: everybody,
    readers: "people",
    // It stores nothing, so a repeat does no harm.
    idempotency: "none",
    body: {
      form: "bytes",
      mediaType: "application/x-www-form-urlencoded",
      maxBytes: CHECK_BODY_MAX_BYTES,
    },
    answer: { status: 200, description: "A page without scripts", mediaType: "text/html" },
  });

export const checkText = {
  vi: check("/check", "Check a notice by its text"),
  en: check("/en/check", "Check a notice by its text, in English"),
} as const;

export const publicationRoutes = [
  getFeed,
  getAccountFeed,
  getAreaFeed,
  getIncidentFeed,
  getCapDocument,
  getBulletinFeature,
  getCapKey,
  ...Object.values(publicPages.vi),
  ...Object.values(publicPages.en),
  ...Object.values(checkText),
];
