// Asks the database one small question a second over a connection of its own, and remembers how it
// went: whoever wants to know reads the answer from memory and never waits. The question is a
// write, because a database that only reads sends no warning.
import pg from "pg";
import type { ConnectionOptions } from "./connection.ts";

/** How often it asks. */
export const PROBE_EVERY_MS = 1_000;
/** An answer that takes longer is none; the connection is given up. */
export const PROBE_TIMEOUT_MS = 5_000;
/** Answers whose fastest one counts: one slow commit is no slow database. */
const ANSWERS_KEPT = 3;

export interface DatabaseProbe {
  /** Milliseconds since the last answer; a question under way longer than that shows as well. */
  answeredMsAgo(): number;
  /** The fastest of the last few answers, or how long the present question waits, if that is longer. */
  latencyMs(): number;
  /** Code of the last attempt's fault; undefined when it was answered. */
  fault(): string | undefined;
  /** The present instant by PostgreSQL's clock, as of its last answer. */
  now(): Date;
  close(): Promise<void>;
}

/** Starts to ask; the first question may still be under way. */
export function openDatabaseProbe(options: ConnectionOptions): DatabaseProbe {
  const pool = new pg.Pool({
    ...options,
    max: 1,
    application_name: "loa-probe",
    connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    query_timeout: PROBE_TIMEOUT_MS,
  });
  pool.on("error", () => {});
  const latencies: number[] = [];
  let answeredAt = performance.now();
  let askedAt: number | undefined;
  let fault: string | undefined;
  let clockAheadMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const ask = async (): Promise<void> => {
    const before = performance.now();
    askedAt = before;
    try {
      const { rows } = await pool.query<{ at: Date }>(
        "UPDATE heartbeat SET at = clock_timestamp() RETURNING at",
      );
      answeredAt = performance.now();
      clockAheadMs = (rows[0]?.at.getTime() ?? Date.now()) - Date.now();
      latencies.push(answeredAt - before);
      if (latencies.length > ANSWERS_KEPT) latencies.shift();
      fault = undefined;
    } catch (error) {
      fault = codeOf(error);
    }
    askedAt = undefined;
  };
  const run = (): void => {
    if (isClosed) return;
    const startedAt = performance.now();
    void ask().finally(() => {
      if (isClosed) return;
      const tookMs = performance.now() - startedAt;
      timer = setTimeout(run, Math.max(0, PROBE_EVERY_MS - tookMs));
    });
  };
  run();

  return {
    answeredMsAgo: () => performance.now() - answeredAt,
    latencyMs() {
      const fastest = latencies.length === 0 ? 0 : Math.min(...latencies);
      return askedAt === undefined ? fastest : Math.max(fastest, performance.now() - askedAt);
    },
    fault: () => fault,
    now: () => new Date(Date.now() + clockAheadMs),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await pool.end();
    },
  };
}

function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: readonly unknown[] };
  if (typeof code === "string") return code;
  // Several addresses were tried; each has a fault of its own.
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return /timeout/i.test((error as Error).message) ? "timeout" : "closed";
}
