import { expect, test } from "vitest";
import { createTestDatabase } from "../../test/database.ts";
import { migrate } from "./migrate.ts";

test("a migrated database is left alone by the next start", async () => {
  await using database = await createTestDatabase();
  expect(await migrate(database.pool)).toEqual([]);
});

test("a migration that was changed after it ran is refused by name", async () => {
  await using database = await createTestDatabase();
  await database.pool.query("UPDATE migration SET sha256 = 'other' WHERE name = '0001-area.sql'");
  await expect(migrate(database.pool)).rejects.toThrow(/0001-area\.sql was changed/);
});
