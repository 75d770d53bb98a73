// `loa restore`: makes a data folder out of a backup, for an installation that does not run. The
// folder appears whole or not at all, and never in place of one that holds something.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TarFault } from "@loa/api/tar.ts";
import { readBackupFile } from "../backup-file.ts";
import { answer, type Command, positional, textOption, UsageError } from "../command.ts";
import { environmentWith } from "../environment.ts";
import { formatFields } from "../table.ts";
import { FolderNotEmpty, unpackBackup } from "../unpack-backup.ts";

const SERVER = fileURLToPath(new URL("../../../server/src/main.ts", import.meta.url));
const DEFAULT_FOLDER = "./data";

export const restore: Command = {
  name: "restore",
  usage: "FILE [--data FOLDER] [--start]",
  summary: {
    en: "Make a data folder out of a backup; nobody may be using that folder",
    vi: "Khôi phục thư mục dữ liệu từ bản sao lưu; hệ thống phải đang dừng",
  },
  help: [
    ["--data FOLDER", "an empty or missing folder; ./data, where `npm start` looks, if not given"],
    ["--start", "start Loa on it afterwards, until it is ended"],
  ],
  options: { data: { type: "string" }, start: { type: "boolean" } },
  async run(context) {
    const file = positional(context, 0, "the FILE of a backup");
    const folder = resolve(textOption(context.values, "data") ?? DEFAULT_FOLDER);
    const isStarting = context.values["start"] === true;
    if (isStarting && context.isJson) throw new UsageError("--start has no document to print");
    const restored = await unpack(file, folder, context.signal);
    if (restored instanceof Error) return { ok: false, ...sayRefusal(file, restored) };
    const { note, files, bytes } = restored;
    const text = formatFields([
      ["Restored", folder],
      ["Backup", note.id],
      ["Taken", note.startedAt],
      ["PostgreSQL", String(Math.floor(note.postgresql / 10_000))],
      ["Files", files],
      ["MiB", Math.round(bytes / 1024 ** 2)],
      ["Next", `LOA_DATA=${folder} npm start`],
    ]);
    if (!isStarting) return answer({ folder, backup: note, files, bytes }, text);
    context.stderr.write(`${text}\n`);
    return { ok: await startOn(folder, context.signal), document: null, text: "" };
  },
};

/** The refusal as a value: the file or the folder is not fit for it. */
async function unpack(file: string, folder: string, signal: AbortSignal) {
  try {
    return await unpackBackup(await readBackupFile(file), folder, signal);
  } catch (fault) {
    if (fault instanceof TarFault || fault instanceof FolderNotEmpty) return fault;
    throw fault;
  }
}

function sayRefusal(file: string, refusal: Error) {
  const detail = `${refusal.message}. Nothing was restored. / Chưa khôi phục gì.`;
  return { document: { title: "not restored", file, detail }, text: detail };
}

/** Runs the server until it ends; whether it ended well. */
async function startOn(folder: string, signal: AbortSignal): Promise<boolean> {
  const server = spawn(process.execPath, [SERVER], {
    stdio: ["ignore", "inherit", "inherit"],
    env: environmentWith({ LOA_DATA: folder }),
  });
  const stop = () => void server.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  const [code] = (await once(server, "exit")) as [number | null];
  return code === 0;
}
