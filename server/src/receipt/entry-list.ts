// Facts about single recipients in columns that grow: no object for each of a million receipts.

/** Facts in columns of equal length: ordinals[i] had planes[i] set, ms[i] after the issue. */
export interface Entries {
  readonly ordinals: Uint32Array;
  /** Plane bits, as `planeBit` gives them. */
  readonly planes: Uint8Array;
  /** Milliseconds since the dispatch's issue. */
  readonly ms: Uint32Array;
}

const FIRST_CAPACITY = 64;

/** Collects facts. The caller bounds how many. */
export class EntryList {
  #ordinals = new Uint32Array(FIRST_CAPACITY);
  #planes = new Uint8Array(FIRST_CAPACITY);
  #ms = new Uint32Array(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds one; answers its position. */
  push(ordinal: number, plane: number, ms: number): number {
    const at = this.#length;
    if (at === this.#ordinals.length) this.#grow(at * 2);
    this.#ordinals[at] = ordinal;
    this.#planes[at] = plane;
    this.#ms[at] = ms;
    this.#length += 1;
    return at;
  }

  /** Adds all of `entries`. */
  append(entries: Entries): void {
    const length = this.#length + entries.ordinals.length;
    if (length > this.#ordinals.length) this.#grow(length);
    this.#ordinals.set(entries.ordinals, this.#length);
    this.#planes.set(entries.planes, this.#length);
    this.#ms.set(entries.ms, this.#length);
    this.#length = length;
  }

  /** What was collected; the list must not be used after this. */
  entries(): Entries {
    return {
      ordinals: this.#ordinals.subarray(0, this.#length),
      planes: this.#planes.subarray(0, this.#length),
      ms: this.#ms.subarray(0, this.#length),
    };
  }

  #grow(capacity: number): void {
    const grown = <A extends Uint8Array | Uint32Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    this.#ordinals = grown(this.#ordinals, new Uint32Array(capacity));
    this.#planes = grown(this.#planes, new Uint8Array(capacity));
    this.#ms = grown(this.#ms, new Uint32Array(capacity));
  }
}
