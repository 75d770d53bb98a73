// Puts the app on a port, with limits, and takes it off again without cutting anybody short.
import { getRequestListener } from "@hono/node-server";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Protects memory: one connection costs some 20 KiB. */
export const CONNECTIONS_MAX = 2_000;
/** Headers must be here within this time: a slow sender holds a connection. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** A whole request, the import of a province included; bodies read whole have a shorter limit. */
export const REQUEST_TIMEOUT_MS = 3_600_000;
export const KEEP_ALIVE_MS = 30_000;
export const HEADERS_MAX_BYTES = 16 * 1024;
/** How long running requests may take to end once the server closes. */
export const CLOSE_GRACE_MS = 5_000;

export interface Listening extends AsyncDisposable {
  readonly port: number;
  /** `http://host:port`, as this machine reaches it. */
  readonly origin: string;
  /** Takes no new request, lets running ones end, and cuts what is left after the grace time. */
  close(): Promise<void>;
}

/** Starts to listen; port 0 takes any free one. Rejects if the port is taken. */
export async function listen(
  app: { fetch(request: Request): Response | Promise<Response> },
  at: { readonly host: string; readonly port: number; readonly connectionsMax?: number },
): Promise<Listening> {
  const handle = getRequestListener((request) => app.fetch(request), {
    overrideGlobalObjects: false,
  });
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADERS_MAX_BYTES,
      connectionsCheckingInterval: 5_000,
    },
    (incoming, outgoing) => void handle(incoming, outgoing),
  );
  server.maxConnections = Math.min(CONNECTIONS_MAX, at.connectionsMax ?? CONNECTIONS_MAX);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = at.host.includes(":") ? `[${at.host}]` : at.host;
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= closeServer(server));
  return { port, origin: `http://${host}:${port}`, close, [Symbol.asyncDispose]: close };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
