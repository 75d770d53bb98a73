// What the drill asks of the server, as the people of the demonstration: an operator registers, an
// author writes and submits, an approver approves, and the ledger is read. Only the public API.
import { readFile } from "node:fs/promises";
import type { z } from "@hono/zod-openapi";
import {
  approveBulletin,
  createBulletin,
  createBulletinFromCap,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import type { bulletinSchema } from "@loa/api/bulletins.ts";
import { getDispatch, listAreaOrders, listDispatchCommunes } from "@loa/api/dispatches.ts";
import { ApiProblem, type Client, createClient } from "@loa/api/client.ts";
import type { ChannelName } from "@loa/model/endpoint.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import type { Evidence } from "./checks.ts";
import { type Instance, keyOf } from "./instance.ts";

type Bulletin = z.output<typeof bulletinSchema>;

/** The channels of a drill: none of them reaches anybody real. */
export const DRILL_CHANNELS = [
  "live",
  "loopback",
  "area-loopback",
] as const satisfies readonly ChannelName[];
const EXERCISE_NAME = "Diễn tập phòng, chống bão tỉnh Sông Lụa";
const LIFE_HOURS = 12;

export interface DraftOptions {
  readonly areas: readonly string[];
  readonly cap: string | undefined;
  readonly rule: "residents" | "both";
}

export interface ApprovedBulletin {
  readonly id: string;
  readonly approvedHash: string;
  readonly expiresAt: string;
  /** Whether the author was refused when approving it. */
  readonly ownApprovalRefused: boolean;
}

/** The clients of those who take part. */
export interface Cast {
  readonly operator: Client;
  readonly author: Client;
  readonly approver: Client;
  /** The province's official account. */
  readonly account: { readonly id: string; readonly handle: string };
}

export function castOf({ api, demonstration }: Instance): Cast {
  const clientOf = (holder: string) =>
    createClient({ origin: api, key: keyOf(demonstration, holder) });
  const [account] = demonstration.accounts;
  if (account === undefined) throw new Error("the demonstration has no official account");
  return {
    operator: clientOf("operator"),
    author: clientOf("provinceAuthor"),
    approver: clientOf("provinceApprover"),
    account,
  };
}

/** Writes the typhoon warning, or what a CAP file says, for these areas. */
export async function draftBulletin(cast: Cast, options: DraftOptions): Promise<Bulletin> {
  const { areas, cap, rule } = options;
  const now = new Date();
  const accountId = cast.account.id;
  if (cap === undefined) {
    const target = { areas, zones: [], rule: { kind: "named" } } as const;
    const channels = DRILL_CHANNELS;
    const content = typhoonContent({ type: "Exercise", target, channels, now, audienceRule: rule });
    return cast.author.ask(createBulletin, { body: { accountId, content: content as never } });
  }
  const { bulletin } = await cast.author.ask(createBulletinFromCap, {
    query: {
      accountId,
      type: "Exercise",
      channels: DRILL_CHANNELS.join(","),
      audienceRule: rule,
      areas: areas.join(","),
      expiresAt: formatLocalTime(new Date(now.getTime() + LIFE_HOURS * 3_600_000)),
      exerciseName: EXERCISE_NAME,
    },
    body: new Uint8Array(await readFile(cap)),
  });
  return bulletin;
}

/** Submits, tries in vain to approve as the author, and approves as somebody else. */
export async function agreeOn(
  { author, approver }: Cast,
  draft: Bulletin,
): Promise<ApprovedBulletin> {
  const params = { id: draft.id };
  const body = { version: draft.version };
  const { hash } = await author.ask(submitBulletin, { params, body });
  if (hash === null) throw new Error("a submitted bulletin has no hash");
  const own = await author.ask(approveBulletin, { params, body: { hash } }).catch(refusal);
  const approved = await approver.ask(approveBulletin, { params, body: { hash } });
  return {
    id: draft.id,
    approvedHash: approved.hash ?? "",
    expiresAt: approved.expiresAt,
    ownApprovalRefused: own instanceof ApiProblem,
  };
}

/** A refusal as a value; any other fault stays one. */
function refusal(fault: unknown): ApiProblem {
  if (fault instanceof ApiProblem && fault.document.status === 403) return fault;
  throw fault;
}

/** The ledger's side of the evidence. */
export async function readLedger(
  { author }: Cast,
  dispatchId: string,
): Promise<Pick<Evidence, "summary" | "communes" | "orders">> {
  const params = { id: dispatchId };
  const summary = await author.ask(getDispatch, { params });
  const communes = await author.ask(listDispatchCommunes, { params });
  const orders = await author.ask(listAreaOrders, { params });
  return { summary, communes: communes.items, orders: orders.items };
}

/** States of an order that nobody is expected to change. */
const FINAL_ORDERS: readonly string[] = ["carried-out", "refused", "expired", "suppressed"];

/** Whether nothing is queued, this many are delivered, and every order has come to an end. */
export async function isSettled(
  { author }: Cast,
  dispatchId: string,
  delivered: number,
): Promise<boolean> {
  const { channels, area } = await author.ask(getDispatch, { params: { id: dispatchId } });
  const figures = Object.values(channels);
  const open = area.flatMap(({ states }) =>
    Object.entries(states).filter(([state, count]) => count > 0 && !FINAL_ORDERS.includes(state)),
  );
  return (
    figures.every(({ state }) => state.queued === 0) &&
    figures.reduce((sum, { reached }) => sum + reached.delivered, 0) >= delivered &&
    open.length === 0
  );
}
