// Reads Server-Sent Events from bytes, wherever the chunks are cut (WHATWG HTML section 9.2). The
// data stays bytes: a message is checked against its hash before anybody decodes it.

/** One event. */
export interface StreamEvent {
  /** hello, warning, notice or bye; `message` when the server named none. */
  readonly event: string;
  /** The id of this event or of the last one that had an id: the cursor to come back with. */
  readonly id: string;
  /** May share memory with the chunk it came in. */
  readonly data: Buffer;
}

/** A longer event is not from Loa, whose frames have at most 16 KiB. */
export const EVENT_BYTES_MAX = 64 * 1024;

/** The other side sends something that is no event stream. */
export class EventStreamFault extends Error {
  override name = "EventStreamFault";
}

const NOTHING = Buffer.alloc(0);
const LF = 0x0a;
const LINE_BREAK = Buffer.from("\n");

/** Cuts a byte stream into events. */
export class EventReader {
  #rest: Buffer = NOTHING;
  #id: string;
  /** Milliseconds after which the server wants to see a client again that was cut off. */
  retryMs: number | undefined;

  /** `id` is the cursor that a connection began with. */
  constructor(id = "") {
    this.#id = id;
  }

  get id(): string {
    return this.#id;
  }

  /** Calls `hear` for each event that a chunk completes. @throws {EventStreamFault} */
  read(chunk: Buffer, hear: (event: StreamEvent) => void): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    // The end may be split over two chunks, so the byte before this one is looked at again.
    let searchFrom = Math.max(0, this.#rest.length - 1);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf("\n\n", searchFrom);
      if (end === -1) break;
      this.#readBlock(bytes.subarray(start, end), hear);
      start = end + 2;
      searchFrom = start;
    }
    this.#rest = start === bytes.length ? NOTHING : bytes.subarray(start);
    if (this.#rest.length > EVENT_BYTES_MAX)
      throw new EventStreamFault(`an event of more than ${EVENT_BYTES_MAX} bytes`);
  }

  #readBlock(block: Buffer, hear: (event: StreamEvent) => void): void {
    let event = "message";
    let data: Buffer | undefined;
    for (let from = 0; from < block.length;) {
      const lineEnd = block.indexOf(LF, from);
      const to = lineEnd === -1 ? block.length : lineEnd;
      const line = block.subarray(from, to);
      from = to + 1;
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const name = line.toString("latin1", 0, colon === -1 ? line.length : colon);
      const value = line.subarray(colon === -1 ? line.length : colon + 1);
      const content = value[0] === 0x20 ? value.subarray(1) : value;
      if (name === "data") data = data ? Buffer.concat([data, LINE_BREAK, content]) : content;
      else if (name === "event") event = content.toString();
      else if (name === "id") this.#id = content.toString();
      else if (name === "retry") this.retryMs = Number(content.toString());
    }
    if (data) hear({ event, id: this.#id, data });
  }
}

const CHUNK_HEAD = /^([\da-f]{1,8})(?:;[^\r\n]*)?$/i;
const CHUNK_HEAD_BYTES_MAX = 256;

/** Takes chunk sizes out of a body that a proxy chunked (RFC 9112 section 7.1). */
export class ChunkReader {
  #rest: Buffer = NOTHING;
  #inChunk = 0;
  #afterChunk = false;
  #ended = false;

  /** The content in these bytes. @throws {EventStreamFault} when they are not chunked. */
  read(chunk: Buffer): Buffer {
    if (this.#ended) return NOTHING;
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const content: Buffer[] = [];
    for (;;) {
      if (this.#inChunk > 0) {
        const part = bytes.subarray(0, this.#inChunk);
        content.push(part);
        bytes = bytes.subarray(part.length);
        this.#inChunk -= part.length;
        if (this.#inChunk > 0) break;
        this.#afterChunk = true;
      }
      if (this.#afterChunk) {
        if (bytes.length < 2) break;
        bytes = bytes.subarray(2);
        this.#afterChunk = false;
      }
      const end = bytes.indexOf("\r\n");
      if (end === -1) break;
      const size = CHUNK_HEAD.exec(bytes.toString("latin1", 0, end))?.[1];
      if (size === undefined) throw new EventStreamFault("a chunk without a size");
      this.#inChunk = Number.parseInt(size, 16);
      bytes = bytes.subarray(end + 2);
      this.#ended = this.#inChunk === 0;
      if (this.#ended) break;
    }
    if (!this.#ended && this.#inChunk === 0 && bytes.length > CHUNK_HEAD_BYTES_MAX)
      throw new EventStreamFault("a chunk without a size");
    this.#rest = bytes;
    return content.length === 1 ? (content[0] as Buffer) : Buffer.concat(content);
  }
}
