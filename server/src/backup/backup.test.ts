// Taking a backup: what is refused, and when it counts. That it can be restored is told in
// cli/src/command/restore.test.ts.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BACKUP_NOTE, BackupCheck } from "@loa/api/backup-format.ts";
import { TarReader } from "@loa/api/tar.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createLogger } from "../observe/log.ts";
import { inTransaction } from "../db/transaction.ts";
import { ORDINALS_SKIPPED, takeOrdinal } from "../registry/ordinal.ts";
import { type BackupDeps, openBackupDesk } from "./backup.ts";
import { acceptRestored, RESTORED_NOTE } from "./restored.ts";

let database: TestDatabase;
let folder: string;
let deps: BackupDeps;
const goOn = new AbortController().signal;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), "loa-backup-"));
  mkdirSync(join(folder, "keys"));
  for (const name of ["signing.pem", "token-secret"])
    writeFileSync(join(folder, "keys", name), name);
  const { pool, options: connection } = database;
  const log = createLogger("silent", "test");
  deps = { pool, connection, dataFolder: folder, version: "1.2.3", log };
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.close();
});

test("an archive is whole, holds the keys, and counts once it is confirmed with its sum", async () => {
  const desk = openBackupDesk(deps);
  const { id, archive } = await desk.take(goOn);
  await expect(desk.take(goOn)).rejects.toMatchObject({ code: "busy" });
  const reader = new TarReader();
  const check = new BackupCheck();
  const names: string[] = [];
  let bytes = 0;
  for await (const chunk of archive) {
    bytes += chunk.length;
    for (const token of reader.push(chunk)) {
      check.pass(token);
      if (token.kind === "entry") names.push(token.entry.name);
    }
  }
  reader.end();
  const sha256 = check.end();
  expect(names[0]).toBe(BACKUP_NOTE);
  expect(names).toEqual(
    expect.arrayContaining(["keys/signing.pem", "keys/token-secret", "postgresql/backup_label"]),
  );
  const wrong = desk.confirm(id, { sha256: "0".repeat(64), bytes });
  await expect(wrong).rejects.toMatchObject({ code: "backup-unknown" });
  const confirmed = await desk.confirm(id, { sha256, bytes });
  expect(confirmed).toMatchObject({ id, bytes, confirmedAt: expect.any(Date) });
  expect(await desk.confirm(id, { sha256, bytes })).toEqual(confirmed);
});

test("a server that is busy meanwhile keeps the log that makes an archive whole", async () => {
  const { pool } = database;
  const { archive } = await openBackupDesk(deps).take(goOn);
  const reader = new TarReader();
  const check = new BackupCheck();
  const read = (chunk: Uint8Array) => {
    for (const token of reader.push(chunk)) check.pass(token);
  };
  const isBegun = await archive.next();
  if (isBegun.done !== true) read(isBegun.value);
  // Each checkpoint removes the segments of the log before the last one, unless somebody needs them.
  for (let turn = 0; turn < 4; turn++) {
    await pool.query("CREATE TABLE busy AS SELECT generate_series(1, 10000)");
    await pool.query("DROP TABLE busy");
    await pool.query("SELECT pg_switch_wal()");
    await pool.query("CHECKPOINT");
  }
  for await (const chunk of archive) read(chunk);
  reader.end();
  expect(check.end()).toMatch(/^[0-9a-f]{64}$/);
  const kept = () =>
    pool.query("SELECT FROM pg_replication_slots WHERE slot_name LIKE 'loa_backup_%'");
  await expect.poll(async () => (await kept()).rowCount, { timeout: 10_000 }).toBe(0);
});

test("whoever stops reading ends the backup, and the next one can begin", async () => {
  const desk = openBackupDesk(deps);
  const { archive } = await desk.take(goOn);
  await archive.next();
  await archive.return(undefined);
  const { archive: next } = await desk.take(goOn);
  expect((await next.next()).done).toBe(false);
  await next.return(undefined);
});

test("a database that admits no backup says so, and nothing is begun", async () => {
  const { pool, options } = database;
  const role = `backup_${process.pid}`;
  await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'thử'`);
  try {
    const connection = { ...options, user: role, password: "thử" };
    const desk = openBackupDesk({ ...deps, connection });
    await expect(desk.take(goOn)).rejects.toMatchObject({ code: "backup-refused" });
    await expect(desk.take(goOn)).rejects.toMatchObject({ code: "backup-refused" });
  } finally {
    await pool.query(`DROP ROLE ${role}`);
  }
});

test("the first start on a restored folder skips what was given out since, once", async () => {
  const { pool } = database;
  const take = () => inTransaction(pool, (tx) => takeOrdinal(tx, 7));
  const before = await take();
  const { rows } = await pool.query<{ id: string }>("SELECT id FROM backup LIMIT 1");
  const note = {
    format: 1,
    id: rows[0]?.id,
    startedAt: "2026-09-07T07:00:00Z",
    loa: "1.2.3",
    postgresql: 180_004,
  };
  const write = () => writeFileSync(join(folder, BACKUP_NOTE), JSON.stringify(note));
  const said: string[] = [];
  write();
  await acceptRestored(pool, folder, (line) => said.push(line));
  const after = await take();
  expect(after - before).toBeGreaterThan(ORDINALS_SKIPPED);
  expect(existsSync(join(folder, BACKUP_NOTE))).toBe(false);
  expect(existsSync(join(folder, RESTORED_NOTE))).toBe(true);
  expect(said[0]).toContain("2026-09-07T07:00:00Z");
  // A start that was killed before the note was put aside finds it again.
  write();
  await acceptRestored(pool, folder, (line) => said.push(line));
  expect(await take()).toBe(after + 1);
  expect(said).toHaveLength(1);
});
