// The tar format as backups use it: what is written is read, by the system's own tool too, and what
// would leave its folder is refused.
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BACKUP_CLUSTER,
  BACKUP_DIGEST,
  BACKUP_NOTE,
  BackupCheck,
  BackupDigest,
} from "./backup-format.ts";
import {
  readTarHeader,
  TAR_END,
  type TarEntry,
  tarPadding,
  TarReader,
  type TarToken,
  writeTarHeader,
} from "./tar.ts";

const file = (name: string, size: number): TarEntry => ({
  name,
  kind: "file",
  size,
  mode: 0o600,
  uid: 65_534,
  gid: 65_534,
  modifiedAt: 1_790_000_000,
});
const pack = (...files: readonly (readonly [name: string, bytes: Buffer])[]): Buffer =>
  Buffer.concat([
    ...files.flatMap(([name, bytes]) => [
      writeTarHeader(file(name, bytes.length)),
      bytes,
      tarPadding(bytes.length),
    ]),
    TAR_END,
  ]);

/** Reads an archive in chunks of these lengths, over and over. */
function read(archive: Buffer, lengths: readonly number[]): Map<string, Buffer> {
  const reader = new TarReader();
  const files = new Map<string, Buffer>();
  let name = "";
  for (let at = 0, i = 0; at < archive.length; i += 1) {
    const length = lengths[i % lengths.length] as number;
    for (const token of reader.push(archive.subarray(at, at + length))) {
      if (token.kind === "entry") files.set((name = token.entry.name), Buffer.alloc(0));
      else files.set(name, Buffer.concat([files.get(name) as Buffer, token.bytes]));
    }
    at += length;
  }
  reader.end();
  return files;
}

test("whatever is written is read, however it arrives", () => {
  const bytes = fc.uint8Array({ maxLength: 2_000 }).map((each) => Buffer.from(each));
  const name = fc
    .stringMatching(/^[a-z0-9_-]{1,40}(\/[a-z0-9_.-]{1,40})?$/)
    .filter((each) => !/\/\.{1,2}$/.test(each));
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, bytes), { maxLength: 5, selector: ([each]) => each }),
      fc.array(fc.integer({ min: 1, max: 1_500 }), { minLength: 1, maxLength: 4 }),
      (files, lengths) => {
        expect(read(pack(...files), lengths)).toEqual(new Map(files));
      },
    ),
    { numRuns: 50 },
  );
});

test("the system's own tar lists what we write", () => {
  const long = `${"folder-".repeat(14)}/${"name-".repeat(19)}`;
  const archive = pack(["a.txt", Buffer.from("xin chào")], [long, Buffer.alloc(1_000)]);
  const { status, stdout } = spawnSync("tar", ["-tf", "-"], { input: archive, encoding: "utf8" });
  expect([status, stdout.trim().split("\n")]).toEqual([0, ["a.txt", long]]);
});

test("a header that was changed, or leads out of its folder, is refused", () => {
  const header = writeTarHeader(file("keys/a", 3));
  header[0] = 0x6a;
  expect(() => readTarHeader(header)).toThrow("does not add up");
  for (const name of ["../a", "/etc/passwd", "a/../../b", "a//b", "a\\b", "c:d"])
    expect(() => readTarHeader(writeTarHeader(file(name, 0)))).toThrow("is no name");
  expect(readTarHeader(writeTarHeader(file("./a", 0)))?.name).toBe("a");
});

/** The fault of a backup with these files, without a digest of its own. */
function faultOf(...files: readonly (readonly [string, string])[]): string {
  const digest = new BackupDigest();
  const tokens: TarToken[] = files.flatMap(([name, text]) => {
    const bytes = Buffer.from(text);
    const entry = file(name, bytes.length);
    const header = writeTarHeader(entry);
    return [
      { kind: "entry", entry, header },
      { kind: "bytes", bytes },
    ] satisfies TarToken[];
  });
  for (const token of tokens) digest.add(token);
  const sum = Buffer.from(digest.hex());
  const entry = file(BACKUP_DIGEST, sum.length);
  const check = new BackupCheck();
  try {
    for (const token of tokens) check.pass(token);
    check.pass({ kind: "entry", entry, header: writeTarHeader(entry) });
    check.pass({ kind: "bytes", bytes: sum });
    check.end();
    return "";
  } catch (fault) {
    return (fault as Error).message;
  }
}

test("a backup begins with its note and holds nothing that does not belong into a data folder", () => {
  const note = [BACKUP_NOTE, "{}"] as const;
  expect(faultOf(note, [`${BACKUP_CLUSTER}/PG_VERSION`, "18"])).toBe("");
  expect(faultOf([`${BACKUP_CLUSTER}/PG_VERSION`, "18"])).toBe("this is no backup of Loa");
  expect(faultOf(note, ["etc/cron.d/x", "*"])).toContain("does not belong into a backup");
  const check = new BackupCheck();
  expect(() => check.end()).toThrow("no digest at its end");
});
