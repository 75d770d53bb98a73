// Fail closed on area, on the sending side: what is about to be handed over is read back, and the places
// that it names are compared with those that were approved and planned. The message was compared when it
// was made (bulletin/message-area.ts); this is for everything that could happen to it since. Workers, the
// stream and whoever reads a report ask the same question of the same bytes.
import type pg from "pg";

/** Units that a fault names; the rest is counted. */
const NAMED_MAX = 10;

/**
 * What is wrong with the places that a message of a dispatch names; undefined when they are the
 * approved ones. PostgreSQL compares: of thousands of communes only those that differ travel.
 */
export async function findAreaFault(
  pool: pg.Pool,
  message: Uint8Array,
  dispatchId: string,
): Promise<string | undefined> {
  const codes = readAreas(message);
  if (codes === undefined) return "the message names no places that can be read";
  const { rows } = await pool.query<{ id: number; code: string | null; isAdded: boolean }>({
    name: "message-communes",
    // The same code means the same place only within one pack.
    text: `WITH RECURSIVE approved AS (
             SELECT unnest(COALESCE(message_commune_ids, commune_ids)) AS id FROM dispatch
             WHERE id = $2),
           named AS (
             SELECT id, level, code FROM area
             WHERE code = ANY($1::text[])
               AND pack_id IN (SELECT pack_id FROM area JOIN approved USING (id))
             UNION
             SELECT a.id, a.level, a.code FROM area a JOIN named n ON a.parent_id = n.id)
           SELECT id, code, approved.id IS NULL AS "isAdded"
           FROM (SELECT id, code FROM named WHERE level = 'commune') AS told
             FULL JOIN approved USING (id)
           WHERE approved.id IS NULL OR told.id IS NULL
           UNION ALL
           SELECT NULL, NULL, false WHERE NOT EXISTS (SELECT FROM approved)`,
    values: [codes, dispatchId],
  });
  if (rows.length === 0) return undefined;
  const missing = rows.filter(({ isAdded }) => !isAdded).map(({ id }) => id);
  const added = rows.filter(({ isAdded }) => isAdded).map(({ code }) => code);
  const list = (each: readonly unknown[]) =>
    `${each.slice(0, NAMED_MAX).join(", ")}${each.length > NAMED_MAX ? `, … (${each.length})` : ""}`;
  return `the message is not for the approved area: missing [${list(missing)}], added [${list(added)}]`;
}

/** The same for the message that is in the database. */
export async function readAreaFault(
  pool: pg.Pool,
  dispatchId: string,
): Promise<string | undefined> {
  const { rows } = await pool.query<{ message: Buffer }>(
    "SELECT message FROM dispatch WHERE id = $1",
    [dispatchId],
  );
  return rows[0] && findAreaFault(pool, rows[0].message, dispatchId);
}

function readAreas(message: Uint8Array): string[] | undefined {
  try {
    const { areas } = JSON.parse(Buffer.from(message).toString()) as { areas?: unknown };
    return Array.isArray(areas) ? areas.map(String) : undefined;
  } catch {
    return undefined;
  }
}
