import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*/src/**/*.test.ts", "server/test/**/*.test.ts", "tools/**/*.test.ts"],
    globalSetup: ["server/test/postgres.ts"],
    // Real PostgreSQL and real processes on two cores: slow is not hanging.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
