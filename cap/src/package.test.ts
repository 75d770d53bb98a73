// The package by itself: built as `npm pack` builds it, and used from a folder in which there is
// nothing else, by plain JavaScript and the names that its README gives.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const PROGRAM = `
import { readFileSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { checkCap } from "@loa/cap/check";
import { toGeoJson } from "@loa/cap/geojson";
import { readCap } from "@loa/cap/read";
import { signCap } from "@loa/cap/sign";
import { verifyCap } from "@loa/cap/verify";
import { writeCap } from "@loa/cap/write";

const bytes = readFileSync(process.argv[2]);
const { message } = readCap(bytes);
const written = writeCap(message);
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = { type: "pkcs8", format: "pem" };
const signed = signCap(written.bytes, { privateKey: privateKey.export(pem) });
const key = publicKey.export({ type: "spki", format: "pem" });
const keys = [{ sender: message.sender, publicKey: key }];
console.log(JSON.stringify({
  valid: checkCap(bytes, { profile: "loa" }).valid,
  verified: verifyCap(signed.bytes, { keys }).verified,
  features: toGeoJson(message).features.length > 0,
}));
`;

test("is used alone, as a package of JavaScript, with nothing of Loa beside it", () => {
  const folder = mkdtempSync(join(tmpdir(), "loa-cap-alone-"));
  try {
    const home = join(folder, "node_modules", "@loa", "cap");
    mkdirSync(home, { recursive: true });
    copyFileSync(pathOf("../package.json"), join(home, "package.json"));
    const compiler = pathOf("../../node_modules/typescript/bin/tsc");
    const project = pathOf("../tsconfig.build.json");
    const built = [compiler, "--project", project, "--outDir", join(home, "dist")];
    execFileSync(process.execPath, built);
    writeFileSync(join(folder, "program.mjs"), PROGRAM);
    const fixture = pathOf("../fixtures/song-lua-typhoon.xml");
    const told = execFileSync(process.execPath, [join(folder, "program.mjs"), fixture]);
    expect(JSON.parse(told.toString())).toEqual({ valid: true, verified: true, features: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
