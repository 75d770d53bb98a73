// The bytes of the live stream: Server-Sent Events (WHATWG HTML section 9.2), one frame for each
// message, built once and written to every socket. The id of an event is a cursor with one number
// for each lane; it says what a device that has this event surely has.
import { EventReader, type StreamEvent } from "@loa/api/event-stream.ts";
import { LANES, type Lane } from "@loa/model/bulletin-type.ts";

/** Longest frame, in bytes: what one message may cost each of a million slow connections. */
export const FRAME_BYTES_MAX = 16 * 1024;

/** Up to which sequence number of each lane a device has all that was for it; 0 is nothing. */
export type Cursor = Readonly<Record<Lane, number>>;
export const NO_CURSOR: Cursor = { warning: 0, notice: 0 };

const CURSOR = /^w(0|[1-9]\d{0,14})\.n(0|[1-9]\d{0,14})$/;

/** Reads a cursor, or undefined when the text is none. */
export function parseCursor(text: string): Cursor | undefined {
  const match = CURSOR.exec(text);
  return match ? { warning: Number(match[1]), notice: Number(match[2]) } : undefined;
}

export const writeCursor = (cursor: Cursor): string => `w${cursor.warning}.n${cursor.notice}`;

/** Why the server ends a stream. After each of them the device may come back with its cursor. */
export const BYE_REASONS = ["slow", "replaced", "revoked", "closing"] as const;
export type ByeReason = (typeof BYE_REASONS)[number];

/**
 * Answers GET /v1/stream. The body ends with the connection: no chunk sizes between the events,
 * so that one buffer fits every socket.
 */
export const STREAM_HEAD = [
  "HTTP/1.1 200 OK",
  "Content-Type: text/event-stream",
  "Cache-Control: no-store",
  "Connection: close",
  // Proxies that buffer would hold a warning back.
  "X-Accel-Buffering: no",
  "X-Content-Type-Options: nosniff",
  // Tokens travel in headers and tickets, never in cookies, so any origin may ask.
  "Access-Control-Allow-Origin: *",
  "\r\n",
].join("\r\n");

/** A comment, so that proxies and phones see life on a quiet connection. */
export const HEARTBEAT: Buffer = Buffer.from(":\n\n");

/**
 * The first event. `retryMs` is when an EventSource comes back after its connection was cut; `ended`
 * are the dispatches on the device's own list that are in force no more.
 */
export const frameHello = (atMs: number, retryMs: number, ended: readonly object[] = []): string =>
  `retry: ${retryMs}\nevent: hello\ndata: ${JSON.stringify({
    at: new Date(atMs).toISOString(),
    ...(ended.length > 0 && { ended }),
  })}\n\n`;

export const frameBye = (reason: ByeReason): string =>
  `event: bye\ndata: {"reason":"${reason}"}\n\n`;

/**
 * One message as an event; its bytes are the message's own, on one line.
 * @throws when it does not fit FRAME_BYTES_MAX or holds a line break: a fault of ours, as messages
 * are made and measured before they are approved.
 */
export function frameMessage(lane: Lane, message: Uint8Array, cursor?: Cursor): Buffer {
  if (message.includes(0x0a) || message.includes(0x0d))
    throw new Error("a message for the live stream holds a line break");
  const id = cursor ? `id: ${writeCursor(cursor)}\n` : "";
  const head = Buffer.from(`${id}event: ${lane}\ndata: `);
  const frame = Buffer.concat([head, message, END]);
  if (frame.length > FRAME_BYTES_MAX)
    throw new Error(`a frame of ${frame.length} bytes, at most ${FRAME_BYTES_MAX} are sent`);
  return frame;
}

/** A message that fits with this fits with every cursor. */
const LONGEST_CURSOR: Cursor = { warning: 999_999_999_999_999, notice: 999_999_999_999_999 };

/**
 * What is wrong with the bytes that every socket would carry. Read back as a device reads them, they must be
 * the very message, whose places were compared with the approved ones; undefined when they are.
 */
export function frameFault(lane: Lane, message: Uint8Array): string | undefined {
  const read: StreamEvent[] = [];
  try {
    const frame = frameMessage(lane, message, LONGEST_CURSOR);
    new EventReader().read(frame, (event) => read.push(event));
  } catch (error) {
    return (error as Error).message;
  }
  const isMessage = read.length === 1 && read[0]?.event === lane && read[0].data.equals(message);
  return isMessage ? undefined : "its frame, read back, is another message";
}

const END = Buffer.from("\n\n");

/** The other lane. */
export const otherLane = (lane: Lane): Lane => (lane === LANES[0] ? LANES[1] : LANES[0]);
