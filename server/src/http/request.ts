// Reads what a request carries and checks it against its route: length, encoding, UTF-8, JSON,
// NFC, schema. A handler never sees anything that did not pass; nothing was stored before.
import { type RequestBody, JSON_BODY_MAX_BYTES, type Route } from "@loa/api/route.ts";
import type { z } from "@hono/zod-openapi";
import { type Fault, Problem } from "@loa/model/problem.ts";
import {
  decodeUtf8,
  describe,
  FAULTS_MAX,
  parseStrictJson,
  pointerStep,
  unusableText,
} from "@loa/model/strict-json.ts";

/** A body that is read whole must be here within this time: a slow sender holds memory. */
export const BODY_TIMEOUT_MS = 30_000;

/** A body that was read: the value for the handler, and the bytes that came (none of a stream). */
export interface ReadBody {
  readonly value: unknown;
  readonly bytes: Uint8Array;
}
const NOTHING = new Uint8Array(0);

/** Reads the body as its route wants it. @throws {Problem} saying what is wrong with it. */
export async function readBody(
  request: Request,
  body: RequestBody | undefined,
  timeoutMs: number = BODY_TIMEOUT_MS,
): Promise<ReadBody> {
  if (!body) {
    await refuseBody(request);
    return { value: undefined, bytes: NOTHING };
  }
  requireMediaType(request, body.form === "json" ? "application/json" : body.mediaType);
  const maxBytes = body.maxBytes ?? JSON_BODY_MAX_BYTES;
  const length = Number(request.headers.get("content-length") ?? 0);
  if (length > maxBytes) throw tooLarge(maxBytes);
  const limited = limitBytes(request.body, maxBytes);
  if (body.form === "stream") return { value: limited, bytes: NOTHING };
  const bytes = await readWhole(limited, timeoutMs);
  if (body.form === "bytes") return { value: bytes, bytes };
  const value = checkSchema(body.schema, parseStrictJson(decodeUtf8(bytes)), pointer);
  return { value, bytes };
}

async function refuseBody(request: Request): Promise<void> {
  if (!request.body || request.headers.get("content-length") === "0") return;
  const { done } = await request.body.getReader().read();
  if (!done) throw new Problem("request-invalid", "This operation takes no body.");
}

function requireMediaType(request: Request, wanted: string): void {
  const encoding = request.headers.get("content-encoding");
  if (encoding && encoding.toLowerCase() !== "identity")
    throw new Problem("media-type-unsupported", "Send the body without a content encoding.", [
      { at: "header/content-encoding", what: `${encoding} is not accepted` },
    ]);
  const [essence = "", ...parameters] = (request.headers.get("content-type") ?? "").split(";");
  const charset = parameters
    .map((p) => p.trim().toLowerCase())
    .find((p) => p.startsWith("charset="));
  const utf8 = !charset || /^charset="?utf-8"?$/.test(charset);
  const given = essence.trim().toLowerCase();
  if (given === wanted && utf8) return;
  throw new Problem("media-type-unsupported", `This operation takes ${wanted}, in UTF-8.`, [
    { at: "header/content-type", what: given ? `${given} is not accepted` : "missing" },
  ]);
}

const tooLarge = (maxBytes: number): Problem =>
  new Problem("body-too-large", `At most ${maxBytes} bytes are taken here.`);

function limitBytes(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): ReadableStream<Uint8Array> {
  let read = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      read += chunk.byteLength;
      if (read > maxBytes) controller.error(tooLarge(maxBytes));
      else controller.enqueue(chunk);
    },
  });
  return (body ?? new Blob([]).stream()).pipeThrough(count);
}

async function readWhole(
  stream: ReadableStream<Uint8Array>,
  timeoutMs: number,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void reader.cancel();
  }, timeoutMs);
  const chunks: Uint8Array[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
  if (isLate) throw new Problem("request-invalid", `The body took longer than ${timeoutMs} ms.`);
  return Buffer.concat(chunks);
}

/** The checked path parameters. */
export const readParams = (route: Route, params: Record<string, string>): unknown =>
  route.params && readTexts(route.params, Object.entries(params), "path");

/** The checked query; a name that is given more than once is refused, but on a page for people. */
export function readQuery(route: Route, query: URLSearchParams): unknown {
  if (route.readers === "people") return undefined;
  const twice = [...query.keys()].find((name, i, names) => names.indexOf(name) !== i);
  if (twice !== undefined) throw invalid([{ at: `query/${twice}`, what: "given twice" }]);
  if (route.query) return readTexts(route.query, [...query], "query");
  const [unknown] = query.keys();
  if (unknown !== undefined) throw invalid([{ at: `query/${unknown}`, what: "unknown" }]);
  return undefined;
}

function readTexts(schema: z.ZodObject, entries: [string, string][], place: string): unknown {
  for (const [name, text] of entries) {
    const at = `${place}/${name}`;
    // Undecodable percent escapes come as U+FFFD, which no code or id of ours holds.
    const fault = text.includes("\uFFFD")
      ? "request-invalid"
      : (unusableText(text) ?? unusableText(name));
    if (fault)
      throw new Problem(fault, `${at} is not usable text.`, [{ at, what: "not NFC text" }]);
  }
  const at = (path: readonly PropertyKey[]) => [place, ...path.map(String)].join("/");
  return checkSchema(schema, Object.fromEntries(entries), at);
}

const pointer = (path: readonly PropertyKey[]): string => path.map(pointerStep).join("");

function checkSchema(
  schema: z.ZodType,
  value: unknown,
  at: (path: readonly PropertyKey[]) => string,
): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error.issues.flatMap((issue) => faultsOf(issue, at)));
}

function faultsOf(issue: z.core.$ZodIssue, at: (path: readonly PropertyKey[]) => string): Fault[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ at: at([...issue.path, key]), what: "unknown field" }));
  return [{ at: at(issue.path), what: issue.message }];
}

function invalid(all: readonly Fault[]): Problem {
  const faults = all.slice(0, FAULTS_MAX);
  return new Problem("request-invalid", describe(faults), faults);
}
