// Fail closed on area, on the sending side: what is about to be handed over is read back, and the places
// that it names are compared with those that were approved and planned. The message was compared when it
// was made (bulletin/message-area.ts); this is for everything that could happen to it since. Workers, the
// stream and whoever reads a report ask the same question of the same bytes.
import type pg from "pg";

/** Units that a fault names; the rest is counted. */
const NAMED_MAX = 10;

/** What is wrong with the places that a message names; undefined when they are the approved ones. */
export async function findAreaFault(
  pool: pg.Pool,
  message: Uint8Array,
  communeIds: readonly number[],
): Promise<string | undefined> {
  const codes = readAreas(message);
  if (codes === undefined) return "the message names no places that can be read";
  const { rows } = await pool.query<{ id: number; code: string }>({
    name: "message-communes",
    // The same code means the same place only within one pack.
    text: `WITH RECURSIVE named AS (
             SELECT id, level, code FROM area
             WHERE code = ANY($1::text[])
               AND pack_id IN (SELECT pack_id FROM area WHERE id = ANY($2::int[]))
             UNION
             SELECT a.id, a.level, a.code FROM area a JOIN named n ON a.parent_id = n.id)
           SELECT id, code FROM named WHERE level = 'commune'`,
    values: [codes, communeIds],
  });
  const named = new Set(rows.map(({ id }) => id));
  const approved = new Set(communeIds);
  const missing = [...approved.difference(named)];
  const added = rows.filter(({ id }) => !approved.has(id)).map(({ code }) => code);
  if (missing.length + added.length === 0 && approved.size > 0) return undefined;
  const list = (each: readonly (string | number)[]) =>
    `${each.slice(0, NAMED_MAX).join(", ")}${each.length > NAMED_MAX ? `, … (${each.length})` : ""}`;
  return `the message is not for the approved area: missing [${list(missing)}], added [${list(added)}]`;
}

/** The same for a dispatch that is in the database. */
export async function readAreaFault(
  pool: pg.Pool,
  dispatchId: string,
): Promise<string | undefined> {
  const { rows } = await pool.query<{ message: Buffer; communeIds: number[] }>(
    `SELECT message, COALESCE(message_commune_ids, commune_ids) AS "communeIds"
     FROM dispatch WHERE id = $1`,
    [dispatchId],
  );
  const [row] = rows;
  return row && findAreaFault(pool, row.message, row.communeIds);
}

function readAreas(message: Uint8Array): string[] | undefined {
  try {
    const { areas } = JSON.parse(Buffer.from(message).toString()) as { areas?: unknown };
    return Array.isArray(areas) ? areas.map(String) : undefined;
  } catch {
    return undefined;
  }
}
