// The tar format (POSIX ustar, IEEE Std 1003.1), as far as backups need it: regular files and
// folders. A backup is a plain tar archive, so that it can be looked into, and if need be unpacked,
// with the tool that every system has.
// Rule: what is read is hostile until proven otherwise; a name that leads out of its folder, a link,
// or a header that does not add up is refused.

export const TAR_BLOCK_BYTES = 512;
/** Longest name: what a ustar header holds, prefix and name together. */
export const TAR_NAME_MAX = 255;
const NAME_BYTES = 100;
const CHECKSUM_AT = 148;

export interface TarEntry {
  /** Relative, with `/` between its parts; a folder's has none at its end. */
  readonly name: string;
  readonly kind: "file" | "folder";
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly modifiedAt: number;
}

/** The archive is not one that we wrote, or not any more. */
export class TarFault extends Error {
  override name = "TarFault";
}

/** The header of an entry. @throws {TarFault} when it cannot hold the entry. */
export function writeTarHeader(entry: TarEntry): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  const name = entry.kind === "folder" ? `${entry.name}/` : entry.name;
  const cut = Buffer.byteLength(name) <= NAME_BYTES ? -1 : name.indexOf("/");
  block.write(name.slice(cut + 1), 0, NAME_BYTES);
  if (cut > 0) block.write(name.slice(0, cut), 345, 155);
  if (Buffer.byteLength(name.slice(cut + 1)) > NAME_BYTES)
    throw new TarFault(`${name} is too long`);
  writeOctal(block, entry.mode, 100, 8);
  writeOctal(block, entry.uid, 108, 8);
  writeOctal(block, entry.gid, 116, 8);
  writeOctal(block, entry.size, 124, 12);
  writeOctal(block, entry.modifiedAt, 136, 12);
  block.write(entry.kind === "folder" ? "5" : "0", 156);
  block.write("ustar\u000000", 257);
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, CHECKSUM_AT);
  return block;
}

/** Reads a header; undefined for a block of zeros, with which an archive ends. @throws {TarFault} */
export function readTarHeader(block: Buffer): TarEntry | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (readOctal(block, CHECKSUM_AT, 8) !== checksum(block))
    throw new TarFault("a header of the archive does not add up");
  const type = String.fromCharCode(block[156] ?? 0);
  const prefix = readText(block, 345, 155);
  const whole = (prefix === "" ? "" : `${prefix}/`) + readText(block, 0, NAME_BYTES);
  if (type !== "0" && type !== "\0" && type !== "5")
    throw new TarFault(`${whole} is neither a file nor a folder`);
  const name = whole.replace(/^(\.\/)+/, "").replace(/\/$/, "");
  if (!isInside(name)) throw new TarFault(`${JSON.stringify(name)} is no name for a file in here`);
  return {
    name,
    kind: type === "5" ? "folder" : "file",
    size: type === "5" ? 0 : readOctal(block, 124, 12),
    mode: readOctal(block, 100, 8) & 0o777,
    uid: readOctal(block, 108, 8),
    gid: readOctal(block, 116, 8),
    modifiedAt: readOctal(block, 136, 12),
  };
}

/** Zeros that fill the last block of an entry. */
export const tarPadding = (size: number): Buffer =>
  Buffer.alloc((TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);

/** What ends an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * TAR_BLOCK_BYTES);

const isInside = (name: string): boolean =>
  name !== "" &&
  name.length <= TAR_NAME_MAX &&
  // oxlint-disable-next-line no-control-regex
  !/[\\\u0000-\u001f:]/.test(name) &&
  name.split("/").every((part) => part !== "" && part !== "." && part !== "..");

function writeOctal(block: Buffer, value: number, at: number, length: number): void {
  const text = value.toString(8).padStart(length - 1, "0");
  if (!Number.isSafeInteger(value) || value < 0 || text.length > length - 1)
    throw new TarFault(`${value} does not fit a header of the archive`);
  block.write(text, at);
}

function readOctal(block: Buffer, at: number, length: number): number {
  const text = readText(block, at, length).trim();
  if (!/^[0-7]*$/.test(text)) throw new TarFault("a header of the archive holds no number");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function readText(block: Buffer, at: number, length: number): string {
  const bytes = block.subarray(at, at + length);
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? length : end).toString("utf8");
}

/** The sum of all bytes, those of the checksum itself taken as spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const [i, byte] of block.entries()) if (i < CHECKSUM_AT || i >= CHECKSUM_AT + 8) sum += byte;
  return sum;
}

/** What an archive consists of: entries, and the bytes of the file that was named last. */
export type TarToken =
  | { readonly kind: "entry"; readonly entry: TarEntry; readonly header: Buffer }
  | { readonly kind: "bytes"; readonly bytes: Buffer };

/** Reads an archive as it arrives, chunk by chunk. */
export class TarReader {
  readonly #header = Buffer.alloc(TAR_BLOCK_BYTES);
  #filled = 0;
  #left = 0;
  #padding = 0;
  #hasEnded = false;

  /** What a chunk brings. @throws {TarFault} when the archive is broken. */
  *push(given: Uint8Array): Generator<TarToken> {
    let chunk = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    while (chunk.length > 0 && !this.#hasEnded) {
      if (this.#left > 0) {
        const bytes = chunk.subarray(0, this.#left);
        this.#left -= bytes.length;
        chunk = chunk.subarray(bytes.length);
        yield { kind: "bytes", bytes };
      } else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, chunk.length);
        this.#padding -= skipped;
        chunk = chunk.subarray(skipped);
      } else {
        const copied = chunk.copy(this.#header, this.#filled);
        this.#filled += copied;
        chunk = chunk.subarray(copied);
        if (this.#filled === TAR_BLOCK_BYTES) yield* this.#begin();
      }
    }
  }

  *#begin(): Generator<TarToken> {
    this.#filled = 0;
    const entry = readTarHeader(this.#header);
    this.#hasEnded = entry === undefined;
    if (!entry) return;
    this.#left = entry.size;
    this.#padding = tarPadding(entry.size).length;
    yield { kind: "entry", entry, header: Buffer.from(this.#header) };
  }

  /** @throws {TarFault} when the archive has not come to its end. */
  end(): void {
    if (!this.#hasEnded) throw new TarFault("the archive ends before its end");
  }
}

/** The same for whoever pulls. @throws {TarFault} when it is broken, or ends before its end. */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarToken> {
  const reader = new TarReader();
  for await (const chunk of source) yield* reader.push(chunk);
  reader.end();
}
