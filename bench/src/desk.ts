// What the people of an agency do in a benchmark: write, submit, approve, issue, look at the ledger.
// Only the public API, as the console would.
import {
  approveBulletin,
  createBulletin,
  issueBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import { type Client, createClient } from "@loa/api/client.ts";
import { getDispatch } from "@loa/api/dispatches.ts";
import type { BulletinKind } from "@loa/model/bulletin-type.ts";
import type { ChannelName } from "@loa/model/endpoint.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import { clockMs, clockMsOf } from "./clock.ts";
import type { OpenSet } from "./people-set.ts";

export interface DraftWish {
  readonly channels: readonly ChannelName[];
  readonly kind?: BulletinKind;
  /** Everywhere if not given. */
  readonly areas?: readonly string[];
}

export interface Issued {
  readonly dispatchId: string;
  /** clockMs() when the request left. */
  readonly askedMs: number;
  /**
   * clockMs() of the instant that bulletin and dispatch bear: the server had accepted the request,
   * and began the transaction that makes the plan durable.
   */
  readonly issuedMs: number;
  /** From the request to its answer: the plan is durable then. */
  readonly acceptedMs: number;
}

export interface Desk {
  /** Everything up to the approval; answers the bulletin's id. */
  prepare(wish: DraftWish): Promise<string>;
  issue(bulletinId: string): Promise<Issued>;
  summary(dispatchId: string): ReturnType<typeof askSummary>;
}

export function openDesk({ set, installation }: OpenSet): Desk {
  const author = createClient({ origin: installation.api, key: set.authorKey });
  const approver = createClient({ origin: installation.api, key: set.approverKey });
  return {
    async prepare({ channels, kind = "warning", areas = set.areas }) {
      const content = typhoonContent({
        type: "Actual",
        kind,
        target: { areas, zones: [], rule: { kind: "named" } },
        channels,
        now: new Date(),
        audienceRule: "both",
      });
      const draft = await author.ask(createBulletin, {
        body: { accountId: set.accountId, content: content as never },
      });
      const params = { id: draft.id };
      const { hash } = await author.ask(submitBulletin, {
        params,
        body: { version: draft.version },
      });
      await approver.ask(approveBulletin, { params, body: { hash: hash as string } });
      return draft.id;
    },
    async issue(id) {
      const askedMs = clockMs();
      const issued = await approver.ask(issueBulletin, { params: { id } });
      const { id: dispatchId, issuedAt } = issued.dispatch;
      const issuedMs = clockMsOf(Date.parse(issuedAt));
      return { dispatchId, askedMs, issuedMs, acceptedMs: clockMs() - askedMs };
    },
    summary: (dispatchId) => askSummary(author, dispatchId),
  };
}

const askSummary = (client: Client, id: string) => client.ask(getDispatch, { params: { id } });
