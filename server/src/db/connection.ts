// Opens PostgreSQL: one pool for each process, and Kysely over it for typed SQL.
// Instants come back as Date, 64-bit integers as number (every one of ours stays
// below 2^53), dates as text, so that no driver default changes a value quietly.
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Database } from "./schema.ts";

/** How many connections one process may hold. 5 roles fit PostgreSQL's default of 100. */
export const POOL_MAX = 8;
/** A statement that waits longer than this for a connection fails instead of hanging. */
export const CONNECT_TIMEOUT_MS = 10_000;

const INT8 = 20;
const DATE = 1082;
const types = new pg.TypeOverrides();
types.setTypeParser(INT8, (value) => Number(value));
types.setTypeParser(DATE, (value) => value);

/** Where a database is and how to enter it; plain data, so that it travels between processes. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export type Db = Kysely<Database>;
export type Pool = pg.Pool;

/** An open database: `db` for typed SQL, `pool` for COPY, LISTEN and hand-written statements. */
export interface Connection extends AsyncDisposable {
  readonly db: Db;
  readonly pool: Pool;
  close(): Promise<void>;
}

/** Reads `postgres://user:password@host:port/database`. */
export function parseDatabaseUrl(url: string): ConnectionOptions {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  return {
    host: searchParams.get("host") ?? decodeURIComponent(hostname),
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
  };
}

/**
 * Opens a pool; `settings` are PostgreSQL's own, for all of its connections ("-c name=value"). No
 * connection is made before the first statement.
 */
export function openConnection(
  options: ConnectionOptions,
  applicationName: string,
  max: number = POOL_MAX,
  settings?: string,
): Connection {
  const pool = new pg.Pool({
    ...options,
    max,
    types,
    ...(settings === undefined ? {} : { options: settings }),
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // An idle connection that breaks is replaced by the pool; without a listener Node would exit.
  pool.on("error", () => {});
  // The same for one that breaks while somebody holds it: their statement fails, which they handle.
  pool.on("connect", (client) => client.on("error", () => {}));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  let closed: Promise<void> | undefined;
  // Kysely ends the pool only if it was used; ending it here covers both.
  const close = () => (closed ??= pool.end());
  return { db, pool, close, [Symbol.asyncDispose]: close };
}
