// BullMQ as a peer, over a Redis that syncs each write before it answers, which is what a queue that
// forgets nobody needs. Jobs that are done are removed, as its documentation advises for speed.
import { type ConnectionOptions, Queue, Worker } from "bullmq";
import { ENQUEUE_AT_ONCE, servePeer, TELL_EVERY_MS, tell } from "./protocol.ts";

const QUEUE = "send";
/** More at once makes it no faster: Redis works on one core. */
const CONCURRENCY = 200;

let connection: ConnectionOptions | undefined;
let enqueued = 0;

servePeer(async (question) => {
  switch (question.kind) {
    case "open":
      if (!("socket" in question.address)) throw new Error("BullMQ wants a Redis");
      connection = { path: question.address.socket, maxRetriesPerRequest: null };
      return;
    case "enqueue":
      await enqueue(question.jobs);
      return;
    case "work":
      work();
      // Whoever enqueued knows when nothing is left.
      if (enqueued > 0) await tellUntilDone();
  }
});

async function enqueue(jobs: number): Promise<void> {
  const queue = new Queue(QUEUE, { connection: opened() });
  for (let at = 0; at < jobs; at += ENQUEUE_AT_ONCE) {
    const count = Math.min(ENQUEUE_AT_ONCE, jobs - at);
    const some = Array.from({ length: count }, (_, i) => ({
      name: QUEUE,
      data: { ordinal: at + i },
      opts: { removeOnComplete: true },
    }));
    await queue.addBulk(some);
  }
  await queue.close();
  enqueued = jobs;
}

function work(): void {
  const worker = new Worker(QUEUE, async () => {}, {
    connection: opened(),
    concurrency: CONCURRENCY,
  });
  worker.on("error", (fault) => process.stderr.write(`${String(fault)}\n`));
}

async function tellUntilDone(): Promise<void> {
  const queue = new Queue(QUEUE, { connection: opened() });
  for (let left = enqueued; left > 0;) {
    left = await queue.getJobCountByTypes("waiting", "active");
    tell({ kind: "done", count: enqueued - left });
    await new Promise((next) => setTimeout(next, TELL_EVERY_MS));
  }
}

function opened(): ConnectionOptions {
  if (connection === undefined) throw new Error("the peer is not open");
  return connection;
}
