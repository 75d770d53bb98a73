// What a device that just connected still waits for: warnings first, each lane in order, no faster
// than its socket takes it. The ids count for this device alone, so that a connection that is cut
// halfway goes on from there.
import { LANES, type Lane } from "@loa/model/bulletin-type.ts";
import type { Connection } from "./connection.ts";
import type { Cursor } from "./event.ts";
import type { Entry, InForce } from "./in-force.ts";
import type { OutcomeLog } from "./outcome-log.ts";

export class CatchUp {
  readonly #inForce: InForce;
  readonly #outcomes: OutcomeLog;
  readonly #cursor: Record<Lane, number>;
  readonly #waiting: Record<Lane, Entry[]> = { warning: [], notice: [] };

  constructor(inForce: InForce, outcomes: OutcomeLog, cursor: Cursor, due: readonly Entry[]) {
    this.#inForce = inForce;
    this.#outcomes = outcomes;
    this.#cursor = { ...cursor };
    for (const entry of due) this.#waiting[entry.dispatch.lane].push(entry);
  }

  /** A dispatch that came meanwhile; bounded by what is in force. */
  add(entry: Entry): void {
    const lane = this.#waiting[entry.dispatch.lane];
    if (!lane.includes(entry)) lane.push(entry);
  }

  /** Writes what the socket has room for; the rest follows when that has gone out. */
  advance(connection: Connection): void {
    const { socket } = connection;
    socket.cork();
    const isDone = this.#writeWhatFits(connection);
    if (isDone) connection.catchUp = undefined;
    // An empty write is called back when all before it has left.
    else socket.write("", () => connection.catchUp?.advance(connection));
    socket.uncork();
  }

  #writeWhatFits(connection: Connection): boolean {
    for (const lane of LANES) {
      const waiting = this.#waiting[lane];
      for (let entry = waiting[0]; entry; entry = waiting[0]) {
        if (this.#inForce.isInForce(entry)) {
          const seq = Math.max(this.#cursor[lane], entry.dispatch.seq);
          const frame = this.#inForce.frame(entry, { ...this.#cursor, [lane]: seq });
          if (!connection.hasRoom(frame.length)) return false;
          if (!connection.write(frame)) return true;
          this.#cursor[lane] = seq;
          this.#outcomes.told(entry, connection.ordinal);
        }
        waiting.shift();
      }
    }
    return true;
  }
}
