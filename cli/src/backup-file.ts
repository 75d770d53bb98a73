// A file that holds a backup: read as a tar archive whether or not it is compressed, written so that
// it is there whole or not at all, and for its owner's eyes only.
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, type Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";

/** First bytes of a Zstandard frame (RFC 8878, section 3.1.1). */
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Little work for most of the gain: the machine that is backed up has warnings to send. */
const ZSTD_LEVEL = 1;

/** A name for a backup that sorts by its time. */
export const backupFileName = (at: Date): string =>
  `loa-${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}.tar.zst`;

/** The archive in a file. */
export async function readBackupFile(path: string): Promise<AsyncIterable<Buffer>> {
  const file = await open(path, "r");
  const head = Buffer.alloc(ZSTD_MAGIC.length);
  try {
    await file.read(head, 0, head.length, 0);
  } finally {
    await file.close();
  }
  const bytes = createReadStream(path, { highWaterMark: 1024 * 1024 });
  if (!head.equals(ZSTD_MAGIC)) return bytes as AsyncIterable<Buffer>;
  const unpacked = createZstdDecompress();
  // The fault of either ends both, and is thrown where the bytes are read.
  pipeline(bytes, unpacked).catch(() => {});
  return unpacked as AsyncIterable<Buffer>;
}

/** Writes an archive; a file whose name ends in .zst is compressed. On a fault nothing is left. */
export async function writeBackupFile(path: string, archive: AsyncIterable<Buffer>): Promise<void> {
  const draft = `${path}.part`;
  const steps: Transform[] = path.endsWith(".zst") ? [compressor()] : [];
  try {
    const into = createWriteStream(draft, { mode: 0o600, flags: "wx", flush: true });
    await pipeline([Readable.from(archive), ...steps, into]);
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (fault) {
    // Somebody else's draft is not ours to remove.
    if ((fault as NodeJS.ErrnoException).code !== "EEXIST") await rm(draft, { force: true });
    throw fault;
  }
}

/** Writes an archive to a stream that stays open, such as stdout. */
export const pipeBackup = (archive: AsyncIterable<Buffer>, into: Writable): Promise<void> =>
  pipeline(Readable.from(archive), into, { end: false });

const compressor = (): Transform =>
  createZstdCompress({
    params: {
      [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });

/** A new name in a folder is durable once the folder is. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
