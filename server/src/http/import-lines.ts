// The answer of an import: lines of JSON, while it runs.
//
// What is wrong before the first line is an ordinary problem with its status; later it can
// only be the last line. Lines wait for their reader up to a limit, then the import waits
// too; a reader who reads nothing for long ends it.
import { renderProblem } from "@loa/api/problems.ts";
import { type ImportLine, NDJSON_MEDIA_TYPE } from "@loa/api/subscribers.ts";
import { Problem } from "@loa/model/problem.ts";
import type { ImportReport, ImportResult } from "../registry/subscriber-import.ts";

/** Bytes of lines that wait for their reader. */
export const LINES_WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** How long an import waits for a reader who does not read. */
export const READER_PATIENCE_MS = 60_000;

type Import = (report: ImportReport, signal: AbortSignal) => Promise<ImportResult>;

/** Runs an import and answers with its lines. @throws what it throws before the first line. */
export async function answerImport(
  { url }: Pick<Request, "url">,
  caller: AbortSignal,
  run: Import,
): Promise<Response> {
  const instance = new URL(url).pathname;
  const stop = new AbortController();
  const signal = AbortSignal.any([caller, stop.signal]);
  const lines = openLines(stop);
  const first = Promise.withResolvers<void>();
  const write = async (line: ImportLine): Promise<void> => {
    first.resolve();
    await lines.write(line);
  };
  const report: ImportReport = {
    progress: (progress) => write({ progress }),
    rejects: (rejects) => write({ rejects }),
  };
  const running = run(report, signal);
  await Promise.race([first.promise, running]);
  running
    .then(
      (done) => write({ done }),
      (error: unknown) => write({ problem: renderProblem(problemOf(error), instance) }),
    )
    .catch(() => {})
    .finally(() => lines.end());
  return new Response(lines.readable, { headers: { "content-type": NDJSON_MEDIA_TYPE } });
}

const problemOf = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem("internal-error", "The import broke off; run it again, it makes no twins.");

function openLines(stop: AbortController) {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let wanted = Promise.withResolvers<void>();
  let isOpen = true;
  const encoder = new TextEncoder();
  const close = (): void => {
    isOpen = false;
    wanted.resolve();
  };
  const readable = new ReadableStream<Uint8Array>(
    {
      start: (given) => void (controller = given),
      pull: () => wanted.resolve(),
      cancel() {
        close();
        stop.abort(new Problem("unavailable", "Nobody reads the answer any more."));
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: LINES_WAITING_BYTES_MAX }),
  );
  return {
    readable,
    async write(line: ImportLine): Promise<void> {
      if (isOpen && (controller.desiredSize ?? 0) <= 0) {
        wanted = Promise.withResolvers();
        const patience = setTimeout(() => {
          close();
          stop.abort(new Problem("unavailable", "Nobody read the answer for too long."));
        }, READER_PATIENCE_MS);
        await wanted.promise;
        clearTimeout(patience);
      }
      if (isOpen) controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
    },
    end(): void {
      if (isOpen) controller.close();
      isOpen = false;
    },
  };
}
