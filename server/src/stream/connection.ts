// One device's open stream. It holds next to nothing: the socket, who it is, where it says it is,
// and, only while it catches up, what it still waits for. What cannot be written within
// BUFFER_BYTES_MAX ends the connection with a reason; the device comes back with its cursor.
import type { Socket } from "node:net";
import type { Standing } from "@loa/model/bulletin-type.ts";
import type { CatchUp } from "./catch-up.ts";
import { type ByeReason, type Cursor, frameBye, HEARTBEAT } from "./event.ts";
import type { Timed, Wheel } from "./wheel.ts";

/** Bytes that may wait in this process for one slow reader. */
export const BUFFER_BYTES_MAX = 64 * 1024;
/** Quiet time after which a heartbeat goes out: below the idle limits of mobile carriers. */
export const HEARTBEAT_MS = 25_000;
/** How long a reader has to take what is buffered before its farewell, then it is cut off. */
export const LINGER_MS = 10_000;
/** Bytes that a device may send after its request; it has nothing to say. */
export const UPLOAD_BYTES_MAX = 32 * 1024;

/** Who is on the other side, and what it says it has and where it is. */
export interface Device {
  readonly ordinal: number;
  readonly generation: number;
  readonly standing: Standing;
  readonly cursor: Cursor;
  /** Dispatch ids. */
  readonly have: ReadonlySet<string>;
  /** Commune codes. */
  readonly places: readonly string[];
}

export class Connection implements Timed {
  readonly socket: Socket;
  readonly ordinal: number;
  readonly generation: number;
  readonly standing: Standing;
  readonly places: readonly string[];
  /** Connections count upwards: a broadcast reaches those that were there when it began. */
  readonly serial: number;
  /** The next connection of the same ordinal. */
  next: Connection | undefined = undefined;
  /** Where it is among all connections; -1 when it is not. */
  index = -1;
  wheelSlot = -1;
  wheelPlace = 0;
  catchUp: CatchUp | undefined = undefined;
  ending = false;
  /** Why this side ended it; undefined while it has not, or the device did. */
  bye: ByeReason | undefined = undefined;
  #beatUnderWay = false;
  readonly #wheel: Wheel;

  constructor(socket: Socket, device: Device, serial: number, wheel: Wheel) {
    this.socket = socket;
    this.ordinal = device.ordinal;
    this.generation = device.generation;
    this.standing = device.standing;
    this.places = device.places;
    this.serial = serial;
    this.#wheel = wheel;
    // Spread over the turn, so that ten thousand that came at once do not beat at once.
    wheel.set(this, Math.random() * HEARTBEAT_MS);
  }

  /** Whether `bytes` more may wait here. */
  hasRoom(bytes: number): boolean {
    return this.socket.writableLength + bytes <= BUFFER_BYTES_MAX;
  }

  /** Hands a frame to the socket; false, and the end, when its reader is too slow for that. */
  write(frame: Buffer): boolean {
    if (this.ending) return false;
    if (!this.hasRoom(frame.length)) {
      this.end("slow");
      return false;
    }
    this.socket.write(frame);
    return true;
  }

  /** Says why, gives the reader LINGER_MS to take what is buffered, and cuts the connection. */
  end(reason: ByeReason): void {
    if (this.ending) return;
    this.ending = true;
    this.bye = reason;
    this.catchUp = undefined;
    this.socket.end(frameBye(reason));
    this.#wheel.set(this, LINGER_MS);
  }

  onTime(): void {
    if (this.ending || this.socket.bytesRead > UPLOAD_BYTES_MAX) {
      this.socket.destroy();
      return;
    }
    // The heartbeat before this one is still in our buffer: nothing was read for a whole turn.
    if (this.#beatUnderWay) {
      this.end("slow");
      return;
    }
    this.#beatUnderWay = true;
    this.socket.write(HEARTBEAT, () => {
      this.#beatUnderWay = false;
    });
    this.#wheel.set(this, HEARTBEAT_MS);
  }
}
