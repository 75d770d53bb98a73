import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { Lease } from "../dispatch/lease.ts";
import { answerOnce, forgetOldAnswers, hashRequest, type KeptAnswer } from "./idempotency.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

let keys = 0;
const nameRequest = (body = "{}") => ({
  scope: "member:alice",
  key: `key-of-this-request-${(keys += 1)}`,
  requestHash: hashRequest("post", "/v1/bulletins", Buffer.from(body)),
});
const answerOf = (text: string): KeptAnswer => ({
  status: 201,
  contentType: "application/json",
  body: Buffer.from(text),
});
/** Lets all rows grow older, as if this much time had passed. */
const age = (interval: string) =>
  sql`UPDATE idempotency SET created_at = created_at - ${interval}::interval`.execute(database.db);

/** Begins a request that answers with `answer`; resolves once it is under way. */
async function begin(name: ReturnType<typeof nameRequest>, answer: Promise<KeptAnswer>) {
  const begun = Promise.withResolvers<void>();
  const answered = answerOnce(database.db, name, () => {
    begun.resolve();
    return answer;
  });
  await begun.promise;
  return { answered };
}

test("of twenty repeats at once one is done, and the others hear that it is under way", async () => {
  const name = nameRequest();
  let done = 0;
  const gate = Promise.withResolvers<void>();
  const execute = async () => {
    done += 1;
    await gate.promise;
    return answerOf('{"id":1}');
  };
  // The one that is done ends only after all others were refused.
  const refused: string[] = [];
  const ask = async () => {
    try {
      return await answerOnce(database.db, name, execute);
    } catch (fault) {
      refused.push((fault as { code: string }).code);
      if (refused.length === 19) gate.resolve();
      return undefined;
    }
  };
  const answers = await Promise.all(Array.from({ length: 20 }, ask));
  expect(done).toBe(1);
  expect(refused).toEqual(Array(19).fill("idempotency-in-progress"));
  const [kept, ...others] = answers.filter((answer) => answer !== undefined);
  expect(others).toEqual([]);
  expect(kept?.replayed).toBe(false);
  expect(Buffer.from(kept?.body ?? []).toString()).toBe('{"id":1}');
});

test("a request whose process was killed can be repeated after its time, and not before", async () => {
  const name = nameRequest();
  await begin(name, new Promise<never>(() => {}));
  const repeat = () => answerOnce(database.db, name, async () => answerOf("again"));
  await expect(repeat()).rejects.toMatchObject({ code: "idempotency-in-progress" });
  await age("3 minutes");
  expect(await repeat()).toMatchObject({ status: 201, replayed: false });
  expect(await repeat()).toMatchObject({ status: 201, replayed: true });
});

test("a request whose process is known to be dead is repeated at once", async () => {
  const lease = await Lease.take(database.pool, "front");
  const name = { ...nameRequest(), owner: lease.id };
  await begin(name, new Promise<never>(() => {}));
  const repeat = () => answerOnce(database.db, name, async () => answerOf("again"));
  await expect(repeat()).rejects.toMatchObject({ code: "idempotency-in-progress" });
  // As the supervisor does when a process dies.
  await lease.end();
  expect(await repeat()).toMatchObject({ status: 201, replayed: false });
});

test("who was taken over no longer writes its answer", async () => {
  const name = nameRequest();
  const slow = Promise.withResolvers<KeptAnswer>();
  const { answered } = await begin(name, slow.promise);
  const repeat = () => answerOnce(database.db, name, async () => answerOf("second"));
  await expect(repeat()).rejects.toMatchObject({ code: "idempotency-in-progress" });
  await age("3 minutes");
  await repeat();
  slow.resolve(answerOf("first, late"));
  await answered;
  expect(Buffer.from((await repeat()).body).toString()).toBe("second");
});

test("a fault of ours frees the key", async () => {
  const name = nameRequest();
  const failing = answerOnce(database.db, name, async () => {
    throw new Error("disk full");
  });
  await expect(failing).rejects.toThrow("disk full");
  const again = await answerOnce(database.db, name, async () => answerOf("ok"));
  expect(again.replayed).toBe(false);
});

test("a database that dies with a request does not hold its repeat up", async () => {
  const name = nameRequest();
  const failing = answerOnce(database.db, name, async () => {
    // Every connection breaks, as when PostgreSQL is killed; the row can only be forgotten later.
    await sql`ALTER TABLE idempotency RENAME TO idempotency_away`.execute(database.db);
    throw new Error("terminating connection");
  });
  await expect(failing).rejects.toThrow("terminating connection");
  await sql`ALTER TABLE idempotency_away RENAME TO idempotency`.execute(database.db);
  const repeat = () =>
    answerOnce(database.db, name, async () => answerOf("again")).catch(() => undefined);
  await expect.poll(repeat, { timeout: 10_000 }).toMatchObject({ status: 201 });
});

test("after a day an answer is forgotten and its key free for something else", async () => {
  const name = nameRequest();
  await answerOnce(database.db, name, async () => answerOf("yesterday"));
  await age("25 hours");
  const other = { ...name, requestHash: hashRequest("post", "/v1/zones", Buffer.from("x")) };
  expect((await answerOnce(database.db, other, async () => answerOf("today"))).replayed).toBe(
    false,
  );
  await age("25 hours");
  expect(await forgetOldAnswers(database.db)).toBeGreaterThan(0);
  expect(await database.db.selectFrom("idempotency").selectAll().execute()).toEqual([]);
});
