// The OpenAPI 3.1 document, made from the routes of every noun. docs/openapi.json is this document,
// checked in so that a review sees each change of the contract.
//
// Adding a noun: import its list of routes and append it to ROUTES.
import { OpenAPIHono, z } from "@hono/zod-openapi";
import { PROBLEM_CODES, type ProblemCode } from "@loa/model/problem.ts";
import { backupRoutes } from "./backups.ts";
import { areaRoutes } from "./areas.ts";
import { accountRoutes } from "./accounts.ts";
import { chainRoutes } from "./bulletin-chain.ts";
import { bulletinRoutes } from "./bulletins.ts";
import { capSourceRoutes } from "./cap-sources.ts";
import { deviceEdgeRoutes } from "./device-edge.ts";
import { deviceRoutes } from "./devices.ts";
import { audienceRoutes } from "./audience.ts";
import { subscriberRoutes } from "./subscribers.ts";
import { dispatchRoutes } from "./dispatches.ts";
import { documentationRoutes } from "./documentation.ts";
import { healthRoutes } from "./health.ts";
import { publicationRoutes } from "./publications.ts";
import { incidentRoutes } from "./incidents.ts";
import { PROBLEM_MEDIA_TYPE, PROBLEMS } from "./problems.ts";
import { JSON_BODY_MAX_BYTES, needsIdempotencyKey, type Route } from "./route.ts";
import { standingOrderRoutes } from "./standing-orders.ts";
import { zoneRoutes } from "./zones.ts";

/** Every operation of the API, in the order in which the documentation lists the nouns. */
export const ROUTES: readonly Route[] = [
  ...accountRoutes,
  ...incidentRoutes,
  ...bulletinRoutes,
  ...chainRoutes,
  ...standingOrderRoutes,
  ...capSourceRoutes,
  ...areaRoutes,
  ...zoneRoutes,
  ...audienceRoutes,
  ...subscriberRoutes,
  ...deviceRoutes,
  ...deviceEdgeRoutes,
  ...dispatchRoutes,
  ...publicationRoutes,
  ...healthRoutes,
  ...backupRoutes,
  ...documentationRoutes,
];

/** What the nouns of the routes are called in Vietnamese; docs/glossary.md is the law. */
const NOUNS_VI: Readonly<Record<string, string>> = {
  Areas: "Địa bàn",
  Zones: "Vùng",
  Audience: "Phạm vi người nhận",
  Subscribers: "Người nhận",
  Devices: "Thiết bị",
  Agencies: "Cơ quan",
  Accounts: "Tài khoản OA",
  Members: "Cán bộ",
  Keys: "Khoá truy cập",
  Incidents: "Sự kiện",
  Bulletins: "Bản tin",
  "Standing orders": "Lệnh chờ sẵn",
  "CAP sources": "Nguồn CAP",
  Dispatches: "Đợt gửi",
  Ledger: "Sổ gửi",
  "Area orders": "Lệnh theo địa bàn",
  Feeds: "Nguồn tin cho máy",
  "Public pages": "Trang công khai",
  Health: "Tình trạng hệ thống",
  Backups: "Sao lưu",
  Documentation: "Tài liệu",
};

/** What every operation may refuse, by what it takes. */
function commonProblems(route: Route): ProblemCode[] {
  const codes: ProblemCode[] = ["internal-error"];
  if (route.readers === "people") return codes;
  if (route.params || route.query || route.body) codes.push("request-invalid", "text-not-nfc");
  if (route.body) codes.push("body-too-large", "media-type-unsupported");
  if (route.body?.form === "json") codes.push("body-not-json", "body-not-utf8");
  if (needsIdempotencyKey(route))
    codes.push("idempotency-key-missing", "idempotency-key-reused", "idempotency-in-progress");
  if (route.yields) codes.push("busy");
  if (route.access.kind === "member") codes.push("key-missing", "key-unknown", "role-missing");
  if (route.access.kind === "gateway" || route.access.kind === "source")
    codes.push("key-missing", "key-unknown", "gateway-key-scope");
  if (route.access.kind === "device") codes.push("key-missing", "token-invalid");
  return codes;
}

/** All codes that an operation may answer with, in the table's order. */
export function problemsOf(route: Route): ProblemCode[] {
  const codes = new Set([...commonProblems(route), ...(route.problems ?? [])]);
  return PROBLEM_CODES.filter((code) => codes.has(code));
}

const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(PROBLEM_CODES),
    titles: z.strictObject({ vi: z.string(), en: z.string() }),
    faults: z.array(
      z.strictObject({
        at: z.string().meta({
          description: "A JSON Pointer into the body, or `query/name`, `header/name`, `line 12`",
        }),
        what: z.string(),
      }),
    ),
    instance: z.string(),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem document" });

const DESCRIPTION =
  "Carries an authority's warning to every phone that it concerns, and carries the answer back. " +
  "Times are RFC 3339 with offset. Text is UTF-8 in NFC. Unknown fields are refused. " +
  "What goes wrong is a problem document with a stable code.";

/** Builds the document. The same routes give the same bytes. */
export function buildOpenApi(version: string, routes: readonly Route[] = ROUTES) {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono();
  openAPIRegistry.registerComponent("securitySchemes", "key", {
    type: "http",
    scheme: "bearer",
    description: "A member's, gateway's or source's key, or a device token",
  });
  for (const route of routes) openAPIRegistry.registerPath(describeRoute(route));
  return getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Loa", version, description: DESCRIPTION, license: { name: "Apache-2.0" } },
    tags: [...new Set(routes.map((route) => route.noun))].map((name) => ({
      name,
      ...(NOUNS_VI[name] && { "x-name-vi": NOUNS_VI[name] }),
    })),
  });
}

type PathConfig = Parameters<OpenAPIHono["openAPIRegistry"]["registerPath"]>[0];

function describeRoute(route: Route): PathConfig {
  const request: NonNullable<PathConfig["request"]> = {
    ...(route.params && { params: route.params }),
    ...(route.query && { query: route.query }),
    ...(needsIdempotencyKey(route) && {
      headers: z.object({ "Idempotency-Key": z.string().min(16).max(128) }),
    }),
    ...(route.body && { body: { required: true, content: requestContent(route.body) } }),
  };
  const { status, description, schema, mediaType } = route.answer;
  const content = schema
    ? { [mediaType ?? "application/json"]: { schema } }
    : mediaType && { [mediaType]: { schema: z.string() } };
  return {
    method: route.method,
    path: route.path,
    operationId: operationId(route),
    tags: [route.noun],
    summary: route.summary,
    ...(route.description && { description: route.description }),
    ...(route.access.kind !== "public" && { security: [{ key: [] }] }),
    ...(route.servedBy === "stream" && { "x-loa-served-by": "stream" }),
    "x-loa-access": route.access,
    ...(route.yields && { "x-loa-yields": route.yields }),
    ...(route.body && { "x-loa-body-max-bytes": route.body.maxBytes ?? JSON_BODY_MAX_BYTES }),
    request,
    responses: {
      [status]: { description, ...(content && { content }) },
      ...(route.servedBy === "stream" && {
        307: { description: "Ask the device edge, at Location" },
      }),
      ...problemResponses(route),
    },
  };
}

const requestContent = (body: NonNullable<Route["body"]>) =>
  body.form === "json"
    ? { "application/json": { schema: body.schema } }
    : { [body.mediaType]: { schema: z.string().meta({ format: "binary" }) } };

/** `get /v1/bulletins/{id}` → `get-bulletins-id`. */
const operationId = (route: Route): string =>
  [route.readers ? `${route.method}-page` : route.method, ...route.path.split("/").slice(1)]
    .map((part) => part.replaceAll(/[{}]/g, "") || "root")
    .filter((part) => part !== "v1")
    .join("-");

function problemResponses(route: Route) {
  const byStatus = Map.groupBy(problemsOf(route), (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus]
      .toSorted(([a], [b]) => a - b)
      .map(([status, codes]) => [
        status,
        {
          description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].en}`).join("; "),
          content: { [PROBLEM_MEDIA_TYPE]: { schema: problemSchema } },
        },
      ]),
  );
}
