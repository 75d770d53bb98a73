// One real PostgreSQL for the whole run, with one migrated template database; each test
// file clones it (createTestDatabase below), which takes 50-100 ms.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import type { ConnectionOptions } from "../src/db/connection.ts";
import { openConnection } from "../src/db/connection.ts";
import { startEmbeddedPostgres } from "../src/db/embedded.ts";
import { migrate } from "../src/db/migrate.ts";

export const TEMPLATE = "loa_template";

declare module "vitest" {
  export interface ProvidedContext {
    postgres: ConnectionOptions;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "loa-test-"));
  const server = await startEmbeddedPostgres(folder);
  {
    await using admin = openConnection(server.options, "test-setup");
    await admin.pool.query(`CREATE DATABASE ${TEMPLATE}`);
    await using template = openConnection({ ...server.options, database: TEMPLATE }, "test-setup");
    await migrate(template.pool);
  }
  project.provide("postgres", server.options);
  return async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
    rmSync(server.runtimeFolder, { recursive: true, force: true });
  };
}
