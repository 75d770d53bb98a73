// pg-boss as a peer, over its own fetch and complete: no polling interval stands between two
// batches, so it is as fast as its statements.
import { PgBoss } from "pg-boss";
import { ENQUEUE_AT_ONCE, servePeer, tell } from "./protocol.ts";

const QUEUE = "send";
/** Larger batches make it no faster. */
const BATCH = 2_000;

let boss: PgBoss | undefined;

servePeer(async (question) => {
  switch (question.kind) {
    case "open":
      if ("socket" in question.address) throw new Error("pg-boss wants a PostgreSQL");
      boss = new PgBoss({ ...question.address, max: 4 });
      boss.on("error", (fault) => process.stderr.write(`${String(fault)}\n`));
      await boss.start();
      await boss.createQueue(QUEUE);
      return;
    case "enqueue":
      for (let at = 0; at < question.jobs; at += ENQUEUE_AT_ONCE) {
        const count = Math.min(ENQUEUE_AT_ONCE, question.jobs - at);
        const jobs = Array.from({ length: count }, (_, i) => ({ data: { ordinal: at + i } }));
        await opened().insert(QUEUE, jobs);
      }
      return;
    case "work":
      await work();
  }
});

async function work(): Promise<void> {
  for (let count = 0; ;) {
    const jobs = await opened().fetch(QUEUE, { batchSize: BATCH });
    if (jobs.length === 0) return;
    await opened().complete(
      QUEUE,
      jobs.map(({ id }) => id),
    );
    count += jobs.length;
    tell({ kind: "done", count });
  }
}

function opened(): PgBoss {
  if (boss === undefined) throw new Error("the peer is not open");
  return boss;
}
