// Bulletins over HTTP for tests: the world of bulletins behind real routes, and the people of the
// demonstration as clients.
import { ApiProblem, type Client, createClient } from "@loa/api/client.ts";
import {
  approveBulletin,
  type bulletinSchema,
  createBulletin,
  issueBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import type { z } from "@hono/zod-openapi";
import type { DemonstrationHolder } from "../src/account/demonstration.ts";
import { createAuthenticator } from "../src/account/actor.ts";
import { mountAccounts } from "../src/http/accounts.ts";
import { buildApp } from "../src/http/app.ts";
import { mountBulletins } from "../src/http/bulletins.ts";
import { mountIncidents } from "../src/http/incidents.ts";
import { listen } from "../src/http/listen.ts";
import { mountStandingOrders } from "../src/http/standing-orders.ts";
import { createLogger } from "../src/observe/log.ts";
import { type BulletinWorld, createBulletinWorld, PLACES } from "./bulletin-world.ts";

export type BulletinDraft = z.output<typeof bulletinSchema>;
export type DraftContent = z.input<typeof createBulletin.body.schema>["content"];

export interface BulletinDesk extends AsyncDisposable {
  readonly world: BulletinWorld;
  readonly origin: string;
  readonly accountId: string;
  as(holder: DemonstrationHolder): Client;
  /** Takes a draft through submission, a second person's approval, and issue. */
  issue(draft: BulletinDraft): Promise<BulletinDraft>;
  /** The same, up to the approval. */
  approve(draft: BulletinDraft): Promise<BulletinDraft>;
}

export const typhoonDraft = (
  type: "Actual" | "Exercise" = "Exercise",
  areas: readonly string[] = ["SL001", "SL002"],
): DraftContent =>
  typhoonContent({
    type,
    target: { areas, zones: [], rule: { kind: "named" } },
    channels: ["live", "loopback", "area-loopback"],
    now: new Date(),
  }) as DraftContent;

/** The problem that a request is refused with. @throws when it is not refused. */
export async function refusalOf(asking: Promise<unknown>): Promise<ApiProblem["document"]> {
  const fault = await asking.then(
    () => new Error("it was not refused"),
    (reason: unknown) => reason,
  );
  if (fault instanceof ApiProblem) return fault.document;
  throw fault;
}

export async function openBulletinDesk(): Promise<BulletinDesk> {
  const world = await createBulletinWorld();
  const { db } = world.database;
  const authenticator = createAuthenticator(db, world.bus);
  const app = buildApp({
    db,
    log: createLogger("silent", "test"),
    authenticate: (key) => authenticator.authenticate(key),
    checkAnswers: true,
  });
  mountAccounts(app, { ...world.deps, places: () => PLACES });
  mountIncidents(app, world.deps);
  mountBulletins(app, world.deps);
  mountStandingOrders(app, world.deps);
  const listening = await listen(app, { host: "127.0.0.1", port: 0 });
  const { origin } = listening;
  const as = (holder: DemonstrationHolder) => createClient({ origin, key: world.keyOf(holder) });
  const approve = async ({ id, version }: BulletinDraft) => {
    const params = { id };
    const { hash } = await as("provinceAuthor").ask(submitBulletin, { params, body: { version } });
    return as("provinceApprover").ask(approveBulletin, { params, body: { hash: hash ?? "" } });
  };
  return {
    world,
    origin,
    accountId: world.demonstration.accounts[0]?.id ?? "",
    as,
    approve,
    async issue(draft) {
      const { id } = await approve(draft);
      const { bulletin } = await as("provinceAuthor").ask(issueBulletin, { params: { id } });
      return bulletin;
    },
    async [Symbol.asyncDispose]() {
      authenticator.close();
      await listening.close();
      await world.close();
    },
  };
}
