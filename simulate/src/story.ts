// What the people of the agency do in a run: a notice, the warning, and what follows it, each
// written, approved by somebody else and issued through the API, while processes die around them.
import {
  approveBulletin,
  type bulletinSchema,
  cancelBulletin,
  createBulletin,
  getBulletin,
  issueBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import { setTimeout as pause } from "node:timers/promises";
import type { z } from "@hono/zod-openapi";
import { ApiProblem } from "@loa/api/client.ts";
import type { Cast } from "@loa/cli/drill/desk.ts";
import type { ChannelName } from "@loa/model/endpoint.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import type { RunPlan } from "./plan.ts";

type Bulletin = z.output<typeof bulletinSchema>;

/** What is sent in a run, by its part in the story; `left`: to those whom the update leaves out. */
export const PARTS = ["notice", "alert", "update", "left", "cancel"] as const;
export type Part = (typeof PARTS)[number];

/** None of them reaches anybody real. */
export const CHANNELS = [
  "live",
  "loopback",
  "loopback-once",
  "area-loopback",
] as const satisfies readonly ChannelName[];

/** One bulletin that was issued. */
export interface Sent {
  readonly part: Part;
  readonly bulletin: string;
  readonly dispatch: string;
  readonly approvedHash: string;
  readonly areas: readonly string[];
  readonly rule: "residents" | "both" | "followers";
  /** The part that it updates or cancels. */
  readonly replaces: Part | undefined;
}

export interface Story {
  readonly sent: readonly Sent[];
  /** Rules of issuing that did not hold. */
  readonly breaches: readonly string[];
}

interface Approved {
  readonly id: string;
  readonly hash: string;
}

/** Writes and approves what goes out first: before any fault. */
export async function prepareStory(
  cast: Cast,
  plan: RunPlan,
  province: readonly string[],
): Promise<{ notice: Approved | undefined; alert: Approved }> {
  const notice = plan.hasNotice
    ? await approve(cast, await write(cast, { ...plan, areas: province, kind: "notice" }))
    : undefined;
  return { notice, alert: await approve(cast, await write(cast, plan)) };
}

/** Plays the story; resolves when everything was issued. */
export async function playStory(
  cast: Cast,
  plan: RunPlan,
  province: readonly string[],
  first: Awaited<ReturnType<typeof prepareStory>>,
  issued: (sent: Sent) => void,
): Promise<Story> {
  const { areas, rule } = plan;
  const sent: Sent[] = [];
  const breaches: string[] = [];
  const send = async (
    part: Part,
    approved: Approved,
    more: Pick<Sent, "areas" | "replaces">,
  ): Promise<Sent | undefined> => {
    const dispatch = await issue(cast, approved.id);
    if (dispatch === undefined) return undefined;
    const { id: bulletin, hash: approvedHash } = approved;
    const one: Sent = { part, bulletin, dispatch, approvedHash, rule, ...more };
    sent.push(one);
    issued(one);
    return one;
  };
  const must = <T>(value: T | undefined, what: string): T => {
    if (value === undefined) throw new Error(`${what} was refused`);
    return value;
  };

  if (first.notice) await send("notice", first.notice, { areas: province, replaces: undefined });
  const alert = must(await send("alert", first.alert, { areas, replaces: undefined }), "the alert");
  const startMs = performance.now();
  const at = (ms: number) => pause(Math.max(0, startMs + ms - performance.now()));
  if (plan.sequel === "none") return { sent, breaches };
  await at(plan.sequelAtMs);
  const updated = { areas: plan.updatedAreas, replaces: "alert" } as const;
  const cancelled = (old: Sent) => ({ areas: old.areas, replaces: old.part });
  if (plan.sequel === "race") {
    const update = await approve(cast, await writeUpdate(cast, plan, alert));
    const cancel = await approve(cast, await writeCancel(cast, alert));
    const won = await Promise.all([
      send("update", update, updated),
      send("cancel", cancel, cancelled(alert)),
    ]);
    const winners = won.filter((each) => each !== undefined).length;
    if (winners !== 1) breaches.push(`${winners} of an update and a cancel at once were issued`);
    return { sent, breaches };
  }
  let last = alert;
  if (plan.sequel !== "cancel") {
    const update = await approve(cast, await writeUpdate(cast, plan, alert));
    last = must(await send("update", update, updated), "the update");
  }
  if (plan.sequel === "update") return { sent, breaches };
  await at(plan.cancelAtMs);
  const cancel = await approve(cast, await writeCancel(cast, last));
  must(await send("cancel", cancel, cancelled(last)), "the cancel");
  return { sent, breaches };
}

function write(
  cast: Cast,
  wish: Pick<RunPlan, "areas" | "rule"> & { kind?: "notice"; updates?: string[] },
): Promise<Bulletin> {
  const content = typhoonContent({
    type: "Exercise",
    target: { areas: wish.areas, zones: [], rule: { kind: "named" } },
    channels: CHANNELS,
    now: new Date(),
    audienceRule: wish.rule,
    ...(wish.kind && { kind: wish.kind }),
  });
  const body = {
    accountId: cast.account.id,
    content: content as never,
    updates: wish.updates ?? [],
  };
  return cast.author.ask(createBulletin, { body });
}

const writeUpdate = (cast: Cast, plan: RunPlan, old: Sent): Promise<Bulletin> =>
  write(cast, { areas: plan.updatedAreas, rule: plan.rule, updates: [old.bulletin] });

const writeCancel = (cast: Cast, old: Sent): Promise<Bulletin> =>
  cast.author.ask(cancelBulletin, {
    params: { id: old.bulletin },
    body: { reason: { vi: "Bão đã đổi hướng.", en: "The typhoon has turned away." } },
  });

/** The sendings of updates to those whom they leave out, and whether some are still to be found. */
export async function readLeft(
  { author }: Cast,
  sent: readonly Sent[],
): Promise<{ left: Sent[]; isSettling: boolean }> {
  const left: Sent[] = [];
  let isSettling = false;
  for (const update of sent.filter(({ part }) => part === "update")) {
    const bulletin = await author.ask(getBulletin, { params: { id: update.bulletin } });
    isSettling ||= bulletin.isSettling;
    for (const { id, purpose } of bulletin.dispatches)
      if (purpose === "left") left.push({ ...update, part: "left", dispatch: id });
  }
  return { left, isSettling };
}

/** Submitted by its author, approved by somebody else; each step repeated until it is done. */
async function approve({ author, approver }: Cast, draft: Bulletin): Promise<Approved> {
  const params = { id: draft.id };
  const read = () => author.ask(getBulletin, { params });
  const submitted = await author
    .ask(submitBulletin, { params, body: { version: draft.version } })
    .catch(otherwise("submitted", read));
  const hash = submitted.hash ?? "";
  await approver
    .ask(approveBulletin, { params, body: { hash } })
    .catch(otherwise("approved", read));
  return { id: draft.id, hash };
}

/** Issues it; answers its dispatch, or undefined when another bulletin took its place. */
async function issue({ approver }: Cast, id: string): Promise<string | undefined> {
  try {
    const { dispatch } = await approver.ask(issueBulletin, { params: { id } });
    return dispatch.id;
  } catch (fault) {
    if (!isStateProblem(fault)) throw fault;
    // An earlier attempt may have been done and its answer lost; or it came too late for good.
    const { dispatchId } = await approver.ask(getBulletin, { params: { id } });
    return dispatchId ?? undefined;
  }
}

/** A step that was done by an attempt whose answer got lost is refused the second time. */
const otherwise =
  (state: string, read: () => Promise<Bulletin>) =>
  async (fault: unknown): Promise<Bulletin> => {
    if (!isStateProblem(fault)) throw fault;
    const bulletin = await read();
    if (bulletin.state !== state) throw fault;
    return bulletin;
  };

const isStateProblem = (fault: unknown): boolean =>
  fault instanceof ApiProblem && fault.document.code === "bulletin-state";
