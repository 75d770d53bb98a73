// A process's lease: one row that covers all it owns. Time is PostgreSQL's; the process
// keeps a monotonic deadline that is always earlier, so that one that was stopped and
// wakes knows, without asking, that it may hand nothing over.
import type pg from "pg";
import { newId } from "../db/id.ts";

/** How long a process that says nothing keeps what it owns. */
export const LEASE_MS = 3_000;
/** How often it says something. Three chances in one lease. */
export const RENEW_MS = 1_000;
/** Safety between the process's deadline and PostgreSQL's: what a clock may drift in one lease. */
export const MARGIN_MS = 250;

export class Lease {
  readonly #pool: pg.Pool;
  readonly #role: string;
  #id: string;
  #deadline = 0;
  #timer: NodeJS.Timeout | undefined;
  /** How often the lease was lost. */
  losses = 0;
  /** Called when the lease was lost; everything owned under the old id is somebody else's now. */
  onLost: () => void = () => {};

  private constructor(pool: pg.Pool, role: string, id: string) {
    this.#pool = pool;
    this.#role = role;
    this.#id = id;
  }

  /** Takes a lease and renews it until `end`. The supervisor gives an id, to end it when we die. */
  static async take(pool: pg.Pool, role: string, id: string = newId()): Promise<Lease> {
    const lease = new Lease(pool, role, id);
    await lease.#register();
    lease.#schedule();
    return lease;
  }

  get id(): string {
    return this.#id;
  }

  /** Whether the process may still hand over: asked before each hand-over, costs no query. */
  get holds(): boolean {
    return performance.now() < this.#deadline;
  }

  async #register(): Promise<void> {
    const asked = performance.now();
    await this.#pool.query(
      `INSERT INTO process (id, role, lease_until)
       VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms')`,
      [this.#id, this.#role, LEASE_MS],
    );
    this.#deadline = asked + LEASE_MS - MARGIN_MS;
  }

  async renew(): Promise<void> {
    const asked = performance.now();
    const { rowCount } = await this.#pool.query({
      name: "lease-renew",
      text: `UPDATE process SET lease_until = clock_timestamp() + $2 * interval '1 ms'
             WHERE id = $1 AND lease_until > clock_timestamp()`,
      values: [this.#id, LEASE_MS],
      // An answer that comes after the lease has run out is none; a connection that is dead without
      // saying so must not be waited for.
      query_timeout: LEASE_MS,
    } as pg.QueryConfig);
    if (rowCount === 1) {
      this.#deadline = asked + LEASE_MS - MARGIN_MS;
      return;
    }
    // Whoever owns our shards now has a higher epoch. We start again as another process.
    this.#deadline = 0;
    this.#id = newId();
    this.losses += 1;
    this.onLost();
    await this.#register();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      // A renewal that fails leaves the deadline where it is, so `holds` turns false by itself.
      this.renew().then(
        () => this.#schedule(),
        () => this.#schedule(),
      );
    }, RENEW_MS);
  }

  /** Gives everything back at once. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.#deadline = 0;
    await endLease(this.#pool, this.#id);
  }
}

/** Ends the lease of a process that is known to be dead, so that others need not wait for it. */
export async function endLease(pool: pg.Pool, id: string): Promise<void> {
  await pool.query("UPDATE process SET lease_until = '-infinity' WHERE id = $1", [id]);
}
