// The data folder of an installation: there, writable, and held by one Loa. The hold is a name in
// the kernel that ends with its process, however that ends; without it two starts at the same time
// would both make a database in the same folder. Where the system has no such names (not Linux),
// only the lock in the database tells a second Loa, which is later but not too late.
import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { StartRefused } from "./start-refused.ts";

/** A Loa that was just killed may need this long to be gone. */
export const HOLD_PATIENCE_MS = 1_000;
const POLL_MS = 50;

/** Creates the folder. @throws {StartRefused} when it cannot be written. */
export function prepareDataFolder(folder: string): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

/** As `recursive` does, which never returns where the system lets nobody make a folder (/proc). */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** The refusal for a data folder that turned out not to take what must be written. */
export function unwritable(folder: string, cause: unknown): StartRefused {
  const { code } = cause as NodeJS.ErrnoException;
  const why = code ?? "?";
  return new StartRefused(
    {
      en: `the data folder ${folder} cannot be written (${why}). Set LOA_DATA to a folder that this user may write.`,
      vi: `không ghi được vào thư mục dữ liệu ${folder} (${why}). Hãy đặt LOA_DATA là một thư mục mà người dùng này ghi được.`,
    },
    { cause },
  );
}

/**
 * Holds the folder for this process; answers how to let go.
 * @throws {StartRefused} when another Loa holds it.
 */
export async function holdDataFolder(folder: string): Promise<() => Promise<void>> {
  if (process.platform !== "linux") return async () => {};
  const { dev, ino } = statSync(folder);
  const deadline = performance.now() + HOLD_PATIENCE_MS;
  for (;;) {
    const letGo = await holdName(`\0loa-data-${dev}-${ino}`);
    if (letGo) return letGo;
    if (performance.now() > deadline)
      throw new StartRefused({
        en: `another Loa runs on the data folder ${folder}. Stop it first, or set LOA_DATA to another folder.`,
        vi: `một Loa khác đang chạy trên thư mục dữ liệu ${folder}. Hãy dừng Loa đó trước, hoặc đặt LOA_DATA là một thư mục khác.`,
      });
    await new Promise((next) => setTimeout(next, POLL_MS));
  }
}

/** Undefined when the name is held already. */
function holdName(name: string): Promise<(() => Promise<void>) | undefined> {
  const server = createServer((peer) => peer.destroy());
  return new Promise((done, fail) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") done(undefined);
      else fail(error);
    });
    server.listen(name, () => {
      server.unref();
      done(() => new Promise<void>((ended) => server.close(() => ended())));
    });
  });
}
