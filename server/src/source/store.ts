// The only writer of the tables of sources and their messages. A message is written before anything
// follows from it, under the id that its draft will have, so that whoever repeats it after a crash
// makes no twin.
import type { CapMessage } from "@loa/cap/message.ts";
import { parseInstant } from "@loa/model/local-time.ts";
import type pg from "pg";
import type { Pool } from "../db/connection.ts";
import { inTransaction } from "../db/transaction.ts";
import type { FeedEntry } from "./feed.ts";
import type { SourceSettings, SourceWish } from "./source.ts";

export async function insertSource(
  pool: Pool,
  source: SourceWish & {
    readonly id: string;
    readonly agencyId: string;
    readonly memberId: string;
  },
): Promise<void> {
  await pool.query(
    `INSERT INTO cap_source (id, name, agency_id, account_id, member_id, url, settings)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
    [
      source.id,
      source.name,
      source.agencyId,
      source.accountId,
      source.memberId,
      source.url,
      JSON.stringify(source.settings),
    ],
  );
}

/** What was refused is looked at again, so the feed is asked for as a whole. */
export async function updateSource(
  pool: Pool,
  id: string,
  to: {
    readonly url: string | null;
    readonly settings: SourceSettings;
    readonly suspended: boolean;
  },
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await tx.query(
      `UPDATE cap_source SET url = $2, settings = $3, changed_at = now(), etag = NULL,
              last_modified = NULL, next_poll_at = now(), fault = NULL, faults = 0,
              suspended_at = CASE WHEN $4 THEN coalesce(suspended_at, now()) END
       WHERE id = $1`,
      [id, to.url, JSON.stringify(to.settings), to.suspended],
    );
    await tx.query("DELETE FROM cap_source_entry WHERE source_id = $1", [id]);
  });
}

/** What a poll came to, and when the next one is. */
export interface PollEnd {
  readonly waitSeconds: number;
  readonly fault: string | null;
  /** Undefined: as before. */
  readonly validators?: { readonly etag: string | null; readonly lastModified: string | null };
}

export async function updatePolled(pool: Pool, id: string, end: PollEnd): Promise<void> {
  await pool.query(
    `UPDATE cap_source SET polled_at = now(), next_poll_at = now() + make_interval(secs => $2),
            fault = $3, faults = CASE WHEN $3::text IS NULL THEN 0 ELSE faults + 1 END,
            etag = CASE WHEN $4 THEN $5 ELSE etag END,
            last_modified = CASE WHEN $4 THEN $6 ELSE last_modified END
     WHERE id = $1`,
    [
      id,
      end.waitSeconds,
      end.fault,
      end.validators !== undefined,
      end.validators?.etag ?? null,
      end.validators?.lastModified ?? null,
    ],
  );
}

export async function insertEntry(pool: Pool, sourceId: string, entry: FeedEntry): Promise<void> {
  await pool.query(
    `INSERT INTO cap_source_entry (source_id, link, stamp) VALUES ($1, $2, $3)
     ON CONFLICT (source_id, link) DO UPDATE SET stamp = excluded.stamp`,
    [sourceId, entry.link, entry.stamp],
  );
}

/** Entries that a feed no longer lists need no memory; their messages stay as they are. */
export async function deleteEntriesBut(
  pool: Pool,
  sourceId: string,
  links: readonly string[],
): Promise<void> {
  await pool.query("DELETE FROM cap_source_entry WHERE source_id = $1 AND link <> ALL($2)", [
    sourceId,
    links,
  ]);
}

export interface NewMessage {
  readonly id: string;
  readonly sourceId: string;
  readonly message: CapMessage | undefined;
  readonly sha256: Uint8Array;
  readonly contentSha256: Uint8Array;
  readonly via: "poll" | "push" | "hand";
  readonly verified: boolean;
  readonly state: MessageState;
  readonly reason: string | null;
  readonly body: Uint8Array;
}

export const MESSAGE_STATES = [
  "received",
  "drafted",
  "issued",
  "kept",
  "refused",
  "alarm",
] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

/** False when the same bytes, or the identifier, are there already. */
export async function insertMessage(pool: Pool, row: NewMessage): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const { message } = row;
    const { rowCount } = await tx.query(
      `INSERT INTO cap_message (id, source_id, sender, identifier, sent, msg_type, sha256,
                                content_sha256, via, verified, state, reason, body)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
      [
        row.id,
        row.sourceId,
        message?.sender ?? "",
        message?.identifier ?? "",
        parseInstant(message?.sent ?? "") ?? null,
        message?.msgType ?? "",
        row.sha256,
        row.contentSha256,
        row.via,
        row.verified,
        row.state,
        row.reason,
        row.body,
      ],
    );
    if (rowCount === 1 && message !== undefined) await insertReferences(tx, row.id, message);
    return rowCount === 1;
  });
}

async function insertReferences(
  tx: pg.PoolClient,
  id: string,
  { references }: CapMessage,
): Promise<void> {
  await tx.query(
    `INSERT INTO cap_reference (message_id, sender, identifier, sent)
     SELECT $1, * FROM unnest($2::text[], $3::text[], $4::timestamptz[]) ON CONFLICT DO NOTHING`,
    [
      id,
      references.map(({ sender }) => sender),
      references.map(({ identifier }) => identifier),
      references.map(({ sent }) => parseInstant(sent) ?? null),
    ],
  );
}

/** What became of a message. */
export interface MessageEnd {
  readonly state: MessageState;
  readonly orphan?: boolean;
  readonly reason?: string | null;
  readonly remarks?: readonly string[];
  readonly bulletinIds?: readonly string[];
}

export async function updateMessage(pool: Pool, id: string, end: MessageEnd): Promise<void> {
  await pool.query(
    `UPDATE cap_message SET state = $2, orphan = $3, reason = $4, remarks = $5, bulletin_ids = $6
     WHERE id = $1`,
    [
      id,
      end.state,
      end.orphan ?? false,
      end.reason ?? null,
      JSON.stringify(end.remarks ?? []),
      end.bulletinIds ?? [],
    ],
  );
}

/** Forgets that a message was refused: it is looked at anew. */
export async function deleteRefused(pool: Pool, id: string): Promise<void> {
  await pool.query("DELETE FROM cap_message WHERE id = $1 AND state = 'refused'", [id]);
}
