// What tests of bad days need: a database that is slow or away behind a proxy of ours, people who
// are told over loopback, and warnings and notices that are issued to them through the API.
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import {
  issueBulletin,
  approveBulletin,
  createBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import { createClient, readNdjson } from "@loa/api/client.ts";
import { getHealth, type Health } from "@loa/api/health.ts";
import { importSubscribers } from "@loa/api/subscribers.ts";
import type { BulletinKind } from "@loa/model/bulletin-type.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import type { ConnectionOptions } from "../src/db/connection.ts";
import { eventually } from "./dispatch-kit.ts";
import type { TestInstallation } from "./installation.ts";

/** Between Loa and its database. */
export interface DatabaseProxy extends AsyncDisposable {
  /** As DATABASE_URL. */
  readonly url: string;
  /** Every answer of the database is held back for so long. */
  delay(ms: number): void;
  /** Cuts all connections and takes no new one, or takes them again. */
  refuse(refuses: boolean): void;
}

/** Most that waits in one direction of one connection: a proxy of tests need not hold more. */
const HELD_MAX = 10_000;

export async function openDatabaseProxy(options: ConnectionOptions): Promise<DatabaseProxy> {
  let delayMs = 0;
  let refuses = false;
  const sockets = new Set<Socket>();
  const server = createServer((loa) => {
    if (refuses) {
      loa.destroy();
      return;
    }
    const database = options.host.startsWith("/")
      ? connect(join(options.host, `.s.PGSQL.${options.port}`))
      : connect(options.port, options.host);
    const end = () => {
      for (const each of [loa, database]) each.destroy();
    };
    for (const each of [loa, database]) {
      sockets.add(each);
      each.on("error", end);
      each.on("close", () => {
        sockets.delete(each);
        end();
      });
    }
    loa.pipe(database);
    let held = 0;
    database.on("data", (chunk) => {
      if (delayMs === 0 && held === 0) return void loa.write(chunk);
      if (++held > HELD_MAX) return end();
      // Timers of one length keep their order, and a shorter one must not overtake.
      setTimeout(
        () => {
          held -= 1;
          if (!loa.destroyed) loa.write(chunk);
        },
        Math.max(delayMs, held > 1 ? lastDelayMs : 0),
      );
      lastDelayMs = Math.max(delayMs, held > 1 ? lastDelayMs : 0);
    });
    let lastDelayMs = 0;
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const { user, password, database } = options;
  return {
    url: `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`,
    delay: (ms) => {
      delayMs = ms;
    },
    refuse(now) {
      refuses = now;
      if (now) for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

const HEADER = "ref,kind,standing,home,places,follows,endpoints,consent_version,consent_at";

/** Registers people of exercises at home in SL001, who are told over loopback. */
export async function registerPeople(
  loa: TestInstallation,
  count: number,
  source = "exercise",
): Promise<{ added: number }> {
  const rows = Array.from(
    { length: count },
    (_, i) => `${i},person,exercise,SL001,,,loopback,form-1,2026-01-05T08:00:00+07:00\n`,
  );
  const body = ReadableStream.from([Buffer.from(`${HEADER}\n${rows.join("")}`)]);
  const answer = await loa
    .as("operator")
    .ask(importSubscribers, { query: { source, basis: "exercise" }, body });
  let added = 0;
  for await (const line of readNdjson<{ done?: { added: number }; problem?: object }>(answer)) {
    if (line.problem) throw new Error(JSON.stringify(line.problem));
    added = line.done?.added ?? added;
  }
  return { added };
}

/** Writes, submits, approves and issues an exercise for SL001; answers its dispatch. */
export async function issueExercise(loa: TestInstallation, kind: BulletinKind): Promise<string> {
  const [author, approver] = [loa.as("provinceAuthor"), loa.as("provinceApprover")];
  const accountId = loa.demonstration.accounts[0]?.id ?? "";
  const content = typhoonContent({
    type: "Exercise",
    kind,
    target: { areas: ["SL001"], zones: [], rule: { kind: "named" } },
    channels: ["loopback"],
    now: new Date(),
    audienceRule: "residents",
  });
  const draft = await author.ask(createBulletin, {
    body: { accountId, content: content as never },
  });
  const params = { id: draft.id };
  const submitted = await author.ask(submitBulletin, { params, body: { version: draft.version } });
  const hash = submitted.hash ?? "";
  await approver.ask(approveBulletin, { params, body: { hash } });
  const issued = await approver.ask(issueBulletin, { params });
  return issued.dispatch.id;
}

export const readHealth = (loa: TestInstallation): Promise<Health> =>
  createClient({ origin: loa.api }).ask(getHealth);

/** Waits until exactly these reasons stand, in the order of the table, and answers the state. */
export async function untilReasons(
  loa: TestInstallation,
  codes: readonly string[],
  timeoutMs = 60_000,
): Promise<Health["status"]> {
  const { status } = await eventually(
    () => readHealth(loa),
    ({ reasons }) => reasons.map(({ code }) => code).join() === codes.join(),
    timeoutMs,
  );
  return status;
}
