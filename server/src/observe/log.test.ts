import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createLogger } from "./log.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

/** What a logger writes, as text. */
function writeLog(write: (log: ReturnType<typeof createLogger>) => void): string {
  let text = "";
  write(createLogger("info", "front", { write: (line) => void (text += line) }));
  return text;
}

test("what the database quotes of people in its errors is not logged", async () => {
  const { pool } = database;
  await pool.query("CREATE TABLE contact (phone text PRIMARY KEY)");
  const insert = () => pool.query("INSERT INTO contact VALUES ($1)", ["+84900000001"]);
  await insert();
  const err = await insert().catch((fault: unknown) => fault);
  const outer = new Error("could not register", { cause: err });
  const text = writeLog((log) => log.error({ err: outer }, "request failed"));
  expect(JSON.parse(text)).toMatchObject({
    role: "front",
    msg: "request failed",
    err: { message: "could not register", cause: { code: "23505" } },
  });
  expect(text).not.toContain("84900000001");
});

test("an error that causes itself, or is none, is still one line", () => {
  const endless = new Error("endless");
  endless.cause = endless;
  expect(writeLog((log) => log.error({ err: endless })).split("\n")).toHaveLength(2);
  expect(writeLog((log) => log.error({ err: "text" }))).toContain('"message":"text"');
});
