// What a backup of Loa looks like, for who writes it (the server) and who reads it (`loa`).
//
// It is a tar archive of a data folder: first BACKUP_NOTE, then the installation's keys and the
// password of its database, then `postgresql/`, PostgreSQL's own base backup with the write-ahead
// log that makes it whole, and last BACKUP_DIGEST, the SHA-256 of all that came before. Unpacked, it
// is a data folder; BACKUP_NOTE in it makes the first start take care of what the time since the
// backup has made unsure.
import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { type TarEntry, TarFault, type TarToken } from "./tar.ts";

export const BACKUP_MEDIA_TYPE = "application/x-tar";
/** First in the archive: what it is. */
export const BACKUP_NOTE = "loa-backup.json";
/** Last in the archive: what it adds up to. */
export const BACKUP_DIGEST = "loa-backup.sha256";
/** The folder of the database's cluster. */
export const BACKUP_CLUSTER = "postgresql";
/** Secrets of the installation beside the database. Whoever has them can sign and speak for it. */
export const BACKUP_SECRETS = ["postgresql.password", "demo-keys.json"] as const;
export const BACKUP_KEYS = "keys";
/** Longest note or digest. */
export const BACKUP_NOTE_BYTES_MAX = 16 * 1024;

/** What the note says. */
export const backupNoteSchema = z.strictObject({
  format: z.literal(1),
  id: z.uuid(),
  /** The database's time when the backup began; what was committed before is in it. */
  startedAt: z.iso.datetime({ offset: true }),
  loa: z.string(),
  /** PostgreSQL's server_version_num: the same major version must be started on it. */
  postgresql: z.int(),
});
export type BackupNote = z.infer<typeof backupNoteSchema>;

/** Whether an archive may hold such an entry. */
export const isBackupEntry = ({ name, kind }: TarEntry): boolean =>
  kind === "folder"
    ? name === BACKUP_KEYS || name === BACKUP_CLUSTER || name.startsWith(`${BACKUP_CLUSTER}/`)
    : name === BACKUP_NOTE ||
      name === BACKUP_DIGEST ||
      BACKUP_SECRETS.some((secret) => secret === name) ||
      name.startsWith(`${BACKUP_KEYS}/`) ||
      name.startsWith(`${BACKUP_CLUSTER}/`);

/** Adds up headers and bytes in their order; the padding between them says nothing. */
export class BackupDigest {
  readonly #hash = createHash("sha256");

  add(token: TarToken): void {
    this.#hash.update(token.kind === "entry" ? token.header : token.bytes);
  }

  hex(): string {
    return this.#hash.digest("hex");
  }
}

/** Makes sure that an archive is a backup, and whole, while its tokens pass. */
export class BackupCheck {
  readonly #digest = new BackupDigest();
  #expected: string | undefined;
  #isFirst = true;

  /**
   * Whether the token is part of the data folder; those of the digest are not.
   * @throws {TarFault} when something is in it that does not belong there.
   */
  pass(token: TarToken): boolean {
    if (this.#expected !== undefined) {
      if (token.kind === "entry") throw new TarFault("something follows the backup's digest");
      this.#expected += token.bytes.toString("latin1");
      if (this.#expected.length > BACKUP_NOTE_BYTES_MAX)
        throw new TarFault("the backup's digest is none");
      return false;
    }
    if (token.kind === "entry") {
      const { name } = token.entry;
      if (this.#isFirst && name !== BACKUP_NOTE) throw new TarFault("this is no backup of Loa");
      this.#isFirst = false;
      if (!isBackupEntry(token.entry)) throw new TarFault(`${name} does not belong into a backup`);
      if (name === BACKUP_DIGEST) {
        this.#expected = "";
        return false;
      }
    }
    this.#digest.add(token);
    return true;
  }

  /** The digest. @throws {TarFault} when what passed does not add up to it. */
  end(): string {
    if (this.#expected === undefined)
      throw new TarFault("the backup has no digest at its end: it is not whole");
    const sha256 = this.#digest.hex();
    if (this.#expected.trim() !== sha256)
      throw new TarFault("the backup was changed: it does not add up to its digest");
    return sha256;
  }
}
