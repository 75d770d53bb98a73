// The JSON in which a device reports its own receipts:
//   {"receipts":[{"dispatch":"<uuid>","plane":"delivered"|"read","at":"<RFC 3339>"}]}
// It names no person: whose receipts they are follows from the token. Read with JSON.parse and
// checked by hand, because forty thousand of these come in a second.
import { planeBit } from "@loa/model/delivery.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";
import { decodeUtf8, describe, FAULTS_MAX, parseStrictJson } from "@loa/model/strict-json.ts";
import { DEVICE_PLANES, type Receipt } from "./receipt.ts";

/** Receipts in one body: a phone that was off for days has a few dozen. */
export const DEVICE_RECEIPTS_MAX = 100;

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const INSTANT =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:[0-2]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-][01]\d:[0-5]\d)$/;
const MS_MAX = 0xffff_ffff;

/** Since when the times of a dispatch count, and until when: device times are claims. */
export interface ReceiptClock {
  /** When the dispatch was issued, in milliseconds since the epoch; undefined if not known here. */
  issuedAtMs(dispatchId: string): number | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Reads a body. @throws {Problem} saying what is wrong and where; then none of it counts. */
export function readDeviceReceipts(body: Uint8Array, clock: ReceiptClock): Receipt[] {
  const list = readList(body);
  const faults: Fault[] = [];
  const receipts = list.map((value, i) => readReceipt(value, i, clock, faults));
  if (faults.length > 0) throw invalid(faults);
  return receipts;
}

function readList(body: Uint8Array): readonly unknown[] {
  const value = parse(decodeUtf8(body));
  if (!isObject(value)) throw invalid([{ at: "", what: "an object is wanted" }]);
  const { receipts, ...rest } = value;
  const unknown = Object.keys(rest).map((key) => ({ at: `/${key}`, what: "unknown field" }));
  if (unknown.length > 0) throw invalid(unknown);
  if (!Array.isArray(receipts))
    throw invalid([{ at: "/receipts", what: "a list of receipts is wanted" }]);
  if (receipts.length === 0 || receipts.length > DEVICE_RECEIPTS_MAX)
    throw invalid([
      {
        at: "/receipts",
        what: `${receipts.length} receipts; 1 to ${DEVICE_RECEIPTS_MAX} are taken`,
      },
    ]);
  return receipts;
}

/** What is wrong is found by the slow reader, which says where. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parseStrictJson(text);
  }
}

const NO_RECEIPT: Receipt = { dispatchId: "", plane: 0, ms: 0 };

function readReceipt(value: unknown, i: number, clock: ReceiptClock, faults: Fault[]): Receipt {
  const at = `/receipts/${i}`;
  if (!isObject(value)) {
    faults.push({ at, what: "an object is wanted" });
    return NO_RECEIPT;
  }
  for (const key in value)
    if (key !== "dispatch" && key !== "plane" && key !== "at")
      faults.push({ at: `${at}/${key}`, what: "unknown field" });
  const { dispatch, plane } = value;
  if (typeof dispatch !== "string" || !UUID.test(dispatch))
    faults.push({ at: `${at}/dispatch`, what: "a dispatch id, a UUID in lower case, is wanted" });
  if (plane !== "delivered" && plane !== "read")
    faults.push({ at: `${at}/plane`, what: `one of ${DEVICE_PLANES.join(", ")} is wanted` });
  const atMs = readInstant(value.at);
  if (Number.isNaN(atMs))
    faults.push({ at: `${at}/at`, what: "an RFC 3339 instant with offset is wanted" });
  if (faults.length > 0) return NO_RECEIPT;
  const dispatchId = dispatch as string;
  const bit = planeBit(plane as "delivered" | "read");
  return { dispatchId, plane: bit, ms: msSinceIssue(dispatchId, atMs, clock) };
}

const readInstant = (value: unknown): number =>
  typeof value === "string" && INSTANT.test(value) ? Date.parse(value) : Number.NaN;

/** A claim, held between the issue and now. */
function msSinceIssue(dispatchId: string, atMs: number, clock: ReceiptClock): number {
  // A dispatch that is not in memory any more: its id was made when it was issued (RFC 9562, v7).
  const issuedAtMs =
    clock.issuedAtMs(dispatchId) ?? Number.parseInt(dispatchId.replace("-", "").slice(0, 12), 16);
  const latest = Math.max(0, clock.now() - issuedAtMs);
  return Math.round(Math.min(Math.max(0, atMs - issuedAtMs), latest, MS_MAX));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(all: readonly Fault[]): Problem {
  const faults = all.slice(0, FAULTS_MAX);
  return new Problem("request-invalid", describe(faults), faults);
}
