// The door of the device edge. When a mast comes back, thousands of phones connect at the same
// moment, and the loop would read, check and answer all of them before it turned again: no lease
// renewed, no warning sent, for seconds. So each turn of the loop lets in so many, in the order
// in which they came; the others wait unread.
import type { Socket } from "node:net";

/** Sockets that are let in within one turn of the loop: a few milliseconds of work. */
export const ADMITTED_PER_TURN = 32;

export class Admission {
  readonly #admit: (socket: Socket) => void;
  /** Bounded by the sockets that may be open. */
  readonly #waiting: Socket[] = [];
  #next = 0;
  #admitted = 0;
  #turn: NodeJS.Immediate | undefined;

  /** `admit` is called once for each socket that still lives when it is its turn. */
  constructor(admit: (socket: Socket) => void) {
    this.#admit = admit;
  }

  /** Lets a socket in, now or when it is its turn. It must have been accepted paused. */
  add(socket: Socket): void {
    this.#waiting.push(socket);
    this.#admitSome();
  }

  close(): void {
    clearImmediate(this.#turn);
    for (const socket of this.#waiting.slice(this.#next)) socket.destroy();
    this.#waiting.length = 0;
    this.#next = 0;
  }

  #admitSome(): void {
    while (this.#admitted < ADMITTED_PER_TURN && this.#next < this.#waiting.length) {
      const socket = this.#waiting[this.#next++] as Socket;
      if (socket.destroyed) continue;
      this.#admitted += 1;
      this.#admit(socket);
      socket.resume();
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#next = 0;
    }
    if (this.#admitted > 0) this.#turn ??= setImmediate(() => this.#onTurn());
  }

  #onTurn(): void {
    this.#turn = undefined;
    this.#admitted = 0;
    this.#admitSome();
  }
}
