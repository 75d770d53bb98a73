// The entry of every process of Loa. Without arguments it is the supervisor; with --role it
// is one of the supervisor's children. Exit status: 0 it ran and was ended, 2 it could not run.
import { parseArgs } from "node:util";
import { ConfigError, readConfig } from "./config.ts";
import { announce } from "./role/announce.ts";
import { startFront } from "./role/front.ts";
import { startLedger } from "./role/ledger.ts";
import { openDoor } from "./role/public-door.ts";
import { ROLE_NAMES, type RoleName, serveRole, serveRoleBehindDoor } from "./role/role.ts";
import { StartRefused } from "./role/start-refused.ts";
import { startStream } from "./role/stream.ts";
import { startInstallation } from "./role/supervisor.ts";
import { startWorker } from "./role/worker.ts";

const START = {
  stream: startStream,
  ledger: startLedger,
  worker: startWorker,
} as const satisfies Record<Exclude<RoleName, "front">, unknown>;

const { values } = parseArgs({ options: { role: { type: "string" } } });
const role = ROLE_NAMES.find((name) => name === values.role);
if (role === "front") serveRoleBehindDoor(openDoor, startFront);
else if (role !== undefined) serveRole(START[role]);
else process.exit(await supervise());

/** Runs an installation until it is told to end; answers the exit status. */
async function supervise(): Promise<number> {
  // A terminal or a pipe that is gone takes what is said to it; the database must still be ended.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const config = readOrSay();
  if (config === undefined) return 2;
  const say = (line: string) => {
    if (config.readyJson === "off") process.stdout.write(`${line}\n`);
  };
  const end = new AbortController();
  let status = 0;
  const asked = new Promise<void>((done) => {
    const stop = () => {
      if (!end.signal.aborted) say("\nEnding ... / Đang dừng ...");
      end.abort();
      done();
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
    end.signal.addEventListener("abort", () => done(), { once: true });
  });
  const onUsurped = () => {
    status = 2;
    end.abort();
  };
  try {
    const installation = await startInstallation(config, { say, onUsurped, signal: end.signal });
    announce(installation, config);
    await asked;
    await installation.stop();
  } catch (error) {
    // Whatever a start was interrupted in is no fault of it.
    if (!end.signal.aborted) {
      status = 2;
      process.stderr.write(`${error instanceof StartRefused ? error.message : stackOf(error)}\n`);
    }
  }
  say("Everything that Loa started has ended. / Mọi thứ Loa khởi động đã dừng.");
  return status;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function readOrSay() {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}
