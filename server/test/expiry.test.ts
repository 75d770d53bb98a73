// Expiry takes effect everywhere within 60 seconds, by PostgreSQL's clock: in a whole installation whose
// processes' own clocks are wrong by weeks, one bulletin runs out while part of its audience still waits
// for it, and every place that said it was in force says that it is not.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  approveBulletin,
  createBulletin,
  getBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import { connectStream } from "@loa/api/stream-client.ts";
import { importSubscribers, issueTokens } from "@loa/api/subscribers.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import { openSink, type Sink } from "@loa/sink/sink.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { eventually } from "./dispatch-kit.ts";
import { START_MS_MAX, startTestInstallation, type TestInstallation } from "./installation.ts";
import { type Citizen, citizenWith, issue, ledgerOf, nextDispatch } from "./story.ts";

vi.setConfig({ testTimeout: 150_000, hookTimeout: START_MS_MAX });

/** Long enough to be issued and seen everywhere on a machine that does other things as well. */
const LIFE_MS = 25_000;
/** What Loa promises. */
const EXPIRED_WITHIN_MS = 60_000;
/** The clocks of all Node processes are behind: by them nothing would run out for weeks. */
const CLOCK_OFF_MS = -40 * 86_400_000;
const PEOPLE = 300;
const SOURCE = "expiry";

let folder: string;
let sink: Sink;
let loa: TestInstallation;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "loa-expiry-"));
  sink = await openSink({ port: 0, host: "127.0.0.1" });
  const shift = join(folder, "clock");
  writeFileSync(shift, String(CLOCK_OFF_MS));
  const preload = new URL("../../simulate/src/clock-preload.ts", import.meta.url);
  preload.searchParams.set("shift", pathToFileURL(shift).href);
  loa = await startTestInstallation(
    join(folder, "data"),
    { LOA_LOOPBACK_URL: `127.0.0.1:${sink.port}` },
    ([node = "", ...args]) => [node, "--import", preload.href, ...args],
  );
});
afterAll(async () => {
  await loa?.end();
  await sink?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** People who are told over loopback, and two with phones: one listens, one is away. */
async function registerPeople(): Promise<[Citizen, Citizen]> {
  const row = (ref: string, way: string) =>
    `${ref},person,exercise,SL001,,,${way},form-1,2026-01-05T08:00:00+07:00`;
  const csv = [
    "ref,kind,standing,home,places,follows,endpoints,consent_version,consent_at",
    ...Array.from({ length: PEOPLE }, (_, i) => row(`p${i}`, "loopback")),
    row("listens", "live"),
    row("away", "live"),
  ].join("\n");
  const query = { source: SOURCE, basis: "exercise" };
  await (
    await loa.as("operator").ask(importSubscribers, { query, body: new Blob([csv]).stream() })
  ).text();
  const { items } = await loa
    .as("operator")
    .ask(issueTokens, { body: { source: SOURCE, refs: ["listens", "away"] } });
  const url = `${loa.stream}/v1/stream`;
  const [listens, away] = items.map((item) => citizenWith(url, item?.token ?? ""));
  if (!listens || !away) throw new Error("two people have phones");
  return [listens, away];
}

/** An approved exercise for SL001 that runs out when it is told to. */
async function approvedUntil(expiresAt: Date): Promise<string> {
  const [author, approver] = [loa.as("provinceAuthor"), loa.as("provinceApprover")];
  const content = {
    ...typhoonContent({
      type: "Exercise",
      target: { areas: ["SL001"], zones: [], rule: { kind: "named" } },
      channels: ["live", "loopback", "area-loopback"],
      now: new Date(),
      audienceRule: "residents",
    }),
    expiresAt: formatLocalTime(expiresAt),
  };
  const accountId = loa.demonstration.accounts[0]?.id ?? "";
  const body = { accountId, content: content as never };
  const { id, version } = await author.ask(createBulletin, { body });
  const params = { id };
  const { hash } = await author.ask(submitBulletin, { params, body: { version } });
  await approver.ask(approveBulletin, { params, body: { hash: hash ?? "" } });
  return id;
}

const page = async (path: string): Promise<string> => (await fetch(loa.api + path)).text();

test("what has run out is gone everywhere, and told to nobody any more", async () => {
  const [listens, away] = await registerPeople();
  await using connection = await listens.listen();
  sink.behave({ laterShare: 1, laterMs: 100 });
  const expiresAt = new Date(Date.now() + LIFE_MS);
  const bulletin = await approvedUntil(expiresAt);
  const dispatchId = await issue(loa, bulletin);
  expect(await nextDispatch(connection)).toBe(dispatchId);
  const find = /"shortCode":"([\w-]+)"/u;
  const geojson = await eventually(
    () => page("/feeds/exercises.geojson"),
    (text) => find.test(text),
  );
  const code = find.exec(geojson)?.[1] ?? "";
  const read = () => loa.as("provinceAuthor").ask(getBulletin, { params: { id: bulletin } });
  /** Each place, and what it says once the bulletin has run out. */
  const places: Readonly<Record<string, () => Promise<boolean>>> = {
    "the bulletin": async () => (await read()).state === "expired",
    "the engine's queues": async () => {
      const { state, channels } = await ledgerOf(loa, dispatchId);
      const { loopback, live } = channels;
      const isGone = loopback?.state.expired === PEOPLE && live?.state.expired === 1;
      return state === "expired" && isGone;
    },
    "a device that comes back": async () => {
      const wish = { url: `${loa.stream}/v1/stream`, token: listens.token, have: [dispatchId] };
      await using back = await connectStream(wish);
      return String((await back.next())?.data).includes('"how":"expired"');
    },
    "the page": async () => (await page(`/en/b/${code}`)).includes("EXPIRED"),
    "the list": async () => /Expired at/u.test(await page("/en/exercises")),
    "the Atom feed": async () =>
      (await page("/feeds/exercises.atom")).includes('term="expired" scheme="urn:loa:state"'),
    "the GeoJSON feed": async () =>
      (await page("/feeds/exercises.geojson")).includes('"state":"expired"'),
    "Check a notice": async () => /expired/iu.test(await page(`/en/check?code=${code}`)),
  };
  for (const [place, isExpired] of Object.entries(places))
    expect([place, await isExpired()]).toEqual([place, false]);
  expect(Date.now()).toBeLessThan(expiresAt.getTime());

  const deadlineMs = expiresAt.getTime() + EXPIRED_WITHIN_MS;
  for (const [place, isExpired] of Object.entries(places))
    await eventually(isExpired, Boolean, deadlineMs - Date.now()).catch(() => {
      throw new Error(`${place} still says that it is in force`);
    });
  // A cache may show what it has for so long after.
  const { headers } = await fetch(`${loa.api}/feeds/exercises.atom`);
  const cachedMs = 1000 * Number(/max-age=(\d+)/u.exec(headers.get("cache-control") ?? "")?.[1]);
  expect(Date.now() + cachedMs).toBeLessThan(deadlineMs);

  // The way is free again, and the next warning is the first that the others hear.
  sink.behave({ laterShare: 0 });
  await using wakes = await away.listen();
  const next = await issue(loa, await approvedUntil(new Date(Date.now() + 3_600_000)));
  expect(await nextDispatch(wakes)).toBe(next);
  await eventually(
    async () => sink.dispatch(next)?.totals().people ?? 0,
    (people) => people === PEOPLE,
  );
  expect(sink.dispatch(dispatchId)?.totals().people ?? 0).toBe(0);
});
