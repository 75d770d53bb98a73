// One connection of the pool, or one transaction on it, for hand-written SQL.
import type pg from "pg";
import type { Pool } from "./connection.ts";

/**
 * Runs `work` on one connection. One on which it failed is ended, as a COPY may be half read, unless
 * `mend` makes it usable again.
 * @param mend answers why the connection has to be ended, if it has.
 */
export async function onClient<T>(
  pool: Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  mend: (client: pg.PoolClient, fault: Error) => Promise<Error | undefined> = async (_, fault) =>
    fault,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    broken = await mend(client, error as Error);
    throw error;
  } finally {
    client.release(broken);
  }
}

/** Commits what `work` did, or rolls all of it back and throws what `work` threw. */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return onClient(
    pool,
    async (client) => {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    },
    rollBack,
  );
}

const rollBack = (client: pg.PoolClient): Promise<Error | undefined> =>
  client.query("ROLLBACK").then(
    () => undefined,
    (cause: Error) => cause,
  );
