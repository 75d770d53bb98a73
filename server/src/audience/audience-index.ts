// The audience index: who is where, as bitmaps in the front's memory, following the registry.
//
// Whoever was registered by a committed transaction before `catchUp` was called is in the
// index when it answers: the log is read in commit order (db/commit-order.ts), so a
// transaction that began early and committed late is not skipped. A change is undone by what
// it says was before and done by what it says is after; that is idempotent, so reading a
// piece of the log twice changes nothing.
import { roaringLibraryInitialize } from "roaring-wasm";
import { committedSince, type Position, readAtPosition } from "../db/commit-order.ts";
import type { Connection } from "../db/connection.ts";
import type { AreaTree } from "../registry/area.ts";
import type { OrdinalRange, SubscriberState } from "../registry/subscriber-state.ts";
import type pg from "pg";
import { createAudienceBitmaps, type AudienceBitmaps } from "./audience-bitmaps.ts";
import { type AudienceEstimate, estimateAudience } from "./estimate.ts";
import { type Attribution, freezeAudience, freezeSets, type FrozenAudience } from "./freeze.ts";
import { loadParts, saveParts } from "./index-snapshot.ts";
import { mergeRanges, readEverybody, readRanges } from "./registry-reader.ts";
import type { AudienceQuery } from "./select.ts";
import type { ChannelName, EndpointKind } from "@loa/model/endpoint.ts";

/** Rows of the log that are fetched and applied at a time; other work runs in between. */
const CHANGES_PER_FETCH = 2_000;

export interface AudienceIndex extends AsyncDisposable {
  /** Learns everything that was committed before the call. */
  catchUp(): Promise<void>;
  /** How many people a bulletin would be for, as of the last catchUp. */
  estimate(query: AudienceQuery): AudienceEstimate;
  /** Whom a bulletin is for, as of the last catchUp, on some channels or all: written down for good. */
  freeze(query: AudienceQuery, channels?: readonly ChannelName[]): FrozenAudience;
  /**
   * For Cancel: exactly these people (portable Roaring over ordinals, by channel), without those
   * who were deleted since. Each keeps the commune that `attribution` gives, else that of the home.
   */
  freezeOrdinals(
    sets: ReadonlyMap<EndpointKind, Uint8Array>,
    attribution?: Iterable<Attribution>,
  ): FrozenAudience;
  /** Saves what changed since the last saving; a restart then reads only what came after. */
  saveSnapshot(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the index: from its snapshot if there is one of this database, else by reading everybody. */
export async function openAudienceIndex(
  { pool }: Pick<Connection, "pool">,
  tree: () => AreaTree,
): Promise<AudienceIndex> {
  await roaringLibraryInitialize();
  const bitmaps = createAudienceBitmaps();
  let isSaved = false;
  let position: Position = await readAtPosition(pool, async (client, now) => {
    const saved = await loadParts(client, bitmaps);
    isSaved = saved !== undefined;
    if (saved !== undefined) return saved;
    await readEverybody(client, bitmaps.addLater);
    bitmaps.flush();
    return now;
  });

  async function readChanges(): Promise<void> {
    position = await readAtPosition(pool, async (client, now) => {
      const ranges = await applyChanges(client, position, bitmaps);
      // Last, so that a person registered and moved meanwhile is never seen in two homes.
      await readRanges(client, mergeRanges(ranges), bitmaps.addLater);
      bitmaps.flush();
      return now;
    });
  }

  // One reading at a time; a call during a reading needs one that starts after the call, and
  // shares it with everybody else who is waiting.
  let running: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  const catchUp = (): Promise<void> =>
    (waiting ??= running.then(() => {
      waiting = undefined;
      const reading = readChanges();
      running = reading.catch(() => {});
      return reading;
    }));
  await catchUp();

  const close = async (): Promise<void> => {
    await running;
    bitmaps.dispose();
  };
  let saving: Promise<void> = Promise.resolve();
  return {
    catchUp,
    estimate: (query) => estimateAudience(bitmaps, tree(), query),
    freeze: (query, channels) => freezeAudience(bitmaps, tree(), query, channels),
    freezeOrdinals: (sets, attribution = []) => freezeSets(bitmaps, tree(), sets, attribution),
    saveSnapshot() {
      const mine = saving.then(async () => {
        await saveParts(pool, bitmaps, () => position, !isSaved);
        isSaved = true;
      });
      saving = mine.catch(() => {});
      return mine;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Applies the changes of single subscribers; answers the ranges of new ones, still to be read. */
async function applyChanges(
  client: pg.ClientBase,
  since: Position,
  bitmaps: AudienceBitmaps,
): Promise<OrdinalRange[]> {
  const ranges: OrdinalRange[] = [];
  await client.query(
    `DECLARE change NO SCROLL CURSOR FOR
       SELECT kind, first_ordinal AS ordinal, before, after FROM registry_change
        WHERE ${committedSince("$1")} ORDER BY id`,
    [since],
  );
  for (;;) {
    const { rows } = await client.query<Change>(`FETCH ${CHANGES_PER_FETCH} FROM change`);
    for (const change of rows) {
      if (change.kind === "range") ranges.push(...change.after);
      else {
        if (change.before) bitmaps.remove(change.ordinal, change.before);
        if (change.after) bitmaps.add(change.ordinal, change.after);
      }
    }
    if (rows.length < CHANGES_PER_FETCH) return ranges;
  }
}

type Change =
  | { readonly kind: "range"; readonly after: readonly OrdinalRange[] }
  | {
      readonly kind: "subscriber";
      readonly ordinal: number;
      readonly before: SubscriberState | null;
      readonly after: SubscriberState | null;
    };
