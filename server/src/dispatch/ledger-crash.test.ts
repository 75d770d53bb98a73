// Kills a ledger at its named instants: what it had acknowledged stands, what it had not is asked
// for again and counted once, and a fold that was cut off leaves everything as it was.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { planeBit } from "@loa/model/delivery.ts";
import { expect, test } from "vitest";
import { plantDispatch, range } from "../../test/dispatch-kit.ts";
import { startEngine, type TestEngine } from "../../test/engine-kit.ts";
import type { LedgerProcessOptions } from "../../test/ledger-process.ts";
import { appendRows, packRuns } from "./journal.ts";

const PROGRAM = fileURLToPath(new URL("../../test/ledger-process.ts", import.meta.url));
const PEOPLE = range(0, 1000);

/** Runs a ledger to its end; answers what it printed, or the signal that killed it. */
function runLedger(
  engine: TestEngine,
  options: Omit<LedgerProcessOptions, "connection">,
): Promise<unknown> {
  const all: LedgerProcessOptions = { connection: engine.database.options, ...options };
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(all)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("close", (code, signal) => {
      if (signal !== null) done(signal);
      else if (code !== 0) fail(new Error(`the ledger ended with ${code}`));
      else done(printed === "" ? undefined : JSON.parse(printed));
    });
  });
}

/** A dispatch to a thousand people, all of whom were sent to. */
async function plantSent(engine: TestEngine): Promise<string> {
  const { pool } = engine.database;
  const { dispatchId } = await plantDispatch(pool, {
    communes: [{ areaId: 1, residents: PEOPLE }],
    channels: ["loopback"],
  });
  const run = { start: 0, count: PEOPLE.length, planes: planeBit("sent"), ms: 3 };
  const row = { dispatchId, channel: "loopback", shard: 0, entries: packRuns([run]) };
  await appendRows(pool, [row]);
  return dispatchId;
}

const figures = async (engine: TestEngine, dispatchId: string) =>
  (await engine.ledger.summarize(dispatchId))?.channels["loopback"];

test("receipts whose answer was lost with the ledger are known when they come again", async () => {
  await using engine = await startEngine();
  const dispatchId = await plantSent(engine);
  const task = { delivered: range(10, 300) };
  expect(await runLedger(engine, { dispatchId, task, failPoints: "committed" })).toBe("SIGKILL");
  const again = await runLedger(engine, { dispatchId, task, failPoints: "" });
  expect(again).toEqual({ accepted: 0, known: 300 });
  expect(await figures(engine, dispatchId)).toMatchObject({
    planned: 1000,
    state: { sent: 700, delivered: 300 },
    reached: { sent: 1000, delivered: 300 },
  });
});

test("a fold that was cut off leaves folds and journal as they were, and the next one does it", async () => {
  await using engine = await startEngine();
  const { pool } = engine.database;
  const dispatchId = await plantSent(engine);
  await runLedger(engine, { dispatchId, task: { delivered: range(0, 9) }, failPoints: "" });
  const before = await figures(engine, dispatchId);
  const killed = await runLedger(engine, { dispatchId, task: "seal", failPoints: "mid-fold" });
  expect(killed).toBe("SIGKILL");
  const rowsOf = async (table: "journal" | "fold") =>
    (await pool.query(`SELECT FROM ${table} WHERE dispatch_id = $1`, [dispatchId])).rowCount;
  expect([await rowsOf("journal"), await rowsOf("fold")]).toEqual([2, 0]);
  await runLedger(engine, { dispatchId, task: "seal", failPoints: "" });
  expect([await rowsOf("journal"), await rowsOf("fold")]).toEqual([0, 1]);
  expect(await figures(engine, dispatchId)).toEqual(before);
});
