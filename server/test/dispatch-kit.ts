// What tests of the engine need: an issued bulletin with a frozen audience of chosen people,
// without the stages before it. Everything is real but the choosing.
import type { BulletinType, Lane } from "@loa/model/bulletin-type.ts";
import type { ChannelName, EndpointKind } from "@loa/model/endpoint.ts";
import type pg from "pg";
import { RoaringBitmap32, roaringLibraryInitialize } from "roaring-wasm";
import { splitShards } from "../src/audience/container.ts";
import type { AddressedChannel, Outcome, Slice, SliceOutcome } from "../src/channel/channel.ts";
import { OUTCOMES } from "../src/channel/channel.ts";
import { newId } from "../src/db/id.ts";
import {
  type PlannedAudience,
  type PlannedDispatch,
  planDispatch,
  type PlanningOptions,
} from "../src/dispatch/plan.ts";

await roaringLibraryInitialize();

export function portable(ordinals: Iterable<number>): Uint8Array {
  const bitmap = new RoaringBitmap32(ordinals);
  try {
    bitmap.runOptimize();
    return bitmap.serialize("portable");
  } finally {
    bitmap.dispose();
  }
}

/** People of one commune. */
export interface TestCommune {
  readonly areaId: number;
  readonly residents: readonly number[];
  readonly concerned?: readonly number[];
}

export interface TestPlan {
  readonly communes: readonly TestCommune[];
  /** Who has which endpoint; a kind that is not named is everybody's. */
  readonly endpoints?: Partial<Record<EndpointKind, readonly number[]>>;
  readonly channels: readonly ChannelName[];
  readonly lane?: Lane;
  readonly type?: BulletinType;
  readonly expiresInMs?: number;
  readonly supersedes?: readonly string[];
  /** As of an issue that is repeated. */
  readonly dispatchId?: string;
  /** What the message names, where an encoder failed; otherwise the codes of the communes. */
  readonly areas?: readonly string[];
}

export function audienceOf(plan: TestPlan): PlannedAudience {
  const everybody = plan.communes.flatMap(({ residents, concerned = [] }) => [
    ...residents,
    ...concerned,
  ]);
  const count = (pick: (commune: TestCommune) => readonly number[]) =>
    plan.communes.reduce((sum, commune) => sum + pick(commune).length, 0);
  return {
    residents: count((commune) => commune.residents),
    concerned: count((commune) => commune.concerned ?? []),
    communes: plan.communes.map(({ areaId, residents, concerned = [] }) => ({
      areaId,
      residents: portable(residents),
      concerned: portable(concerned),
    })),
    shards: (kind) => {
      const own = plan.endpoints?.[kind];
      const members = own === undefined ? undefined : new Set(own);
      return splitShards(portable(everybody.filter((ordinal) => members?.has(ordinal) ?? true)));
    },
  };
}

export const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i);

/** A bulletin of an agency made for it, as far as the dispatch needs one. */
export async function plantBulletin(pool: pg.Pool): Promise<string> {
  const [agency, account, bulletin] = [newId(), newId(), newId()];
  await pool.query(
    `INSERT INTO agency (id, name_vi, name_en, entitlement) VALUES ($1, 'Xã thử', 'Test commune', '{}')`,
    [agency],
  );
  await pool.query(
    `INSERT INTO official_account (id, agency_id, handle, name_vi, name_en) VALUES ($1, $2, $3, 'Xã thử', 'Test commune')`,
    [account, agency, `test-${account}`],
  );
  await pool.query(
    `INSERT INTO bulletin (id, agency_id, account_id, type, msg_type, kind, state, content)
     VALUES ($1, $2, $3, 'Exercise', 'Alert', 'warning', 'issued', '{}')`,
    [bulletin, agency, account],
  );
  return bulletin;
}

/** The communes of a plan as a pack has them; answers their codes. */
async function plantAreas(pool: pg.Pool, ids: readonly number[]): Promise<string[]> {
  await pool.query(
    `INSERT INTO area_pack (name, valid_from, state) VALUES ('test', '2026-01-01', 'active')
     ON CONFLICT DO NOTHING`,
  );
  await pool.query(
    `INSERT INTO area (id, pack_id, code, level, name_vi, name_en) OVERRIDING SYSTEM VALUE
     SELECT DISTINCT a.id, p.id, 'T' || a.id, 'commune', 'Xã thử', 'Test commune'
     FROM unnest($1::int[]) AS a(id), area_pack p WHERE p.name = 'test' ON CONFLICT DO NOTHING`,
    [ids],
  );
  const { rows } = await pool.query<{ code: string }>(
    "SELECT code FROM area WHERE id = ANY($1::int[])",
    [ids],
  );
  return rows.map(({ code }) => code);
}

/** Plans a dispatch and commits it. */
export async function plantDispatch(
  pool: pg.Pool,
  plan: TestPlan,
  options: PlanningOptions = {},
): Promise<PlannedDispatch> {
  const bulletinId = await plantBulletin(pool);
  const areas = await plantAreas(
    pool,
    plan.communes.map((commune) => commune.areaId),
  );
  const dispatchId = plan.dispatchId ?? newId();
  const named = { dispatch: dispatchId, bulletin: bulletinId, areas: plan.areas ?? areas };
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const wish = {
      bulletinId,
      type: plan.type ?? "Exercise",
      lane: plan.lane ?? "warning",
      message: Buffer.from(JSON.stringify({ v: 1, ...named })),
      expiresAt: new Date(Date.now() + (plan.expiresInMs ?? 3_600_000)),
      audience: audienceOf(plan),
      channels: plan.channels,
      communeIds: plan.communes.map((commune) => commune.areaId),
      supersedes: plan.supersedes ?? [],
    };
    const planned = await planDispatch(client, wish, dispatchId, options);
    await client.query("COMMIT");
    return planned;
  } finally {
    client.release();
  }
}

/** A channel that keeps what it was handed, and answers what the test says. */
export class RecordingChannel implements AddressedChannel {
  readonly form = "addressed";
  readonly name: EndpointKind;
  readonly sliceSize: number;
  readonly onCrash: "resend" | "unsure";
  readonly reaches = ["Actual", "Exercise", "PublicTest"] as const;
  readonly slices: Slice[] = [];
  answer: (slice: Slice) => SliceOutcome | Promise<SliceOutcome>;

  constructor(options: {
    name?: EndpointKind;
    sliceSize?: number;
    onCrash?: "resend" | "unsure";
    answer?: (slice: Slice) => SliceOutcome | Promise<SliceOutcome>;
  }) {
    this.name = options.name ?? "loopback";
    this.sliceSize = options.sliceSize ?? 1000;
    this.onCrash = options.onCrash ?? "resend";
    this.answer = options.answer ?? (() => ({ kind: "all", outcome: "sent" }));
  }

  /** How often each ordinal was handed over. */
  get counts(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const { ordinals } of this.slices)
      for (const ordinal of ordinals) counts.set(ordinal, (counts.get(ordinal) ?? 0) + 1);
    return counts;
  }

  async handOver(slice: Slice): Promise<SliceOutcome> {
    const outcome = await this.answer(slice);
    if (outcome.kind !== "later") this.slices.push(slice);
    return outcome;
  }

  async close(): Promise<void> {}
}

/** One outcome for each ordinal of a slice. */
export const each = (slice: Slice, choose: (ordinal: number) => Outcome): SliceOutcome => ({
  kind: "each",
  outcomes: Uint8Array.from(slice.ordinals, (ordinal) => OUTCOMES.indexOf(choose(ordinal))),
});

/** Asks until an answer satisfies, at most for `timeoutMs`. */
export async function eventually<T>(
  ask: () => Promise<T>,
  satisfied: (answer: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`did not come true in ${timeoutMs} ms; last: ${JSON.stringify(answer)}`);
    await new Promise((next) => setTimeout(next, 10));
  }
}
