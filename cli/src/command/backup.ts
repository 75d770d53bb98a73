// `loa backup`: takes a backup of the running installation, checks it while it arrives, and tells the
// server that it arrived whole; only then it counts.
import { BACKUP_ID_HEADER, confirmBackup, createBackup } from "@loa/api/backups.ts";
import { BackupCheck } from "@loa/api/backup-format.ts";
import { TarReader } from "@loa/api/tar.ts";
import { backupFileName, pipeBackup, writeBackupFile } from "../backup-file.ts";
import { answer, type Command, textOption, UsageError } from "../command.ts";
import { formatFields, formatNumber } from "../table.ts";

export const backup: Command = {
  name: "backup",
  usage: "[--out FILE]",
  summary: {
    en: "Take a backup of the whole installation, keys and people included",
    vi: "Sao lưu toàn bộ hệ thống, gồm cả khoá và dữ liệu người nhận",
  },
  help: [
    [
      "--out FILE",
      "a tar archive that only you can read, compressed when its name ends in .zst; - is stdout",
    ],
  ],
  options: { out: { type: "string" } },
  async run({ client: open, values, isJson, stdout, stderr, signal }) {
    const out = textOption(values, "out") ?? backupFileName(new Date());
    if (isJson && out === "-")
      throw new UsageError("with --json, --out FILE is needed: stdout holds one JSON document");
    const client = open();
    const response = await client.ask(createBackup, { signal });
    const id = response.headers.get(BACKUP_ID_HEADER) ?? "";
    if (response.body === null) throw new Error("the backup has no body");
    const sum = { sha256: "", bytes: 0 };
    const archive = checkArchive(response.body as AsyncIterable<Uint8Array>, sum);
    if (out === "-") await pipeBackup(archive, stdout);
    else await writeBackupFile(out, archive);
    const confirmed = await client.ask(confirmBackup, { params: { id }, body: sum });
    const document = { ...confirmed, file: out === "-" ? null : out, sha256: sum.sha256 };
    const text = formatFields([
      ["Backup", id],
      ["Taken", confirmed.startedAt],
      ["Size", `${formatNumber(Math.round(sum.bytes / 1024 ** 2))} MiB before compression`],
      ["SHA-256", sum.sha256],
      ["Written to", out],
      ["Keep it safe", "it holds everybody's data and every key of the installation"],
    ]);
    if (out !== "-") return answer(document, text);
    stderr.write(`${text}\n`);
    return answer(document, "");
  },
};

/** Passes an archive on, and breaks off when it is not whole; `sum` is right once all has passed. */
async function* checkArchive(
  source: AsyncIterable<Uint8Array>,
  sum: { sha256: string; bytes: number },
): AsyncGenerator<Buffer> {
  const reader = new TarReader();
  const check = new BackupCheck();
  for await (const chunk of orSay(source)) {
    for (const token of reader.push(chunk)) check.pass(token);
    sum.bytes += chunk.length;
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  reader.end();
  sum.sha256 = check.end();
}

/** An answer that is torn off says nothing itself. */
async function* orSay(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new UsageError("the server broke the backup off; its log says why", { cause });
  }
}
