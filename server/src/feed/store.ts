// Where publications are kept: the table is the truth, and the folder beside the database a copy
// from which a restart serves at once and which answers while the database is away. Both are only
// ever added to. A file that is broken or missing is written again from the table.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { type Publication, PUBLICATION_VERSION } from "./publication.ts";

/** Publications that are read or looked for at once: bounds memory and one turn of the loop. */
export const PUBLISH_BATCH = 50;

/** Publications whose names are read at once. */
export const HEADS_BATCH = 1_000;

/** Ids of issued bulletins that have no publication, in order of issue. */
export async function selectUnpublished(
  pool: pg.Pool,
  except: readonly string[],
): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>({
    name: "unpublished",
    text: `SELECT b.id FROM bulletin b
           WHERE b.issued_at IS NOT NULL AND b.id <> ALL($2::uuid[])
             AND NOT EXISTS (SELECT FROM publication p WHERE p.bulletin_id = b.id)
           ORDER BY b.issued_at, b.id LIMIT $1`,
    values: [PUBLISH_BATCH, except],
  });
  return rows.map(({ id }) => id);
}

/** Which publications there are after a number, in order; at most HEADS_BATCH. */
export async function selectHeads(
  pool: pg.Pool,
  after: number,
): Promise<{ seq: number; code: string }[]> {
  const { rows } = await pool.query<{ seq: string; code: string }>({
    name: "publication-heads",
    text: "SELECT seq, code FROM publication WHERE seq > $1 ORDER BY seq LIMIT $2",
    values: [after, HEADS_BATCH],
  });
  return rows.map(({ seq, code }) => ({ seq: Number(seq), code }));
}

/** One publication with its document. */
export async function selectPublished(
  pool: pg.Pool,
  code: string,
): Promise<{ publication: Publication; cap: Buffer } | undefined> {
  const { rows } = await pool.query<{ publication: Publication; cap: Buffer }>(
    "SELECT record AS publication, cap FROM publication WHERE code = $1",
    [code],
  );
  return rows[0];
}

/** Whether a short code is another bulletin's. */
export async function isCodeTaken(pool: pg.Pool, code: string, id: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    "SELECT FROM publication WHERE code = $1 AND bulletin_id <> $2",
    [code, id],
  );
  return rowCount !== 0;
}

/** False when somebody published it before: what was published first stands. */
export async function insertPublication(
  pool: pg.Pool,
  publication: Publication,
  cap: Uint8Array,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `INSERT INTO publication (bulletin_id, code, record, cap) VALUES ($1, $2, $3, $4)
     ON CONFLICT (bulletin_id) DO NOTHING`,
    [publication.id, publication.code, JSON.stringify(publication), cap],
  );
  return rowCount === 1;
}

/** The copy on disk: two files for each publication, named by its short code. */
export class Folder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** Everything that can be read, in no order; what cannot be read is passed over. */
  *readAll(): Generator<Publication> {
    const suffix = ".json";
    for (const name of readdirSync(this.#path))
      if (name.endsWith(suffix)) {
        const publication = this.read(name.slice(0, -suffix.length));
        if (publication) yield publication;
      }
  }

  read(code: string): Publication | undefined {
    const text = this.#bytes(`${code}.json`);
    if (text === undefined) return undefined;
    try {
      const publication = JSON.parse(text.toString("utf8")) as Publication;
      // The document is written first: where it is missing, the pair is not whole.
      const isWhole = existsSync(join(this.#path, `${code}.xml`));
      const isOurs = publication.v === PUBLICATION_VERSION && publication.code === code;
      return isWhole && isOurs ? publication : undefined;
    } catch {
      return undefined;
    }
  }

  readCap(code: string): Buffer | undefined {
    return this.#bytes(`${code}.xml`);
  }

  /** Each file appears whole or not at all, also when the machine loses power. */
  write(publication: Publication, cap: Uint8Array): void {
    this.#put(`${publication.code}.xml`, cap);
    this.#put(`${publication.code}.json`, JSON.stringify(publication));
  }

  #put(name: string, bytes: Uint8Array | string): void {
    const draft = join(this.#path, `${name}.draft`);
    try {
      writeFileSync(draft, bytes, { flush: true });
      renameSync(draft, join(this.#path, name));
    } finally {
      rmSync(draft, { force: true });
    }
  }

  #bytes(name: string): Buffer | undefined {
    try {
      return readFileSync(join(this.#path, name));
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw fault;
    }
  }
}
