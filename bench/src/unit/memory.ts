// Memory of everything with all people indexed and twenty dispatches to all of them in use: their
// figures were asked for, so that the ledger holds them.
import { clearDispatches } from "../dispatch-tables.ts";
import { openDesk } from "../desk.ts";
import { openPeopleSet } from "../people-set.ts";
import { check, figure, type Unit } from "../unit.ts";
import { waitUntil } from "../wait.ts";

const DISPATCHES = 20;
const DISPATCHES_SMALL = 2;
const SENT_MS_MAX = 600_000;
const GIB = 2 ** 30;

export const memory: Unit = {
  name: "memory",
  title: "Memory with everybody indexed and twenty dispatches in use",
  async run(context) {
    const open = await openPeopleSet(context);
    const { installation } = open;
    try {
      const { pool } = installation.connection;
      await clearDispatches(pool);
      const desk = openDesk(open);
      const idle = installation.costs();
      const count = context.isSmall ? DISPATCHES_SMALL : DISPATCHES;
      const ids: string[] = [];
      for (let i = 0; i < count; i++) {
        const bulletin = await desk.prepare({ channels: ["null"], kind: "notice" });
        ids.push((await desk.issue(bulletin)).dispatchId);
      }
      await waitUntil(SENT_MS_MAX, async () => {
        const { rowCount } = await pool.query("SELECT FROM shard WHERE state <> 'closed' LIMIT 1");
        return rowCount === 0;
      });
      let isRight = true;
      for (const id of ids) {
        const { channels } = await desk.summary(id);
        isRight &&= channels.null?.state.sent === context.subscribers;
      }
      const used = installation.costs();
      if (idle === undefined || used === undefined)
        return { figures: [], checks: [check("memory: the ledger answers for all", isRight)] };
      const target = context.isSmall ? {} : { target: { atMost: 3 } };
      const gib = (bytes: number) => [bytes / GIB];
      const note = "shared pages are divided among those who share them";
      return {
        figures: [
          figure("all server processes", "GiB", gib(used.server.bytes), "as it is", {
            ...target,
            note,
          }),
          figure("PostgreSQL beside them", "GiB", gib(used.postgres.bytes), "as it is", { note }),
          figure("all server processes, no dispatch", "GiB", gib(idle.server.bytes), "as it is"),
        ],
        checks: [check("memory: the ledger answers for all", isRight)],
      };
    } finally {
      await installation.stop();
    }
  },
};
