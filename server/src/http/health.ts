// GET /v1/health. The pattern for other nouns: take what is needed, call one verb, answer data.
import { getHealth, type Health } from "@loa/api/health.ts";
import { sql } from "kysely";
import type { Db } from "../db/connection.ts";
import type { App } from "./app.ts";

export interface HealthDeps {
  readonly db: Db;
  readonly version: string;
  /** Whether the audience index has caught up, so that a bulletin can be issued. */
  readonly isReady: () => boolean;
}

export function mountHealth(app: App, deps: HealthDeps): void {
  app.mount(getHealth, async (): Promise<Health> => {
    const at = await readDatabaseTime(deps.db);
    return {
      status: at && deps.isReady() ? "ready" : "starting",
      version: deps.version,
      at: (at ?? new Date()).toISOString(),
      database: at ? "reachable" : "unreachable",
    };
  });
}

/** The database's time, or undefined if it does not answer: the world's fault, so a value. */
async function readDatabaseTime(db: Db): Promise<Date | undefined> {
  try {
    const { rows } = await sql<{ at: Date }>`SELECT now() AS at`.execute(db);
    return rows[0]?.at;
  } catch {
    return undefined;
  }
}
