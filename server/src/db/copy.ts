// PostgreSQL's binary COPY: the way for many rows, and for long ones. As a parameter, and worse as a
// result, which the driver takes as hexadecimal text, a megabyte of bytes costs several times as much
// on both sides.
//
// A row is two bytes that say how many fields there are, then each field after four bytes that say how
// long it is, -1 for NULL; all numbers are big endian. (PostgreSQL's manual, COPY, "Binary Format".)
import { once } from "node:events";
import type pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";

/** Signature, flags, length of the extension. */
const HEADER: Buffer = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
/** The field count that ends a COPY. */
const END = -1;
const TRAILER: Buffer = Buffer.from([0xff, 0xff]);
/** Bytes that are handed to the connection at a time. */
export const COPY_PIECE_BYTES = 256 * 1024;

/** Copies rows into a table: `into` names it and its columns, `pieces` are rows of binary COPY. */
export async function copyIn(
  client: pg.ClientBase,
  into: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const stream = client.query(copyFrom(`COPY ${into} FROM STDIN (FORMAT binary)`));
  const done = once(stream, "finish");
  // A failing COPY rejects `done` while this still writes; it is awaited at the end.
  done.catch(() => {});
  stream.write(HEADER);
  for (const piece of pieces)
    if (!stream.write(piece)) await Promise.race([once(stream, "drain"), done]);
  stream.end(TRAILER);
  await done;
}

/** Packs rows of fields, each as PostgreSQL's binary format has it or NULL, into pieces. */
export function* packRows(rows: Iterable<readonly (Uint8Array | null)[]>): Generator<Buffer> {
  let piece = Buffer.allocUnsafe(COPY_PIECE_BYTES);
  let end = 0;
  for (const fields of rows) {
    const length = fields.reduce((sum, field) => sum + 4 + (field?.length ?? 0), 2);
    if (end > 0 && end + length > piece.length) {
      yield piece.subarray(0, end);
      piece = Buffer.allocUnsafe(Math.max(COPY_PIECE_BYTES, length));
      end = 0;
    }
    end = piece.writeInt16BE(fields.length, end);
    for (const field of fields) {
      end = piece.writeInt32BE(field?.length ?? -1, end);
      if (field === null) continue;
      piece.set(field, end);
      end += field.length;
    }
  }
  yield piece.subarray(0, end);
}

export function int4(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function int8(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

export const uuid = (id: string): Buffer => Buffer.from(id.replaceAll("-", ""), "hex");

/**
 * Visits the rows that a query answers: `at` is where a row's first field begins, with its length. The
 * bytes stay as they are and may be kept. COPY takes no parameters: the query holds its values.
 */
export async function copyOut(
  client: pg.ClientBase,
  select: string,
  visit: (bytes: DataView, at: number) => void,
): Promise<void> {
  const stream = client.query(copyTo(`COPY (${select}) TO STDOUT (FORMAT binary)`));
  let rest: Buffer = Buffer.alloc(0);
  let isBegun = false;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    if (!isBegun) {
      if (bytes.length < HEADER.length) {
        rest = bytes;
        continue;
      }
      at = HEADER.length;
      isBegun = true;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let end = rowEnd(view, at); end >= 0; end = rowEnd(view, at)) {
      visit(view, at + 2);
      at = end;
    }
    rest = bytes.subarray(at);
  }
  if (rest.length !== 2 || rest.readInt16BE(0) !== END)
    throw new Error("a COPY ended within a row");
}

/** Where the row that starts at `at` ends; -1 when it is not all here, or at the end mark. */
function rowEnd(bytes: DataView, at: number): number {
  if (at + 2 > bytes.byteLength) return -1;
  const fields = bytes.getInt16(at);
  let end = at + 2;
  for (let field = 0; field < fields; field++) {
    if (end + 4 > bytes.byteLength) return -1;
    end += 4 + Math.max(0, bytes.getInt32(end));
  }
  return fields === END || end > bytes.byteLength ? -1 : end;
}

/** The bytes of the field that begins at `at`, with its length; they end where the next field begins. */
export function readField(view: DataView, at: number): Buffer {
  const length = view.getInt32(at);
  return Buffer.from(view.buffer, view.byteOffset + at + 4, Math.max(0, length));
}
