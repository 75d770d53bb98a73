// What a message of a source follows: the messages that it refers to, and the bulletins that came of
// them. A reference counts with sender, identifier and time exactly as they were sent, and only to
// messages of the same sender. A late, old message never takes the place of a newer one.
import type { CapMessage } from "@loa/cap/message.ts";
import { parseInstant } from "@loa/model/local-time.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Actor } from "../account/actor.ts";
import { returnBulletin } from "../bulletin/bulletin.ts";
import type { BulletinDeps } from "../bulletin/bulletin-deps.ts";
import { type Bulletin, loadBulletin, selectSuccessor } from "../bulletin/bulletin-row.ts";
import { REFERABLE } from "../bulletin/update.ts";
import type { Pool } from "../db/connection.ts";

/** Updates of ours between a source's message and what is in force; protects from a circle. */
const SUCCESSORS_MAX = 100;

export interface Predecessors {
  /** What is in force of what the message refers to, or ran out. */
  readonly live: readonly Bulletin[];
  /** Drafts that were never issued. */
  readonly unissued: readonly Bulletin[];
  /** References to messages that never came. */
  readonly unknown: readonly string[];
}

export async function findPredecessors(
  pool: Pool,
  sourceId: string,
  { sender, references }: CapMessage,
): Promise<Predecessors> {
  const live = new Map<string, Bulletin>();
  const unissued = new Map<string, Bulletin>();
  const unknown: string[] = [];
  for (const reference of references) {
    const { rows } = await pool.query<{ bulletinIds: string[] }>(
      `SELECT bulletin_ids AS "bulletinIds" FROM cap_message
       WHERE source_id = $1 AND sender = $2 AND identifier = $3 AND sent = $4
         AND state NOT IN ('refused', 'alarm')`,
      [sourceId, sender, reference.identifier, parseInstant(reference.sent) ?? null],
    );
    const [known] = rows;
    if (known === undefined || reference.sender !== sender) unknown.push(reference.identifier);
    else
      for (const id of known.bulletinIds) {
        const bulletin = await followUpdates(pool, id);
        if (bulletin === undefined) continue;
        (bulletin.issuedAt === null ? unissued : live).set(bulletin.id, bulletin);
      }
  }
  return { live: [...live.values()], unissued: [...unissued.values()], unknown };
}

/** The bulletin that stands where this one stood; undefined once it was taken back. */
async function followUpdates(pool: Pool, id: string): Promise<Bulletin | undefined> {
  let bulletin = await loadBulletin(pool, id);
  for (let hops = 0; hops < SUCCESSORS_MAX; hops += 1) {
    if (bulletin.msgType === "Cancel" || bulletin.state === "cancelled") return undefined;
    if (bulletin.issuedAt === null || REFERABLE.includes(bulletin.state)) return bulletin;
    const next = await selectSuccessor(pool, bulletin.id);
    if (next === undefined) return undefined;
    bulletin = await loadBulletin(pool, next);
  }
  return undefined;
}

/** The identifier of a message that took this one's place before it came. */
export async function findLater(
  pool: Pool,
  { id, sourceId }: { readonly id: string; readonly sourceId: string },
  { sender, identifier, sent, references }: CapMessage,
): Promise<string | undefined> {
  const { rows } = await pool.query<{ identifier: string }>(
    `SELECT m.identifier FROM cap_message m JOIN cap_reference r ON r.message_id = m.id
     WHERE m.source_id = $1 AND m.sender = $2 AND m.id <> $3 AND r.sender = $2
       AND m.msg_type IN ('Update', 'Cancel') AND m.state NOT IN ('refused', 'alarm')
       AND ((r.identifier = $4 AND r.sent = $5) OR (m.sent > $5 AND r.identifier = ANY($6)))
     ORDER BY m.sent DESC LIMIT 1`,
    [
      sourceId,
      sender,
      id,
      identifier,
      parseInstant(sent) ?? null,
      references.map((each) => each.identifier),
    ],
  );
  return rows[0]?.identifier;
}

/** Gives drafts that must not go out any more back to their authors; answers what to say of them. */
export async function holdBack(
  deps: BulletinDeps,
  actor: Actor,
  drafts: readonly Bulletin[],
  identifier: string,
): Promise<string[]> {
  const remarks: string[] = [];
  for (const { id, state } of drafts) {
    remarks.push(`The draft ${id} is out of date and was never issued: do not issue it.`);
    if (state === "draft") continue;
    try {
      await returnBulletin(deps, actor, id, `Nguồn đã gửi bản tin mới: ${identifier}`);
    } catch (fault) {
      // Somebody was faster, and issued or returned it.
      if (!(fault instanceof Problem)) throw fault;
    }
  }
  return remarks;
}
