// The bytes of one loopback frame: writing them in order, and reading them with every step
// checked. A reader that would pass the end, or a text that is not UTF-8, is a LoopbackFault.

/** The other side of a loopback connection broke the format. */
export class LoopbackFault extends Error {
  override name = "LoopbackFault";
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Writes a frame of at most `capacity` bytes; the first four become its length. */
export class Writer {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 4;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity + 4);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): void {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
  }

  u32(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
      throw new LoopbackFault(`${value} is not a u32`);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  f64(value: number): void {
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  u32s(values: Uint32Array): void {
    this.#bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), this.#at);
    this.#at += values.byteLength;
  }

  uuid(text: string): void {
    if (!UUID.test(text)) throw new LoopbackFault(`${text} is not a UUID`);
    const hex = text.replaceAll("-", "");
    for (let i = 0; i < 32; i += 2) this.u8(Number.parseInt(hex.slice(i, i + 2), 16));
  }

  /** A u32 length and the bytes. */
  bytes(value: Uint8Array, max: number): void {
    if (value.length > max) throw new LoopbackFault(`${value.length} bytes, at most ${max}`);
    this.u32(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  text(value: string, max: number): void {
    this.bytes(new TextEncoder().encode(value), max);
  }

  finish(): Uint8Array {
    this.#view.setUint32(0, this.#at - 4, true);
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Reads a frame from front to back. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // Never a Buffer, whose slice() shares memory where a copy is wanted.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Finite, as every instant is. */
  f64(): number {
    const value = this.#view.getFloat64(this.#take(8), true);
    if (!Number.isFinite(value)) throw new LoopbackFault("an instant that is no number");
    return value;
  }

  /** A copy, so that it is aligned and outlives the chunk. */
  u32s(count: number): Uint32Array {
    const start = this.#take(count * 4);
    return new Uint32Array(this.#bytes.slice(start, this.#at).buffer);
  }

  uuid(): string {
    const start = this.#take(16);
    let hex = "";
    for (let i = 0; i < 16; i += 1) {
      if (i === 4 || i === 6 || i === 8 || i === 10) hex += "-";
      hex += HEX[this.#bytes[start + i] as number];
    }
    return hex;
  }

  /** A view, not a copy. */
  bytes(max: number): Uint8Array {
    const length = this.u32();
    if (length > max) throw new LoopbackFault(`${length} bytes, at most ${max} are allowed`);
    const start = this.#take(length);
    return this.#bytes.subarray(start, this.#at);
  }

  text(max: number): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.bytes(max));
    } catch (cause) {
      if (cause instanceof LoopbackFault) throw cause;
      throw new LoopbackFault("a text that is not UTF-8", { cause });
    }
  }

  json(max: number): unknown {
    const text = this.text(max);
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new LoopbackFault("a control body that is not JSON", { cause });
    }
  }

  /** The value at the position that one byte names. */
  oneOf<T>(values: readonly T[]): T {
    const code = this.u8();
    if (code >= values.length) throw new LoopbackFault(`${code} is not a code of anything here`);
    return values[code] as T;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new LoopbackFault("bytes after the end of a frame");
  }

  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#bytes.length) throw new LoopbackFault("a frame that is cut short");
    this.#at = start + length;
    return start;
  }
}
