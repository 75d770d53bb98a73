// Hears how far an import is, and sends a list as a stream: a list of millions needs no more
// memory than one of ten.
import { ApiProblem, type Client, readNdjson } from "@loa/api/client.ts";
import {
  type ImportCounts,
  type ImportLine,
  importSubscribers,
  type RejectedRow,
} from "@loa/api/subscribers.ts";

export interface ImportHearer {
  progress(counts: ImportCounts): void;
  /** Awaited, so that a slow disk slows the import and nothing piles up. */
  rejects(rows: readonly RejectedRow[]): Promise<void> | void;
}

export interface ImportWish {
  readonly source: string;
  readonly basis: string;
  readonly asOf?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Resolves with the sums when the server has stored everything; throws as `hearImport` does. */
export async function sendSubscribers(
  client: Client,
  csv: ReadableStream<Uint8Array>,
  { source, basis, asOf, signal }: ImportWish,
  hearer: ImportHearer,
): Promise<ImportCounts> {
  const response = await client.ask(importSubscribers, {
    query: { source, basis, ...(asOf && { asOf }) },
    body: csv,
    ...(signal && { signal }),
  });
  return hearImport(response, hearer);
}

/**
 * Reads the answer to an import to its end.
 * @throws {ApiProblem} when the server stops half-way; what was added before stays.
 */
export async function hearImport(response: Response, hearer: ImportHearer): Promise<ImportCounts> {
  for await (const line of readNdjson<ImportLine>(response)) {
    if ("progress" in line) hearer.progress(line.progress);
    else if ("rejects" in line) await hearer.rejects(line.rejects);
    else if ("done" in line) return line.done;
    else throw new ApiProblem(line.problem);
  }
  throw new Error("the import ended without a word; run it again, it makes no twins");
}
