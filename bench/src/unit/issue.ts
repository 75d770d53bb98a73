// From the request to issue a warning to everybody until its plan is durable: frozen audience, shards
// and dispatch are committed, so that no crash can lose one of them. The answer follows while the
// workers already send.
import { watchCommits } from "../commits.ts";
import { clearDispatches } from "../dispatch-tables.ts";
import { openDesk } from "../desk.ts";
import { openPeopleSet } from "../people-set.ts";
import { quantile } from "../statistics.ts";
import { check, figure, type Unit } from "../unit.ts";
import { waitUntil } from "../wait.ts";

const ISSUES = 50;
const ISSUES_SMALL = 3;
const SENT_MS_MAX = 600_000;

export const issue: Unit = {
  name: "issue",
  title: "A warning to everybody, from the request to issue to the durable plan",
  async run(context) {
    const open = await openPeopleSet(context);
    try {
      const { pool } = open.installation.connection;
      await using commits = await watchCommits(open.installation);
      const desk = openDesk(open);
      const durable: number[] = [];
      const answered: number[] = [];
      let planned = 0;
      const count = context.isSmall ? ISSUES_SMALL : ISSUES;
      // The first one warms up; code that ran never is not what a duty officer meets.
      for (let i = 0; i <= count; i++) {
        await clearDispatches(pool);
        const bulletin = await desk.prepare({ channels: ["null"] });
        const { dispatchId, askedMs, acceptedMs } = await desk.issue(bulletin);
        if (i > 0) {
          durable.push((await commits.of(bulletin)) - askedMs);
          answered.push(acceptedMs);
        }
        const { rows } = await pool.query<{ planned: number }>(
          "SELECT sum(planned)::int AS planned FROM shard WHERE dispatch_id = $1",
          [dispatchId],
        );
        planned += rows[0]?.planned ?? 0;
        // Each is measured alone: the last one's sending and its pages are other work.
        await waitUntil(SENT_MS_MAX, async () => {
          const { rowCount } = await pool.query(
            `SELECT FROM dispatch d WHERE EXISTS (
               SELECT FROM shard s WHERE s.dispatch_id = d.id AND s.state <> 'closed')
               OR NOT EXISTS (SELECT FROM publication p WHERE p.bulletin_id = d.bulletin_id)
             LIMIT 1`,
          );
          return rowCount === 0;
        });
      }
      const nature = "as it is";
      const target = context.isSmall ? {} : { target: { atMost: 100 } };
      const note = `${count} issues, one after the other, each after the last was sent and published`;
      const p99 = (name: string, times: number[], options = {}) => ({
        ...figure(`${name}, p99`, "ms", times, nature, options),
        value: quantile(times, 0.99),
      });
      return {
        figures: [
          figure("request to issue to durable plan, median", "ms", durable, nature, { note }),
          p99("request to issue to durable plan", durable, target),
          figure("request to issue to its answer, median", "ms", answered, nature, {
            note: "the workers send meanwhile",
          }),
          p99("request to issue to its answer", answered),
        ],
        checks: [
          check(
            "issue: every plan holds every subscriber",
            planned === (count + 1) * context.subscribers,
          ),
        ],
      };
    } finally {
      await open.installation.stop();
    }
  },
};
