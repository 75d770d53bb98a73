// A set of ordinals that costs eight bytes for each, for the people whom one dispatch reached over
// this process's sockets. Open addressing over one typed array; half of it stays empty.

/** Ordinals, each once. Nothing is ever taken out but by `forget`. */
export class OrdinalSet {
  /** ordinal + 1; 0 is an empty place, REMOVED one that a search passes over. */
  #places = new Uint32Array(16);
  #used = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(ordinal: number): boolean {
    return this.#places[this.#find(ordinal)] === ordinal + 1;
  }

  /** Adds; answers whether it is new. */
  add(ordinal: number): boolean {
    const place = this.#find(ordinal);
    if (this.#places[place] === ordinal + 1) return false;
    this.#places[place] = ordinal + 1;
    this.#size += 1;
    this.#used += 1;
    if (this.#used * 2 > this.#places.length) this.#grow();
    return true;
  }

  /** Takes one out, as if it had never been added. */
  forget(ordinal: number): void {
    const place = this.#find(ordinal);
    if (this.#places[place] !== ordinal + 1) return;
    this.#places[place] = REMOVED;
    this.#size -= 1;
  }

  #find(ordinal: number): number {
    const mask = this.#places.length - 1;
    let place = (Math.imul(ordinal, 0x9e37_79b1) >>> 7) & mask;
    for (;;) {
      const held = this.#places[place];
      if (held === 0 || held === ordinal + 1) return place;
      place = (place + 1) & mask;
    }
  }

  #grow(): void {
    const old = this.#places;
    this.#places = new Uint32Array(Math.max(16, 2 ** Math.ceil(Math.log2(this.#size * 4 + 1))));
    this.#used = this.#size;
    for (const held of old)
      if (held !== 0 && held !== REMOVED) this.#places[this.#find(held - 1)] = held;
  }
}

/** No ordinal: they end at 2^31 - 1. */
const REMOVED = 0xffff_ffff;
