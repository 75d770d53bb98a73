// Registers the people of a drill through the API, and gets each of them the number by which the
// loopback wire names them and, for those who connect, a token.
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { Client } from "@loa/api/client.ts";
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

/**
 * Answers one entry for each row of the file.
 * @throws when a single row was not taken: a drill with people missing proves nothing.
 */
export async function enrol(
  operator: Client,
  { file, rows }: People,
  watcher: { progress(done: number, total: number): void },
): Promise<Enrolled[]> {
  const csv = Readable.toWeb(createReadStream(file)) as unknown as ReadableStream<Uint8Array>;
  const wish = { source: SOURCE, basis: BASIS };
  const { added } = await sendSubscribers(operator, csv, wish, {
    progress: ({ read }) => watcher.progress(read, rows.length),
    rejects(rejected) {
      const [first] = rejected;
      throw new Error(`line ${first?.line} of the people was rejected: ${first?.reason}`);
    },
  });
  if (added !== rows.length) throw new Error(`${added} of ${rows.length} people were added`);
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
