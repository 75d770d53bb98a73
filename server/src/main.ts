// The entry of every process of Loa. Without arguments it is the supervisor; with --role it
// is one of the supervisor's children. Exit status: 0 it ran and was ended, 2 it could not run.
//
// Each process loads the code of its own role and no other: a process that died is back the sooner.
import { parseArgs } from "node:util";
import { ConfigError, readConfig } from "./config.ts";
import { ROLE_NAMES, serveRole, serveRoleBehindDoor } from "./role/role.ts";
import { StartRefused } from "./role/start-refused.ts";

const { values } = parseArgs({ options: { role: { type: "string" } } });
switch (ROLE_NAMES.find((name) => name === values.role)) {
  case "front": {
    const { openDoor } = await import("./role/public-door.ts");
    const loadFront = () => import("./role/front.ts");
    serveRoleBehindDoor(
      async (order) => {
        const door = await openDoor(order);
        // Only now, so that the door is open the sooner; what fails does so again below.
        loadFront().catch(() => {});
        return door;
      },
      async (context, door) => (await loadFront()).startFront(context, door),
    );
    break;
  }
  case "stream":
    serveRole((await import("./role/stream.ts")).startStream);
    break;
  case "ledger":
    serveRole((await import("./role/ledger.ts")).startLedger);
    break;
  case "worker":
    serveRole((await import("./role/worker.ts")).startWorker);
    break;
  case undefined:
    process.exit(await supervise());
}

/** Runs an installation until it is told to end; answers the exit status. */
async function supervise(): Promise<number> {
  // A terminal or a pipe that is gone takes what is said to it; the database must still be ended.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const config = readOrSay();
  if (config === undefined) return 2;
  const { startInstallation } = await import("./role/supervisor.ts");
  const { announce } = await import("./role/announce.ts");
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
