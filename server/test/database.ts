// A database of its own for one test file: a clone of the migrated template.
import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { type Connection, type ConnectionOptions, openConnection } from "../src/db/connection.ts";
import { TEMPLATE } from "./postgres.ts";

export interface TestDatabase extends Connection {
  readonly options: ConnectionOptions;
}

/** Clones the template; `close` (or `await using`) drops the clone. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject("postgres");
  const database = `test_${randomBytes(6).toString("hex")}`;
  await administer(`CREATE DATABASE ${database} TEMPLATE ${TEMPLATE}`);
  const options = { ...server, database };
  const connection = openConnection(options, "test");
  const close = async () => {
    await connection.close();
    await administer(`DROP DATABASE ${database} WITH (FORCE)`);
  };
  return { db: connection.db, pool: connection.pool, options, close, [Symbol.asyncDispose]: close };
}

async function administer(sql: string): Promise<void> {
  await using admin = openConnection(inject("postgres"), "test-admin", 1);
  await admin.pool.query(sql);
}
