// Writes batches of an import: which rows are new, ordinals for them, and a COPY straight
// into the registry, over several connections at once, because PostgreSQL does one COPY on one
// core. A person who is in the list twice breaks that COPY; then the chunk goes once more,
// over a staging table of the session, which costs twice as much and lets twins be one person.
//
// Ordinals are taken in a transaction of their own, so that nobody who registers waits for
// a COPY. A crash in between leaves them unused, for good.
import type pg from "pg";
import { COPY_PIECE_BYTES, copyIn } from "../db/copy.ts";
import { takeOrdinals } from "./ordinal.ts";
import { rememberConsent } from "./subscriber.ts";
import { type SubscriberBatch, sortRows } from "./subscriber-batch.ts";
import type { RejectedRow } from "./subscriber-import.ts";
import { logRegisteredRanges, type OrdinalRange } from "./subscriber-state.ts";
import { roomOf, TUPLE_COLUMNS } from "./subscriber-tuple.ts";

/** Rows in one transaction: what a crash undoes. */
export const CHUNK_ROWS = 25_000;
/** Connections that write at once. */
export const WRITERS = 2;
/** How often a chunk is tried again over staging when two connections hold twins of each other. */
const STAGED_TRIES_MAX = 5;
/** SQLSTATE of a row whose id is there already, or is being added by each of two connections. */
const TWIN_STATES: readonly (string | undefined)[] = ["23505", "40P01"];

/** What became of some rows. */
export interface WriteStep {
  readonly added: number;
  readonly known: number;
  /** Deleted at their own wish after the consent that the list names. */
  readonly withdrawn: readonly RejectedRow[];
}

export interface RowWriter {
  /** @param consents wordings by the numbers under which the batch names them. */
  write(
    batch: SubscriberBatch,
    consents: readonly string[],
    tell: (step: WriteStep) => Promise<void>,
  ): Promise<void>;
}

/**
 * @param clients connections of its own, which are ended afterwards.
 * @param isRepeat whether rows of this source may be known already; the first list of a source
 * need not ask.
 */
export async function openRowWriter(
  clients: readonly pg.ClientBase[],
  basis: string,
  isRepeat: boolean,
): Promise<RowWriter> {
  for (const client of clients) {
    // Kept in the session's memory, not in files; and plans are simple, so compiling them is waste.
    await client.query("SET temp_buffers = '64MB'");
    await client.query("SET jit = off");
    await client.query(
      `CREATE TEMP TABLE staged ON COMMIT DELETE ROWS AS
         SELECT ${TUPLE_COLUMNS} FROM subscriber WITH NO DATA`,
    );
  }
  const consentIds: number[] = [];
  return {
    async write(batch, consents, tell) {
      for (const version of consents.slice(consentIds.length))
        consentIds.push(await rememberConsent(clients[0] as pg.ClientBase, version, basis));
      const order = batch.order();
      let from = 0;
      const writeChunks = async (client: pg.ClientBase): Promise<void> => {
        while (from < order.length) {
          const chunk = order.subarray(from, from + CHUNK_ROWS);
          from += CHUNK_ROWS;
          const { fresh, withdrawn } = isRepeat
            ? await findFresh(client, batch, chunk)
            : { fresh: chunk, withdrawn: [] };
          const added = fresh.length > 0 ? await addRows(client, batch, fresh, consentIds) : 0;
          await tell({ added, known: chunk.length - added - withdrawn.length, withdrawn });
        }
      };
      const writers = clients.map((client) =>
        writeChunks(client).catch((error: unknown) => {
          // Nobody begins another chunk; the one that another connection is at is finished.
          from = order.length;
          throw error;
        }),
      );
      const failed = (await Promise.allSettled(writers)).find(
        ({ status }) => status === "rejected",
      );
      if (failed) throw (failed as PromiseRejectedResult).reason;
    },
  };
}

/** Leaves out who is registered, and who was deleted and has not agreed anew since. */
async function findFresh(client: pg.ClientBase, batch: SubscriberBatch, chunk: Uint32Array) {
  const ids = Array.from(chunk, (row) => batch.idOf(row));
  // Looked up one by one in the index on id: the registry may be a thousand times larger.
  await client.query("SET enable_hashjoin = off; SET enable_mergejoin = off");
  const known = await client.query<{ i: number; registered: boolean; at: Date | null }>(
    `SELECT i::int - 1 AS i, s.id IS NOT NULL AS registered, w.at FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, i)
       LEFT JOIN subscriber s ON s.id = asked.id LEFT JOIN withdrawal w ON w.id = asked.id
      WHERE s.id IS NOT NULL OR w.id IS NOT NULL`,
    [ids],
  );
  await client.query("RESET enable_hashjoin; RESET enable_mergejoin");
  const out = new Set<number>();
  const withdrawn: RejectedRow[] = [];
  for (const { i, registered, at } of known.rows) {
    const row = chunk[i] as number;
    if (!registered && at && batch.consentAtOf(row) > at) continue;
    out.add(row);
    if (!registered && at)
      withdrawn.push({
        line: batch.lineOf(row),
        reason: `deleted at their own wish on ${at.toISOString()}, after this consent`,
        text: "",
      });
  }
  return { fresh: out.size === 0 ? chunk : chunk.filter((row) => !out.has(row)), withdrawn };
}

/** Adds rows in one transaction; answers how many, the others being twins within the list. */
async function addRows(
  client: pg.ClientBase,
  batch: SubscriberBatch,
  rows: Uint32Array,
  consentIds: readonly number[],
): Promise<number> {
  const taken = await transact(client, async () => {
    // Whatever uses these ordinals is written to disk after this, and takes this along.
    await client.query("SET LOCAL synchronous_commit = off");
    return takeOrdinals(client, countByHome(batch, rows));
  });
  const ordinals = assignOrdinals(batch, rows, taken);
  const store = (into: "subscriber" | "staged") =>
    transact(client, async () => {
      const tuples = packTuples(batch, rows, ordinals, consentIds);
      await copyIn(client, `${into} (${TUPLE_COLUMNS})`, tuples);
      const added = into === "staged" ? await unstage(client) : rows.length;
      await storeAddresses(client, batch, rows, ordinals);
      const ranges = [...taken.values()].flat();
      await logRegisteredRanges(
        client,
        ranges.toSorted(([a], [b]) => a - b),
      );
      return added;
    });
  for (let tries = 0; ; tries++) {
    try {
      return await store(tries === 0 ? "subscriber" : "staged");
    } catch (error) {
      const isTwin = TWIN_STATES.includes((error as pg.DatabaseError).code);
      if (!isTwin || tries === STAGED_TRIES_MAX) throw error;
    }
  }
}

/** Moves the staged rows into the registry; answers how many, the others being twins. */
async function unstage(client: pg.ClientBase): Promise<number> {
  const { rowCount } = await client.query(
    `INSERT INTO subscriber (${TUPLE_COLUMNS}) SELECT ${TUPLE_COLUMNS} FROM staged
     ON CONFLICT (id) DO NOTHING`,
  );
  return rowCount ?? 0;
}

async function transact<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function storeAddresses(
  client: pg.ClientBase,
  batch: SubscriberBatch,
  rows: Uint32Array,
  ordinals: Uint32Array,
): Promise<void> {
  const found: [ordinals: number[], kinds: string[], addresses: string[]] = [[], [], []];
  for (let index = 0; index < rows.length; index++) {
    const addresses = batch.addressesOf(rows[index] as number) ?? [];
    for (let i = 0; i < addresses.length; i += 2) {
      found[0].push(ordinals[index] as number);
      found[1].push(addresses[i] as string);
      found[2].push(addresses[i + 1] as string);
    }
  }
  if (found[0].length === 0) return;
  // The ordinal of a twin was given to nobody.
  await client.query(
    `INSERT INTO endpoint (ordinal, kind, address)
     SELECT * FROM unnest($1::int[], $2::text[], $3::text[]) AS e (ordinal, kind, address)
      WHERE EXISTS (SELECT FROM subscriber s WHERE s.ordinal = e.ordinal)`,
    found,
  );
}

/**
 * The rows in the order of their ids, not of their ordinals: then each page of the index on id is
 * looked for and changed many times in a row, which halves the cost of that index.
 */
function* packTuples(
  batch: SubscriberBatch,
  rows: Uint32Array,
  ordinals: Uint32Array,
  consentIds: readonly number[],
): Generator<Buffer> {
  let piece = roomOf(Buffer.allocUnsafe(COPY_PIECE_BYTES));
  let end = 0;
  for (const index of sortRows(rows.length, (at) => batch.idStartOf(rows[at] as number))) {
    const row = rows[index] as number;
    if (end + batch.sizeOf(row) > COPY_PIECE_BYTES) {
      yield piece.bytes.subarray(0, end);
      piece = roomOf(Buffer.allocUnsafe(COPY_PIECE_BYTES));
      end = 0;
    }
    end = batch.writeTuple(row, ordinals[index] as number, consentIds, piece, end);
  }
  yield piece.bytes.subarray(0, end);
}

/** The ordinals of the rows: those of a home in the order of the rows. */
function assignOrdinals(
  batch: SubscriberBatch,
  rows: Uint32Array,
  taken: ReadonlyMap<number, readonly OrdinalRange[]>,
): Uint32Array {
  const cursors = new Map<number, Cursor>();
  const ordinals = new Uint32Array(rows.length);
  for (let index = 0; index < rows.length; index++) {
    const home = batch.homeOf(rows[index] as number);
    let cursor = cursors.get(home);
    if (!cursor) cursors.set(home, (cursor = { ranges: taken.get(home) ?? [], at: 0, next: -1 }));
    ordinals[index] = nextOrdinal(cursor);
  }
  return ordinals;
}

/** How many rows each home has. */
function countByHome(batch: SubscriberBatch, rows: Uint32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (let index = 0; index < rows.length; index++) {
    const home = batch.homeOf(rows[index] as number);
    counts.set(home, (counts.get(home) ?? 0) + 1);
  }
  return counts;
}

interface Cursor {
  readonly ranges: readonly OrdinalRange[];
  /** Which range is being used, and the ordinal in it that comes next; -1: its first. */
  at: number;
  next: number;
}

function nextOrdinal(cursor: Cursor): number {
  const [first, last] = cursor.ranges[cursor.at] as OrdinalRange;
  const ordinal = cursor.next < 0 ? first : cursor.next;
  if (ordinal === last) {
    cursor.at += 1;
    cursor.next = -1;
  } else cursor.next = ordinal + 1;
  return ordinal;
}
