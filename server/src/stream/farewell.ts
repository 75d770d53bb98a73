// The end of a socket that was refused: the answer, and a limit to how long its reader may keep the
// socket open after that.
import type { Socket } from "node:net";
import { LINGER_MS } from "./connection.ts";
import type { Timed, Wheel } from "./wheel.ts";

export class Farewell implements Timed {
  wheelSlot = -1;
  wheelPlace = 0;
  readonly #socket: Socket;
  readonly #wheel: Wheel;

  constructor(socket: Socket, wheel: Wheel) {
    this.#socket = socket;
    this.#wheel = wheel;
  }

  /** Sends the last bytes; what still comes in is read and dropped, or the peer would see a reset. */
  say(answer: string): void {
    this.#socket.on("close", () => this.#wheel.clear(this));
    this.#wheel.set(this, LINGER_MS);
    this.#socket.resume();
    this.#socket.end(answer);
  }

  onTime(): void {
    this.#socket.destroy();
  }
}
