// Taking a backup of the running installation. This is the stage's front door and the only writer
// of its tables. A backup counts once whoever took it says that what arrived adds up.
import type { BackupNote } from "@loa/api/backup-format.ts";
import { Problem } from "@loa/model/problem.ts";
import type { ConnectionOptions, Pool } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import type { Logger } from "../observe/log.ts";
import { type ArchiveSum, writeArchive } from "./archive.ts";
import { BackupRefused, type BaseBackupPart, runBaseBackup } from "./base-backup.ts";

export interface BackupDeps {
  readonly pool: Pool;
  /** How to open a connection of the replication protocol. */
  readonly connection: ConnectionOptions;
  readonly dataFolder: string;
  readonly version: string;
  readonly log: Logger;
}

export interface BackupRecord {
  readonly id: string;
  readonly startedAt: Date;
  readonly confirmedAt: Date | null;
  readonly bytes: number | null;
}

export interface BackupDesk {
  /**
   * Begins a backup: its id, and the bytes of its archive. Whoever ends the reading ends it.
   * @throws {Problem} busy while another one is taken, backup-refused when PostgreSQL admits none.
   */
  take(signal: AbortSignal): Promise<{ id: string; archive: AsyncGenerator<Buffer> }>;
  /** @throws {Problem} backup-unknown when no backup of this id was sent with this sum. */
  confirm(id: string, sum: { sha256: string; bytes: number }): Promise<BackupRecord>;
}

export function openBackupDesk(deps: BackupDeps): BackupDesk {
  const { pool, log } = deps;
  let isTaking = false;

  async function* read(
    note: BackupNote,
    base: AsyncGenerator<BaseBackupPart>,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    // Stored before the last bytes leave, so that whoever has them can confirm at once.
    const keepSum = async ({ sha256, bytes }: ArchiveSum) => {
      await pool.query("UPDATE backup SET sha256 = $2, bytes = $3 WHERE id = $1", [
        note.id,
        sha256,
        bytes,
      ]);
    };
    try {
      for await (const bytes of writeArchive(note, deps.dataFolder, base, keepSum)) {
        signal.throwIfAborted();
        yield bytes;
      }
    } catch (error) {
      log.error({ err: error, backup: note.id }, "a backup broke off");
      throw error;
    } finally {
      isTaking = false;
      await base.return(undefined);
    }
  }

  return {
    async take(signal) {
      if (isTaking) throw new Problem("busy", "Another backup is being taken.");
      isTaking = true;
      try {
        const note = await beginBackup(deps);
        const base = runBaseBackup(deps.connection);
        // Waited for here, so that PostgreSQL's refusal is a problem and not a torn answer.
        const first = await base.next();
        return { id: note.id, archive: read(note, resume(first, base), signal) };
      } catch (fault) {
        isTaking = false;
        if (!(fault instanceof BackupRefused)) throw fault;
        throw new Problem("backup-refused", fault.message);
      }
    },
    async confirm(id, { sha256, bytes }) {
      const { rows } = await pool.query<BackupRecord>(
        `UPDATE backup SET confirmed_at = COALESCE(confirmed_at, now())
          WHERE id = $1 AND sha256 = $2 AND bytes = $3
          RETURNING id, started_at AS "startedAt", confirmed_at AS "confirmedAt", bytes`,
        [id, sha256, bytes],
      );
      if (!rows[0])
        throw new Problem("backup-unknown", `No backup ${id} was sent that adds up to this.`);
      return rows[0];
    },
  };
}

async function beginBackup({ pool, version }: BackupDeps): Promise<BackupNote> {
  const { rows } = await pool.query<{ id: string; startedAt: Date; postgresql: number }>(
    `INSERT INTO backup (id) VALUES ($1)
     RETURNING id, started_at AS "startedAt",
               current_setting('server_version_num')::int AS postgresql`,
    [newId()],
  );
  const { id, startedAt, postgresql } = rows[0] as (typeof rows)[number];
  return { format: 1, id, startedAt: startedAt.toISOString(), loa: version, postgresql };
}

/** Goes on after a first step that was taken to see whether there is one. */
async function* resume<T>(first: IteratorResult<T>, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    if (!first.done) yield first.value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
