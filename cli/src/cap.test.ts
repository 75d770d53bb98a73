// `loa cap ...`: what a forecaster, a broadcaster or a script does with CAP files, without a server.
import { generateKeyPairSync } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runLoa } from "../test/run-loa.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../cap/fixtures/${name}`, import.meta.url));
const TYPHOON = fixture("song-lua-typhoon.xml");
const CANCEL = fixture("song-lua-cancel.xml");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "loa-cap-"));
});
afterAll(() => rm(folder, { recursive: true }));

const json = (text: string): unknown => JSON.parse(text);

test("check answers for each file, in order, whether it conforms", async () => {
  const run = await runLoa(["cap", "check", TYPHOON, CANCEL, "--json"]);
  expect([run.status, run.stderr]).toEqual([0, ""]);
  expect(json(run.stdout)).toEqual([
    { file: TYPHOON, valid: true, profile: "core", problems: [] },
    { file: CANCEL, valid: true, profile: "core", problems: [] },
  ]);
});

test("one file that does not conform is a no, with rule, line and place", async () => {
  const run = await runLoa(["cap", "check", TYPHOON, CANCEL, "--profile", "loa", "--json"]);
  expect(run.status).toBe(1);
  expect(json(run.stdout)).toEqual([
    { file: TYPHOON, valid: true, profile: "loa", problems: [] },
    {
      file: CANCEL,
      valid: false,
      profile: "loa",
      problems: [
        {
          rule: "L1",
          level: "error",
          path: "/alert",
          line: 2,
          message: "there is no code profile:loa:1.0",
        },
        { rule: "L9", level: "error", path: "/alert", line: 2, message: "there is no incident" },
      ],
    },
  ]);
});

test("a file that is not there, or a profile that nobody knows, could not run", async () => {
  const missing = await runLoa(["cap", "check", join(folder, "missing.xml"), "--json"]);
  expect(missing.status).toBe(2);
  expect(json(missing.stdout)).toMatchObject({ title: "loa could not run" });
  expect((await runLoa(["cap", "check", TYPHOON, "--profile", "ipaws"])).status).toBe(2);
  expect((await runLoa(["cap", "check"])).status).toBe(2);
});

test("what is no XML, or too large, is a no and not a crash", async () => {
  const [text, large] = [join(folder, "text.xml"), join(folder, "large.xml")];
  await writeFile(text, "Bão số 9");
  await writeFile(large, Buffer.alloc(9 * 1024 * 1024, "<a>"));
  const run = await runLoa(["cap", "check", text, large, "--json"]);
  expect(run.status).toBe(1);
  expect(json(run.stdout)).toMatchObject([
    { valid: false, problems: [{ rule: "X1" }] },
    { valid: false, problems: [{ rule: "X3" }] },
  ]);
});

test("a repair is used when it is granted, and told", async () => {
  const open = join(folder, "open.xml");
  const text = await readFile(TYPHOON, "utf8");
  await writeFile(open, text.replaceAll("14.10,109.80 13.62,109.80<", "14.10,109.80<"));
  expect((await runLoa(["cap", "check", open])).status).toBe(1);
  const run = await runLoa(["cap", "check", open, "--repair", "close-ring", "--json"]);
  expect(run.status).toBe(0);
  expect(json(run.stdout)).toMatchObject([{ problems: [{ repair: "close-ring" }, {}] }]);
});

test("show tells what it says, convert where it is", async () => {
  const shown = await runLoa(["cap", "show", TYPHOON]);
  expect(shown.status).toBe(0);
  expect(shown.stdout).toContain("Tin bão khẩn cấp");
  const map = await runLoa(["cap", "convert", TYPHOON, "--geojson", "--json"]);
  expect(map.status).toBe(0);
  expect(json(map.stdout)).toMatchObject({
    type: "FeatureCollection",
    features: [{ geometry: { type: "Polygon" } }, {}],
  });
  const refused = await runLoa(["cap", "convert", fixture("../package.json"), "--geojson"]);
  expect(refused.status).toBe(1);
});

test("what is signed verifies with the key, and not after a change nor for another sender", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const paths = Object.fromEntries(
    ["key.pem", "pub.pem", "signed.xml", "changed.xml"].map((name) => [name, join(folder, name)]),
  ) as Record<"key.pem" | "pub.pem" | "signed.xml" | "changed.xml", string>;
  await writeFile(paths["key.pem"], privateKey.export({ type: "pkcs8", format: "pem" }));
  await writeFile(paths["pub.pem"], publicKey.export({ type: "spki", format: "pem" }));
  const { "key.pem": key, "pub.pem": pub, "signed.xml": signed, "changed.xml": changed } = paths;
  expect((await runLoa(["cap", "sign", TYPHOON, "--key", key, "--out", signed])).status).toBe(0);
  const piped = await runLoa(["cap", "sign", TYPHOON, "--key", key]);
  expect(piped.stdout).toMatch(/<\/Signature><\/alert>\n$/u);

  const verify = (file: string, ...more: string[]) =>
    runLoa(["cap", "verify", file, "--key", pub, "--json", ...more]);
  const good = await verify(signed, "--sender", "kttv@songlua.example");
  expect(good.status).toBe(0);
  expect(json(good.stdout)).toMatchObject({
    verified: true,
    problems: [],
    signatures: [{ isIntact: true, isVerified: true }],
  });
  const other = await verify(signed, "--sender", "xa@songlua.example");
  expect([other.status, json(other.stdout)]).toMatchObject([1, { problems: [{}, { rule: "G3" }] }]);

  await copyFile(signed, changed);
  await writeFile(changed, (await readFile(signed, "utf8")).replace("19 giờ", "23 giờ"));
  const bad = await verify(changed);
  expect([bad.status, json(bad.stdout)]).toMatchObject([1, { verified: false }]);
  expect(bad.stdout).toContain('"G2"');
  expect((await runLoa(["cap", "verify", signed, "--key", TYPHOON])).status).toBe(2);
});
