// Messages that arrived, as they are kept: each once, with what became of it.
import type { CapMessage } from "@loa/cap/message.ts";
import type { Pool } from "../db/connection.ts";
import type { MessageState } from "./store.ts";

export interface ReceivedMessage {
  readonly id: string;
  readonly sourceId: string;
  readonly sender: string;
  readonly identifier: string;
  readonly sent: Date | null;
  readonly msgType: string;
  readonly sha256: Buffer;
  readonly contentSha256: Buffer;
  readonly receivedAt: Date;
  readonly via: "poll" | "push" | "hand";
  readonly verified: boolean;
  readonly state: MessageState;
  readonly orphan: boolean;
  readonly reason: string | null;
  readonly remarks: readonly string[];
  readonly bulletinIds: readonly string[];
}

const COLUMNS = `id, source_id AS "sourceId", sender, identifier, sent, msg_type AS "msgType", sha256,
  content_sha256 AS "contentSha256", received_at AS "receivedAt", via, verified, state, orphan,
  reason, remarks, bulletin_ids AS "bulletinIds"`;

export async function selectMessage(
  pool: Pool,
  sourceId: string,
  sha256: Uint8Array,
): Promise<ReceivedMessage | undefined> {
  const { rows } = await pool.query<ReceivedMessage>(
    `SELECT ${COLUMNS} FROM cap_message WHERE source_id = $1 AND sha256 = $2`,
    [sourceId, sha256],
  );
  return rows[0];
}

export async function selectTwin(
  pool: Pool,
  sourceId: string,
  { sender, identifier }: CapMessage,
): Promise<ReceivedMessage | undefined> {
  const { rows } = await pool.query<ReceivedMessage>(
    `SELECT ${COLUMNS} FROM cap_message WHERE source_id = $1 AND sender = $2 AND identifier = $3
       AND state NOT IN ('refused', 'alarm')`,
    [sourceId, sender, identifier],
  );
  return rows[0];
}

/** Newest first, of one source. */
export async function listMessages(
  pool: Pool,
  sourceId: string,
  limit: number,
  after?: string,
): Promise<ReceivedMessage[]> {
  const { rows } = await pool.query<ReceivedMessage>(
    `SELECT ${COLUMNS} FROM cap_message WHERE source_id = $1 AND ($2::uuid IS NULL OR
       (received_at, id) < (SELECT l.received_at, l.id FROM cap_message l WHERE l.id = $2))
     ORDER BY received_at DESC, id DESC LIMIT $3`,
    [sourceId, after ?? null, limit],
  );
  return rows;
}

/** Messages whose reception a crash cut short; who brought one by hand is there to bring it again. */
export async function listUnfinished(
  pool: Pool,
  limit: number,
): Promise<
  { readonly sourceId: string; readonly body: Buffer; readonly via: ReceivedMessage["via"] }[]
> {
  const { rows } = await pool.query<{
    sourceId: string;
    body: Buffer;
    via: ReceivedMessage["via"];
  }>(
    `SELECT m.source_id AS "sourceId", m.body, m.via
     FROM cap_message m JOIN cap_source s ON s.id = m.source_id
     WHERE m.state = 'received' AND m.via <> 'hand' AND s.suspended_at IS NULL ORDER BY m.received_at LIMIT $1`,
    [limit],
  );
  return rows;
}
