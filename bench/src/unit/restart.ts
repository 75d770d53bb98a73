// What a kill costs: the front is killed with SIGKILL and the index must be ready again; then every
// process is killed at once, and the next warning must be going out.
import { estimateAudience } from "@loa/api/audience.ts";
import { createClient } from "@loa/api/client.ts";
import { clearDispatches } from "../dispatch-tables.ts";
import { type Desk, openDesk } from "../desk.ts";
import { type OpenSet, openPeopleSet } from "../people-set.ts";
import { check, figure, type Unit } from "../unit.ts";
import { waitUntil } from "../wait.ts";

const BACK_MS_MAX = 300_000;
const ASK_TIMEOUT_MS = 30_000;

export const restart: Unit = {
  name: "restart",
  title:
    "A kill of the front, and of everything: how long until the index is ready and sending goes on",
  async run(context) {
    const open = await openPeopleSet(context);
    try {
      const desk = openDesk(open);
      await clearDispatches(open.installation.connection.pool);
      const ready: number[] = [];
      const sending: number[] = [];
      let isWhole = true;
      for (let run = 0; run < context.runs; run++) {
        const { ms, people } = await killFront(open);
        ready.push(ms / 1000);
        isWhole &&= people === context.subscribers;
        sending.push((await killAll(open, desk)) / 1000);
      }
      const target = context.isSmall ? {} : { target: { atMost: 10 } };
      return {
        figures: [
          figure("index ready after a kill", "s", ready, "as it is", target),
          figure("next send after a kill of all processes", "s", sending, "null channel", target),
          figure("start of all processes", "s", [open.installation.readyMs / 1000], "as it is"),
        ],
        checks: [check("restart: the index holds everybody again", isWhole)],
      };
    } finally {
      await open.installation.stop();
    }
  },
};

/** Kills the front and asks for everybody until somebody answers. */
async function killFront({ installation, set }: OpenSet): Promise<{ ms: number; people: number }> {
  const client = createClient({ origin: installation.api, key: set.authorKey });
  const [front] = installation.rolePids("front");
  if (front === undefined) throw new Error("there is no front");
  const killedMs = performance.now();
  process.kill(front, "SIGKILL");
  let people = 0;
  await waitUntil(BACK_MS_MAX, async () => {
    const body = { target: { areas: [...set.areas], rule: { kind: "named" } as const } };
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS);
    const answer = await client.ask(estimateAudience, { body, signal }).catch(() => undefined);
    people = answer?.residents ?? 0;
    return answer !== undefined;
  });
  return { ms: performance.now() - killedMs, people };
}

/** Kills all roles; answers the time until the first outcome of a warning issued after is durable. */
async function killAll({ installation }: OpenSet, desk: Desk): Promise<number> {
  const { pool } = installation.connection;
  const bulletinId = await desk.prepare({ channels: ["null"] });
  const killedMs = performance.now();
  for (const pid of installation.rolePids()) process.kill(pid, "SIGKILL");
  let dispatchId: string | undefined;
  await waitUntil(BACK_MS_MAX, async () => {
    dispatchId ??= (await desk.issue(bulletinId).catch(() => undefined))?.dispatchId;
    if (dispatchId === undefined) return false;
    const { rowCount } = await pool.query(
      "SELECT FROM shard WHERE dispatch_id = $1 AND cursor > 0 LIMIT 1",
      [dispatchId],
    );
    return (rowCount ?? 0) > 0;
  });
  return performance.now() - killedMs;
}
