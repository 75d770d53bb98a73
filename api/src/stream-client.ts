// A client of GET /v1/stream on a bare socket: for witnesses, tests and integrators who hold
// thousands of connections in one process. It keeps the cursor and does not come back by itself;
// whoever uses it decides when.
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ChunkReader, EventReader, EventStreamFault, type StreamEvent } from "./event-stream.ts";

export type { StreamEvent } from "./event-stream.ts";

/** Longest head of an answer, and longest problem document, that is read. */
export const ANSWER_BYTES_MAX = 64 * 1024;
/** Events that wait to be read; above it the socket is not read, and the server feels it. */
export const EVENTS_WAITING_MAX = 256;
/** How long connecting and the answer's head may take. */
export const CONNECT_MS_MAX = 30_000;
/** The server sends a heartbeat every 25 s; after this silence it is gone. */
export const SILENCE_MS_MAX = 80_000;

export interface StreamWish {
  /** Full URL of the stream, without query. */
  readonly url: string;
  /** A device token, or a one-use ticket. */
  readonly token?: string | undefined;
  readonly ticket?: string | undefined;
  /** The id of the last event of an earlier connection. */
  readonly cursor?: string | undefined;
  /** Ids of dispatches that the device has. */
  readonly have?: readonly string[] | undefined;
  /** Codes of communes that the device is in. */
  readonly at?: readonly string[] | undefined;
  /** Local address, to hold more connections than one address has ports. */
  readonly localAddress?: string | undefined;
}

/** The server answered something else than a stream. */
export class StreamRefusal extends Error {
  override name = "StreamRefusal";
  readonly status: number;
  /** The problem document as text, or whatever came. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(`the stream was refused with status ${status}: ${body.slice(0, 300)}`);
    this.status = status;
    this.body = body;
  }
}

/** What happens on a connection. Called from its socket; must not throw. */
export interface StreamHearer {
  /** The server took the connection. */
  open?(): void;
  event(event: StreamEvent): void;
  /** Called once, last: without a reason when either side ended the stream. */
  end(reason: Error | undefined): void;
}

export interface StreamHandle {
  readonly socket: Socket;
  /** The id to come back with. */
  readonly cursor: string;
  close(): void;
}

/** Connects, and calls back. The cheapest form: no promise and no queue for each event. */
export function hearStream(wish: StreamWish, hearer: StreamHearer): StreamHandle {
  const url = new URL(wish.url);
  const isTls = url.protocol === "https:";
  const at = {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || (isTls ? 443 : 80)),
    ...(wish.localAddress ? { localAddress: wish.localAddress } : {}),
  };
  const socket = isTls
    ? connectTls({ ...at, servername: at.host })
    : connectPlain({ ...at, noDelay: true });
  const reader = new EventReader(wish.cursor);
  let read = readAnswer;
  let head = Buffer.alloc(0);
  let fault: Error | undefined;

  function readAnswer(chunk: Buffer): void {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1 && head.length > ANSWER_BYTES_MAX)
      throw new EventStreamFault("an answer without end");
    if (end === -1) return;
    const [statusLine = "", ...lines] = head.toString("latin1", 0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) throw new EventStreamFault("an answer that is not HTTP/1");
    const rest = head.subarray(end + 4);
    head = Buffer.alloc(0);
    if (status !== 200) {
      read = readRefusal(status);
      return read(rest);
    }
    socket.setTimeout(SILENCE_MS_MAX);
    read = lines.some((line) => /^transfer-encoding: *chunked *$/i.test(line))
      ? readChunks(new ChunkReader())
      : readEvents;
    hearer.open?.();
    if (rest.length > 0) read(rest);
  }
  const readEvents = (chunk: Buffer) => reader.read(chunk, (event) => hearer.event(event));
  const readChunks = (chunks: ChunkReader) => (chunk: Buffer) => readEvents(chunks.read(chunk));
  const readRefusal = (status: number) => {
    let body = "";
    return (chunk: Buffer) => {
      body = (body + chunk.toString()).slice(0, ANSWER_BYTES_MAX);
      fault = new StreamRefusal(status, body);
    };
  };

  socket.on("connect", () => socket.write(requestHead(wish, url)));
  socket.setTimeout(CONNECT_MS_MAX, () => socket.destroy(new Error("the server fell silent")));
  socket.on("data", (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
  socket.on("error", (error) => {
    fault ??= error;
  });
  socket.on("close", () => {
    if (read === readAnswer) fault ??= new Error("the connection ended before an answer");
    hearer.end(fault);
  });
  return {
    socket,
    get cursor() {
      return reader.id;
    },
    close: () => void socket.destroy(),
  };
}

function requestHead(wish: StreamWish, url: URL): string {
  const query = new URLSearchParams();
  if (wish.ticket) query.set("ticket", wish.ticket);
  if (wish.cursor) query.set("cursor", wish.cursor);
  if (wish.have?.length) query.set("have", wish.have.join(","));
  if (wish.at?.length) query.set("at", wish.at.join(","));
  const target = query.size > 0 ? `${url.pathname}?${query.toString()}` : url.pathname;
  const token = wish.token ? `Authorization: Bearer ${wish.token}\r\n` : "";
  return `GET ${target} HTTP/1.1\r\nHost: ${url.host}\r\nAccept: text/event-stream\r\n${token}\r\n`;
}

/** A connection whose events are read one after the other. */
export interface StreamConnection extends AsyncIterable<StreamEvent>, AsyncDisposable {
  /** The id to come back with. */
  readonly cursor: string;
  /** The next event; undefined when the stream has ended. @throws what cut it off. */
  next(): Promise<StreamEvent | undefined>;
  /** Ends it; events that came before can still be read. */
  close(): void;
}

/** Connects. @throws {StreamRefusal}, or what the network did. */
export async function connectStream(wish: StreamWish): Promise<StreamConnection> {
  const events: StreamEvent[] = [];
  let wake: (() => void) | undefined;
  const ending: { reached: boolean; fault: Error | undefined } = {
    reached: false,
    fault: undefined,
  };
  const { promise: opened, resolve: open, reject: refuse } = Promise.withResolvers<void>();

  const handle = hearStream(wish, {
    open,
    event(event) {
      events.push(event);
      if (events.length >= EVENTS_WAITING_MAX) handle.socket.pause();
      wake?.();
    },
    end(reason) {
      ending.reached = true;
      ending.fault = reason;
      if (reason) refuse(reason);
      wake?.();
    },
  });
  const next = async (): Promise<StreamEvent | undefined> => {
    while (events.length === 0 && !ending.reached)
      await new Promise<void>((done) => {
        wake = done;
      });
    if (handle.socket.isPaused()) handle.socket.resume();
    const event = events.shift();
    if (!event && ending.fault) throw ending.fault;
    return event;
  };
  await opened;
  return {
    get cursor() {
      return handle.cursor;
    },
    next,
    close: () => handle.close(),
    async *[Symbol.asyncIterator]() {
      for (let event = await next(); event; event = await next()) yield event;
    },
    async [Symbol.asyncDispose]() {
      handle.close();
    },
  };
}
