// Reads the head of a request for the two hot paths, GET /v1/stream and POST /v1/receipts, and of
// nothing else. The match is strict: whatever is odd in any way is not ours, and node:http, which
// gets those bytes, decides. So nothing is ever understood here that node:http would understand
// otherwise (RFC 9112 sections 2.2 and 6.3).

/** Longest head that is read here: protects from heads that grow while they are waited for. */
export const HEAD_BYTES_MAX = 8 * 1024;
/** Longest body of POST /v1/receipts that is taken here: 100 receipts take about 11 KB. */
export const RECEIPTS_BODY_BYTES_MAX = 16 * 1024;

const STREAM_START = "GET /v1/stream";
const RECEIPTS_START = "POST /v1/receipts HTTP/1.1\r\n";
const END_OF_HEAD = "\r\n\r\n";
const STREAM_LINE = /^GET \/v1\/stream(?:\?([!$%&'()*+,\-./:;=?@\w~]*))? HTTP\/1\.1$/;
const FIELD = /^([!#$%&'*+\-.^`|~\w]+):[ \t]*([\x20-\x7e]*?)[ \t]*$/;
const JSON_TYPE = /^application\/json(?:;[ ]?charset="?utf-8"?)?$/i;

/** The fields that matter; one that is given twice makes a head odd. */
const FIELDS = [
  "host",
  "authorization",
  "last-event-id",
  "connection",
  "content-length",
  "content-type",
  "content-encoding",
  "transfer-encoding",
  "expect",
  "upgrade",
] as const;
type FieldName = (typeof FIELDS)[number];
const IS_FIELD = new Set<string>(FIELDS);
export type HeadFields = { readonly [Name in FieldName]?: string };

export interface Head {
  readonly route: "stream" | "receipts";
  /** Undecoded, without the question mark. */
  readonly query: string;
  readonly fields: HeadFields;
  /** Bytes of the head with its empty line, and of the body that follows. */
  readonly headBytes: number;
  readonly bodyBytes: number;
}

export type HeadReading =
  | { readonly kind: "head"; readonly head: Head }
  /** So far it is ours, and there is more to come. */
  | { readonly kind: "more" }
  | { readonly kind: "other" };

const MORE: HeadReading = { kind: "more" };
const OTHER: HeadReading = { kind: "other" };

/** Reads the head at the beginning of `bytes`. Never throws, whatever they are. */
export function readHead(bytes: Buffer): HeadReading {
  if (!couldBeOurs(bytes)) return OTHER;
  const end = bytes.indexOf(END_OF_HEAD);
  if (end === -1) return bytes.length < HEAD_BYTES_MAX ? MORE : OTHER;
  if (end > HEAD_BYTES_MAX) return OTHER;
  const lines = bytes.toString("latin1", 0, end).split("\r\n");
  const fields = readFields(lines);
  if (!fields?.host) return OTHER;
  const headBytes = end + END_OF_HEAD.length;
  return lines[0] === RECEIPTS_START.slice(0, -2)
    ? receiptsHead(fields, headBytes)
    : streamHead(lines[0] as string, fields, headBytes);
}

function couldBeOurs(bytes: Buffer): boolean {
  const start = bytes.toString("latin1", 0, RECEIPTS_START.length);
  return (
    RECEIPTS_START.startsWith(start) || STREAM_START.startsWith(start.slice(0, STREAM_START.length))
  );
}

function readFields(lines: readonly string[]): HeadFields | undefined {
  const fields: { [Name in FieldName]?: string } = {};
  for (let i = 1; i < lines.length; i += 1) {
    const match = FIELD.exec(lines[i] as string);
    if (!match) return undefined;
    const name = (match[1] as string).toLowerCase();
    if (!IS_FIELD.has(name)) continue;
    if (fields[name as FieldName] !== undefined) return undefined;
    fields[name as FieldName] = match[2] as string;
  }
  return fields;
}

const isOdd = (fields: HeadFields): boolean =>
  fields["transfer-encoding"] !== undefined ||
  fields.expect !== undefined ||
  fields.upgrade !== undefined;

function streamHead(line: string, fields: HeadFields, headBytes: number): HeadReading {
  const match = STREAM_LINE.exec(line);
  if (!match || isOdd(fields)) return OTHER;
  if (fields["content-length"] !== undefined && fields["content-length"] !== "0") return OTHER;
  const query = match[1] ?? "";
  return { kind: "head", head: { route: "stream", query, fields, headBytes, bodyBytes: 0 } };
}

function receiptsHead(fields: HeadFields, headBytes: number): HeadReading {
  const length = fields["content-length"] ?? "";
  const bodyBytes = Number(length);
  if (isOdd(fields) || fields["content-encoding"] !== undefined) return OTHER;
  if (!/^\d{1,6}$/.test(length) || bodyBytes > RECEIPTS_BODY_BYTES_MAX) return OTHER;
  if (!JSON_TYPE.test(fields["content-type"] ?? "")) return OTHER;
  return { kind: "head", head: { route: "receipts", query: "", fields, headBytes, bodyBytes } };
}
