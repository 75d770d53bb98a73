// The HTTP core: every request passes here, in this order: route, caller, body, schema,
// Idempotency-Key, handler, answer. It translates and decides nothing else.
//
// How to add a noun:
//  1. api/src/<noun>.ts: zod schemas (z.strictObject, `.meta({ id: "Bulletin" })` to name one in
//     the documentation) and routes made by defineRoute; export `<noun>Routes`, a list of them.
//  2. api/src/openapi.ts: append that list to ROUTES.
//  3. server/src/http/<noun>.ts: `mount<Noun>(app, deps)` with one `app.mount(route, handler)` for
//     each. The handler gets `{ caller, params, query, body, stableId, signal, request }`, all
//     checked and typed by the route. It calls one verb of a stage and returns plain data (sent as
//     JSON with the route's status; typed by its answer schema) or a Response (CSV, NDJSON).
//     It throws Problem for the caller's fault; anything else becomes a logged 500.
//  4. server/src/role/front.ts: call mount<Noun>.
// A POST gives `stableId` to what it creates, so that a repeat after a crash makes no twin.
import { needsIdempotencyKey, type Route, type Yielding } from "@loa/api/route.ts";
import { PROBLEM_MEDIA_TYPE, PROBLEMS, renderProblem } from "@loa/api/problems.ts";
import type { z } from "@hono/zod-openapi";
import { Problem } from "@loa/model/problem.ts";
import { type Context, Hono } from "hono";
import type { Db } from "../db/connection.ts";
import type { Logger } from "../observe/log.ts";
import { admitCaller, type Authenticate, type CallerOf, callerScope } from "./caller.ts";
import {
  answerOnce,
  forgetOldAnswers,
  hashRequest,
  requireIdempotencyKey,
  stableIdOf,
} from "./idempotency.ts";
import { readBody, readParams, readQuery } from "./request.ts";

type OutputOf<S> = S extends z.ZodType ? z.output<S> : undefined;
type BodyOf<B> = B extends { form: "json"; schema: infer S }
  ? OutputOf<S>
  : B extends { form: "bytes" }
    ? Uint8Array
    : B extends { form: "stream" }
      ? ReadableStream<Uint8Array>
      : undefined;
type AnswerOf<R extends Route> = R["answer"] extends { schema: infer S extends z.ZodType }
  ? z.input<S> | Response
  : R["answer"]["status"] extends 204
    ? void
    : Response;

/** What a handler gets: checked, and typed by its route. */
export interface Input<R extends Route> {
  readonly caller: CallerOf<R["access"]>;
  readonly params: OutputOf<R["params"]>;
  readonly query: OutputOf<R["query"]>;
  readonly body: BodyOf<R["body"]>;
  /** The same for each repeat of a request with an Idempotency-Key; otherwise empty. */
  readonly stableId: string;
  /** Aborts when the caller hangs up, or when the work must give way to warnings. */
  readonly signal: AbortSignal;
  readonly request: Request;
}
export type RouteHandler<R extends Route> = (input: Input<R>) => Promise<AnswerOf<R>>;

/** What the core itself needs. */
export interface AppDeps {
  readonly db: Db;
  readonly log: Logger;
  readonly authenticate: Authenticate;
  /** The present lease of this process, so that a repeat notices its death. */
  readonly owner?: () => string;
  /** Aborted, with a Problem, while work of one kind gives way to warnings. */
  readonly yielding?: (work: Yielding) => AbortSignal;
  /** The page for somebody who opened an address that is none, or asked what is refused. */
  readonly answerPeople?: (problem: Problem, path: string) => Response;
  /** Checks each answer against its schema; for tests, where a wrong answer must fail. */
  readonly checkAnswers?: boolean;
}

export interface App {
  mount<const R extends Route>(route: R, handler: RouteHandler<NoInfer<R>>): void;
  /** Answers 307 for a route that another origin serves; the body is not read. */
  redirect(route: Route, origin: () => string): void;
  readonly mounted: readonly Route[];
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Calls the app without a port, for tests. */
  readonly request: Hono["request"];
}

/** How often answers that are past their time are deleted. */
const FORGET_ANSWERS_EVERY_MS = 600_000;
/** On every answer. An API answer is never rendered, framed, cached or sniffed. */
const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** Builds an app without any route; every noun mounts its own. */
export function buildApp(deps: AppDeps): App {
  const hono = new Hono<Variables>({ strict: true });
  const mounted: Route[] = [];
  // No timer: nothing needs to be forgotten while nobody asks.
  let forgetAtMs = performance.now();
  const forgetSometimes = () => {
    if (performance.now() < forgetAtMs) return;
    forgetAtMs = performance.now() + FORGET_ANSWERS_EVERY_MS;
    forgetOldAnswers(deps.db).catch((err: unknown) => deps.log.warn({ err }, "old answers"));
  };
  hono.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS))
      if (!context.res.headers.has(name)) context.res.headers.set(name, value);
  });
  hono.onError((fault, context) => answerFault(deps, fault, context));
  hono.notFound((context) => answerUnrouted(deps, mounted, context));
  return {
    mounted,
    mount(route, handler) {
      mounted.push(route);
      const run = handler as unknown as (input: unknown) => Promise<unknown>;
      hono.on(route.method, honoPath(route.path), (context) => {
        if (route.readers === "people") context.set("readers", "people");
        if (needsIdempotencyKey(route)) forgetSometimes();
        return serve(deps, route, run, context);
      });
    },
    redirect(route, origin) {
      mounted.push(route);
      hono.on(route.method, honoPath(route.path), ({ req }) => {
        const { pathname, search } = new URL(req.url);
        return new Response(null, {
          status: 307,
          headers: { location: origin() + pathname + search },
        });
      });
    },
    fetch: (request) => hono.fetch(request),
    request: hono.request,
  };
}

/** What a request carries along: who reads what comes of it. */
interface Variables {
  Variables: { readers?: "people" };
}

const honoPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1");

async function serve(
  deps: AppDeps,
  route: Route,
  run: (input: unknown) => Promise<unknown>,
  context: Context,
): Promise<Response> {
  const request = context.req.raw;
  const url = new URL(request.url);
  const yielding = route.yields && deps.yielding?.(route.yields);
  yielding?.throwIfAborted();
  const caller = await admitCaller(
    route.access,
    request.headers.get("authorization"),
    deps.authenticate,
  );
  const keyed = needsIdempotencyKey(route);
  const key = keyed ? requireIdempotencyKey(request.headers.get("idempotency-key")) : "";
  const params = readParams(route, context.req.param());
  const query = readQuery(route, url.searchParams);
  const body = await readBody(request, route.body);
  const name = { scope: callerScope(caller), key };
  const input = {
    caller: caller?.who,
    params,
    query,
    body: body.value,
    stableId: keyed ? stableIdOf(name) : "",
    signal: yielding ? AbortSignal.any([request.signal, yielding]) : request.signal,
    request,
  };
  const execute = async () => toResponse(deps, route, await run(input));
  if (!keyed) return execute();
  const requestHash = hashRequest(route.method, url.pathname + url.search, body.bytes);
  const answer = await answerOnce(
    deps.db,
    { ...name, requestHash, owner: deps.owner?.() },
    async () => {
      const response = await execute();
      return {
        status: response.status,
        contentType: response.headers.get("content-type") ?? "",
        body: await response.bytes(),
      };
    },
  );
  return new Response(answer.status === 204 ? null : (answer.body as Uint8Array<ArrayBuffer>), {
    status: answer.status,
    headers: {
      ...(answer.contentType && { "content-type": answer.contentType }),
      ...(answer.replayed && { "idempotency-replayed": "true" }),
    },
  });
}

function toResponse(deps: AppDeps, route: Route, answer: unknown): Response {
  if (answer instanceof Response) return answer;
  const { status, schema } = route.answer;
  if (status === 204) return new Response(null, { status });
  if (deps.checkAnswers) schema?.parse(answer);
  return Response.json(answer, { status });
}

function answerFault(deps: AppDeps, fault: unknown, context: Context<Variables>): Response {
  const { method, path } = context.req;
  const isPeople = context.get("readers") === "people";
  const answer = (problem: Problem): Response =>
    (isPeople && deps.answerPeople?.(problem, path)) || problemResponse(problem, path);
  if (fault instanceof Problem) return answer(fault);
  // The path holds ids and codes only; a query or a body could hold more, and is not logged.
  deps.log.error({ err: fault, method, path }, "request failed");
  return answer(new Problem("internal-error", "Try again; tell the operator."));
}

function answerUnrouted(
  deps: AppDeps,
  mounted: readonly Route[],
  context: Context<Variables>,
): Response {
  const { method, path } = context.req;
  const here = mounted.filter((route) => pathPattern(route.path).test(path));
  if (here.length === 0) {
    const problem = new Problem("not-found", `There is no ${path}.`);
    const isPage = /\btext\/html\b/.test(context.req.header("accept") ?? "");
    return (isPage && deps.answerPeople?.(problem, path)) || problemResponse(problem, path);
  }
  const allow = [...new Set(here.map((route) => route.method.toUpperCase()))].join(", ");
  const problem = new Problem("method-not-allowed", `${method} is not taken here, but ${allow}.`);
  return problemResponse(problem, path, { allow });
}

const pathPattern = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/[.]/g, "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`);

/** A problem as a response; used below Hono too. */
export function problemResponse(
  problem: Problem,
  instance: string,
  headers: Record<string, string> = {},
): Response {
  const { status } = PROBLEMS[problem.code];
  return new Response(JSON.stringify(renderProblem(problem, instance)), {
    status,
    headers: {
      ...headers,
      "content-type": PROBLEM_MEDIA_TYPE,
      ...(status === 401 && { "www-authenticate": "Bearer" }),
      ...(status === 503 && { "retry-after": "5" }),
    },
  });
}
