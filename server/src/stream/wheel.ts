// One timer for all sockets: heartbeats, and the time that a request or a farewell may take. A slot
// for each tick holds what is due then; setting, moving and clearing cost the same for ten sockets
// and for a hundred thousand.

/** What can be on a wheel: it keeps its own place, so that a wheel needs no map. */
export interface Timed {
  /** -1 when it is on no wheel. */
  wheelSlot: number;
  wheelPlace: number;
  /** Called once, when due; it may set itself again. */
  onTime(): void;
}

/** Slots of a wheel: with ticks of 100 ms the longest delay is 51 s. */
const SLOTS = 512;

export class Wheel {
  readonly tickMs: number;
  readonly #slots: Timed[][] = Array.from({ length: SLOTS }, () => []);
  readonly #timer: NodeJS.Timeout;
  #at = 0;
  #tickedAtMs: number;

  constructor(tickMs: number) {
    this.tickMs = tickMs;
    this.#tickedAtMs = performance.now();
    this.#timer = setInterval(() => this.#catchUp(), tickMs);
    this.#timer.unref();
  }

  /** Calls `item.onTime` after `delayMs`, at most one turn of the wheel; replaces an earlier time. */
  set(item: Timed, delayMs: number): void {
    this.clear(item);
    const ticks = Math.min(Math.max(1, Math.ceil(delayMs / this.tickMs)), SLOTS - 1);
    const slot = (this.#at + ticks) % SLOTS;
    const items = this.#slots[slot] as Timed[];
    item.wheelSlot = slot;
    item.wheelPlace = items.length;
    items.push(item);
  }

  clear(item: Timed): void {
    if (item.wheelSlot < 0) return;
    const items = this.#slots[item.wheelSlot] as Timed[];
    const last = items.pop() as Timed;
    if (last !== item) {
      items[item.wheelPlace] = last;
      last.wheelPlace = item.wheelPlace;
    }
    item.wheelSlot = -1;
  }

  /** Moves on by one tick and calls what is due. */
  tick(): void {
    this.#at = (this.#at + 1) % SLOTS;
    const due = this.#slots[this.#at] as Timed[];
    this.#slots[this.#at] = [];
    for (const item of due) item.wheelSlot = -1;
    for (const item of due) item.onTime();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** A loop that was busy owes several ticks; a process that was stopped for long owes one turn. */
  #catchUp(): void {
    const now = performance.now();
    const owed = Math.min(Math.floor((now - this.#tickedAtMs) / this.tickMs), SLOTS);
    this.#tickedAtMs += owed * this.tickMs;
    if (owed === SLOTS) this.#tickedAtMs = now;
    for (let i = 0; i < owed; i += 1) this.tick();
  }
}
