// A socket before it is known what it wants. The two hot paths are read here, strictly and within
// limits of bytes and time; everything else goes on to node:http, as if this file had never seen it.
// Requests of one socket are answered one after the other: while one is under way, nothing is read.
import type { Socket } from "node:net";
import { type Head, readHead } from "./request-head.ts";
import { HEAD_MS_MAX, IDLE_MS_MAX } from "./http.ts";
import type { Timed, Wheel } from "./wheel.ts";

/** What becomes of what was read. */
export interface HotRoutes {
  /** Takes the socket over as a live stream, or refuses it. */
  stream(socket: Socket, head: Head): void;
  /** Answers receipts; resolves with the bytes of the answer. Never rejects. */
  receipts(head: Head, body: Buffer): Promise<string>;
  /** Hands the socket and its unread bytes to node:http. */
  other(socket: Socket, bytes: Buffer): void;
}

const NOTHING = Buffer.alloc(0);
const TOO_LATE = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

export class Greeting implements Timed {
  wheelSlot = -1;
  wheelPlace = 0;
  readonly #socket: Socket;
  readonly #routes: HotRoutes;
  readonly #wheel: Wheel;
  #bytes: Buffer = NOTHING;
  #isAnswering = false;
  readonly #onData = (chunk: Buffer): void => this.#take(chunk);
  readonly #onClose = (): void => this.#wheel.clear(this);

  constructor(socket: Socket, routes: HotRoutes, wheel: Wheel) {
    this.#socket = socket;
    this.#routes = routes;
    this.#wheel = wheel;
  }

  /** Begins to listen to the socket. */
  hear(): void {
    this.#socket.on("data", this.#onData);
    this.#socket.on("close", this.#onClose);
    this.#wheel.set(this, HEAD_MS_MAX);
  }

  /** The head, or the next request, took too long. */
  onTime(): void {
    if (this.#bytes.length > 0) this.#socket.end(TOO_LATE);
    this.#socket.destroySoon();
  }

  #take(chunk: Buffer): void {
    const isFirst = this.#bytes.length === 0;
    this.#bytes = isFirst ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (this.#isAnswering) this.#socket.pause();
    else this.#read(isFirst);
  }

  #read(isNewRequest: boolean): void {
    const reading = readHead(this.#bytes);
    if (reading.kind === "more") {
      if (isNewRequest) this.#wheel.set(this, HEAD_MS_MAX);
      return;
    }
    if (reading.kind === "other") {
      this.#letGo();
      this.#socket.pause();
      this.#routes.other(this.#socket, this.#bytes);
      return;
    }
    const { head } = reading;
    if (head.route === "stream") {
      this.#letGo();
      this.#routes.stream(this.#socket, head);
    } else if (this.#bytes.length >= head.headBytes + head.bodyBytes) {
      void this.#answer(head);
    } else if (isNewRequest) this.#wheel.set(this, HEAD_MS_MAX);
  }

  async #answer(head: Head): Promise<void> {
    this.#isAnswering = true;
    this.#wheel.clear(this);
    const end = head.headBytes + head.bodyBytes;
    const body = this.#bytes.subarray(head.headBytes, end);
    this.#bytes = this.#bytes.subarray(end);
    const answer = await this.#routes.receipts(head, body);
    this.#isAnswering = false;
    if (this.#socket.destroyed) return;
    if (head.fields.connection?.toLowerCase() === "close") {
      this.#socket.end(answer);
      return;
    }
    this.#socket.write(answer);
    if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#bytes.length > 0) this.#read(true);
    else this.#wheel.set(this, IDLE_MS_MAX);
  }

  /** The socket is somebody else's from here on. */
  #letGo(): void {
    this.#wheel.clear(this);
    this.#socket.off("data", this.#onData);
    this.#socket.off("close", this.#onClose);
  }
}
