// The wire between a worker and the sink behind the loopback channels: length-prefixed
// binary frames over TCP. A frame is a little-endian u32 (how many bytes follow), one byte
// for the kind, and a body; every number is little-endian. Both sides treat the other as
// foreign: whatever does not read exactly as below is a LoopbackFault, and the reader ends
// the connection. Thousands of recipients travel in one frame and none is an object.
import { BULLETIN_TYPES, type BulletinType, LANES, type Lane } from "@loa/model/bulletin-type.ts";
import { Cursor, LoopbackFault, Writer } from "./loopback-bytes.ts";

export { LoopbackFault };

/** Most recipients in one slice frame: a shard is never larger. */
export const LOOPBACK_ORDINALS_MAX = 65_536;
/** Longest message in a frame; what a device receives is at most 16 KiB. */
export const LOOPBACK_MESSAGE_BYTES_MAX = 64 * 1024;
/** Longest reason, reference, evidence or area code. */
export const LOOPBACK_TEXT_BYTES_MAX = 1024;
/** Longest control body; it may name every commune of a country. */
export const LOOPBACK_CONTROL_BYTES_MAX = 1024 * 1024;
/** Longest frame of any kind: what one connection can make its reader hold. */
export const LOOPBACK_FRAME_BYTES_MAX = LOOPBACK_CONTROL_BYTES_MAX + 64;

/** What the sink says of one recipient, in the order of its code on the wire. */
export const LOOPBACK_OUTCOMES = ["held", "sent", "failed", "unsure"] as const;
export type LoopbackOutcome = (typeof LOOPBACK_OUTCOMES)[number];

export type LoopbackAnswer =
  | { readonly kind: "all"; readonly outcome: LoopbackOutcome }
  /** outcomes[i] is an index into LOOPBACK_OUTCOMES, for ordinals[i] of the slice. */
  | { readonly kind: "each"; readonly outcomes: Uint8Array }
  | { readonly kind: "later"; readonly retryAfterMs: number; readonly reason: string };

export type LoopbackOrderAnswer =
  | { readonly kind: "accepted"; readonly reference: string }
  | { readonly kind: "carried-out"; readonly claimed: number; readonly evidence: string }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "later"; readonly retryAfterMs: number; readonly reason: string };

/** Some recipients of one dispatch and the message for all of them. */
export interface LoopbackSlice {
  readonly dispatchId: string;
  readonly type: BulletinType;
  readonly lane: Lane;
  readonly expiresAtMs: number;
  /** Ascending, each once. */
  readonly ordinals: Uint32Array;
  readonly message: Uint8Array;
}

export interface LoopbackOrder {
  readonly orderId: string;
  readonly dispatchId: string;
  readonly type: BulletinType;
  readonly lane: Lane;
  readonly expiresAtMs: number;
  readonly areaCode: string;
  readonly message: Uint8Array;
}

/** `id` is chosen by whoever asks; the answer carries the same one. */
export type LoopbackFrame =
  | { readonly kind: "slice"; readonly id: number; readonly slice: LoopbackSlice }
  | { readonly kind: "answer"; readonly id: number; readonly answer: LoopbackAnswer }
  | { readonly kind: "order"; readonly id: number; readonly order: LoopbackOrder }
  | { readonly kind: "order-answer"; readonly id: number; readonly answer: LoopbackOrderAnswer }
  /** JSON: changes how the sink behaves, or asks what it counted. */
  | { readonly kind: "control"; readonly id: number; readonly body: unknown }
  | { readonly kind: "control-answer"; readonly id: number; readonly body: unknown };

const KINDS = ["slice", "answer", "order", "order-answer", "control", "control-answer"] as const;
const ANSWERS = ["all", "each", "later"] as const;
const ORDER_ANSWERS = ["accepted", "carried-out", "refused", "later"] as const;

/**
 * One frame as bytes, its length in front.
 * @throws {LoopbackFault} when it would be above a limit: the sender's own fault.
 */
export function encodeLoopbackFrame(frame: LoopbackFrame): Uint8Array {
  const out = new Writer(sizeOf(frame));
  out.u8(KINDS.indexOf(frame.kind));
  out.u32(frame.id);
  switch (frame.kind) {
    case "slice": {
      const { slice } = frame;
      limit(slice.ordinals.length, LOOPBACK_ORDINALS_MAX, "recipients");
      out.uuid(slice.dispatchId);
      writeHead(out, slice);
      out.u32(slice.ordinals.length);
      out.u32s(slice.ordinals);
      out.bytes(slice.message, LOOPBACK_MESSAGE_BYTES_MAX);
      break;
    }
    case "answer":
      writeAnswer(out, frame.answer);
      break;
    case "order": {
      const { order } = frame;
      out.uuid(order.orderId);
      out.uuid(order.dispatchId);
      writeHead(out, order);
      out.text(order.areaCode, LOOPBACK_TEXT_BYTES_MAX);
      out.bytes(order.message, LOOPBACK_MESSAGE_BYTES_MAX);
      break;
    }
    case "order-answer":
      writeOrderAnswer(out, frame.answer);
      break;
    case "control":
    case "control-answer":
      out.text(JSON.stringify(frame.body), LOOPBACK_CONTROL_BYTES_MAX);
  }
  return out.finish();
}

/**
 * Reads frames out of a stream of chunks, wherever the chunks are cut. `hear` gets each frame;
 * its message may share memory with the chunk.
 * @returns the function to give each chunk to; it throws LoopbackFault at the first wrong byte,
 * after which the connection is of no more use.
 */
export function createLoopbackDecoder(
  hear: (frame: LoopbackFrame) => void,
): (chunk: Uint8Array) => void {
  const head = new Uint8Array(4);
  let headFilled = 0;
  let body: Uint8Array | undefined;
  let bodyFilled = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (body === undefined) {
        while (headFilled < 4 && at < chunk.length) head[headFilled++] = chunk[at++] as number;
        if (headFilled < 4) return;
        const length = new DataView(head.buffer).getUint32(0, true);
        limit(length, LOOPBACK_FRAME_BYTES_MAX, "frame bytes");
        headFilled = 0;
        if (chunk.length - at >= length) {
          hear(decodeLoopbackFrame(chunk.subarray(at, at + length)));
          at += length;
          continue;
        }
        body = new Uint8Array(length);
        bodyFilled = 0;
      }
      const part = chunk.subarray(at, at + body.length - bodyFilled);
      body.set(part, bodyFilled);
      bodyFilled += part.length;
      at += part.length;
      if (bodyFilled < body.length) return;
      const whole = body;
      body = undefined;
      hear(decodeLoopbackFrame(whole));
    }
  };
}

/**
 * Reads one frame without its length.
 * @throws {LoopbackFault} when it is cut short, too long, or names what does not exist.
 */
export function decodeLoopbackFrame(bytes: Uint8Array): LoopbackFrame {
  const cursor = new Cursor(bytes);
  const kind = cursor.oneOf(KINDS);
  const id = cursor.u32();
  const frame = readBody(cursor, kind, id);
  cursor.end();
  return frame;
}

function readBody(cursor: Cursor, kind: (typeof KINDS)[number], id: number): LoopbackFrame {
  switch (kind) {
    case "slice": {
      const dispatchId = cursor.uuid();
      const head = readHead(cursor);
      const ordinals = readOrdinals(cursor);
      const message = cursor.bytes(LOOPBACK_MESSAGE_BYTES_MAX);
      return { kind, id, slice: { dispatchId, ...head, ordinals, message } };
    }
    case "answer":
      return { kind, id, answer: readAnswer(cursor) };
    case "order": {
      const orderId = cursor.uuid();
      const dispatchId = cursor.uuid();
      const head = readHead(cursor);
      const areaCode = cursor.text(LOOPBACK_TEXT_BYTES_MAX);
      const message = cursor.bytes(LOOPBACK_MESSAGE_BYTES_MAX);
      return { kind, id, order: { orderId, dispatchId, ...head, areaCode, message } };
    }
    case "order-answer":
      return { kind, id, answer: readOrderAnswer(cursor) };
    case "control":
    case "control-answer":
      return { kind, id, body: cursor.json(LOOPBACK_CONTROL_BYTES_MAX) };
  }
}

type Head = Pick<LoopbackSlice, "type" | "lane" | "expiresAtMs">;

function writeHead(out: Writer, head: Head): void {
  out.u8(BULLETIN_TYPES.indexOf(head.type));
  out.u8(LANES.indexOf(head.lane));
  out.f64(head.expiresAtMs);
}

function readHead(cursor: Cursor): Head {
  return {
    type: cursor.oneOf(BULLETIN_TYPES),
    lane: cursor.oneOf(LANES),
    expiresAtMs: cursor.f64(),
  };
}

function readOrdinals(cursor: Cursor): Uint32Array {
  const count = cursor.u32();
  limit(count, LOOPBACK_ORDINALS_MAX, "recipients");
  const ordinals = cursor.u32s(count);
  for (let i = 1; i < count; i += 1)
    if ((ordinals[i] as number) <= (ordinals[i - 1] as number))
      throw new LoopbackFault(`recipient ${i} of a slice is not above the one before it`);
  return ordinals;
}

function writeAnswer(out: Writer, answer: LoopbackAnswer): void {
  out.u8(ANSWERS.indexOf(answer.kind));
  if (answer.kind === "all") out.u8(LOOPBACK_OUTCOMES.indexOf(answer.outcome));
  else if (answer.kind === "each") out.bytes(answer.outcomes, LOOPBACK_ORDINALS_MAX);
  else writeLater(out, answer);
}

function readAnswer(cursor: Cursor): LoopbackAnswer {
  const kind = cursor.oneOf(ANSWERS);
  if (kind === "all") return { kind, outcome: cursor.oneOf(LOOPBACK_OUTCOMES) };
  if (kind === "later") return { kind, ...readLater(cursor) };
  const outcomes = cursor.bytes(LOOPBACK_ORDINALS_MAX).slice();
  if (outcomes.some((code) => code >= LOOPBACK_OUTCOMES.length))
    throw new LoopbackFault("an outcome that does not exist");
  return { kind, outcomes };
}

function writeOrderAnswer(out: Writer, answer: LoopbackOrderAnswer): void {
  out.u8(ORDER_ANSWERS.indexOf(answer.kind));
  switch (answer.kind) {
    case "accepted":
      out.text(answer.reference, LOOPBACK_TEXT_BYTES_MAX);
      break;
    case "carried-out":
      out.u32(answer.claimed);
      out.text(answer.evidence, LOOPBACK_TEXT_BYTES_MAX);
      break;
    case "refused":
      out.text(answer.reason, LOOPBACK_TEXT_BYTES_MAX);
      break;
    case "later":
      writeLater(out, answer);
  }
}

function readOrderAnswer(cursor: Cursor): LoopbackOrderAnswer {
  const kind = cursor.oneOf(ORDER_ANSWERS);
  switch (kind) {
    case "accepted":
      return { kind, reference: cursor.text(LOOPBACK_TEXT_BYTES_MAX) };
    case "carried-out":
      return { kind, claimed: cursor.u32(), evidence: cursor.text(LOOPBACK_TEXT_BYTES_MAX) };
    case "refused":
      return { kind, reason: cursor.text(LOOPBACK_TEXT_BYTES_MAX) };
    case "later":
      return { kind, ...readLater(cursor) };
  }
}

function writeLater(out: Writer, later: { retryAfterMs: number; reason: string }): void {
  out.u32(later.retryAfterMs);
  out.text(later.reason, LOOPBACK_TEXT_BYTES_MAX);
}

const readLater = (cursor: Cursor) => ({
  retryAfterMs: cursor.u32(),
  reason: cursor.text(LOOPBACK_TEXT_BYTES_MAX),
});

/** Enough bytes for a frame; texts are counted at UTF-8's worst of three bytes a code unit. */
function sizeOf(frame: LoopbackFrame): number {
  const fixed = 128;
  switch (frame.kind) {
    case "slice":
      return fixed + frame.slice.ordinals.length * 4 + frame.slice.message.length;
    case "order":
      return fixed + frame.order.areaCode.length * 3 + frame.order.message.length;
    case "answer":
      return fixed + (frame.answer.kind === "each" ? frame.answer.outcomes.length : 3 * 1024);
    case "order-answer":
      return fixed + LOOPBACK_TEXT_BYTES_MAX * 3;
    case "control":
    case "control-answer":
      return fixed + JSON.stringify(frame.body).length * 3;
  }
}

function limit(given: number, max: number, what: string): void {
  if (given > max) throw new LoopbackFault(`${given} ${what}, at most ${max} are allowed`);
}
