// Lists as lines: one record is one line, always, and is read as the bytes that it came as.
//
// RFC 4180 lets a quoted value run over several lines. No column of ours can hold a line
// break, and in a list of millions one forgotten quote would swallow everything up to the
// next one. So a quote that is not closed on its line spoils that line only, every record
// has an exact line number, and memory is bounded by the longest line.
//
// Most values of a list are the same again and again, so they are looked up by their bytes
// (remembered-value.ts); a text is made only of what is new. UTF-8 has no byte of a comma, a quote
// or a line end within another character.
import { Buffer } from "node:buffer";

/** Bytes of the longest line of a list; the longest sensible record is below 2,000 characters. */
export const LINE_BYTES_MAX = 8_192;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** A line within bytes that hold others too; without its line end. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly from: number;
  /** One beyond its last byte. */
  readonly to: number;
}

/** The values of a line: value `i` is the bytes from `starts[i]` up to `ends[i]`. */
export interface LineValues {
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** The value after the last one is empty. */
  readonly count: number;
}

/** A line that holds nothing to read. */
export const NO_VALUES: LineValues = {
  bytes: new Uint8Array(),
  starts: new Int32Array(),
  ends: new Int32Array(),
  count: 0,
};

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The characters of some bytes; those that are not UTF-8 become U+FFFD. */
export const textOf = (bytes: Uint8Array, from: number, to: number): string =>
  decoder.decode(bytes.subarray(from, to));

/**
 * Cuts bytes into lines, a batch for each chunk, without line ends (LF or CRLF) and byte order
 * mark. A line longer than LINE_BYTES_MAX may come cut, but longer than that, so that it can be told.
 */
export async function* readLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Line[]> {
  let rest: Uint8Array = Buffer.alloc(0);
  let isFirst = true;
  const lineOf = (bytes: Buffer, from: number, to: number): Line => {
    const isMarked = isFirst && BYTE_ORDER_MARK.every((byte, i) => bytes[from + i] === byte);
    isFirst = false;
    const start = isMarked ? from + BYTE_ORDER_MARK.length : from;
    return {
      bytes,
      from: start,
      to: bytes[to - 1] === CARRIAGE_RETURN && to > start ? to - 1 : to,
    };
  };
  for await (const chunk of source) {
    const bytes = Buffer.concat([rest, chunk]);
    const lines: Line[] = [];
    let from = 0;
    for (let to = bytes.indexOf(LINE_FEED); to >= 0; to = bytes.indexOf(LINE_FEED, from)) {
      lines.push(lineOf(bytes, from, to));
      from = to + 1;
    }
    rest = bytes.subarray(from, from + LINE_BYTES_MAX + 1);
    yield lines;
  }
  if (rest.length > 0) yield [lineOf(Buffer.from(rest), 0, rest.length)];
}

/**
 * Makes a reader of the values of a line, by RFC 4180: separated by commas; a value in quotes may
 * hold commas, and quotes that are doubled. It answers undefined when a quote is not closed or
 * stands inside a bare value, and for a line longer than LINE_BYTES_MAX. What it answers is valid
 * until it is called again.
 */
export function openValueReader(): (line: Line) => LineValues | undefined {
  const starts = new Int32Array(LINE_BYTES_MAX + 2);
  const ends = new Int32Array(LINE_BYTES_MAX + 2);
  const unquoted = Buffer.alloc(LINE_BYTES_MAX);
  const answer = { bytes: unquoted as Uint8Array, starts, ends, count: 0 };
  const finish = (bytes: Uint8Array, count: number): LineValues => {
    [starts[count], ends[count]] = [0, 0];
    [answer.bytes, answer.count] = [bytes, count];
    return answer;
  };
  return (line) => {
    const { bytes, from, to } = line;
    if (to - from > LINE_BYTES_MAX) return undefined;
    let count = 0;
    starts[0] = from;
    for (let at = from; at < to; at++) {
      const byte = bytes[at];
      if (byte === COMMA) {
        ends[count] = at;
        count += 1;
        starts[count] = at + 1;
      } else if (byte === QUOTE) {
        const values = unquote(line, unquoted, starts, ends);
        return values < 0 ? undefined : finish(unquoted, values);
      }
    }
    ends[count] = to;
    return finish(bytes, count + 1);
  };
}

/** Writes the values without their quotes one after the other; answers how many, or -1. */
function unquote(
  { bytes, from, to }: Line,
  into: Uint8Array,
  starts: Int32Array,
  ends: Int32Array,
): number {
  let put = 0;
  let count = 0;
  for (let at = from; ; at++) {
    starts[count] = put;
    const isQuoted = at < to && bytes[at] === QUOTE;
    if (isQuoted) at += 1;
    for (; ; at++) {
      if (at >= to) {
        if (isQuoted) return -1;
        break;
      }
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        if (!isQuoted) return -1;
        at += 1;
        // A doubled quote belongs to the value; another one closes it.
        if (at >= to || bytes[at] !== QUOTE) break;
      } else if (byte === COMMA && !isQuoted) break;
      into[put++] = byte;
    }
    ends[count] = put;
    count += 1;
    if (at >= to) return count;
    if (bytes[at] !== COMMA) return -1;
  }
}

/** One value as it stands in a list: in quotes where it needs them. */
export const quoteValue = (value: string): string =>
  /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
