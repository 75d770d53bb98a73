// Applies the numbered .sql files of db/migrations, each in its own transaction and
// once. A file that changed after it was applied is refused: a migration that ran
// somewhere is history.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type pg from "pg";

const folder = new URL("./migrations/", import.meta.url);
/** Any constant will do; it keeps two starting servers from migrating at once. */
const MIGRATION_LOCK = 0x10a_0001;

/** Brings the database to the newest migration; answers the names that were applied. */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const client = await pool.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await client.query(
      "CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    const { rows } = await client.query<{ name: string; sha256: string }>(
      "SELECT name, sha256 FROM migration",
    );
    const done = new Map(rows.map((row) => [row.name, row.sha256]));
    const applied: string[] = [];
    for (const name of readdirSync(folder)
      .filter((file) => file.endsWith(".sql"))
      .toSorted()) {
      const sql = readFileSync(new URL(name, folder), "utf8");
      const sha256 = createHash("sha256").update(sql).digest("hex");
      if (done.has(name)) {
        if (done.get(name) !== sha256)
          throw new Error(`migration ${name} was changed after it had been applied`);
        continue;
      }
      await client.query("BEGIN");
      try {
        await client.query(sql);
        await client.query("INSERT INTO migration (name, sha256) VALUES ($1, $2)", [name, sha256]);
        await client.query("COMMIT");
      } catch (cause) {
        await client.query("ROLLBACK");
        throw new Error(`migration ${name} failed: ${(cause as Error).message}`, { cause });
      }
      applied.push(name);
    }
    return applied;
  } finally {
    await client.query("SELECT pg_advisory_unlock($1)", [MIGRATION_LOCK]).catch(() => {});
    client.release();
  }
}
