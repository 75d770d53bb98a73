// Registers the people of a drill through the API, and gets each of them the number by which the
// loopback wire names them and, for those who connect, a token.
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { ApiProblem, type Client } from "@loa/api/client.ts";
import { issueTokens, TOKEN_REFS_MAX } from "@loa/api/subscribers.ts";
import { sendSubscribers } from "../subscriber-import.ts";
import type { People } from "./people.ts";

const SOURCE = "drill";
const BASIS = "Synthetic people of a drill; no real person is behind them";

export interface Enrolled {
  /** Id of the registration. */
  readonly subscriber: string;
  readonly ordinal: number;
  readonly token: string;
}

/** A server that gives way to warnings lets an import wait for at most this long. */
const BUSY_MS_MAX = 120_000;
const BUSY_PAUSE_MS = 500;

/** Imports the file; from the beginning again when the server has better to do, which makes no twins. */
async function importPeople(
  operator: Client,
  file: string,
  count: number,
  watcher: { progress(done: number, total: number): void },
): Promise<void> {
  const deadline = performance.now() + BUSY_MS_MAX;
  for (;;) {
    try {
      const csv = Readable.toWeb(createReadStream(file)) as unknown as ReadableStream<Uint8Array>;
      const { added, known } = await sendSubscribers(
        operator,
        csv,
        { source: SOURCE, basis: BASIS },
        {
          progress: ({ read }) => watcher.progress(read, count),
          rejects(rejected) {
            const [first] = rejected;
            throw new Error(`line ${first?.line} of the people was rejected: ${first?.reason}`);
          },
        },
      );
      if (added + known !== count) throw new Error(`${added} of ${count} people were added`);
      return;
    } catch (fault) {
      const isBusy = fault instanceof ApiProblem && fault.document.code === "busy";
      if (!isBusy || performance.now() > deadline) throw fault;
    }
    await pause(BUSY_PAUSE_MS);
  }
}

/**
 * Answers one entry for each row of the file.
 * @throws when a single row was not taken: a drill with people missing proves nothing.
 */
export async function enrol(
  operator: Client,
  { file, rows }: People,
  watcher: { progress(done: number, total: number): void },
): Promise<Enrolled[]> {
  await importPeople(operator, file, rows.length, watcher);
  const enrolled: Enrolled[] = [];
  for (let at = 0; at < rows.length; at += TOKEN_REFS_MAX) {
    const refs = rows.slice(at, at + TOKEN_REFS_MAX).map(({ reference }) => reference);
    const { items } = await operator.ask(issueTokens, { body: { source: SOURCE, refs } });
    for (const [index, item] of items.entries()) {
      if (item === null) throw new Error(`the registry does not know ${refs[index]}`);
      enrolled.push({
        subscriber: item.subscriberId,
        ordinal: item.ordinal,
        token: item.token,
      });
    }
  }
  return enrolled;
}
