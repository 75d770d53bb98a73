// Counts the statements that one of Loa's processes sends to PostgreSQL, in PostgreSQL's own log: the
// proof that something needs no database is what the database was asked, not what the code says.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { BenchInstallation } from "./installation.ts";

const PREFIX = "[bench %a] ";
/** Asked last; what came before it is in the log when this is. */
const WITNESS = "all statements were logged";

/**
 * Starts counting; `stop` answers how many there were of processes with this application name.
 * @throws when the log lacks what the benchmark itself asked, so that a count of none is proof.
 */
export async function countStatements(
  { connection, folder }: BenchInstallation,
  application: string,
): Promise<{ stop(): Promise<number> }> {
  const { pool } = connection;
  const file = join(folder, "postgresql.log");
  await pool.query(`ALTER SYSTEM SET log_line_prefix = '${PREFIX}'`);
  await pool.query("ALTER SYSTEM SET log_statement = 'all'");
  await pool.query("SELECT pg_reload_conf()");
  const from = statSync(file).size;
  return {
    async stop() {
      await pool.query(`SELECT '${WITNESS}'`);
      const text = readFileSync(file).subarray(from).toString("utf8");
      if (!text.includes(WITNESS)) throw new Error("PostgreSQL's log does not hold what was asked");
      await pool.query("ALTER SYSTEM RESET log_statement");
      await pool.query("ALTER SYSTEM RESET log_line_prefix");
      await pool.query("SELECT pg_reload_conf()");
      const mark = PREFIX.replace("%a", application).trim();
      return text.split("\n").filter((line) => line.startsWith(mark)).length;
    },
  };
}
