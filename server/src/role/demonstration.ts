// The demonstration: the invented province Sông Lụa with its agencies, people and keys, so
// that a first start has something to try. Everything goes through the same code as the real
// thing, and everybody in it is a synthetic person of exercises.
import { join } from "node:path";
import { writeSubscriberCsv, synthesizeSubscribers } from "@loa/model/synth.ts";
import {
  DEMONSTRATION_KEYS_FILE,
  type Demonstration as Keys,
  installDemonstration as installAgencies,
} from "../account/demonstration.ts";
import type { Config } from "../config.ts";
import type { Connection } from "../db/connection.ts";
import { type AreaTree, loadAreaTree } from "../registry/area.ts";
import { installSongLua } from "../registry/song-lua.ts";
import { importSubscribers } from "../registry/subscriber-import.ts";
import type { GatewayKeys } from "./sink-process.ts";

/** The same people at every first start. */
const SEED = 2026;
const SOURCE = "demonstration";
const BASIS = "Synthetic people of the demonstration; no real person is behind them";

export interface Demonstration {
  readonly keyFile: string;
  readonly members: readonly {
    readonly key: string;
    readonly post: string;
    readonly agency: string;
    readonly roles: readonly string[];
  }[];
  readonly gatewayKeys: GatewayKeys;
}

/**
 * Fills an empty database with the demonstration; in one that has it, answers its keys; undefined
 * where the agencies are somebody else's.
 */
export async function installDemonstration(
  connection: Connection,
  config: Config,
  say: (line: string) => void,
): Promise<Demonstration | undefined> {
  const { db, pool } = connection;
  const empty = (await db.selectFrom("agency").select("id").executeTakeFirst()) === undefined;
  const foreign =
    (await db.selectFrom("area").select("id").limit(1).executeTakeFirst()) !== undefined;
  if (empty && !foreign) {
    say("Drawing the invented province Sông Lụa ...");
    await installSongLua(connection);
  }
  const tree = await loadAreaTree(db);
  // Nobody listens yet: the processes start after this and read everything anew.
  const bus = { publish() {} };
  const dataFolder = config.data;
  if (empty && tree.byCode("SL") === undefined) return undefined;
  const keys = await installAgencies({ db, bus, places: () => tree, dataFolder });
  if (keys === undefined) return undefined;
  if (await needsPeople(connection, config.demoSubscribers))
    await registerPeople({ db, pool }, tree, keys, config.demoSubscribers, say);
  const keyOf = (holder: string) => keys.keys.find((each) => each.holder === holder)?.key ?? "";
  return {
    keyFile: join(dataFolder, DEMONSTRATION_KEYS_FILE),
    members: keys.keys.filter(({ roles }) => roles.length > 0),
    gatewayKeys: {
      loopback: keyOf("gatewayLoopback"),
      areaLoopback: keyOf("gatewayAreaLoopback"),
    },
  };
}

/** A first start that was killed while registering people goes on at the next. */
async function needsPeople({ db }: Connection, count: number): Promise<boolean> {
  if (count === 0) return false;
  const run = await db
    .selectFrom("import_run")
    .where("source", "=", SOURCE)
    .where("finished_at", "is not", null)
    .select("id")
    .executeTakeFirst();
  return run === undefined;
}

async function registerPeople(
  connection: Pick<Connection, "db" | "pool">,
  tree: AreaTree,
  keys: Keys,
  count: number,
  say: (line: string) => void,
): Promise<void> {
  say(`Registering ${count} synthetic people ...`);
  const communes = tree.areas
    .filter((area) => area.level === "commune")
    .map((commune) => ({
      code: commune.code,
      population: commune.population ?? 0,
      villages: tree.children(commune.id).map((village) => village.code),
    }));
  const accounts = keys.accounts.map((account) => account.handle);
  const people = synthesizeSubscribers({ count, seed: SEED, communes, accounts });
  const encoder = new TextEncoder();
  const csv = async function* () {
    for (const text of writeSubscriberCsv(people)) yield encoder.encode(text);
  };
  const options = { source: SOURCE, basis: BASIS, memberId: null };
  await importSubscribers({ ...connection, tree: () => tree }, csv(), options, {
    progress() {},
    rejects(rows) {
      throw new Error(
        `the demonstration was rejected at line ${rows[0]?.line}: ${rows[0]?.reason}`,
      );
    },
  });
}
