// The entry of every process of Loa. Without arguments it is the supervisor; with --role it
// is one of the supervisor's children.
import { parseArgs } from "node:util";
import { ConfigError, readConfig } from "./config.ts";
import { announce } from "./role/announce.ts";
import { startFront } from "./role/front.ts";
import { startLedger } from "./role/ledger.ts";
import { InstallationInUse } from "./role/postgres.ts";
import { ROLE_NAMES, type RoleName, serveRole } from "./role/role.ts";
import { startStream } from "./role/stream.ts";
import { startInstallation } from "./role/supervisor.ts";
import { startWorker } from "./role/worker.ts";

const START = {
  front: startFront,
  stream: startStream,
  ledger: startLedger,
  worker: startWorker,
} as const satisfies Record<RoleName, unknown>;

const { values } = parseArgs({ options: { role: { type: "string" } } });
const role = ROLE_NAMES.find((name) => name === values.role);
if (role !== undefined) serveRole(START[role]);
else await supervise();

async function supervise(): Promise<void> {
  const config = readOrExit();
  const say = (line: string) => {
    if (config.readyJson === "off") process.stdout.write(`${line}\n`);
  };
  let ended = false;
  let wanted: () => void = () => {};
  const asked = new Promise<void>((done) => {
    wanted = done;
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, wanted);
  try {
    const starting = startInstallation(config, say);
    const installation = await starting;
    announce(installation, config);
    await asked;
    say("\nEnding ...");
    await installation.stop();
    ended = true;
    say("Everything that Loa started has ended.");
  } catch (error) {
    if (!(error instanceof InstallationInUse)) throw error;
    process.stderr.write(`${error.message}\n`);
  }
  process.exit(ended ? 0 : 2);
}

function readOrExit() {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}
