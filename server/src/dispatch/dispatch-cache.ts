// What a worker must know of a dispatch to run its shards: the message and until when.
// Immutable once issued, so it is read once and kept for a while.
import type { BulletinType, Lane } from "@loa/model/bulletin-type.ts";
import type pg from "pg";
import { findAreaFault } from "./area-check.ts";

/** Dispatches kept; the message is at most 16 KiB, so this is at most 4 MiB. */
export const CACHE_MAX = 256;

export interface DispatchFacts {
  readonly dispatchId: string;
  readonly type: BulletinType;
  readonly lane: Lane;
  readonly message: Uint8Array;
  /** Why it may not be handed over: it is not for the approved places. */
  readonly areaFault: string | undefined;
  /** Instant of PostgreSQL's clock; this process's distance to it is in `ageMs`. */
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** performance.now() at the moment of issue, as far as this process can tell. */
  readonly issuedMonotonic: number;
}

export class DispatchCache {
  readonly #pool: pg.Pool;
  readonly #facts = new Map<string, Promise<DispatchFacts>>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  read(dispatchId: string): Promise<DispatchFacts> {
    const known = this.#facts.get(dispatchId);
    if (known) return known;
    const read = this.#read(dispatchId);
    this.#facts.set(dispatchId, read);
    read.catch(() => this.#facts.delete(dispatchId));
    if (this.#facts.size > CACHE_MAX) {
      const [oldest] = this.#facts.keys();
      if (oldest !== undefined) this.#facts.delete(oldest);
    }
    return read;
  }

  async #read(dispatchId: string): Promise<DispatchFacts> {
    const asked = performance.now();
    const { rows } = await this.#pool.query<
      Omit<DispatchFacts, "dispatchId" | "issuedMonotonic" | "areaFault"> & { ageMs: number }
    >(
      `SELECT type, lane, message, issued_at AS "issuedAt", expires_at AS "expiresAt",
              extract(epoch FROM clock_timestamp() - issued_at)::float8 * 1000 AS "ageMs"
       FROM dispatch WHERE id = $1`,
      [dispatchId],
    );
    const row = rows[0];
    if (row === undefined) throw new Error(`dispatch ${dispatchId} is not in the database`);
    const areaFault = await findAreaFault(this.#pool, row.message, dispatchId);
    return { dispatchId, ...row, areaFault, issuedMonotonic: asked - row.ageMs };
  }
}

/** Milliseconds since issue, by this process's monotonic clock; what the journal stores. */
export const msSinceIssue = (facts: DispatchFacts): number =>
  Math.max(0, Math.round(performance.now() - facts.issuedMonotonic));
