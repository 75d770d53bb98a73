// A set of people to measure with: real rows in PostgreSQL, put there by the importer over the API,
// kept in a folder and used again by later runs. The same seed makes the same people. A set that was
// not finished is made anew: half a set would be measured as if it were whole.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAccount, createAgency, createKey, createMember } from "@loa/api/accounts.ts";
import { importPack } from "@loa/api/areas.ts";
import { type Client, createClient, readNdjson } from "@loa/api/client.ts";
import { type ImportLine, importSubscribers } from "@loa/api/subscribers.ts";
import { fullEntitlement } from "@loa/model/entitlement.ts";
import { synthesizeSubscribers, writeSubscriberCsv } from "@loa/model/synth.ts";
import { loadAreaTree } from "../../server/src/registry/area.ts";
import {
  availableCountry,
  communesOf,
  type CountryName,
  provincesOf,
  readCountryPack,
} from "./country.ts";
import { clearBulletins } from "./dispatch-tables.ts";
import { type BenchInstallation, startBenchInstallation } from "./installation.ts";
import type { BenchContext } from "./unit.ts";

/** Half of the people have a phone that connects; the others are reached over loopback. */
const LIVE_SHARE = 0.5;
const DONE_FILE = "bench-set.json";
const BASIS = "Synthetic people of a benchmark; no real person is behind them";
const SOURCE = "benchmark";
/** How often the import says how far it is. */
const SAY_EVERY_ROWS = 1_000_000;
/** Raised when sets of before can no longer be used. */
const FORMAT = 1;

/** What is known of a finished set. */
export interface PeopleSet {
  readonly format: number;
  readonly country: CountryName;
  readonly subscribers: number;
  /** Areas that together are the whole country. */
  readonly areas: readonly string[];
  readonly accountId: string;
  readonly authorKey: string;
  readonly approverKey: string;
  readonly importSeconds: number;
  /** Of the database, when the import was done. */
  readonly databaseBytes: number;
  /** Processor seconds of server and PostgreSQL for the import; null where nobody counts them. */
  readonly importCpuSeconds: number | null;
}

export interface OpenSet {
  readonly set: PeopleSet;
  readonly installation: BenchInstallation;
}

export interface OpenOptions {
  readonly loopbackUrl?: string | undefined;
}

/** Starts an installation over the wanted set, making the set first if it is not there. */
export async function openPeopleSet(
  context: BenchContext,
  { loopbackUrl }: OpenOptions = {},
): Promise<OpenSet> {
  const { folder, set } = await preparePeopleSet(context);
  const { profileFolder } = context;
  // The copy of what earlier runs published.
  rmSync(join(folder, "published"), { recursive: true, force: true });
  const installation = await startBenchInstallation({ folder, profileFolder, loopbackUrl });
  const stop = async () => {
    try {
      await clearBulletins(installation.connection.pool);
    } finally {
      await installation.stop();
    }
  };
  return { set, installation: { ...installation, stop } };
}

/** Makes the set unless it is there. */
export async function preparePeopleSet(
  context: BenchContext,
): Promise<{ readonly folder: string; readonly set: PeopleSet }> {
  const { subscribers, seed, cacheFolder } = context;
  const country = context.isSmall ? "song-lua" : availableCountry();
  const folder = join(cacheFolder, `${country}-${seed}-${subscribers}`);
  return { folder, set: readSet(folder) ?? (await makeSet(context, country, folder)) };
}

function readSet(folder: string): PeopleSet | undefined {
  const file = join(folder, DONE_FILE);
  if (!existsSync(file)) return undefined;
  const set = JSON.parse(readFileSync(file, "utf8")) as PeopleSet;
  return set.format === FORMAT ? set : undefined;
}

async function makeSet(
  context: BenchContext,
  country: CountryName,
  folder: string,
): Promise<PeopleSet> {
  const { subscribers, say } = context;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  say(`Making ${subscribers.toLocaleString("en")} people of ${country} in ${folder} ...`);
  const installation = await startBenchInstallation({ folder });
  try {
    const cast = await appoint(installation, country);
    const startedMs = performance.now();
    const before = installation.costs();
    await importPeople(context, installation, country);
    const importSeconds = (performance.now() - startedMs) / 1000;
    const after = installation.costs();
    const { rows } = await installation.connection.pool.query<{ bytes: number }>(
      "SELECT pg_database_size(current_database()) AS bytes",
    );
    const set: PeopleSet = {
      format: FORMAT,
      country,
      subscribers,
      ...cast,
      importSeconds,
      databaseBytes: rows[0]?.bytes ?? Number.NaN,
      importCpuSeconds:
        before && after
          ? after.server.cpuSeconds +
            after.postgres.cpuSeconds -
            before.server.cpuSeconds -
            before.postgres.cpuSeconds
          : null,
    };
    // As an installation that has run for a while: statistics are there, hint bits are written.
    await installation.connection.pool.query("VACUUM (ANALYZE) subscriber");
    await installation.stop();
    writeFileSync(join(folder, DONE_FILE), `${JSON.stringify(set, null, 2)}\n`, { mode: 0o600 });
    say(`Made in ${importSeconds.toFixed(0)} s, ${(set.databaseBytes / 1e9).toFixed(1)} GB.`);
    return set;
  } catch (fault) {
    await installation.stop();
    throw fault;
  }
}

type Cast = Pick<PeopleSet, "areas" | "accountId" | "authorKey" | "approverKey">;

/** Imports the country and makes an agency that may warn all of it, with two members. */
async function appoint(installation: BenchInstallation, country: CountryName): Promise<Cast> {
  const operator = operatorOf(installation);
  const pack = readCountryPack(country);
  if (pack) await operator.ask(importPack, { body: pack as never });
  const areas = provincesOf(await loadAreaTree(installation.connection.db), country);
  const name = { vi: "Ban Chỉ đạo đo kiểm", en: "Benchmark command" };
  const { id: agencyId } = await operator.ask(createAgency, {
    body: { parentId: null, name, entitlement: fullEntitlement(areas) as never },
  });
  const { id: accountId } = await operator.ask(createAccount, {
    body: { agencyId, handle: "do-kiem", name },
  });
  const keyOf = async (role: "author" | "approver") => {
    const { id } = await operator.ask(createMember, {
      body: { agencyId, post: name, roles: [role], person: { name: role } },
    });
    const body = { holder: { memberId: id }, label: "benchmark" };
    return (await operator.ask(createKey, { body })).key;
  };
  return {
    areas,
    accountId,
    authorKey: await keyOf("author"),
    approverKey: await keyOf("approver"),
  };
}

async function importPeople(
  { subscribers, seed, say }: BenchContext,
  installation: BenchInstallation,
  country: CountryName,
): Promise<void> {
  const communes = communesOf(await loadAreaTree(installation.connection.db), country);
  const people = synthesizeSubscribers({
    count: subscribers,
    seed,
    communes,
    accounts: ["do-kiem"],
    standing: "public",
    liveShare: LIVE_SHARE,
  });
  const response = await operatorOf(installation).ask(importSubscribers, {
    query: { source: SOURCE, basis: BASIS },
    body: ReadableStream.from(encode(writeSubscriberCsv(withNull(people)))),
  });
  let saidRows = 0;
  for await (const line of readNdjson<ImportLine>(response)) {
    if ("rejects" in line) throw new Error(`a row was rejected: ${line.rejects[0]?.reason}`);
    if ("problem" in line) throw new Error(line.problem.detail);
    if ("progress" in line && line.progress.added >= saidRows + SAY_EVERY_ROWS) {
      saidRows = line.progress.added;
      say(`  ${saidRows.toLocaleString("en")} rows`);
    }
    if ("done" in line && line.done.added !== subscribers)
      throw new Error(`${line.done.added} of ${subscribers} people were added`);
  }
}

/** Everybody can also be "sent" to over the null channel, which measures the engine alone. */
function* withNull(people: ReturnType<typeof synthesizeSubscribers>): typeof people {
  for (const one of people) yield { ...one, endpoints: [...one.endpoints, "null"] };
}

function* encode(pieces: Iterable<string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const piece of pieces) yield encoder.encode(piece);
}

function operatorOf({ folder, api }: BenchInstallation): Client {
  return createClient({ origin: api, key: keyOfDemonstration(folder, "operator") });
}

/** A key of the demonstration by its holder. */
export function keyOfDemonstration(folder: string, holder: string): string {
  const { keys } = JSON.parse(readFileSync(join(folder, "demo-keys.json"), "utf8")) as {
    keys: readonly { readonly holder: string; readonly key: string }[];
  };
  const found = keys.find((each) => each.holder === holder);
  if (found === undefined) throw new Error(`the demonstration has no key for ${holder}`);
  return found.key;
}
