// Running one shard: slice by slice, hand over, commit, next. The order of these steps is
// what makes a crash harmless; docs/engine.md draws it.
//
//   intent committed -> hand over -> outcome and next intent committed -> hand over -> ...
//
// A kill before the hand-over: the next owner finds the intent and hands over (again).
// A kill after it: the same, and the device drops the copy; or, on a channel where a copy
// costs money or fear, the next owner counts that slice as unsure. A connection that breaks
// before the answer came is such a kill as well, and is treated alike.
import { setTimeout as sleep } from "node:timers/promises";
import { planeBit } from "@loa/model/delivery.ts";
import type pg from "pg";
import { decodeContainer, ordinalsOf } from "../audience/container.ts";
import type { AddressedChannel, Slice, SliceAnswer } from "../channel/channel.ts";
import type { FailPoint } from "../observe/fail-point.ts";
import type { Logger } from "../observe/log.ts";
import type { ClaimedShard } from "./claim.ts";
import {
  closeUnsure,
  closeUntold,
  commitLate,
  type SliceCommit,
  type SliceCommitter,
} from "./commit.ts";
import { type DispatchCache, type DispatchFacts, msSinceIssue } from "./dispatch-cache.ts";
import { packRuns } from "./journal.ts";
import type { Lease } from "./lease.ts";
import { outcomeRuns } from "./outcome.ts";

export interface ShardRun {
  readonly pool: pg.Pool;
  readonly lease: Lease;
  readonly committer: SliceCommitter;
  readonly dispatches: DispatchCache;
  readonly failPoint: FailPoint;
  readonly log: Logger;
  /** Aborted when the dispatch was closed or the process ends: no further slice begins. */
  readonly signal: AbortSignal;
  /** Resolves when this shard may hand a slice over: lanes are decided here. */
  readonly turn: () => Promise<void>;
  /** Resolves after a channel's wish to be asked later; meanwhile the shard holds up nobody. */
  readonly pause: (retryAfterMs: number) => Promise<void>;
}

/** Longest that a channel may take over one slice before it counts as gone. */
export const HAND_OVER_TIMEOUT_MS = 60_000;

/**
 * How often a slice that was lost is handed over again before its people are unsure: a far side that
 * breaks three times in a row is broken, and the slices behind this one wait for it.
 */
export const RESENDS_MAX = 2;

/** How soon an outcome is committed again that could not be. */
export const COMMIT_AGAIN_MS = 200;
/** A process that is to end gives a database that is away this many tries more. */
export const TRIES_AFTER_STOP_MAX = 10;
/** A shard that failed is left alone this long: protects the database and the log from a loop. */
export const AFTER_FAULT_MS = 1_000;

/** Runs a claimed shard until it is done, or is no longer ours. Never throws. */
export async function runShard(
  run: ShardRun,
  channel: AddressedChannel,
  claimed: ClaimedShard,
): Promise<void> {
  try {
    const facts = await run.dispatches.read(claimed.dispatchId);
    if (claimed.state === "closing") return await endClosing(run, claimed, facts);
    const ordinals = ordinalsOf(claimed.shard, decodeContainer(claimed.recipients));
    let { cursor, intent, recovered } = claimed;
    // Below this rank somebody may have been told already, and only an outcome says what is so.
    let doubtful = recovered ? intent : 0;
    run.failPoint("mid-lease");
    while (cursor < claimed.planned) {
      // The intent of a restored shard is all of it (restored.ts); a channel takes slices.
      if (!(recovered && channel.onCrash === "unsure"))
        intent = Math.min(intent, cursor + channel.sliceSize);
      const outcome =
        recovered && channel.onCrash === "unsure"
          ? ({ kind: "all", outcome: "unsure" } as const)
          : await handOver(run, channel, claimed, facts, ordinals.subarray(cursor, intent));
      recovered = false;
      if (outcome === "doubtful") doubtful = Math.max(doubtful, intent);
      if (outcome === undefined || outcome === "doubtful")
        return cursor < doubtful
          ? await endDoubtful(run, claimed, facts, cursor, doubtful)
          : await giveUp(run, claimed, facts, cursor, intent);
      run.failPoint("handed-over");
      const next = Math.max(doubtful, Math.min(intent + channel.sliceSize, claimed.planned));
      const slice = commitOf(claimed, facts, outcome, cursor, intent, next);
      if (!(await commitSurely(run, slice))) return await commitLate(run.pool, slice);
      run.failPoint("committed");
      cursor = intent;
      intent = next;
    }
  } catch (error) {
    // A fault of ours, or a database that does not answer: the intent stays, and whoever claims
    // the shard takes it up, we ourselves after a while. Nobody is forgotten.
    run.log.error(
      { err: error, dispatch: claimed.dispatchId, shard: claimed.shard },
      "shard failed",
    );
    await run.pause(AFTER_FAULT_MS);
  }
}

/**
 * Commits what a slice became, as often as it takes: the outcome is known here and nowhere else, so
 * while the database is away nothing is handed over again. Once the lease is lost the answer is
 * false. @throws when the shard was told to stop and the database stays away.
 */
async function commitSurely(run: ShardRun, slice: SliceCommit): Promise<boolean> {
  let triesAfterStop = 0;
  for (;;) {
    try {
      return await run.committer.commit(slice);
    } catch (error) {
      if (run.signal.aborted) triesAfterStop += 1;
      if (triesAfterStop > TRIES_AFTER_STOP_MAX) throw error;
      const { dispatchId, shard } = slice;
      run.log.warn(
        { err: error, dispatch: dispatchId, shard },
        "an outcome waits for the database",
      );
      await sleep(COMMIT_AGAIN_MS);
    }
  }
}

/**
 * Hands one slice over, waiting as often as the channel asks. When it is not ours any more the answer is
 * undefined, or `doubtful` if it was lost before.
 */
async function handOver(
  run: ShardRun,
  channel: AddressedChannel,
  claimed: ClaimedShard,
  facts: DispatchFacts,
  ordinals: Uint32Array,
): Promise<SliceAnswer | "doubtful" | undefined> {
  const { dispatchId, type, lane, message, expiresAt } = facts;
  const slice: Slice = { dispatchId, type, lane, message, ordinals, expiresAt };
  if (!channel.reaches.includes(type)) {
    // A fault of ours further up; here it must still not go out.
    run.log.error(
      { dispatch: dispatchId, channel: channel.name, type },
      "type not for this channel",
    );
    return { kind: "all", outcome: "failed" };
  }
  if (facts.areaFault !== undefined) {
    // Nobody is told the wrong thing; the ledger says who was not told, and the log why.
    run.log.error(
      { dispatch: dispatchId, channel: channel.name, fault: facts.areaFault },
      "not sent: the message is not for the approved area",
    );
    return { kind: "all", outcome: "failed" };
  }
  let losses = 0;
  for (;;) {
    await run.turn();
    // Asked at the last moment: a process that was stopped here and wakes must not hand over.
    if (run.signal.aborted || !run.lease.holds) return losses > 0 ? "doubtful" : undefined;
    run.failPoint("before-hand-over");
    // What is under way is finished even when the dispatch closes: its outcome is a fact to keep.
    const outcome = await channel.handOver(slice, AbortSignal.timeout(HAND_OVER_TIMEOUT_MS));
    if (outcome.kind === "later") await run.pause(outcome.retryAfterMs);
    else if (outcome.kind === "lost") {
      losses += 1;
      run.log.warn(
        { dispatch: dispatchId, channel: channel.name, reason: outcome.reason },
        "a slice was not answered",
      );
      if (channel.onCrash === "unsure" || losses > RESENDS_MAX)
        return { kind: "all", outcome: "unsure" };
    } else return outcome;
  }
}

function commitOf(
  claimed: ClaimedShard,
  facts: DispatchFacts,
  outcome: SliceAnswer,
  cursor: number,
  intent: number,
  next: number,
): SliceCommit {
  const { dispatchId, channel, shard, epoch } = claimed;
  const runs = outcomeRuns(outcome, cursor, intent - cursor, msSinceIssue(facts));
  return {
    dispatchId,
    channel,
    shard,
    epoch,
    cursor: intent,
    intent: next,
    entries: packRuns(runs),
  };
}

/**
 * The intent was never used: if the dispatch was closed meanwhile, those people are known to be
 * untold. Otherwise the shard stays as it is for its next owner.
 */
async function giveUp(
  run: ShardRun,
  claimed: ClaimedShard,
  facts: DispatchFacts,
  cursor: number,
  intent: number,
): Promise<void> {
  const runOf = (plane: "suppressed" | "expired") =>
    packRuns([
      { start: cursor, count: intent - cursor, planes: planeBit(plane), ms: msSinceIssue(facts) },
    ]);
  await closeUntold(run.pool, claimed, runOf("suppressed"), runOf("expired"));
}

/** Closed while a dead owner had an intent: nobody can know, so unsure. */
async function endClosing(
  run: ShardRun,
  claimed: ClaimedShard,
  facts: DispatchFacts,
): Promise<void> {
  const { cursor, intent } = claimed;
  await closeUnsure(run.pool, claimed, unsureRuns(facts, cursor, intent));
}

/** The same, where the closing came after our claim and raised the epoch; nothing while it is open. */
async function endDoubtful(
  run: ShardRun,
  claimed: ClaimedShard,
  facts: DispatchFacts,
  cursor: number,
  doubtful: number,
): Promise<void> {
  const closed = { ...claimed, epoch: claimed.epoch + 1 };
  await closeUnsure(run.pool, closed, unsureRuns(facts, cursor, doubtful));
}

const unsureRuns = (facts: DispatchFacts, from: number, to: number): Buffer =>
  packRuns([
    { start: from, count: to - from, planes: planeBit("unsure"), ms: msSinceIssue(facts) },
  ]);
