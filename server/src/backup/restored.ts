// The first start on a restored data folder. The backup's note lies in it, which says that the
// database is older than the world; what follows from that is done once, before anybody works.
//
// Rule: the database remembers that it was done (table restoration) in the same transaction, so a
// start that is killed here does all of it again, or nothing.
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { BACKUP_NOTE, type BackupNote, backupNoteSchema } from "@loa/api/backup-format.ts";
import type { Pool } from "../db/connection.ts";
import { inTransaction } from "../db/transaction.ts";
import { doubtHandOvers, type Doubted } from "../dispatch/restored.ts";
import { skipOrdinals } from "../registry/ordinal.ts";

/** What the note is called once it was acted upon. */
export const RESTORED_NOTE = "restored-from.json";

/**
 * Takes care of what a restored database cannot know. Does nothing where there is no note.
 * @throws when the note is none of ours: a guess could tell people twice.
 */
export async function acceptRestored(
  pool: Pool,
  dataFolder: string,
  say: (line: string) => void,
): Promise<void> {
  const path = join(dataFolder, BACKUP_NOTE);
  if (!existsSync(path)) return;
  const note = backupNoteSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  const doubted = await inTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      "INSERT INTO restoration (backup_id) VALUES ($1) ON CONFLICT DO NOTHING",
      [note.id],
    );
    if (rowCount === 0) return undefined;
    await skipOrdinals(tx);
    await keepBackup(tx, note);
    return doubtHandOvers(tx);
  });
  renameSync(path, join(dataFolder, RESTORED_NOTE));
  if (doubted) sayWhat(note, doubted, say);
}

/** The backup is in the database that it was taken of only as begun; that it was whole is known now. */
async function keepBackup(
  tx: { query(text: string, values: unknown[]): Promise<unknown> },
  note: BackupNote,
): Promise<void> {
  await tx.query("UPDATE backup SET confirmed_at = started_at, bytes = 0 WHERE id = $1", [note.id]);
}

function sayWhat(note: BackupNote, { shards, orders }: Doubted, say: (line: string) => void): void {
  say(
    `Restored from the backup of ${note.startedAt} / Đã khôi phục từ bản sao lưu lúc ${note.startedAt}.`,
  );
  if (shards + orders > 0)
    say(
      `${shards} shards and ${orders} area orders were open then: on channels where a copy harms ` +
        "nobody they go out again, on the others their people are unsure.",
    );
}
