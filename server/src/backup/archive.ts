// The archive of a backup, made while it is read: the note, the installation's secrets, PostgreSQL's
// base backup moved into its folder, the digest. Nothing is held but a chunk and a header.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  BACKUP_CLUSTER,
  BACKUP_DIGEST,
  BACKUP_KEYS,
  BACKUP_NOTE,
  BACKUP_SECRETS,
  BackupDigest,
  type BackupNote,
} from "@loa/api/backup-format.ts";
import { readTar, TAR_END, type TarEntry, tarPadding, writeTarHeader } from "@loa/api/tar.ts";
import type { BaseBackupPart } from "./base-backup.ts";

/** A larger manifest would need hundreds of millions of files: protects memory. */
export const MANIFEST_BYTES_MAX = 256 * 1024 * 1024;
/** Largest secret file; a key has a few hundred bytes. */
const SECRET_BYTES_MAX = 1024 * 1024;

/** What the archive added up to, once all of it was read. */
export interface ArchiveSum {
  readonly sha256: string;
  readonly bytes: number;
}

/** Writes the archive; `done` gets its sum before the last bytes are handed out, and is awaited. */
export async function* writeArchive(
  note: BackupNote,
  dataFolder: string,
  base: AsyncGenerator<BaseBackupPart>,
  done: (sum: ArchiveSum) => Promise<void>,
): AsyncGenerator<Buffer> {
  const writer = new ArchiveWriter();
  const modifiedAt = Math.floor(Date.parse(note.startedAt) / 1_000);
  const text = Buffer.from(`${JSON.stringify(note, undefined, 2)}\n`);
  yield* writer.file(fileEntry(BACKUP_NOTE, text.length, modifiedAt), text);
  for (const [name, bytes] of readSecrets(dataFolder))
    yield* writer.file(fileEntry(name, bytes.length, modifiedAt), bytes);

  const manifest: Buffer[] = [];
  let last: TarEntry | undefined;
  for await (const token of readTar(archiveBytes(base, manifest))) {
    if (token.kind === "bytes") {
      yield writer.bytes(token.bytes);
      continue;
    }
    if (last) yield writer.padding(last.size);
    const { entry } = token;
    // The cluster's folder itself is in no base backup; it belongs to whom its files belong to.
    if (!last) yield writer.header({ ...entry, ...CLUSTER_FOLDER });
    last = { ...entry, name: `${BACKUP_CLUSTER}/${entry.name}` };
    yield writer.header(last);
  }
  if (!last) throw new Error("PostgreSQL's base backup is empty");
  yield writer.padding(last.size);
  const whole = Buffer.concat(manifest);
  const name = `${BACKUP_CLUSTER}/backup_manifest`;
  yield* writer.file({ ...last, name, kind: "file", mode: 0o600, size: whole.length }, whole);

  const sha256 = writer.digest.hex();
  const sum = Buffer.from(`${sha256}\n`);
  yield* writer.file(fileEntry(BACKUP_DIGEST, sum.length, modifiedAt), sum, false);
  await done({ sha256, bytes: writer.written + TAR_END.length });
  yield TAR_END;
}

const CLUSTER_FOLDER = { name: BACKUP_CLUSTER, kind: "folder", size: 0, mode: 0o700 } as const;

const fileEntry = (name: string, size: number, modifiedAt: number): TarEntry => ({
  name,
  kind: "file",
  size,
  mode: 0o600,
  uid: 0,
  gid: 0,
  modifiedAt,
});

/** Counts and adds up what it writes. */
class ArchiveWriter {
  readonly digest = new BackupDigest();
  written = 0;

  header(entry: TarEntry, isCounted = true): Buffer {
    const header = writeTarHeader(entry);
    if (isCounted) this.digest.add({ kind: "entry", entry, header });
    this.written += header.length;
    return header;
  }

  bytes(bytes: Buffer, isCounted = true): Buffer {
    if (isCounted) this.digest.add({ kind: "bytes", bytes });
    this.written += bytes.length;
    return bytes;
  }

  padding(size: number): Buffer {
    const padding = tarPadding(size);
    this.written += padding.length;
    return padding;
  }

  *file(entry: TarEntry, bytes: Buffer, isCounted = true): Generator<Buffer> {
    yield this.header(entry, isCounted);
    yield this.bytes(bytes, isCounted);
    yield this.padding(bytes.length);
  }
}

/** The bytes of the cluster's archive; those of the manifest are put aside. */
async function* archiveBytes(
  base: AsyncGenerator<BaseBackupPart>,
  manifest: Buffer[],
): AsyncGenerator<Buffer> {
  let manifestBytes = 0;
  for await (const { kind, bytes } of base) {
    if (kind === "archive") yield bytes;
    else {
      manifestBytes += bytes.length;
      if (manifestBytes > MANIFEST_BYTES_MAX) throw new Error("the backup's manifest is too long");
      manifest.push(bytes);
    }
  }
}

/** Keys and passwords of the installation, as they lie in its data folder. */
function* readSecrets(dataFolder: string): Generator<[name: string, bytes: Buffer]> {
  const keys = readdirSync(join(dataFolder, BACKUP_KEYS)).map((name) => `${BACKUP_KEYS}/${name}`);
  for (const name of [...keys, ...BACKUP_SECRETS]) {
    const stat = statSync(join(dataFolder, name), { throwIfNoEntry: false });
    if (!stat?.isFile()) continue;
    if (stat.size > SECRET_BYTES_MAX) throw new Error(`${name} is too large to be a secret`);
    yield [name, readFileSync(join(dataFolder, name))];
  }
}
