// A small Sông Lụa for tests of accounts and bulletins: five communes and two villages in memory,
// the demonstration's agencies in a real database, and everybody's keys turned into actors.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "@loa/model/problem.ts";
import type { ResolvedTarget, Target } from "@loa/model/target.ts";
import type { Actor } from "../src/account/actor.ts";
import { createAuthenticator } from "../src/account/actor.ts";
import {
  type Demonstration,
  type DemonstrationHolder,
  type DemonstrationPlaces,
  installDemonstration,
} from "../src/account/demonstration.ts";
import { loadServerKeys, type ServerKeys } from "../src/account/server-keys.ts";
import type { IssueDeps } from "../src/bulletin/bulletin-deps.ts";
import type { Bus, BusBody, Subject } from "../src/bus/bus.ts";
import { noteLeaving } from "../src/dispatch/chain.ts";
import { type PlannedAudience, planDispatch } from "../src/dispatch/plan.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

interface Unit {
  readonly id: number;
  readonly code: string;
  readonly parentId: number | null;
  readonly name: { readonly vi: string; readonly en: string };
}

const UNITS: readonly Unit[] = [
  { id: 1, code: "SL", parentId: null, name: { vi: "tỉnh Sông Lụa", en: "Sông Lụa" } },
  ...["Bến Lụa", "Gành Nhạn", "Gò Dâu", "Mũi Thoi", "Bãi Dâu"].map((name, i) => ({
    id: 11 + i,
    code: `SL00${i + 1}`,
    parentId: 1,
    name: { vi: `xã ${name}`, en: `${name} commune` },
  })),
  { id: 101, code: "SL001-01", parentId: 11, name: { vi: "thôn Hạ", en: "Hạ village" } },
  { id: 102, code: "SL001-02", parentId: 11, name: { vi: "thôn Thượng", en: "Thượng village" } },
];

/** The tree of areas, as far as accounts and bulletins ask for it. */
export const PLACES = {
  byCode: (code: string) => UNITS.find((unit) => unit.code === code),
  byId: (id: number) => UNITS.find((unit) => unit.id === id),
  communesUnder: (id: number) => UNITS.filter((unit) => unit.parentId === id && id === 1),
} satisfies DemonstrationPlaces;

/** Comes down to communes by code alone. `removed` codes are gone, as after a merger. */
export function resolveByCode(
  target: Target,
  removed: ReadonlySet<string> = new Set(),
): ResolvedTarget {
  const units = target.areas.map((code) => {
    const unit = UNITS.find((candidate) => candidate.code === code);
    if (unit === undefined) throw new Problem("area-unknown", `No area has the code ${code}.`);
    return unit;
  });
  const communes = UNITS.filter((unit) => unit.parentId === 1 && !removed.has(unit.code)).flatMap(
    ({ id, code }) => {
      const whole = units.some((unit) => unit.id === id || unit.id === 1);
      const villageIds = units.filter((unit) => unit.parentId === id).map((unit) => unit.id);
      if (!whole && villageIds.length === 0) return [];
      return [{ areaId: id, code, villageIds: whole ? null : villageIds, share: null }];
    },
  );
  return { packs: [{ name: "song-lua", validFrom: "2025-07-01" }], communes };
}

/** A bus within this process. */
export function createLocalBus(): Pick<Bus, "publish" | "subscribe"> & {
  readonly published: { subject: Subject; body: BusBody }[];
} {
  const hearers = new Map<Subject, Set<(body: BusBody) => void>>();
  const published: { subject: Subject; body: BusBody }[] = [];
  return {
    published,
    publish(subject, body) {
      published.push({ subject, body });
      for (const hear of hearers.get(subject) ?? []) hear(body);
    },
    subscribe(subject, hear) {
      const all = hearers.get(subject) ?? new Set();
      hearers.set(subject, all.add(hear));
      return () => all.delete(hear);
    },
  };
}

/** Nobody, as the audience stage would say it: what counts in these tests is the bulletin. */
const NOBODY: PlannedAudience = { residents: 0, concerned: 0, communes: [], shards: () => [] };

export interface BulletinWorld extends AsyncDisposable {
  /** Codes of communes that the target no longer comes down to, as after a merger. */
  readonly removed: Set<string>;
  /** Whom a Cancel was frozen for: the bulletins whose recipients it reaches. */
  readonly reached: (readonly string[])[];
  readonly deps: IssueDeps<PlannedAudience>;
  readonly database: TestDatabase;
  readonly bus: ReturnType<typeof createLocalBus>;
  readonly keys: ServerKeys;
  readonly dataFolder: string;
  readonly demonstration: Demonstration;
  /** The actor behind one of the demonstration's keys. */
  actor(holder: DemonstrationHolder): Promise<Actor>;
  keyOf(holder: DemonstrationHolder): string;
  close(): Promise<void>;
}

/** The same units where PostgreSQL looks for them, as when it compares a message with its places. */
async function plantUnits({ pool }: TestDatabase): Promise<void> {
  await pool.query(
    "INSERT INTO area_pack (name, valid_from, state) VALUES ('song-lua', '2025-07-01', 'active')",
  );
  await pool.query(
    `INSERT INTO area (id, pack_id, code, level, parent_id, name_vi, name_en) OVERRIDING SYSTEM VALUE
     SELECT u.id, p.id, u.code, u.level, u.parent_id, u.vi, u.en
     FROM area_pack p, unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[])
       AS u(id, code, level, parent_id, vi, en)`,
    [
      UNITS.map(({ id }) => id),
      UNITS.map(({ code }) => code),
      UNITS.map(levelOf),
      UNITS.map(({ parentId }) => parentId),
      UNITS.map(({ name }) => name.vi),
      UNITS.map(({ name }) => name.en),
    ],
  );
}

const levelOf = ({ parentId }: Unit): string =>
  parentId === null ? "province" : parentId === 1 ? "commune" : "village";

export async function createBulletinWorld(): Promise<BulletinWorld> {
  const database = await createTestDatabase();
  const dataFolder = mkdtempSync(join(tmpdir(), "loa-world-"));
  await plantUnits(database);
  const bus = createLocalBus();
  const demonstration = await installDemonstration({
    db: database.db,
    bus,
    places: () => PLACES,
    dataFolder,
  });
  if (demonstration === undefined) throw new Error("a fresh database has agencies");
  const authenticator = createAuthenticator(database.db, bus);
  const keyOf = (holder: DemonstrationHolder): string => {
    const entry = demonstration.keys.find((key) => key.holder === holder);
    if (entry === undefined) throw new Error(`the demonstration has no ${holder}`);
    return entry.key;
  };
  const close = async (): Promise<void> => {
    authenticator.close();
    rmSync(dataFolder, { recursive: true, force: true });
    await database.close();
  };
  const keys = loadServerKeys(dataFolder);
  const removed = new Set<string>();
  const reached: (readonly string[])[] = [];
  return {
    database,
    bus,
    keys,
    removed,
    reached,
    deps: {
      db: database.db,
      pool: database.pool,
      bus,
      keys,
      places: () => PLACES,
      resolve: async (target) => resolveByCode(target, removed),
      freezeAudience: async () => NOBODY,
      freezeReached: async (_, bulletinIds) => {
        reached.push(bulletinIds);
        return NOBODY;
      },
      freezeCorrection: async () => ({ main: NOBODY, silent: NOBODY, untoldCommuneIds: [] }),
      noteLeaving,
      planDispatch,
    },
    dataFolder,
    demonstration,
    keyOf,
    async actor(holder) {
      const found = await authenticator.authenticate(keyOf(holder));
      if (found.kind !== "member") throw new Error(`${holder} is not a member`);
      return found.who;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
