// A source that is asked: real feeds from a real web server, also one that means harm.
import { generateKeyPairSync } from "node:crypto";
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type BulletinWorld, createBulletinWorld, PLACES } from "../../test/bulletin-world.ts";
import {
  atomFeed,
  capMessage,
  type FeedServer,
  minutesFromNow,
  openFeedServer,
  rssFeed,
} from "../../test/source-kit.ts";
import { createLogger } from "../observe/log.ts";
import { isPublicAddress } from "./address.ts";
import { fetchDocument } from "./fetch.ts";
import { listMessages } from "./message.ts";
import { JITTER, openPoller, pollDue, pollSource } from "./poll.ts";
import { Receiver } from "./receive.ts";
import { type CapSource, createSource, readSource, type SourceSettings } from "./source.ts";

let world: BulletinWorld;
let receiver: Receiver<unknown>;
let feed: FeedServer;
let named = 0;
const log = createLogger("silent", "test");

beforeAll(async () => {
  world = await createBulletinWorld();
  receiver = new Receiver({ ...world.deps, log }) as never;
  feed = await openFeedServer();
});
afterAll(async () => {
  await feed[Symbol.asyncDispose]();
  await world.close();
});
beforeEach(() => {
  feed.asked.length = 0;
});

const admit = (path: string, change: Partial<SourceSettings> = {}): Promise<CapSource> =>
  createSource(
    { ...world.deps, places: () => PLACES },
    {
      name: `Nguồn ${(named += 1)}`,
      accountId: world.demonstration.accounts[0]?.id ?? "",
      url: feed.origin + path,
      settings: {
        intervalSeconds: 600,
        bytesMax: 100_000,
        privateAllowed: true,
        repairs: [],
        sender: null,
        grants: [],
        keys: [],
        areas: ["SL"],
        hazards: ["storm"],
        channels: ["live"],
        audienceRule: "residents",
        ...change,
      },
    },
  );
const deps = () => ({ pool: world.deps.pool, log, receiver });
const poll = async ({ id }: CapSource) => {
  await pollSource(deps(), await readSource(world.deps.pool, id));
  return readSource(world.deps.pool, id);
};
const messagesOf = ({ id }: CapSource) => listMessages(world.deps.pool, id, 100);

/** Serves documents by path; everything else is not there. */
function serve(documents: Readonly<Record<string, string | Uint8Array>>): void {
  feed.answer = ({ url = "" }, response) => {
    const document = documents[url];
    if (document === undefined) response.writeHead(404).end();
    else response.end(document);
  };
}

test("an Atom feed is fetched once, in the order in which it was sent, and its drafts are there", async () => {
  const [t1, t2] = [minutesFromNow(-9), minutesFromNow(-6)];
  const source = await admit("/feed");
  serve({
    "/feed": atomFeed([
      { link: "/2.xml", updated: t2 },
      { link: "/1.xml", updated: t1 },
    ]),
    "/1.xml": capMessage({ identifier: "p1", sent: t1 }),
    "/2.xml": capMessage({
      identifier: "p2",
      msgType: "Update",
      sent: t2,
      follows: [["p1", t1]],
    }),
  });
  expect(await poll(source)).toMatchObject({ fault: null, faults: 0 });
  expect(
    (await messagesOf(source)).map(({ identifier, state, orphan }) => [identifier, state, orphan]),
  ).toEqual([
    ["p2", "drafted", false],
    ["p1", "drafted", false],
  ]);
  await poll(source);
  expect(feed.asked.map(({ path }) => path)).toEqual(["/feed", "/1.xml", "/2.xml", "/feed"]);
  expect(await messagesOf(source)).toHaveLength(2);
});

test("an entry that vanished cancels nothing, and one that comes back makes no twin", async () => {
  const source = await admit("/feed");
  const updated = minutesFromNow(-3);
  const documents = {
    "/feed": atomFeed([{ link: "/v.xml", updated }]),
    "/v.xml": capMessage({ identifier: "vanishing" }),
  };
  serve(documents);
  await poll(source);
  serve({ ...documents, "/feed": atomFeed([]) });
  await poll(source);
  serve(documents);
  await poll(source);
  expect(await messagesOf(source)).toMatchObject([{ state: "drafted" }]);
});

test("RSS and a bare message are read too", async () => {
  const rss = await admit("/rss");
  const bare = await admit("/bare.xml");
  serve({
    "/rss": rssFeed(["/r.xml"]),
    "/r.xml": capMessage({ identifier: "by-rss" }),
    "/bare.xml": capMessage({ identifier: "bare" }),
  });
  await poll(rss);
  await poll(bare);
  expect(await messagesOf(rss)).toMatchObject([{ identifier: "by-rss", state: "drafted" }]);
  expect(await messagesOf(bare)).toMatchObject([{ identifier: "bare", state: "drafted" }]);
});

test("a feed that did not change is not sent again", async () => {
  const source = await admit("/feed");
  feed.answer = ({ headers }, response) => {
    if (headers["if-none-match"] === '"v1"') response.writeHead(304).end();
    else response.setHeader("etag", '"v1"').end(capMessage({ identifier: "tagged" }));
  };
  await poll(source);
  expect(await poll(source)).toMatchObject({ fault: null, etag: '"v1"' });
  expect(feed.asked.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"v1"']);
});

test("many who are asked at once are not asked at once again", async () => {
  const source = await admit("/feed", { intervalSeconds: 600 });
  serve({ "/feed": atomFeed([]) });
  const waitAt = async (chance: number) => {
    const now = await readSource(world.deps.pool, source.id);
    return (await pollSource({ ...deps(), random: () => chance }, now)).waitSeconds;
  };
  expect(await waitAt(0)).toBeCloseTo(600 * (1 - JITTER));
  expect(await waitAt(0.5)).toBeCloseTo(600);
  expect(await waitAt(1)).toBeCloseTo(600 * (1 + JITTER));
  const waits = await Promise.all(
    Array.from({ length: 8 }, async () => (await pollSource(deps(), source)).waitSeconds),
  );
  expect(new Set(waits).size).toBe(waits.length);
});

test("one entry that is not there holds nobody up, and is asked for again", async () => {
  const source = await admit("/feed");
  const updated = minutesFromNow(-1);
  const links = ["/gone.xml", "/there.xml"].map((link) => ({ link, updated }));
  serve({ "/feed": atomFeed(links), "/there.xml": capMessage({ identifier: "there" }) });
  expect((await poll(source)).fault).toContain("/gone.xml: it answers 404");
  expect(await messagesOf(source)).toMatchObject([{ state: "drafted" }]);
  await poll(source);
  expect(feed.asked.filter(({ path }) => path === "/gone.xml")).toHaveLength(2);
});

test("the same identifier with other content at another place is an alarm", async () => {
  const source = await admit("/feed");
  const updated = minutesFromNow(-1);
  serve({
    "/feed": atomFeed(["/b.xml", "/a.xml"].map((link) => ({ link, updated }))),
    "/a.xml": capMessage({ identifier: "same" }),
    "/b.xml": capMessage({ identifier: "same", areas: ["SL004"] }),
  });
  await poll(source);
  expect((await messagesOf(source)).map(({ state }) => state).toSorted()).toEqual([
    "alarm",
    "drafted",
  ]);
});

const endless = (response: ServerResponse): void => {
  const push = () => {
    while (!response.destroyed && response.write(Buffer.alloc(16_384, "<")));
  };
  response.on("drain", push);
  push();
};

test.each<[string, FeedServer["answer"], RegExp]>([
  ["never ends", (_, response) => endless(response), /more than 100000 bytes/u],
  [
    "is a bomb",
    (_, response) =>
      response.setHeader("content-encoding", "gzip").end(gzipSync(Buffer.alloc(20_000_000))),
    /more than 100000 bytes/u,
  ],
  [
    "is packed otherwise",
    (_, response) => response.setHeader("content-encoding", "br").end("x"),
    /another way than gzip/u,
  ],
  [
    "has a document type",
    (_, response) =>
      response.end(
        '<!DOCTYPE feed [<!ENTITY a "aaaa">]><feed xmlns="http://www.w3.org/2005/Atom"/>',
      ),
    /X2/u,
  ],
  ["is a page", (_, response) => response.end("<html><body/></html>"), /no Atom, no RSS/u],
  [
    "turns in circles",
    (_, response) => response.writeHead(302, { location: "/again" }).end(),
    /redirects more than 3/u,
  ],
  [
    "leads into files",
    (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
    /file: is not fetched/u,
  ],
  ["hangs up", (_, response) => response.destroy(), /ECONNRESET/u],
])("a feed that %s is a fault, and the source is asked more rarely", async (_, answer, fault) => {
  const source = await admit("/hostile");
  feed.answer = answer;
  const after = await poll(source);
  expect(after.fault).toMatch(fault);
  expect(after.faults).toBe(1);
  expect(after.nextPollAt.getTime() - (after.polledAt?.getTime() ?? 0)).toBeGreaterThan(1_000_000);
  expect(await messagesOf(source)).toEqual([]);
});

test("a redirect leads nowhere that the source may not be asked at", async () => {
  const { port } = new URL(feed.origin);
  for (const inside of ["127.0.0.2", "localhost", "[::1]"]) {
    feed.asked.length = 0;
    feed.answer = (_, response) =>
      void response.writeHead(302, { location: `http://${inside}:${port}/secret` }).end();
    const options = { bytesMax: 1_000, isAllowed: once() };
    expect(await fetchDocument(new URL(feed.origin), options)).toMatchObject({
      fault: expect.stringContaining("not public") as string,
    });
    expect(feed.asked.map(({ path }) => path)).toEqual(["/"]);
  }
});

/** Allows the first address that is asked about: the feed's own. */
function once(): () => boolean {
  let asked = 0;
  return () => (asked += 1) === 1;
}

test("nobody is asked inside the house, by address or by name", async () => {
  const { port } = new URL(feed.origin);
  const ask = (url: string) =>
    fetchDocument(new URL(url), { bytesMax: 1_000, isAllowed: isPublicAddress });
  for (const host of ["127.0.0.1", "2130706433", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"])
    expect(await ask(`http://${host}:${port}/`)).toMatchObject({
      kind: "fault",
      fault: expect.stringContaining("not public") as string,
    });
  expect(feed.asked).toEqual([]);
  const source = { areas: ["SL"], privateAllowed: false };
  await expect(admit("/private", source)).rejects.toMatchObject({ code: "request-invalid" });
});

test.each([
  ["8.8.8.8", true],
  ["172.32.0.1", true],
  ["2a00:1450::1", true],
  ["10.1.2.3", false],
  ["100.64.0.1", false],
  ["169.254.169.254", false],
  ["172.16.0.1", false],
  ["192.168.1.1", false],
  ["::1", false],
  ["fe80::1", false],
  ["fd00::1", false],
  ["::ffff:8.8.8.8", false],
  ["64:ff9b::7f00:1", false],
  ["2002:7f00:1::", false],
  ["localhost", false],
])("%s is public: %s", (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic);
});

test("a server that trickles is given up", async () => {
  feed.answer = (_, response) => void response.write("<feed");
  const options = { bytesMax: 1_000, isAllowed: () => true, timeoutMs: 150 };
  expect(await fetchDocument(new URL(feed.origin), options)).toEqual({
    kind: "fault",
    fault: "it took too long",
  });
});

test("the poller asks whose time has come, and takes up what a crash cut short", async () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const keys = [{ sender: "x", publicKey: pem, from: null, until: null }];
  const source = await admit("/due.xml");
  const pinned = await admit("/due.xml", { keys });
  serve({ "/due.xml": capMessage({ identifier: "due" }) });
  await poll(source);
  await world.deps.pool.query(
    "UPDATE cap_message SET state = 'received', bulletin_ids = '{}' WHERE source_id = $1",
    [source.id],
  );
  const poller = openPoller(deps());
  try {
    await expect
      .poll(async () => (await messagesOf(source)).map(({ state }) => state), { timeout: 20_000 })
      .toEqual(["drafted"]);
    await expect
      .poll(async () => (await messagesOf(pinned)).map(({ state }) => state), { timeout: 20_000 })
      .toEqual(["refused"]);
  } finally {
    await poller.close();
  }
  expect(await pollDue(deps())).toBe(0);
});
