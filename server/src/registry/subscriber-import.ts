// Imports a list of subscribers: a stream of CSV in, PostgreSQL's COPY out, no more than two
// batches in memory, one being read while the other is written.
//
// Each chunk of rows is one transaction with its line in the registry's log, so a crash loses
// at most the chunks under way, and what is committed is in the next audience. Ids follow from source and reference: running the same list again adds nobody.
import { setImmediate as nextTurn } from "node:timers/promises";
import { newId } from "../db/id.ts";
import type { Pool } from "../db/connection.ts";
import { Problem } from "@loa/model/problem.ts";
import type pg from "pg";
import { type Line, readLines, textOf } from "./csv-line.ts";
import { openPlaceBook } from "./place.ts";
import type { RegistryDeps } from "./subscriber.ts";
import { BATCH_ROWS_FIRST, createBatch, type SubscriberBatch } from "./subscriber-batch.ts";
import { CONSENT_BASIS_CHARS_MAX, shortTextFault } from "./subscriber-field.ts";
import { openRowReader, type RowReader } from "./subscriber-row.ts";
import { openRowWriter, type RowWriter, WRITERS } from "./subscriber-write.ts";

/** Longest name of a source: the list, register or system that the rows come from. */
export const SOURCE_CHARS_MAX = 200;
/** Bad rows after which an import stops: it is the wrong file. What was added stays. */
export const REJECTS_MAX = 1_000_000;
/** Characters of a rejected line that are handed back. */
export const REJECT_TEXT_CHARS_MAX = 500;
/** Rows in one list; more is many lists. Protects the ordinals. */
export const IMPORT_ROWS_MAX = 200_000_000;
/** Distinct consent wordings in one list. */
export const CONSENTS_MAX = 1_000;
/** How often progress is told. */
const PROGRESS_EVERY_MS = 200;
/** Longest that reading rows holds the event loop, looked at after so many rows. */
const TURN_MS = 2;
const ROWS_PER_LOOK = 100;
/** Any constant that no other lock uses; held by the session that imports. */
const IMPORT_LOCK = 0x10a_0003;

export interface ImportOptions {
  /** Where the rows come from. The same source and ref is the same person for ever. */
  readonly source: string;
  /** On what basis these people are registered. */
  readonly basis: string;
  readonly memberId: string | null;
  /** YYYY-MM-DD: the codes are those of that day. */
  readonly asOf?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How far an import is. Rows read are added, known or rejected once their batch is written. */
export interface ImportProgress {
  readonly read: number;
  readonly added: number;
  readonly known: number;
  readonly rejected: number;
}

/** A record that was not stored. */
export interface RejectedRow {
  readonly line: number;
  readonly reason: string;
  /** The line as it came, cut to REJECT_TEXT_CHARS_MAX; empty when it is no longer at hand. */
  readonly text: string;
}

/** Where an import tells what it does. It waits for the answers, so a slow reader slows it. */
export interface ImportReport {
  progress(progress: ImportProgress): void | Promise<void>;
  rejects(rows: readonly RejectedRow[]): void | Promise<void>;
}

export interface ImportResult extends ImportProgress {
  readonly importId: string;
}

/**
 * Imports CSV bytes.
 * @throws {Problem} csv-invalid, consent-missing, request-invalid; busy while another import runs.
 */
export async function importSubscribers(
  deps: RegistryDeps,
  csv: AsyncIterable<Uint8Array>,
  options: ImportOptions,
  report: ImportReport,
): Promise<ImportResult> {
  checkOptions(options);
  const accounts = await readAccounts(deps.pool);
  const client = await deps.pool.connect();
  const clients = [client];
  try {
    const { rows } = await client.query<{ mine: boolean }>(
      "SELECT pg_try_advisory_lock($1) AS mine",
      [IMPORT_LOCK],
    );
    if (!rows[0]?.mine) throw new Problem("busy", "Another import is running; wait for its end.");
    const findPlace = openPlaceBook(deps.tree(), options.asOf);
    const importId = newId();
    // Not before the header is understood: a wrong file leaves no trace.
    const begin = async (header: Line): Promise<Rows> => {
      const read = openRowReader(header, options.source, findPlace, accounts);
      const isRepeat = await startRun(client, importId, options);
      while (clients.length < WRITERS) clients.push(await deps.pool.connect());
      return { read, writer: await openRowWriter(clients, options.basis, isRepeat) };
    };
    const counts = await readAndWrite(csv, begin, options.signal, report);
    await finishRun(client, importId, counts);
    return { importId, ...counts };
  } finally {
    // Asked for, because a session that ends gives its lock back some time later.
    await client.query("SELECT pg_advisory_unlock($1)", [IMPORT_LOCK]).catch(() => {});
    // Ends the sessions, and with them their staging tables.
    for (const each of clients) each.release(true);
  }
}

function checkOptions({ basis, source, asOf }: ImportOptions): void {
  const what = shortTextFault(basis, CONSENT_BASIS_CHARS_MAX);
  if (what)
    throw new Problem("consent-missing", `Say on what basis these people are registered.`, [
      { at: "query/basis", what },
    ]);
  const sourceFault = shortTextFault(source, SOURCE_CHARS_MAX);
  if (sourceFault)
    throw new Problem("request-invalid", `source ${sourceFault}`, [
      { at: "query/source", what: sourceFault },
    ]);
  if (asOf !== undefined && !/^\d{4}-\d\d-\d\d$/.test(asOf))
    throw new Problem("request-invalid", "asOf wants a day, as YYYY-MM-DD.", [
      { at: "query/asOf", what: "not YYYY-MM-DD" },
    ]);
}

async function readAccounts(pool: Pool): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ handle: string; ordinal: number }>(
    "SELECT handle, ordinal FROM official_account",
  );
  return new Map(rows.map((row) => [row.handle, row.ordinal]));
}

/** Records the run; answers whether there was one of this source before. */
async function startRun(
  client: pg.ClientBase,
  id: string,
  { source, basis, memberId }: ImportOptions,
): Promise<boolean> {
  const { rows } = await client.query<{ isRepeat: boolean }>(
    `WITH earlier AS (SELECT EXISTS (SELECT FROM import_run WHERE source = $2) AS "isRepeat"),
       started AS (INSERT INTO import_run (id, source, basis, member_id) VALUES ($1, $2, $3, $4))
     SELECT "isRepeat" FROM earlier`,
    [id, source, basis, memberId],
  );
  return rows[0]?.isRepeat ?? true;
}

async function finishRun(
  client: pg.ClientBase,
  id: string,
  { read, added, known, rejected }: ImportProgress,
): Promise<void> {
  await client.query(
    `UPDATE import_run SET finished_at = now(), read = $2, added = $3, known = $4, rejected = $5
      WHERE id = $1`,
    [id, read, added, known, rejected],
  );
}

/** How the rows under a header are read and where they go. */
interface Rows {
  readonly read: RowReader;
  readonly writer: RowWriter;
}

async function readAndWrite(
  csv: AsyncIterable<Uint8Array>,
  begin: (header: Line) => Promise<Rows>,
  signal: AbortSignal | undefined,
  report: ImportReport,
): Promise<ImportProgress> {
  const counts = { read: 0, added: 0, known: 0, rejected: 0 };
  const consents = new Map<string, number>();
  let list: Rows | undefined;
  let [batch, spare] = [createBatch(), createBatch()];
  let batchRows = BATCH_ROWS_FIRST;
  let writing: Promise<void> = Promise.resolve();
  let toldMs = performance.now();
  let turnedMs = toldMs;
  let isBroken = false;
  let lineNumber = 0;

  const tell = async (force = false): Promise<void> => {
    if (!force && performance.now() - toldMs < PROGRESS_EVERY_MS) return;
    toldMs = performance.now();
    await report.progress({ ...counts });
  };
  const reject = async (rows: readonly RejectedRow[]): Promise<void> => {
    if (rows.length === 0) return;
    counts.rejected += rows.length;
    await report.rejects(rows);
    if (counts.rejected > REJECTS_MAX)
      throw new Problem("csv-invalid", `More than ${REJECTS_MAX} bad rows; is it the right file?`);
  };
  const write = async ({ writer }: Rows, full: SubscriberBatch): Promise<void> => {
    await writer.write(full, [...consents.keys()], async (step) => {
      counts.added += step.added;
      counts.known += step.known;
      await reject(step.withdrawn);
      await tell();
      if (isBroken) throw new Error("the import broke off");
    });
    full.clear();
  };
  const flush = async (rows: Rows): Promise<void> => {
    await writing;
    const full = batch;
    [batch, spare] = [spare, batch];
    batchRows *= 2;
    writing = write(rows, full);
    // It is awaited at the next flush; until then a failure must not count as unhandled.
    writing.catch(() => {});
  };
  /** Puts a line into the batch, or says why not. */
  const take = (line: Line, reader: RowReader): RejectedRow | undefined => {
    const row = reader(line);
    const consent = typeof row === "string" ? row : consentNumber(consents, row.consentVersion);
    if (typeof row === "string" || typeof consent === "string")
      return {
        line: lineNumber,
        reason: String(consent),
        text: textOf(line.bytes, line.from, line.to).slice(0, REJECT_TEXT_CHARS_MAX).toWellFormed(),
      };
    batch.add(row, lineNumber, consent);
    return undefined;
  };

  try {
    for await (const lines of readLines(csv)) {
      signal?.throwIfAborted();
      const rejected: RejectedRow[] = [];
      for (const line of lines) {
        lineNumber += 1;
        if (!list) {
          list = await begin(line);
          continue;
        }
        if (line.from === line.to) continue;
        counts.read += 1;
        // Reading must not keep the loop from feeding COPY, nor from answering other requests.
        if (counts.read % ROWS_PER_LOOK === 0 && performance.now() - turnedMs > TURN_MS) {
          await nextTurn();
          turnedMs = performance.now();
        }
        if (counts.read > IMPORT_ROWS_MAX)
          throw new Problem("csv-invalid", `A list has at most ${IMPORT_ROWS_MAX} rows.`);
        const bad = take(line, list.read);
        if (bad) rejected.push(bad);
        else if (!batch.hasRoom(batchRows)) await flush(list);
      }
      await reject(rejected);
      await tell();
    }
    if (!list) throw new Problem("csv-invalid", "The list is empty: it lacks the header line.");
    await flush(list);
    await writing;
    await tell(true);
    return counts;
  } catch (error) {
    // The chunks under way are finished; none is begun any more.
    isBroken = true;
    await writing.catch(() => {});
    throw error;
  }
}

/** The number of a consent wording; a sentence when there are too many. */
function consentNumber(consents: Map<string, number>, version: string): number | string {
  let number = consents.get(version);
  if (number === undefined) {
    if (consents.size >= CONSENTS_MAX)
      return `consent_version is the ${CONSENTS_MAX + 1}th different one; ${CONSENTS_MAX} are allowed`;
    consents.set(version, (number = consents.size));
  }
  return number;
}
