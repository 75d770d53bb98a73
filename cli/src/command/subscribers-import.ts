// `loa subscribers import`: streams a CSV to the registry, shows how far it is, and keeps what was
// rejected in a file that can be corrected and imported again.
import { createReadStream } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";
import type { RejectedRow } from "@loa/api/subscribers.ts";
import {
  answer,
  type Command,
  positional,
  requiredOption,
  textOption,
  UsageError,
} from "../command.ts";
import { createProgressBar } from "../progress-bar.ts";
import { sendSubscribers } from "../subscriber-import.ts";
import { formatFields, formatNumber } from "../table.ts";

/** Read and sent at a time: larger pieces cost less for each row. */
const PIECE_BYTES = 1024 * 1024;

const text = { type: "string" } as const;

export const subscribersImport: Command = {
  name: "subscribers import",
  usage: 'FILE.csv --basis "…" [--source NAME] [--as-of DAY]',
  summary: {
    en: "Register a list of people; running it again makes no twins",
    vi: "Nhập danh sách người nhận; nhập lại không tạo bản trùng",
  },
  help: [
    [
      "FILE.csv",
      "ref,home,endpoints,consent_version,consent_at and more: docs/subscriber-lists.md",
    ],
    ['--basis "…"', "on what basis these people are registered; kept with each of them"],
    ["--source NAME", "where the list comes from; same source and ref, same person (file name)"],
    ["--as-of DAY", "the codes of places are those of this day, YYYY-MM-DD"],
    ["--rejects FILE", "where rows go that were not taken, with the reason (FILE.rejects.csv)"],
  ],
  options: { basis: text, source: text, "as-of": text, rejects: text },
  async run(context) {
    const { values, stderr, signal } = context;
    const file = positional(context, 0, "a CSV file");
    const basis = requiredOption(values, "basis");
    const source = textOption(values, "source") ?? basename(file);
    const asOf = textOption(values, "as-of");
    const { size } = await stat(file);
    const rejectsFile =
      textOption(values, "rejects") ?? `${file.replace(/\.csv$/i, "")}.rejects.csv`;
    if (rejectsFile === file) throw new UsageError("--rejects must not be the list itself");
    const stream = createReadStream(file, { highWaterMark: PIECE_BYTES });
    const bar = createProgressBar(stderr);
    const startedAtMs = performance.now();
    await using rejects = createRejectsFile(rejectsFile);
    try {
      const csv = Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array>;
      const done = await sendSubscribers(
        context.client(),
        csv,
        { source, basis, asOf, signal },
        {
          progress: ({ read }) => {
            const share = size === 0 ? 1 : stream.bytesRead / size;
            bar.show(
              `Importing ${formatNumber(read)} rows`,
              stream.bytesRead,
              share < 1 ? size : 0,
            );
          },
          rejects: (rows) => rejects.write(rows),
        },
      );
      bar.clear();
      const seconds = (performance.now() - startedAtMs) / 1000;
      const rowsPerSecond = Math.round(done.read / seconds);
      const fields = formatFields([
        ["Read", done.read],
        ["Added", done.added],
        ["Known before", done.known],
        ["Rejected", done.rejected > 0 ? `${formatNumber(done.rejected)}, see ${rejectsFile}` : 0],
        ["Time", `${seconds.toFixed(1)} s, ${formatNumber(rowsPerSecond)} rows/s`],
      ]);
      const document = { ...done, rejects: done.rejected > 0 ? rejectsFile : null };
      return { ...answer(document, fields), ok: done.rejected === 0 };
    } finally {
      bar.clear();
    }
  },
};

/** A file that is only made when there is something to write. */
function createRejectsFile(path: string) {
  let file: Awaited<ReturnType<typeof open>> | undefined;
  return {
    async write(rows: readonly RejectedRow[]): Promise<void> {
      if (file === undefined) {
        file = await open(path, "w", 0o600);
        await file.write("line,reason,text\n");
      }
      await file.write(
        rows.map(({ line, reason, text }) => csvLine([line, reason, text])).join(""),
      );
    },
    async [Symbol.asyncDispose](): Promise<void> {
      // Rejects of an earlier run would be taken for those of this one.
      if (file === undefined) await rm(path, { force: true });
      else await file.close();
    },
  };
}

const csvLine = (cells: readonly (string | number)[]): string =>
  `${cells.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(",")}\n`;
