// Unpacks a backup into a folder. Everything goes into a draft beside it, is checked and made durable
// there, and the draft is given the folder's name last: what was broken off leaves no data folder
// that looks like one.
import { constants } from "node:fs";
import {
  chmod,
  chown,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  BACKUP_CLUSTER,
  BACKUP_KEYS,
  BACKUP_NOTE,
  BACKUP_NOTE_BYTES_MAX,
  BackupCheck,
  type BackupNote,
  backupNoteSchema,
} from "@loa/api/backup-format.ts";
import { readTar, type TarEntry, TarFault } from "@loa/api/tar.ts";
import { syncFolder } from "./backup-file.ts";

/** The folder holds something that a backup must not replace. */
export class FolderNotEmpty extends Error {
  override name = "FolderNotEmpty";
}

export interface UnpackedBackup {
  readonly note: BackupNote;
  readonly files: number;
  readonly bytes: number;
}

const isRoot = process.getuid?.() === 0;

/**
 * Makes `folder` out of an archive.
 * @throws {FolderNotEmpty} when the folder holds something, {TarFault} when the archive is no whole
 * backup.
 */
export async function unpackBackup(
  archive: AsyncIterable<Uint8Array>,
  folder: string,
  signal: AbortSignal,
): Promise<UnpackedBackup> {
  const there = await readdir(folder).catch(() => []);
  if (there.length > 0)
    throw new FolderNotEmpty(`${folder} is not empty; move it away, or name another --data`);
  await mkdir(dirname(folder), { recursive: true });
  const draft = join(dirname(folder), `.${basename(folder)}.restoring`);
  await mkdir(draft, { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EEXIST") throw cause;
    throw new FolderNotEmpty(`${draft} is there: another restore runs, or broke off; remove it`);
  });
  try {
    const unpacked = await unpackInto(draft, archive, signal);
    // An empty folder in the way goes; one that was filled meanwhile does not.
    await rmdir(folder).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== "ENOENT") throw new FolderNotEmpty(`${folder} is not empty`);
    });
    await rename(draft, folder);
    await syncFolder(dirname(folder));
    return unpacked;
  } catch (fault) {
    await rm(draft, { recursive: true, force: true });
    throw isDecompression(fault)
      ? new TarFault("the backup cannot be decompressed: it is not whole")
      : fault;
  }
}

const isDecompression = (fault: unknown): boolean =>
  /^(ZSTD_|Z_|ERR_BUFFER|ERR_ZSTD)/.test((fault as NodeJS.ErrnoException).code ?? "") ||
  (fault as NodeJS.ErrnoException).code === "ERR_STREAM_PREMATURE_CLOSE";

async function unpackInto(
  draft: string,
  archive: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<UnpackedBackup> {
  const check = new BackupCheck();
  const folders = [draft];
  let file: { readonly handle: FileHandle; readonly entry: TarEntry } | undefined;
  let files = 0;
  let bytes = 0;
  const finish = async (): Promise<void> => {
    if (!file) return;
    const { handle, entry } = file;
    file = undefined;
    try {
      if (isRoot) await handle.chown(entry.uid, entry.gid);
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  try {
    await mkdir(join(draft, BACKUP_KEYS), { mode: 0o700 });
    for await (const token of readTar(archive)) {
      signal.throwIfAborted();
      if (!check.pass(token)) continue;
      if (token.kind === "bytes") {
        if (!file) throw new TarFault("the archive has bytes without a file");
        if (file.entry.name === BACKUP_NOTE && file.entry.size > BACKUP_NOTE_BYTES_MAX)
          throw new TarFault("the backup's note is none");
        await file.handle.writeFile(token.bytes);
        bytes += token.bytes.length;
        continue;
      }
      await finish();
      const { entry } = token;
      const path = join(draft, entry.name);
      if (entry.kind === "folder") {
        if (entry.name !== BACKUP_KEYS) await makeFolder(path, entry);
        folders.push(path);
      } else {
        const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
        file = { handle: await open(path, flags, entry.mode & 0o700), entry };
        files += 1;
      }
    }
    await finish();
    check.end();
    for (const each of folders.toReversed()) await syncFolder(each);
    return { note: await readNote(draft), files, bytes };
  } finally {
    await file?.handle.close();
  }
}

/** PostgreSQL runs as whom its folder belongs to, and only in a folder that is that user's alone. */
async function makeFolder(path: string, entry: TarEntry): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  await chmod(path, entry.name === BACKUP_CLUSTER ? 0o700 : entry.mode & 0o700);
  if (isRoot) await chown(path, entry.uid, entry.gid);
}

async function readNote(draft: string): Promise<BackupNote> {
  try {
    return backupNoteSchema.parse(JSON.parse(await readFile(join(draft, BACKUP_NOTE), "utf8")));
  } catch (cause) {
    throw new TarFault("the backup's note is not one that this Loa reads", { cause });
  }
}
