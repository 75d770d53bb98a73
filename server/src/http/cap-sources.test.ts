// CAP sources over HTTP: who admits them, how a system pushes with a key that can do nothing else, and
// how an author brings a message by hand.
import { createKey } from "@loa/api/accounts.ts";
import { getBulletin } from "@loa/api/bulletins.ts";
import {
  changeCapSource,
  createCapSource,
  importCapMessage,
  listCapMessages,
  listCapSources,
  pushCapMessage,
} from "@loa/api/cap-sources.ts";
import { ApiProblem, type Client, createClient } from "@loa/api/client.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BulletinWorld, createBulletinWorld, PLACES } from "../../test/bulletin-world.ts";
import { capMessage, minutesFromNow } from "../../test/source-kit.ts";
import type { DemonstrationHolder } from "../account/demonstration.ts";
import { createAuthenticator } from "../account/actor.ts";
import { createLogger } from "../observe/log.ts";
import { readOperationFigures } from "../report/operations.ts";
import { Receiver } from "../source/receive.ts";
import { mountAccounts } from "./accounts.ts";
import { buildApp } from "./app.ts";
import { mountBulletins } from "./bulletins.ts";
import { mountCapSources } from "./cap-sources.ts";
import { listen, type Listening } from "./listen.ts";

let world: BulletinWorld;
let listening: Listening;
let sourceId: string;
let key: string;

const as = (holder: DemonstrationHolder): Client =>
  createClient({ origin: listening.origin, key: world.keyOf(holder) });
const withKey = (): Client => createClient({ origin: listening.origin, key });

beforeAll(async () => {
  world = await createBulletinWorld();
  const { db } = world.database;
  const log = createLogger("silent", "test");
  const authenticator = createAuthenticator(db, world.bus);
  const authenticate = (credential: string) => authenticator.authenticate(credential);
  const app = buildApp({ db, log, authenticate, checkAnswers: true });
  const places = () => PLACES;
  const receiver = new Receiver({ ...world.deps, log });
  mountAccounts(app, { ...world.deps, places });
  mountBulletins(app, world.deps);
  mountCapSources(app, { ...world.deps, places, receiver });
  listening = await listen(app, { host: "127.0.0.1", port: 0 });
  const source = await as("operator").ask(createCapSource, { body: wish("Đài Sông Lụa") });
  sourceId = source.id;
  const fresh = await as("operator").ask(createKey, {
    body: { holder: { sourceId }, label: "push" },
  });
  key = fresh.key;
});
afterAll(async () => {
  await listening.close();
  await world.close();
});

const wish = (name: string, url: string | null = null) => ({
  name,
  accountId: world.demonstration.accounts[0]?.id ?? "",
  url,
  settings: { areas: ["SL"], hazards: ["storm" as const], channels: ["live" as const] },
});

async function refusal(asking: Promise<unknown>): Promise<string | undefined> {
  const fault = await asking.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return fault instanceof ApiProblem ? fault.document.code : undefined;
}

test("only an operator admits sources, by an address that is meant", async () => {
  expect(await refusal(as("provinceAuthor").ask(createCapSource, { body: wish("x") }))).toBe(
    "role-missing",
  );
  for (const url of ["ftp://example.org/", "http://u:p@example.org/", "http://10.0.0.1/cap"])
    expect(await refusal(as("operator").ask(createCapSource, { body: wish("y", url) }))).toBe(
      "request-invalid",
    );
  expect(await refusal(as("operator").ask(createCapSource, { body: wish("Đài Sông Lụa") }))).toBe(
    "request-invalid",
  );
  const { items } = await as("communeAuthor").ask(listCapSources, { query: {} });
  expect(items).toMatchObject([{ id: sourceId, url: null, settings: { intervalSeconds: 60 } }]);
});

test("a system pushes with a key of its source, again without a twin, and can do nothing else", async () => {
  const body = capMessage({ identifier: "pushed" });
  const first = await withKey().ask(pushCapMessage, { body });
  expect(first).toMatchObject({ state: "drafted", via: "push", known: false });
  const again = await withKey().ask(pushCapMessage, { body });
  expect(again).toMatchObject({ id: first.id, known: true });
  const params = { id: first.bulletinIds[0] ?? "" };
  const draft = await as("provinceAuthor").ask(getBulletin, { params });
  expect(draft).toMatchObject({ state: "draft", history: [{ person: "Đài Sông Lụa" }] });
  expect(await refusal(withKey().ask(getBulletin, { params }))).toBe("gateway-key-scope");
  expect(await refusal(as("provinceAuthor").ask(pushCapMessage, { body }))).toBe(
    "gateway-key-scope",
  );
});

test("an author of its agency brings a message by hand, and is then who wrote it", async () => {
  const body = capMessage({ identifier: "by-hand" });
  const params = { id: sourceId };
  expect(await refusal(as("communeAuthor").ask(importCapMessage, { params, body }))).toBe(
    "not-entitled",
  );
  const message = await as("provinceAuthor").ask(importCapMessage, { params, body });
  expect(message).toMatchObject({ state: "drafted", via: "hand" });
  const draft = await as("provinceAuthor").ask(getBulletin, {
    params: { id: message.bulletinIds[0] ?? "" },
  });
  const { personId } = await world.actor("provinceAuthor");
  expect(draft.history).toMatchObject([{ action: "create", personId }]);
});

test("what is refused is an answer that says why, and is listed", async () => {
  const body = capMessage({ identifier: "fire", change: (xml) => xml.replace("</alert>", "") });
  const message = await withKey().ask(pushCapMessage, { body });
  expect(message).toMatchObject({ state: "refused", bulletinIds: [] });
  expect(message.reason).toContain("X1");
  const page = await as("communeAuthor").ask(listCapMessages, {
    params: { id: sourceId },
    query: { limit: 1 },
  });
  expect(page.items).toMatchObject([{ id: message.id, state: "refused" }]);
  expect(page.next).toBe(message.id);
});

test("an identifier that comes again with other content is an alarm until somebody settles it", async () => {
  const alarms = async () => (await readOperationFigures(world.deps.pool)).capAlarms;
  const sent = minutesFromNow(-1);
  await withKey().ask(pushCapMessage, { body: capMessage({ identifier: "twice", sent }) });
  expect(await alarms()).toEqual([]);
  const body = capMessage({ identifier: "twice", sent, areas: ["SL001"] });
  expect(await withKey().ask(pushCapMessage, { body })).toMatchObject({ state: "alarm" });
  expect(await alarms()).toEqual([{ source: "Đài Sông Lụa", count: 1 }]);
  // As `loa cap sources resume` does: whoever asked the source says that it may go on.
  const params = { id: sourceId };
  await as("operator").ask(changeCapSource, { params, body: { suspended: false } });
  expect(await alarms()).toEqual([]);
});

test("nothing is taken from a source while it is suspended", async () => {
  const params = { id: sourceId };
  await as("operator").ask(changeCapSource, { params, body: { suspended: true } });
  const body = capMessage({ identifier: "meanwhile" });
  expect(await refusal(withKey().ask(pushCapMessage, { body }))).toBe("source-suspended");
  await as("operator").ask(changeCapSource, { params, body: { suspended: false } });
  expect(await withKey().ask(pushCapMessage, { body })).toMatchObject({ state: "drafted" });
});
