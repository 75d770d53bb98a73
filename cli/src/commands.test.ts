// The command line against a real instance: what a person at a desk does, from the list of people
// to the ledger. One instance serves all stories; its loopback channels lead to a sink here.
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  approveBulletin,
  createBulletin,
  getBulletin,
  issueBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import { createClient } from "@loa/api/client.ts";
import { createIncident } from "@loa/api/incidents.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import { openSink, type Sink } from "@loa/sink/sink.ts";
import { runLoa } from "../test/run-loa.ts";
import { type Instance, keyOf, startInstance } from "./drill/instance.ts";

let sink: Sink;
let instance: Instance;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "loa-commands-"));
  sink = await openSink({ port: 0, host: "127.0.0.1" });
  const never = new AbortController().signal;
  instance = await startInstance(`127.0.0.1:${sink.port}`, () => Promise.resolve(), never);
}, 120_000);

afterAll(async () => {
  await instance?.stop();
  await sink?.close();
  await rm(folder, { recursive: true });
});

const loa = (holder: string | undefined, ...args: string[]) =>
  runLoa(args, {
    origin: instance.api,
    ...(holder !== undefined && { key: keyOf(instance.demonstration, holder) }),
  });

/** The one JSON document that stands on stdout. */
async function loaJson<T = Record<string, unknown>>(holder: string, ...args: string[]): Promise<T> {
  const run = await loa(holder, ...args, "--json");
  expect([run.status, run.stderr]).toEqual([0, ""]);
  return JSON.parse(run.stdout) as T;
}

const HEADER = "ref,kind,standing,home,places,follows,endpoints,consent_version,consent_at";
const row = (ref: string, home: string) =>
  `${ref},person,exercise,${home},,,loopback,form-1,2026-01-05T08:00:00+07:00`;

test("status says who one is, and that there is no such person without a key", async () => {
  expect(await loaJson("provinceAuthor", "status")).toMatchObject({
    status: "ready",
    database: "reachable",
    member: { roles: ["author"] },
  });
  const stranger = await loa(undefined, "status");
  expect(stranger.status).toBe(0);
  expect(stranger.stdout).toContain("nobody: no key in LOA_KEY");
});

test("a code of a commune that was merged says what it is today", async () => {
  const run = await loa(undefined, "areas", "show", "SLC001");
  expect(run).toMatchObject({ status: 0 });
  expect(run.stdout).toContain("SLC001 was Xã Bến Lụa Thượng");
  expect(run.stdout).toContain("Phường Bến Lụa / Ben Lua Ward");
});

test("an unknown code is a no, with the reason in two languages", async () => {
  const run = await loa(undefined, "areas", "show", "XX", "--json");
  expect(run.status).toBe(1);
  expect(JSON.parse(run.stdout)).toMatchObject({ code: "area-unknown" });
});

test("only an operator imports areas, also from files with other headings", async () => {
  const pack = fileURLToPath(new URL("../../server/areas/song-lua", import.meta.url));
  const refused = await loa("provinceAuthor", "areas", "import", pack);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain("role-missing");
  const csv = join(folder, "units.csv");
  await writeFile(csv, "ma;ten;dan\nTH;Tỉnh Thử;10\n");
  const other = await loaJson(
    "operator",
    "areas",
    "import",
    "--name",
    "thu",
    "--valid-from",
    "2026-01-01",
    "--units",
    `province=${csv}`,
    "--delimiter",
    "province=;",
    "--columns",
    "province:code=ma,name_vi=ten,population=dan",
  );
  expect(other).toMatchObject({ name: "thu", units: { province: 1 } });
});

test("rows that were not taken come back with reasons, and importing again makes no twins", async () => {
  const list = join(folder, "people.csv");
  const rows = [HEADER, row("1", "SL001"), row("2", "SL001-01"), row("3", "XX"), row("4", "SL061")];
  await writeFile(list, `${rows.join("\n")}\n`);
  const args = ["subscribers", "import", list, "--basis", "exercise list"];
  const run = await loa("operator", ...args);
  expect(run.status).toBe(1);
  expect(run.stdout).toMatch(/Added +3/);
  const rejects = await readFile(join(folder, "people.rejects.csv"), "utf8");
  expect(rejects.split("\n")[1]).toMatch(/^"4","home XX .*","3,person,/);
  const again = await loa("operator", ...args, "--json");
  expect(JSON.parse(again.stdout)).toMatchObject({ added: 0, known: 3, rejected: 1 });
});

test("a list without a basis is not sent", async () => {
  const run = await loa("operator", "subscribers", "import", "people.csv");
  expect(run).toMatchObject({ status: 2, stderr: "--basis is needed\n" });
});

test("synthetic people are registered once, exported, shown and deleted", async () => {
  const first = await loaJson("operator", "subscribers", "synth", "--count=500", "--seed=3");
  expect(first).toMatchObject({ read: 500, added: 500, known: 0 });
  const again = await loaJson("operator", "subscribers", "synth", "--count=500", "--seed=3");
  expect(again).toMatchObject({ added: 0, known: 500 });
  const out = join(folder, "export.csv");
  await loaJson("operator", "subscribers", "export", "--out", out);
  expect((await stat(out)).mode & 0o777).toBe(0o600);
  const lines = (await readFile(out, "utf8")).trim().split("\n");
  expect(lines).toHaveLength(504);
  const id = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(lines[1] ?? "")?.[0] ?? "";
  expect(await loaJson("operator", "subscribers", "show", id)).toMatchObject({ id });
  expect(await loaJson("operator", "subscribers", "delete", id)).toEqual({ deleted: id });
  expect((await loa("operator", "subscribers", "show", id)).status).toBe(1);
});

test("an estimate counts the people of an exercise apart from the public", async () => {
  const areas = ["--areas", "SL001,SL061"];
  expect(await loaJson("provinceAuthor", "estimate", ...areas)).toMatchObject({ total: 0 });
  const exercise = await loaJson<{ total: number; residents: number }>(
    "provinceAuthor",
    "estimate",
    ...areas,
    "--type",
    "Exercise",
  );
  expect(exercise.residents).toBeGreaterThanOrEqual(2);
  const circle = await loa(
    "provinceAuthor",
    "estimate",
    "--circle",
    "110.33,13.78,5",
    "--type",
    "Exercise",
  );
  expect(circle.stdout).toContain("Đặc khu Hòn Nhạn");
});

test("a bulletin goes from a file to the ledger, and only a second person approves it", async () => {
  const file = join(folder, "content.json");
  const target = { areas: ["SL001"], zones: [], rule: { kind: "named" } } as const;
  // Nobody here has an endpoint of that kind: the channel was approved, and is accounted for with 0.
  const channels = ["loopback", "area-loopback", "null"] as const;
  const now = new Date();
  const content = typhoonContent({ type: "Exercise", target, channels, now });
  await writeFile(file, JSON.stringify(content));
  const { id } = await loaJson<{ id: string }>("provinceAuthor", "bulletins", "create", file);
  const submitted = await loaJson<{ hash: string }>("provinceAuthor", "bulletins", "submit", id);
  const approve = ["bulletins", "approve", id, "--hash", submitted.hash];
  const own = await loa("provinceAuthor", ...approve);
  expect(own.status).toBe(1);
  const returned = await loaJson(
    "provinceApprover",
    "bulletins",
    "return",
    id,
    "--reason",
    "Sửa giờ sơ tán",
  );
  expect(returned).toMatchObject({ state: "draft" });
  await loaJson("provinceAuthor", "bulletins", "submit", id);
  expect(await loaJson("provinceApprover", ...approve)).toMatchObject({ state: "approved" });
  const shown = await loa("provinceApprover", "bulletins", "show", id);
  expect(shown.stdout).toContain("Sửa giờ sơ tán");
  const { dispatch } = await loaJson<{ dispatch: { id: string } }>(
    "provinceApprover",
    "bulletins",
    "issue",
    id,
  );
  type Figures = { channels: { loopback: { planned: number; state: { sent: number } } } };
  await vi.waitFor(
    async () => {
      const { channels } = await loaJson<Figures>("provinceAuthor", "ledger", dispatch.id);
      expect(channels.loopback.state.sent).toBe(channels.loopback.planned);
    },
    { timeout: 30_000, interval: 500 },
  );
  const people = sink.dispatch(dispatch.id)?.totals().people;
  const csv = await loa("provinceAuthor", "ledger", dispatch.id, "--csv");
  expect(csv.stdout.trim().split("\n")).toHaveLength((people ?? 0) + 1);
  const ofBulletin = await loaJson("provinceAuthor", "ledger", id);
  expect(ofBulletin).toMatchObject({ id: dispatch.id, channels: { null: { planned: 0 } } });
  const communes = await loa("provinceAuthor", "ledger", dispatch.id, "--communes");
  expect(communes.stdout).toContain("Phường Bến Lụa");
  const orders = await loaJson("provinceAuthor", "ledger", dispatch.id, "--orders");
  expect(orders).toMatchObject({ items: [{ area: "SL001", state: "accepted" }] });
  expect((await loa("provinceAuthor", "bulletins", "list")).stdout).toContain(id);
});

test("one storm is one thread: update, correct, last and cancel, and what is asked about", async () => {
  const as = (holder: string) =>
    createClient({ origin: instance.api, key: keyOf(instance.demonstration, holder) });
  const [author, approver] = [as("provinceAuthor"), as("provinceApprover")];
  const name = { vi: "Bão số 9", en: "Typhoon No. 9" };
  const incident = await author.ask(createIncident, { body: { hazard: "storm", name } });
  const target = { areas: ["SL001"], zones: [], rule: { kind: "named" } } as const;
  const typhoon = typhoonContent({
    type: "Exercise",
    target,
    channels: ["loopback"],
    now: new Date(),
  });
  const accountId = instance.demonstration.accounts[0]?.id ?? "";
  const issue = async (id: string) => {
    const params = { id };
    const { version } = await author.ask(getBulletin, { params });
    const { hash } = await author.ask(submitBulletin, { params, body: { version } });
    await approver.ask(approveBulletin, { params, body: { hash: hash ?? "" } });
    await approver.ask(issueBulletin, { params });
  };
  const issued = async (number: string) => {
    const content = { ...typhoon, number, incidentId: incident.id } as never;
    const { id } = await author.ask(createBulletin, { body: { accountId, content } });
    await issue(id);
    return id;
  };
  type Draft = { id: string; content: object };
  const draft = (...args: string[]) => loaJson<Draft>("provinceAuthor", "bulletins", ...args);
  const refused = async (...args: string[]) => {
    const run = await loa("provinceAuthor", "bulletins", ...args);
    expect([args, run.status]).toEqual([args, 1]);
    return run.stderr;
  };

  expect(await refused("update", "--incident", incident.id)).toContain("bulletin-state");
  const alert = await issued("1/CĐ");
  const update = await draft("update", "--incident", incident.id);
  expect(update).toMatchObject({ step: "update", references: [alert] });
  const other = await issued("2/CĐ");
  const asked = await refused("update", "--incident", incident.id);
  for (const each of [`${alert}: 1/CĐ`, `${other}: 2/CĐ`]) expect(asked).toContain(each);
  await issue(update.id);
  expect(await refused("update", alert)).toContain(`${update.id} took its place`);

  const louder = join(folder, "louder.json");
  await writeFile(louder, JSON.stringify({ ...update.content, riskLevel: 5 }));
  expect(await refused("correct", update.id, "--content", louder)).toContain("changes words only");
  const correction = await draft("correct", update.id);
  expect(correction).toMatchObject({ step: "correction", references: [update.id] });
  await issue(correction.id);

  const last = await draft("update", correction.id, "--last");
  expect(last).toMatchObject({ step: "last", references: [correction.id] });
  await issue(last.id);
  expect(await refused("update", last.id)).toContain("last of its chain");
  const shown = await loa("provinceAuthor", "bulletins", "show", last.id);
  for (const words of ["tin cuối cùng", correction.id]) expect(shown.stdout).toContain(words);

  const reason = ["--reason-vi", "Bão đã tan.", "--reason-en", "The storm is over."];
  const cancel = await draft("cancel", last.id, ...reason);
  expect(cancel).toMatchObject({ step: "cancel", references: [last.id] });
}, 180_000);

test("a CAP message becomes a draft, with what to look at", async () => {
  const cap = fileURLToPath(new URL("../../cap/fixtures/song-lua-typhoon.xml", import.meta.url));
  const run = await loa(
    "provinceAuthor",
    "bulletins",
    "from-cap",
    cap,
    "--type",
    "Exercise",
    "--channels",
    "live",
  );
  expect([run.status, run.stderr]).toEqual([0, ""]);
  expect(run.stdout).toContain("dự thảo");
});

test("a source is admitted, a message of it brought by hand, and the source suspended", async () => {
  const cap = fileURLToPath(new URL("../../cap/fixtures/song-lua-typhoon.xml", import.meta.url));
  const { items } = await loaJson("operator", "cap", "sources", "list");
  expect(items).toEqual([]);
  const { agencyId } = (await loaJson<{ member: { agencyId: string } }>("provinceAuthor", "status"))
    .member;
  const account = instance.demonstration.accounts.find((each) => each.agencyId === agencyId);
  const settings = ["--account", account?.handle ?? "", "--areas", "SL", "--channels", "live"];
  const source = await loaJson("operator", "cap", "sources", "add", "Đài", ...settings);
  expect(source).toMatchObject({ name: "Đài", url: null });
  const bring = ["cap", "import", cap, "--source", "Đài"];
  const run = await loa("provinceAuthor", ...bring);
  expect([run.status, run.stderr]).toEqual([0, ""]);
  expect(run.stdout).toContain("drafted");
  expect((await loa("provinceAuthor", ...bring)).stdout).toContain("known before");
  expect((await loa("operator", "cap", "sources", "messages", "Đài")).stdout).toContain(", orphan");
  await loaJson("operator", "cap", "sources", "suspend", "Đài");
  expect((await loa("provinceAuthor", ...bring)).stderr).toContain("source-suspended");
  expect((await loa("operator", "cap", "sources", "resume", "Đài")).stdout).toContain("well");
});

test("the contract is one document", async () => {
  expect(await loaJson("operator", "openapi")).toMatchObject({ openapi: "3.1.0" });
});

test("what cannot run says so with status 2, also as one document", async () => {
  expect(await loa("operator", "nonsense")).toMatchObject({ status: 2, stdout: "" });
  expect(await loa("operator", "status", "--nonsense")).toMatchObject({ status: 2 });
  const nowhere = await runLoa(["status", "--json", "--origin", "http://127.0.0.1:9"]);
  expect(nowhere.status).toBe(2);
  expect(JSON.parse(nowhere.stdout)).toMatchObject({ title: "loa could not run" });
});

test("help names every command and never asks a server", async () => {
  const run = await runLoa([]);
  expect(run.status).toBe(0);
  expect(run.stdout).toContain("drill");
  const one = await runLoa(["drill", "--help"]);
  expect(one.stdout).toContain("--subscribers N");
});
