// PostgreSQL's own base backup, over its replication protocol (BASE_BACKUP): the data folder of the
// running server as one tar archive, with the write-ahead log that makes it whole. It needs no
// program of PostgreSQL's, works for any server, and stops nobody from writing meanwhile.
//
// The protocol: two result sets, then one COPY in which each message begins with a letter (`n` an
// archive begins, `d` data of it, `m` the manifest begins, `p` progress), then a result set.
// https://www.postgresql.org/docs/18/protocol-replication.html
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import pg from "pg";
import type { ConnectionOptions } from "../db/connection.ts";

/** Kilobytes that PostgreSQL reads for it in a second: a backup must leave the disk to warnings. */
export const RATE_KB = 128 * 1024;
/** Chunks that wait for whoever takes the backup; then PostgreSQL waits. A chunk has up to 64 KiB. */
export const CHUNKS_WAITING_MAX = 64;
/** How long to wait for the connection. */
const CONNECT_MS_MAX = 10_000;

export type BaseBackupPart =
  /** Bytes of the archive of the data folder, or, at its end, of the manifest. */
  { readonly kind: "archive" | "manifest"; readonly bytes: Buffer };

/** The server cannot be backed up over its protocol: its rights, its settings or its shape. */
export class BackupRefused extends Error {
  override name = "BackupRefused";
}

/**
 * Runs a base backup. Ending the iteration early ends it on the server too.
 * @throws {BackupRefused} when the server does not allow it.
 */
export async function* runBaseBackup(options: ConnectionOptions): AsyncGenerator<BaseBackupPart> {
  const client = new pg.Client({
    ...options,
    application_name: "loa-backup",
    connectionTimeoutMillis: CONNECT_MS_MAX,
    // Known to `pg` and not to its types: makes this a connection of the replication protocol.
    ...({ replication: "database" } as object),
  });
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (cause) {
    throw new BackupRefused(`PostgreSQL admits no backup: ${(cause as Error).message}`, { cause });
  }
  const query = new BaseBackupQuery(
    `BASE_BACKUP (LABEL 'loa', CHECKPOINT 'fast', WAL true, MANIFEST 'yes', MAX_RATE ${RATE_KB})`,
  );
  try {
    // Keeps the log from the beginning on, which a busy server would remove before it is sent.
    const slot = `loa_backup_${randomBytes(8).toString("hex")}`;
    await client.query(`CREATE_REPLICATION_SLOT ${slot} TEMPORARY PHYSICAL RESERVE_WAL`);
    client.query(query as never);
    yield* query.parts();
  } catch (cause) {
    const { code } = cause as { code?: string };
    // 42501: no right to replicate; 53300, 53400: no sender or slot left; 0A000, 55000: not set up for it.
    if (["42501", "53300", "53400", "0A000", "55000"].includes(code ?? ""))
      throw new BackupRefused(`PostgreSQL admits no backup: ${(cause as Error).message}`, {
        cause,
      });
    throw cause;
  } finally {
    // Also where it was broken off: the server notices and ends its sending.
    (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  }
}

/** A query as `pg` drives it: it calls these methods as messages arrive. */
class BaseBackupQuery {
  readonly #text: string;
  readonly #waiting: BaseBackupPart[] = [];
  #wake: () => void = () => {};
  #fault: Error | undefined;
  #isDone = false;
  #kind: BaseBackupPart["kind"] = "archive";
  #archives = 0;
  #stream: Socket | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  async *parts(): AsyncGenerator<BaseBackupPart> {
    for (;;) {
      const part = this.#waiting.shift();
      if (part) {
        if (this.#waiting.length === 0) this.#stream?.resume();
        yield part;
      } else if (this.#fault) throw this.#fault;
      else if (this.#isDone) return;
      else
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
    }
  }

  submit(connection: { query(text: string): void; stream: Socket }): void {
    this.#stream = connection.stream;
    connection.stream.once("close", () => this.#fail(new Error("the connection was closed")));
    connection.query(this.#text);
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    const { chunk } = message;
    const letter = String.fromCharCode(chunk[0] ?? 0);
    if (letter === "n") this.#archives += 1;
    if (letter === "m") this.#kind = "manifest";
    if (this.#archives > 1)
      this.#fail(new BackupRefused("The database has tablespaces, which no backup of Loa holds."));
    if (letter !== "d") return;
    this.#waiting.push({ kind: this.#kind, bytes: Buffer.from(chunk.subarray(1)) });
    if (this.#waiting.length >= CHUNKS_WAITING_MAX) this.#stream?.pause();
    this.#wake();
  }

  handleReadyForQuery(): void {
    this.#isDone = true;
    this.#wake();
  }

  handleError(error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (!this.#isDone) this.#fault ??= error;
    this.#wake();
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
}
