// What the chain drill asks of the server: each step is drafted by the verb that a duty officer uses,
// agreed on by two and issued; then its sendings are looked up. Only the public API.
import { setTimeout as pause } from "node:timers/promises";
import type { z } from "@hono/zod-openapi";
import { correctBulletin, updateBulletin } from "@loa/api/bulletin-chain.ts";
import {
  type bulletinSchema,
  cancelBulletin,
  createBulletin,
  getBulletin,
  issueBulletin,
} from "@loa/api/bulletins.ts";
import type { Purpose } from "@loa/model/chain-step.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import type { ChainStage } from "./chain-plan.ts";
import { agreeOn, type Cast, DRILL_CHANNELS } from "./desk.ts";

type Bulletin = z.output<typeof bulletinSchema>;

/** Those who are left out are found within this, on a machine that does other things as well. */
const LEFT_MS_MAX = 60_000;
const POLL_MS = 100;
const REASON = {
  vi: "Bão đã đổi hướng, không còn ảnh hưởng đến tỉnh.",
  en: "The typhoon has turned away from the province.",
};

/** A step as it was issued. */
export interface IssuedStage {
  readonly bulletin: string;
  readonly approvedHash: string;
  readonly dispatches: Partial<Record<Purpose, string>>;
}

/** Drafts one step, lets two agree on it, and issues it. `old` is the step before. */
export async function issueStage(
  cast: Cast,
  stage: ChainStage,
  number: number,
  old: string | undefined,
): Promise<IssuedStage> {
  const draft = await draftStage(cast, stage, number, old);
  const { id, approvedHash } = await agreeOn(cast, draft);
  const params = { id };
  const { dispatch } = await cast.approver.ask(issueBulletin, { params });
  const { dispatches } = await cast.author.ask(getBulletin, { params });
  const others = Object.fromEntries(dispatches.map((each) => [each.purpose, each.id]));
  return { bulletin: id, approvedHash, dispatches: { ...others, main: dispatch.id } };
}

/** The sendings of a bulletin once those it leaves out were found, or could not be found in time. */
export async function awaitLeft(cast: Cast, issued: IssuedStage): Promise<IssuedStage> {
  const deadline = performance.now() + LEFT_MS_MAX;
  const params = { id: issued.bulletin };
  while (performance.now() < deadline) {
    const { dispatches } = await cast.author.ask(getBulletin, { params });
    const left = dispatches.find(({ purpose }) => purpose === "left");
    if (left) return { ...issued, dispatches: { ...issued.dispatches, left: left.id } };
    await pause(POLL_MS);
  }
  return issued;
}

async function draftStage(
  { author, account }: Cast,
  { step, areas }: ChainStage,
  number: number,
  old: string | undefined,
): Promise<Bulletin> {
  const target = { areas: [...areas], zones: [], rule: { kind: "named" } } as const;
  if (old === undefined) {
    const content = typhoonContent({
      type: "Exercise",
      target,
      channels: DRILL_CHANNELS,
      now: new Date(),
      audienceRule: "residents",
    });
    return author.ask(createBulletin, {
      body: { accountId: account.id, content: content as never },
    });
  }
  const params = { id: old };
  if (step === "cancel")
    return author.ask(cancelBulletin, { params, body: { reason: { ...REASON } } });
  const { content } = await author.ask(getBulletin, { params });
  if (step === "correction") {
    const vi = { ...content.texts.vi, full: `${content.texts.vi.full}\n\nĐính chính: bão số 9.` };
    const en = { ...content.texts.en, full: `${content.texts.en.full}\n\nCorrected: No. 9.` };
    const corrected = { ...content, texts: { vi, en } };
    return author.ask(correctBulletin, { params, body: { content: corrected } });
  }
  const next = { ...content, target, number: `${content.number}-${number}` };
  return author.ask(updateBulletin, { params, body: { content: next as never } });
}
