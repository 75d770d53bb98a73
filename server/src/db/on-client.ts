// Typed SQL inside a transaction that hand-written SQL began. Whoever holds a connection and asks
// the pool for a second one waits for others who do the same; with all of them waiting, nobody
// ever gets one. So whatever is read inside a transaction is read on its own connection.
import { Kysely, PostgresDialect } from "kysely";
import type pg from "pg";
import type { Db } from "./connection.ts";
import type { Database } from "./schema.ts";

/** Kysely over the one client of a transaction; it neither begins, ends nor releases anything. */
export function dbOnClient(client: pg.PoolClient): Db {
  const borrowed = { query: client.query.bind(client), release: () => {} };
  const pool = { connect: async () => borrowed, end: async () => {} };
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool: pool as never }) });
}
