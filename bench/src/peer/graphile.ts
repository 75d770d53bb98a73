// graphile-worker as a peer. How many jobs are done is asked of its table: a job that is done is
// gone, and completions are batched, so that only the database knows when they are durable.
import { Logger, makeWorkerUtils, run, type WorkerUtils } from "graphile-worker";
import pg from "pg";
import { ENQUEUE_AT_ONCE, servePeer, TELL_EVERY_MS, tell } from "./protocol.ts";

const TASK = "send";
/** As in its documentation's settings for throughput. */
const CONCURRENCY = 24;
const LOCAL_QUEUE = 500;

const silent = new Logger(() => () => {});

let pool: pg.Pool | undefined;
let utils: WorkerUtils | undefined;
let enqueued = 0;

servePeer(async (question) => {
  switch (question.kind) {
    case "open":
      if ("socket" in question.address) throw new Error("graphile-worker wants a PostgreSQL");
      pool = new pg.Pool({ ...question.address, max: CONCURRENCY });
      pool.on("error", () => {});
      pool.on("connect", (client) => client.on("error", () => {}));
      utils = await makeWorkerUtils({ pgPool: pool });
      await utils.migrate();
      return;
    case "enqueue":
      for (let at = 0; at < question.jobs; at += ENQUEUE_AT_ONCE) {
        const count = Math.min(ENQUEUE_AT_ONCE, question.jobs - at);
        const jobs = Array.from({ length: count }, (_, i) => ({
          identifier: TASK,
          payload: { ordinal: at + i },
        }));
        await opened(utils).addJobs(jobs);
      }
      enqueued = question.jobs;
      return;
    case "work":
      await work(opened(pool));
  }
});

async function work(pgPool: pg.Pool): Promise<void> {
  await run({
    preset: {
      worker: {
        concurrentJobs: CONCURRENCY,
        localQueue: { size: LOCAL_QUEUE, refetchDelay: { durationMs: 10 } },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
    },
    pgPool,
    noHandleSignals: true,
    logger: silent,
    taskList: { [TASK]: async () => {} },
  });
  // Only who enqueued tells, for everybody.
  for (let left = enqueued; left > 0;) {
    const { rows } = await pgPool.query<{ left: number }>(
      "SELECT count(*)::int AS left FROM graphile_worker._private_jobs",
    );
    left = rows[0]?.left ?? 0;
    tell({ kind: "done", count: enqueued - left });
    await new Promise((next) => setTimeout(next, TELL_EVERY_MS));
  }
}

function opened<T>(what: T | undefined): T {
  if (what === undefined) throw new Error("the peer is not open");
  return what;
}
