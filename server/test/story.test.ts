// Stories across stages over HTTP, on one installation with 6,000 synthetic people and a sink of
// this test's own, which knows for each person what really arrived.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSink, type Sink } from "@loa/sink/sink.ts";
import { ApiProblem, createClient } from "@loa/api/client.ts";
import { deleteDevice } from "@loa/api/devices.ts";
import { getBulletin } from "@loa/api/bulletins.ts";
import { importSubscribers, issueTokens } from "@loa/api/subscribers.ts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually } from "./dispatch-kit.ts";
import { type Part, START_MS_MAX, startTestInstallation } from "./installation.ts";
import type { TestInstallation } from "./installation.ts";
import {
  approvedBulletin,
  approvedCancel,
  citizenWith,
  expectSums,
  isDone,
  issue,
  ledgerOf,
  ledgerWhen,
  nextDispatch,
  registerCitizen,
} from "./story.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: START_MS_MAX });

const PEOPLE = 6_000;
let folder: string;
let sink: Sink;
let loa: TestInstallation;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "loa-story-"));
  sink = await openSink({ port: 0, host: "127.0.0.1" });
  loa = await startTestInstallation(join(folder, "data"), {
    LOA_DEMO_SUBSCRIBERS: String(PEOPLE),
    LOA_LOOPBACK_URL: `127.0.0.1:${sink.port}`,
    LOA_LOG_LEVEL: "silent",
    // The first front dies in the middle of its first issue.
    LOA_FAIL_POINTS: "mid-freeze",
  });
});
afterAll(async () => {
  await loa?.end();
  await sink?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks again while the service is coming back, as a client does. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const refusals = ["unavailable", "busy", "idempotency-in-progress", "internal-error"];
  return eventually(
    () =>
      ask().then(
        (answer) => ({ answer }),
        (fault: unknown) => {
          const { code } = fault as NodeJS.ErrnoException;
          const isPassing =
            fault instanceof TypeError ||
            code === "ECONNREFUSED" ||
            code === "ECONNRESET" ||
            (fault instanceof ApiProblem && refusals.includes(fault.document.code));
          if (!isPassing) throw fault;
          return undefined;
        },
      ),
    (result) => result !== undefined,
    60_000,
  ).then((result) => (result as { answer: T }).answer);
}

/** Imports a list of people and waits for the end of it. */
const importList = (source: string, csv: string): Promise<string> =>
  patiently(async () => {
    const query = { source, basis: "story" };
    const body = new Blob([csv]).stream();
    return (await loa.as("operator").ask(importSubscribers, { query, body })).text();
  });

test("a front that dies in the middle of an issue: the same request again issues once", async () => {
  const id = await approvedBulletin(loa);
  const [front] = loa.pids("front");
  const key = crypto.randomUUID();
  // The connection breaks; nobody can know from that what became of the request.
  await expect(issue(loa, id, key)).rejects.toThrow(TypeError);
  const dispatchId = await patiently(() => issue(loa, id, key));
  expect(loa.pids("front")).not.toEqual([front]);
  expect(await issue(loa, id, key)).toBe(dispatchId);
  const params = { id };
  const bulletin = await loa.as("provinceAuthor").ask(getBulletin, { params });
  expect(bulletin).toMatchObject({ state: "issued", dispatchId });
  expect(bulletin.history.filter(({ action }) => action === "issue")).toHaveLength(1);
  const ledger = await ledgerWhen(loa, dispatchId, isDone("loopback"));
  expect(ledger.channels["loopback"]?.planned).toBe(PEOPLE);
  expect(sink.dispatch(dispatchId)?.totals()).toMatchObject({ people: PEOPLE, copies: 0 });
  await expectSums(loa, ledger);
});

describe("a part that is killed while a bulletin goes out comes back, and nobody is lost:", () => {
  const parts = ["worker", "ledger", "front", "stream", "postgres"] as const satisfies Part[];
  for (const part of parts)
    test(`the ${part}`, async () => {
      const bulletin = await approvedBulletin(loa);
      const before = loa.pids(part);
      // What was handed over is not answered yet when the part dies.
      sink.behave({ answerLagMs: 200 });
      const dispatchId = await issue(loa, bulletin);
      await eventually(
        async () => sink.dispatch(dispatchId)?.totals().people ?? 0,
        (people) => people > 0,
      );
      for (const pid of before) process.kill(pid, "SIGKILL");
      sink.behave({ answerLagMs: 0 });
      const ledger = await ledgerWhen(loa, dispatchId, isDone("loopback"));
      const { planned, state } = ledger.channels["loopback"] ?? { planned: 0, state: undefined };
      expect([planned, state?.sent]).toEqual([PEOPLE, PEOPLE]);
      expect(sink.dispatch(dispatchId)?.totals().people).toBe(PEOPLE);
      await expectSums(loa, ledger);
      await eventually(
        async () => loa.pids(part),
        (now) => now.length === before.length && !now.some((pid) => before.includes(pid)),
      );
      // It takes part again: what is registered and issued now arrives.
      const citizen = await patiently(() => registerCitizen(loa, "SL001"));
      await using connection = await patiently(() => citizen.listen());
      const next = await patiently(async () =>
        issue(
          loa,
          await approvedBulletin(loa, { type: "Actual", areas: ["SL001"], channels: ["live"] }),
        ),
      );
      let heard = await nextDispatch(connection);
      while (heard !== next) heard = await nextDispatch(connection);
    });
});

test("a Cancel in the middle reaches those who were told or may have been, and nobody else", async () => {
  const source = "story";
  const csv = [
    "ref,kind,standing,home,places,follows,endpoints,consent_version,consent_at",
    ...["listens", "is away", "lives elsewhere"].map(
      (ref, i) =>
        `${ref},person,exercise,${i === 2 ? "SL061" : "SL001"},,,live,form-1,2026-01-05T08:00:00+07:00`,
    ),
  ].join("\n");
  const operator = loa.as("operator");
  await importList(source, csv);
  const { items } = await operator.ask(issueTokens, {
    body: { source, refs: ["listens", "is away", "lives elsewhere"] },
  });
  const [listener, away, elsewhere] = items.map((item) =>
    citizenWith(`${loa.stream}/v1/stream`, item?.token ?? ""),
  );
  if (!listener || !away || !elsewhere) throw new Error("three people were imported");
  await using hears = await patiently(() => listener.listen());
  await using hearsElsewhere = await patiently(() => elsewhere.listen());

  const everywhereButThere = ["SL001", "SL002", "SL003", "SL004", "SL005", "SL006", "SL007"];
  const bulletin = await approvedBulletin(loa, { areas: everywhereButThere });
  sink.behave({ answerLagMs: 3_000 });
  const alert = await issue(loa, bulletin);
  const heard = async (wanted: string): Promise<string[]> => {
    const all: string[] = [];
    while (all.at(-1) !== wanted) all.push(await nextDispatch(hears));
    return all;
  };
  await heard(alert);
  const told = await eventually(
    async () => sink.dispatch(alert)?.people() ?? new Uint32Array(),
    (people) => people.length > 0,
  );
  await ledgerWhen(loa, alert, ({ channels }) => (channels["live"]?.reached.sent ?? 0) > 0);
  const cancel = await issue(loa, await approvedCancel(loa, bulletin));
  sink.behave({ answerLagMs: 0 });
  expect((await heard(cancel)).at(-1)).toBe(cancel);

  const done = await ledgerWhen(loa, cancel, isDone("loopback"));
  expect(done.channels["loopback"]?.planned).toBe(told.length);
  expect([...(sink.dispatch(cancel)?.people() ?? [])]).toEqual([...told]);
  expect(done.channels["live"]?.planned).toBe(1);
  const old = await ledgerWhen(loa, alert, ({ channels }) =>
    Object.values(channels).every(({ state }) => state.queued === 0),
  );
  expect(old.state).toBe("cancelled");
  expect(old.channels["live"]?.state).toMatchObject({ sent: 1, suppressed: 1 });
  await expectSums(loa, old);

  // Who was away hears neither; who lives elsewhere neither. A next warning is the first they hear.
  await using wakes = await patiently(() => away.listen());
  const last = await issue(loa, await approvedBulletin(loa, { channels: ["live"] }));
  let first = await nextDispatch(wakes);
  const others: string[] = [first];
  while (first !== last) others.push((first = await nextDispatch(wakes)));
  expect(others).not.toContain(alert);
  expect(others).not.toContain(cancel);
  const there: string[] = [];
  while (there.at(-1) !== last) there.push(await nextDispatch(hearsElsewhere));
  expect(there).toEqual([last]);
});

test("an Exercise never reaches the public, wherever they say they are", async () => {
  const citizen = await registerCitizen(loa, "SL002");
  await using connection = await patiently(() => citizen.listen(["SL002"]));
  const wish = { areas: ["SL002"], channels: ["live", "loopback"] } as const;
  const exercise = await issue(loa, await approvedBulletin(loa, wish));
  const real = await issue(
    loa,
    await approvedBulletin(loa, { type: "Actual", areas: ["SL002"], channels: ["live"] }),
  );
  const heard: string[] = [];
  while (heard.at(-1) !== real) heard.push(await nextDispatch(connection));
  expect(heard).not.toContain(exercise);
  expect((await ledgerOf(loa, exercise)).channels["live"]?.planned).toBe(0);
});

test("who is registered before issue is in the audience, also during an import; who left is not", async () => {
  const rows = Array.from(
    { length: 20_000 },
    (_, i) => `p${i},person,public,SL003,,,loopback,form-1,2026-01-05T08:00:00+07:00\n`,
  );
  const csv = `ref,kind,standing,home,places,follows,endpoints,consent_version,consent_at\n${rows.join("")}`;
  const wish = { type: "Actual", areas: ["SL004"], channels: ["live"] } as const;
  const bulletins = [];
  for (let i = 0; i < 4; i += 1) bulletins.push(await approvedBulletin(loa, wish));
  const importing = importList("beside", csv);
  const leaving = await registerCitizen(loa, "SL004");
  await createClient({ origin: loa.api, key: leaving.token }).ask(deleteDevice);
  const planned: number[] = [];
  for (const bulletin of bulletins) {
    await registerCitizen(loa, "SL004");
    const { channels } = await ledgerOf(loa, await issue(loa, bulletin));
    planned.push(channels["live"]?.planned ?? 0);
  }
  expect(planned).toEqual([1, 2, 3, 4]);
  await importing;
});

test("who comes after issue sees it, and is counted as joined later, outside the sums", async () => {
  const bulletin = await approvedBulletin(loa, {
    type: "Actual",
    areas: ["SL005"],
    channels: ["live"],
  });
  const dispatchId = await issue(loa, bulletin);
  const late = await registerCitizen(loa, "SL005");
  await using connection = await patiently(() => late.listen(["SL005"]));
  expect(await nextDispatch(connection)).toBe(dispatchId);
  const ledger = await ledgerWhen(loa, dispatchId, ({ joinedLater }) => joinedLater === 1);
  expect(ledger.channels["live"]?.planned).toBe(0);
});
