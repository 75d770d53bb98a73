// The cold side of the device edge, on node:http: tickets, gateway receipts, health, CORS, and every
// request for the hot paths that was too odd for their strict reader. It never listens: the
// listener hands it sockets with what was already read from them.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { PACKED_BYTES_MAX, PACKED_RECEIPTS_MEDIA_TYPE } from "@loa/api/packed-receipts.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Logger } from "../observe/log.ts";
import { type Answer, COMMON_FIELDS, refuse } from "./problem-answer.ts";
import { HEAD_BYTES_MAX, RECEIPTS_BODY_BYTES_MAX } from "./request-head.ts";

/** Time for a whole request, body included: a slow sender holds memory. */
export const REQUEST_MS_MAX = 30_000;
/** Time for the head of a request. */
export const HEAD_MS_MAX = 10_000;
/** How long a connection may stay open between requests. */
export const IDLE_MS_MAX = 60_000;
const HEADER_FIELDS_MAX = 64;

/** What the routes do; each answers or throws a Problem. */
export interface ColdRoutes {
  health(): Answer;
  ticket(authorization: string | undefined): Answer;
  deviceReceipts(authorization: string | undefined, body: Buffer): Promise<Answer>;
  gatewayReceipts(
    channel: string,
    authorization: string | undefined,
    body: Buffer,
  ): Promise<Answer>;
  /** Takes the socket over as a live stream. */
  stream(socket: Socket, query: string, request: IncomingMessage): void;
}

export interface ColdServer {
  /** Takes a socket over, with the bytes that were read from it. */
  take(socket: Socket, bytes: Buffer): void;
  close(): void;
}

/** Starts the server. `apiOrigin` is where problem types are explained. */
export function openColdServer(routes: ColdRoutes, apiOrigin: string, log: Logger): ColdServer {
  const server = createServer(
    {
      maxHeaderSize: 2 * HEAD_BYTES_MAX,
      headersTimeout: HEAD_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: IDLE_MS_MAX,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => void serve(routes, apiOrigin, log, request, response),
  );
  server.maxHeadersCount = HEADER_FIELDS_MAX;
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) =>
    refuseBroken(error, socket),
  );
  // Timeouts are checked from "listening" on, and this server hears of sockets another way.
  server.emit("listening");
  return {
    take(socket, bytes) {
      server.emit("connection", socket);
      socket.unshift(bytes);
      socket.resume();
    },
    close: () => closeServer(server),
  };
}

function closeServer(server: Server): void {
  server.close();
  server.closeAllConnections();
}

const BROKEN: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** What cannot be read as HTTP has no path to make a problem document for. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status = BROKEN[error.code ?? ""] ?? "400 Bad Request";
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

const METHODS: readonly (readonly [path: RegExp, method: string])[] = [
  [/^\/v1\/health$/, "GET"],
  [/^\/v1\/stream$/, "GET"],
  [/^\/v1\/stream\/tickets$/, "POST"],
  [/^\/v1\/receipts$/, "POST"],
  [/^\/v1\/gateways\/([a-z-]{1,32})\/receipts$/, "POST"],
];

async function serve(
  routes: ColdRoutes,
  apiOrigin: string,
  log: Logger,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = "", query = ""] = (request.url ?? "").replace(/^http:\/\/[^/]*/, "").split("?", 2);
  let answer: Answer | undefined;
  try {
    answer = await route(routes, request, path, query);
  } catch (thrown) {
    answer = refuse(thrown, path, apiOrigin, log);
  }
  if (!answer) return;
  // An answer before the whole body was read ends the connection, or the rest would be a request.
  const fields = request.complete ? answer.fields : { ...answer.fields, Connection: "close" };
  response.writeHead(answer.status, { ...COMMON_FIELDS, ...fields });
  response.end(answer.body);
}

async function route(
  routes: ColdRoutes,
  request: IncomingMessage,
  path: string,
  query: string,
): Promise<Answer | undefined> {
  const found = METHODS.find(([form]) => form.test(path));
  if (!found) throw new Problem("not-found", "The device edge has nothing at this path.");
  if (request.method === "OPTIONS") return preflight(found[1]);
  if (request.method !== found[1])
    throw new Problem("method-not-allowed", `This path takes ${found[1]}.`);
  const { authorization } = request.headers;
  if (path === "/v1/health") return routes.health();
  if (path === "/v1/stream") {
    routes.stream(request.socket, query, request);
    return undefined;
  }
  if (path === "/v1/stream/tickets") return routes.ticket(authorization);
  if (path === "/v1/receipts") {
    requireType(request, "application/json");
    const body = await readBody(request, RECEIPTS_BODY_BYTES_MAX);
    return routes.deviceReceipts(authorization, body);
  }
  requireType(request, PACKED_RECEIPTS_MEDIA_TYPE);
  const channel = found[0].exec(path)?.[1] ?? "";
  return routes.gatewayReceipts(channel, authorization, await readBody(request, PACKED_BYTES_MAX));
}

/** Any origin may ask: what opens a stream is a token in a header, never a cookie. */
const preflight = (method: string): Answer => ({
  status: 204,
  fields: {
    "Access-Control-Allow-Methods": method,
    "Access-Control-Allow-Headers":
      "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Cache-Control",
    "Access-Control-Max-Age": "86400",
  },
  body: "",
});

function requireType(request: IncomingMessage, wanted: string): void {
  const [essence = ""] = (request.headers["content-type"] ?? "").split(";");
  const given = essence.trim().toLowerCase();
  const encoding = request.headers["content-encoding"];
  if (given === wanted && !encoding) return;
  throw new Problem("media-type-unsupported", `This path takes ${wanted}, not encoded.`, [
    { at: "header/content-type", what: given === "" ? "missing" : given.slice(0, 100) },
  ]);
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const tooLarge = () => new Problem("body-too-large", `At most ${bytesMax} bytes are taken here.`);
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}
