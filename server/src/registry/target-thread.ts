// Owns the thread that compares shapes with communes: feeds it from the database, asks it one
// question at a time, and ends it when an answer takes too long. A shape that is too much
// for it, or breaks it, fails its own request only; the next one finds a fresh thread.
import { Worker } from "node:worker_threads";
import { Problem } from "@loa/model/problem.ts";
import type { Db } from "../db/connection.ts";
import type { Cover } from "./cover.ts";
import type { FromTargetWorker, NamedShape, ToTargetWorker } from "./target-worker.ts";

/** A shape that takes longer than this is refused; a sane one takes a hundredth of it. */
export const TARGET_MS_MAX = 10_000;
/** Loading a country's shapes into a fresh thread takes about a second. */
const LOAD_MS_MAX = 60_000;
/** How many targets may wait for the thread: ten seconds each would keep the last for hours. */
export const TARGET_QUEUE_MAX = 64;
/** Communes read from the database at a time: some hundred kilobytes of text. */
const COMMUNES_PER_PAGE = 200;
/** Heap of the thread: the largest pack prepared, and a shape of the most points. */
const HEAP_MB_MAX = 1_024;

export interface TargetThread {
  /** @throws {Problem} geometry-invalid, busy */
  cover(shapes: readonly NamedShape[]): Promise<readonly Cover[]>;
  close(): Promise<void>;
}

/** Starts no thread before the first question. */
export function startTargetThread(
  db: Db,
  packIds: readonly number[],
  msMax: number = TARGET_MS_MAX,
): TargetThread {
  let running: Promise<Worker> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let requests = 0;
  let closed = false;

  const end = async () => {
    const ended = running;
    running = undefined;
    await (await ended?.catch(() => undefined))?.terminate();
  };
  const ask = async (shapes: readonly NamedShape[]): Promise<readonly Cover[]> => {
    if (closed) throw new Problem("unavailable", "The server is stopping.");
    running ??= openWorker(db, packIds);
    try {
      const request = ++requests;
      const worker = await running;
      const answer = await askWorker(worker, { kind: "cover", request, shapes }, msMax);
      if (answer === "late") {
        await end();
        throw refuseLate(shapes, msMax);
      }
      if ("covers" in answer) return answer.covers;
      throw new Problem("geometry-invalid", `The shape cannot be used: ${answer.fault.what}.`, [
        answer.fault,
      ]);
    } catch (fault) {
      if (!(fault instanceof Problem)) await end();
      throw fault;
    }
  };
  return {
    async cover(shapes) {
      if (waiting >= TARGET_QUEUE_MAX)
        throw new Problem("busy", `${waiting} targets are waiting to be resolved; try again soon.`);
      waiting += 1;
      const turn = last.then(() => ask(shapes)).finally(() => (waiting -= 1));
      last = turn.catch(() => {});
      return turn;
    },
    async close() {
      closed = true;
      await end();
    },
  };
}

function refuseLate(shapes: readonly NamedShape[], msMax: number): Problem {
  const what = `takes longer than ${msMax / 1000} s to compare with the communes; simplify it`;
  return new Problem(
    "geometry-too-many-points",
    `The shape ${what}.`,
    shapes.map(({ at }) => ({ at, what })),
  );
}

async function openWorker(db: Db, packIds: readonly number[]): Promise<Worker> {
  const worker = new Worker(new URL("./target-worker.ts", import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  });
  // A broken thread is noticed by the next question; without a listener Node would exit.
  worker.on("error", () => {});
  worker.unref();
  try {
    const deadline = performance.now() + LOAD_MS_MAX;
    for (let after = 0; packIds.length > 0;) {
      const rows = await readPage(db, packIds, after);
      tell(worker, { kind: "communes", rows });
      const end = rows.at(-1);
      if (!end || rows.length < COMMUNES_PER_PAGE) break;
      after = end.id;
      if (performance.now() > deadline) throw new Error("loading the communes took too long");
    }
    tell(worker, { kind: "ready" });
    return worker;
  } catch (fault) {
    await worker.terminate();
    throw fault;
  }
}

async function readPage(db: Db, packIds: readonly number[], after: number) {
  const rows = await db
    .selectFrom("area")
    .select((row) => ["id", row.cast<string>("geometry", "text").as("geometry")])
    .where("pack_id", "in", packIds)
    .where("level", "=", "commune")
    .where("geometry", "is not", null)
    .where("id", ">", after)
    .orderBy("id")
    .limit(COMMUNES_PER_PAGE)
    .execute();
  return rows;
}

async function askWorker(
  worker: Worker,
  question: Extract<ToTargetWorker, { kind: "cover" }>,
  msMax: number,
): Promise<FromTargetWorker | "late"> {
  const answer = Promise.withResolvers<FromTargetWorker | "late">();
  const onMessage = (message: FromTargetWorker) => {
    if (message.request === question.request) answer.resolve(message);
  };
  const onExit = () => answer.reject(new Error("the thread for shapes ended"));
  worker.on("message", onMessage).on("error", answer.reject).on("exit", onExit);
  const timer = setTimeout(() => answer.resolve("late"), msMax);
  try {
    tell(worker, question);
    return await answer.promise;
  } finally {
    clearTimeout(timer);
    worker.off("message", onMessage).off("error", answer.reject).off("exit", onExit);
  }
}

function tell(worker: Worker, message: ToTargetWorker): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(message);
}
