// When a dispatch became durable, to the outside: PostgreSQL delivers a notice at the commit of what
// raised it, so a trigger of the benchmark's own says when that was, without asking again and again.
import pg from "pg";
import { clockMs } from "./clock.ts";
import type { BenchInstallation } from "./installation.ts";

const CHANNEL = "bench_dispatch";

export interface Commits extends AsyncDisposable {
  /** clockMs() at which the dispatch of this bulletin was committed. */
  of(bulletinId: string): Promise<number>;
}

/** Watches the commits of dispatches until disposed of. */
export async function watchCommits({ database }: BenchInstallation): Promise<Commits> {
  const client = new pg.Client(database);
  await client.connect();
  await client.query(`
    CREATE OR REPLACE FUNCTION bench_dispatch() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_notify('${CHANNEL}', NEW.bulletin_id::text); RETURN NULL; END $$;
    CREATE OR REPLACE TRIGGER bench_dispatch AFTER INSERT ON dispatch
      FOR EACH ROW EXECUTE FUNCTION bench_dispatch();
    LISTEN ${CHANNEL}`);
  const seen = new Map<string, PromiseWithResolvers<number>>();
  const entry = (id: string) => {
    const known = seen.get(id) ?? Promise.withResolvers<number>();
    seen.set(id, known);
    return known;
  };
  client.on("notification", ({ payload = "" }) => entry(payload).resolve(clockMs()));
  return {
    of: (bulletinId) => entry(bulletinId).promise,
    async [Symbol.asyncDispose]() {
      await client.query("DROP FUNCTION bench_dispatch CASCADE");
      await client.end();
    },
  };
}
