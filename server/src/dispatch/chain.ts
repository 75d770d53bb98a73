// Who must hear what when a bulletin takes the place of another: nobody is told twice, and nobody is
// left with a warning that no longer holds. Whoever had the old one, on whatever channel, gets the
// new one, the Cancel, or the message that it no longer concerns them. Finding the last needs the
// ledger and time, so it is written down with the issue and done afterwards: a warning waits for it
// never, and a kill forgets it never.
import type { EndpointKind } from "@loa/model/endpoint.ts";
import type pg from "pg";
import { RoaringBitmap32, roaringLibraryInitialize } from "roaring-wasm";
import { decodeContainer, ordinalsOf } from "../audience/container.ts";
import { inTransaction } from "../db/transaction.ts";
import { readAttribution } from "./attribution.ts";
import { closeDispatches } from "./close.ts";
import { type DispatchPlan, type PlannedAudience, planDispatch } from "./plan.ts";
import { readShards } from "./shard-copy.ts";
import {
  addReached,
  type AskReached,
  attributionOfChain,
  ChannelSets,
  collectHolders,
  dispatchesOf,
  idsOf,
  type ReachedAudience,
} from "./supersede.ts";

/** Bulletins whose leavers are found in one go; the rest waits for the next. */
export const LEAVING_AT_ONCE_MAX = 16;

export interface ChainDeps<A extends PlannedAudience> {
  readonly askReached: AskReached;
  /** Freezes given people (audience/freeze.ts). */
  readonly freeze: (people: ReachedAudience) => A;
}

/** What will be told to those who are left out. */
export interface Leaving {
  readonly bulletinId: string;
  readonly dispatchId: string;
  readonly message: Uint8Array;
  readonly expiresAt: Date;
}

/** Notes, in the transaction of the issue, that leavers have to be found. */
export async function noteLeaving(tx: pg.PoolClient, leaving: Leaving): Promise<void> {
  const { bulletinId, dispatchId, message, expiresAt } = leaving;
  await tx.query(
    "INSERT INTO leaving (bulletin_id, dispatch_id, message, expires_at) VALUES ($1, $2, $3, $4)",
    [bulletinId, dispatchId, message, expiresAt],
  );
}

/** Bulletins whose leavers have to be found, oldest first. */
async function readLeaving(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT bulletin_id AS id FROM leaving JOIN bulletin b ON b.id = bulletin_id
     ORDER BY b.issued_at, b.id LIMIT $1`,
    [LEAVING_AT_ONCE_MAX],
  );
  return rows.map((row) => row.id);
}

/** Whom a correction is sent to. */
export interface Corrected<A> {
  /** Did not have the faulty text: the corrected one is their first. */
  readonly main: A;
  /** Had it, and have the live channel. */
  readonly silent: A;
  /** Communes whose loudspeakers and carriers were not ordered to tell the faulty text. */
  readonly untoldCommuneIds: readonly number[];
}

/**
 * For a correction: closes what it corrects; answers those of its audience who did not have it,
 * whom it alarms as the first message would have, and those who did, whom it does not wake.
 */
export async function freezeCorrection<A extends PlannedAudience>(
  tx: pg.PoolClient,
  bulletinIds: readonly string[],
  deps: ChainDeps<A>,
): Promise<Corrected<A>> {
  await roaringLibraryInitialize();
  const chain = await dispatchesOf(tx, bulletinIds);
  await closeDispatches(tx, idsOf(chain), "cancelled");
  using planned = new ChannelSets();
  using had = new ChannelSets();
  for (const { id, purpose, direct } of chain) {
    if (purpose === "left" || !direct) continue;
    await addPlanned(tx, id, planned);
    // Whoever was to get an earlier correction silently had the text, if not the latest.
    if (purpose === "silent") await addPlanned(tx, id, had);
    else await addReached(tx, id, deps.askReached, had);
  }
  const communes = await attributionOfChain(tx, bulletinIds);
  const readers = had.everybody();
  const live = planned.set("live")?.clone() ?? new RoaringBitmap32();
  live.andInPlace(readers);
  for (const people of planned.of.values()) people.andNotInPlace(readers);
  const silent = new Map<EndpointKind, Uint8Array>([["live", live.serialize("portable")]]);
  readers.dispose();
  live.dispose();
  const { rows: untold } = await tx.query<{ areaId: number }>(
    `SELECT DISTINCT area_id AS "areaId" FROM area_order o JOIN dispatch d ON d.id = o.dispatch_id
     WHERE d.bulletin_id = ANY($1::uuid[]) AND d.purpose = 'main' AND o.state = 'suppressed'`,
    [bulletinIds],
  );
  return {
    main: deps.freeze({ channels: planned.pack(), communes }),
    silent: deps.freeze({ channels: silent, communes }),
    untoldCommuneIds: untold.map((row) => row.areaId),
  };
}

/**
 * Finds the leavers of every bulletin that waits for it, each in a transaction of its own; answers
 * the dispatches that were planned. @throws what stopped one of them, after the others were tried.
 */
export async function settleAll<A extends PlannedAudience>(
  pool: pg.Pool,
  deps: ChainDeps<A>,
): Promise<string[]> {
  const planned: string[] = [];
  let fault: unknown;
  for (const id of await readLeaving(pool))
    try {
      const dispatchId = await inTransaction(pool, (tx) => settleLeaving(tx, id, deps));
      if (dispatchId !== undefined) planned.push(dispatchId);
    } catch (error) {
      fault ??= error;
    }
  if (fault !== undefined) throw fault;
  return planned;
}

interface LeavingRow extends Leaving {
  readonly isInForce: boolean;
  readonly references: readonly string[];
}

/**
 * Finds who had what this bulletin replaces and whom it is not for, and plans what they are told.
 * What was replaced itself meanwhile tells nobody: its successor does. Answers the dispatch that
 * was planned, if any.
 */
export async function settleLeaving<A extends PlannedAudience>(
  tx: pg.PoolClient,
  bulletinId: string,
  deps: ChainDeps<A>,
): Promise<string | undefined> {
  // The row of the bulletin comes first, as at an issue: whoever replaces it waits, or is seen.
  await tx.query("SELECT FROM bulletin WHERE id = $1 FOR UPDATE", [bulletinId]);
  const { rows } = await tx.query<LeavingRow>(
    `DELETE FROM leaving l USING bulletin b WHERE l.bulletin_id = $1 AND b.id = l.bulletin_id
     RETURNING l.bulletin_id AS "bulletinId", l.dispatch_id AS "dispatchId", l.message,
               l.expires_at AS "expiresAt", b.reference_ids AS references,
               b.state = 'issued' AND l.expires_at > now() AS "isInForce"`,
    [bulletinId],
  );
  const [leaving] = rows;
  if (leaving?.isInForce !== true) return undefined;
  using holders = await collectHolders(tx, leaving.references, deps.askReached);
  // Awaited here: the sets are disposed when this returns.
  return await planLeft(tx, leaving, holders, deps);
}

async function planLeft<A extends PlannedAudience>(
  tx: pg.PoolClient,
  leaving: LeavingRow,
  holders: ChannelSets,
  deps: ChainDeps<A>,
): Promise<string | undefined> {
  const { bulletinId, references, dispatchId } = leaving;
  const { rows } = await tx.query<
    Pick<DispatchPlan, "type" | "communeIds"> & { channels: DispatchPlan["channels"][] }
  >(
    `SELECT m.type, m.commune_ids AS "communeIds",
            (SELECT json_agg(o.channels) FROM dispatch o WHERE o.id = ANY($2::uuid[])) AS channels
     FROM dispatch m WHERE m.bulletin_id = $1 AND m.purpose = 'main'`,
    [bulletinId, idsOf(await dispatchesOf(tx, references))],
  );
  const main = rows[0];
  if (main === undefined) throw new Error(`bulletin ${bulletinId} was issued and not planned`);
  await removeAudience(tx, bulletinId, holders);
  const communeIds = await communesLeft(tx, references, main.communeIds);
  const audience = deps.freeze({
    channels: holders.pack(),
    communes: await readAttribution(tx, references),
  });
  if (audience.residents + audience.concerned + communeIds.length === 0) return undefined;
  await planDispatch(
    tx,
    {
      bulletinId,
      purpose: "left",
      type: main.type,
      // It calms: it neither alarms nor takes the way of those who must be warned.
      lane: "notice",
      message: leaving.message,
      expiresAt: leaving.expiresAt,
      audience,
      channels: [...new Set(main.channels.flat())],
      communeIds,
      messageCommuneIds: main.communeIds,
      supersedes: references,
    },
    dispatchId,
  );
  return dispatchId;
}

/** Takes out everybody whom a bulletin itself is for: they hear of the change by it. */
async function removeAudience(
  tx: pg.PoolClient,
  bulletinId: string,
  from: ChannelSets,
): Promise<void> {
  // A correction is for whom the corrected text was for.
  const { rows } = await tx.query<{ id: string }>(
    `WITH RECURSIVE same AS (
       SELECT id, step, reference_ids FROM bulletin WHERE id = $1
       UNION
       SELECT b.id, b.step, b.reference_ids FROM same
       JOIN bulletin b ON same.step = 'correction' AND b.id = ANY(same.reference_ids))
     SELECT d.id FROM dispatch d JOIN same ON same.id = d.bulletin_id WHERE d.purpose <> 'left'`,
    [bulletinId],
  );
  const ids = rows.map(({ id }) => id);
  for (const { residents, concerned } of await readAttribution(tx, ids))
    for (const bytes of [residents, concerned]) {
      const people = RoaringBitmap32.deserialize("portable", bytes);
      for (const each of from.of.values()) each.andNotInPlace(people);
      people.dispose();
    }
}

async function addPlanned(tx: pg.PoolClient, dispatchId: string, into: ChannelSets): Promise<void> {
  for (const { channel, shard, recipients } of await readShards(tx, [dispatchId]))
    into.set(channel)?.addMany(ordinalsOf(shard, decodeContainer(recipients)));
}

/** Communes whose loudspeakers or carriers were ordered to tell what is replaced, and not its end. */
async function communesLeft(
  tx: pg.PoolClient,
  references: readonly string[],
  stillMeant: readonly number[],
): Promise<number[]> {
  const { rows } = await tx.query<{ areaId: number }>(
    `SELECT DISTINCT area_id AS "areaId" FROM (
       SELECT DISTINCT ON (o.channel, o.area_id) o.area_id, d.purpose
       FROM area_order o JOIN dispatch d ON d.id = o.dispatch_id
       WHERE d.id = ANY($1::uuid[]) AND d.expires_at > now()
         AND o.state IN ('handed-over', 'accepted', 'carried-out', 'unsure')
       ORDER BY o.channel, o.area_id, d.issued_at DESC) told
     WHERE purpose <> 'left' AND NOT area_id = ANY($2::int[]) ORDER BY 1`,
    [idsOf(await dispatchesOf(tx, references)), stillMeant],
  );
  return rows.map((row) => row.areaId);
}
