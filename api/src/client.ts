// A thin client of the API for programs: one method for each way to ask, fully typed by the route
// that is asked. A refusal is thrown as ApiProblem, so that callers read the code and the faults.
import type { z } from "@hono/zod-openapi";
import type { ProblemDocument } from "./problems.ts";
import { needsIdempotencyKey, type Route } from "./route.ts";

/** Where the API is and as whom to ask. */
export interface ClientOptions {
  /** `http://host:port`, without a path. */
  readonly origin: string;
  /** A member's key, a gateway's key or a device token. */
  readonly key?: string;
}

type InputOf<S> = S extends z.ZodType ? z.input<S> : never;
type BodyOf<B> = B extends { form: "json"; schema: infer S }
  ? InputOf<S>
  : B extends { form: "bytes" }
    ? Uint8Array<ArrayBuffer>
    : B extends { form: "stream" }
      ? ReadableStream<Uint8Array>
      : never;
type AnswerOf<R extends Route> = R["answer"] extends { schema: infer S extends z.ZodType }
  ? z.output<S>
  : R["answer"]["status"] extends 204
    ? undefined
    : Response;

/** What goes along with a request: just what its route takes. */
export type Asking<R extends Route> = {
  readonly [K in "params" | "query" as R[K] extends z.ZodType ? K : never]: InputOf<R[K]>;
} & (R["body"] extends object ? { readonly body: BodyOf<R["body"]> } : unknown) & {
    /** Repeat a POST with the key of the first try; a fresh one is made if none is given. */
    readonly idempotencyKey?: string;
    readonly signal?: AbortSignal;
  };

type AskingOf<R extends Route> =
  object extends Asking<R> ? [asking?: Asking<R>] : [asking: Asking<R>];

/** The API refused. Nothing was stored. */
export class ApiProblem extends Error {
  override name = "ApiProblem";
  readonly document: ProblemDocument;

  constructor(document: ProblemDocument) {
    super(`${document.title}: ${document.detail}`);
    this.document = document;
  }
}

export interface Client {
  readonly origin: string;
  /** Asks for one route. Routes without a schema answer with the Response, to be streamed. */
  ask<const R extends Route>(route: R, ...asking: AskingOf<R>): Promise<AnswerOf<R>>;
}

/** Makes a client; it holds no connection. */
export function createClient(options: ClientOptions): Client {
  return {
    origin: options.origin,
    async ask<const R extends Route>(route: R, ...[asking]: AskingOf<R>): Promise<AnswerOf<R>> {
      const response = await send(options, route, asking ?? {});
      if (!response.ok) throw new ApiProblem(await readProblem(response));
      const { schema, status } = route.answer;
      if (schema) return (await response.json()) as AnswerOf<R>;
      if (status === 204) return undefined as AnswerOf<R>;
      return response as AnswerOf<R>;
    },
  };
}

type Textual = string | number | boolean | undefined;

interface LooseAsking {
  readonly params?: Record<string, Textual>;
  readonly query?: Record<string, Textual>;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

function send(options: ClientOptions, route: Route, asking: LooseAsking): Promise<Response> {
  const url = new URL(fillPath(route.path, asking.params ?? {}), options.origin);
  for (const [name, value] of Object.entries(asking.query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value));
  const headers = new Headers();
  if (options.key) headers.set("authorization", `Bearer ${options.key}`);
  if (needsIdempotencyKey(route))
    headers.set("idempotency-key", asking.idempotencyKey ?? crypto.randomUUID());
  const init: RequestInit = { method: route.method.toUpperCase(), headers };
  if (asking.signal) init.signal = asking.signal;
  if (route.body) {
    const json = route.body.form === "json";
    headers.set("content-type", json ? "application/json" : route.body.mediaType);
    init.body = json
      ? JSON.stringify(asking.body)
      : (asking.body as NonNullable<RequestInit["body"]>);
    if (route.body.form === "stream") init.duplex = "half";
  }
  return fetch(url, init);
}

const fillPath = (path: string, params: Record<string, Textual>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));

async function readProblem(response: Response): Promise<ProblemDocument> {
  const text = await response.text();
  if (response.headers.get("content-type")?.startsWith("application/problem+json"))
    return JSON.parse(text) as ProblemDocument;
  // Something between us and the API answered.
  return {
    type: "about:blank",
    title: `HTTP ${response.status}`,
    status: response.status,
    detail: text.slice(0, 200),
    code: "unavailable",
    titles: { vi: `HTTP ${response.status}`, en: `HTTP ${response.status}` },
    faults: [],
    instance: new URL(response.url).pathname,
  };
}

/** Most characters of one line of NDJSON: protects the reader's memory. */
export const NDJSON_LINE_MAX = 1024 * 1024;

/** The values of an NDJSON answer, as they arrive. */
export async function* readNdjson<T>(response: Response): AsyncGenerator<T> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > NDJSON_LINE_MAX) throw new Error("A line of the answer does not end.");
    for (const line of lines) if (line.trim() !== "") yield JSON.parse(line) as T;
  }
  if (rest.trim() !== "") yield JSON.parse(rest) as T;
}
