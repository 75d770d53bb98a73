// All open streams of this process, by ordinal and as a list: sending walks over connected sockets,
// never over an audience.
import type { Connection } from "./connection.ts";
import type { ByeReason } from "./event.ts";

/** Streams of one person at once (phone, tablet, computer); a further one replaces the oldest. */
export const CONNECTIONS_PER_ORDINAL_MAX = 4;

export class Connections {
  /** The newest connection of each ordinal; the others follow by `next`. */
  readonly #newest = new Map<number, Connection>();
  readonly #all: Connection[] = [];
  readonly #onEnded: (reason: ByeReason) => void;
  #serial = 0;

  /** `onEnded` hears of each stream that was ended from this side, once it is gone. */
  constructor(onEnded: (reason: ByeReason) => void = () => {}) {
    this.#onEnded = onEnded;
  }

  get size(): number {
    return this.#all.length;
  }

  /** The serial of the newest connection so far. */
  get serial(): number {
    return this.#serial;
  }

  nextSerial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** The newest connection of an ordinal. */
  of(ordinal: number): Connection | undefined {
    return this.#newest.get(ordinal);
  }

  /** Registers a connection; whoever it replaces is told so. */
  add(connection: Connection): void {
    connection.next = this.#newest.get(connection.ordinal);
    this.#newest.set(connection.ordinal, connection);
    connection.index = this.#all.length;
    this.#all.push(connection);
    let kept = 1;
    for (let each = connection.next; each; each = each.next)
      if (!each.ending && ++kept > CONNECTIONS_PER_ORDINAL_MAX) each.end("replaced");
  }

  remove(connection: Connection): void {
    if (connection.index < 0) return;
    if (connection.bye) this.#onEnded(connection.bye);
    const last = this.#all.pop() as Connection;
    if (last !== connection) {
      this.#all[connection.index] = last;
      last.index = connection.index;
    }
    connection.index = -1;
    const newest = this.#newest.get(connection.ordinal);
    if (newest !== connection) {
      for (let each = newest; each; each = each.next)
        if (each.next === connection) each.next = connection.next;
    } else if (connection.next) this.#newest.set(connection.ordinal, connection.next);
    else this.#newest.delete(connection.ordinal);
  }

  /** Everybody who is connected now, ascending. */
  ordinals(): Uint32Array {
    return Uint32Array.from(this.#newest.keys()).toSorted();
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#all.values();
  }
}
