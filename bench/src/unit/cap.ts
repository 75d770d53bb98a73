// Reading, checking, converting, writing and signing CAP, on one core: a message of some 3 kB, as a
// forecast in one language has. Feeds bring hundreds at once, and each must be known to be sound
// before a draft is made of it.
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { readFile } from "node:fs/promises";
import { checkCap } from "@loa/cap/check.ts";
import { toGeoJson } from "@loa/cap/geojson.ts";
import { readCap } from "@loa/cap/read.ts";
import { signCap } from "@loa/cap/sign.ts";
import { verifyCap } from "@loa/cap/verify.ts";
import { writeCap } from "@loa/cap/write.ts";
import { clockMs } from "../clock.ts";
import { check, type Figure, figure, type Unit } from "../unit.ts";

const NATURE = "as it is";
const FIXTURE = new URL("../../../cap/fixtures/song-lua-typhoon.xml", import.meta.url);
const MESSAGES = 20_000;
const MESSAGES_SMALL = 200;
/** A signature takes as long as many messages. */
const SIGNATURES_SHARE = 20;
/** What reading, checking, converting and writing must reach: a feed of a thousand in a moment. */
const RATE_MIN = 3_000;
/** As large as what is signed of a message. */
const SIGNED_BYTES = 600;

export const cap: Unit = {
  name: "cap",
  title: "CAP messages read, checked, converted, written, signed and verified on one core",
  async run({ isSmall, runs, say }) {
    const { message } = readCap(await readFile(FIXTURE));
    if (message === undefined) throw new Error("the fixture is no message");
    const one = { ...message, infos: message.infos.slice(0, 1) };
    const written = writeCap(one);
    if (!written.ok) throw new Error("the fixture cannot be written");
    const { bytes } = written;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const signed = signCap(bytes, { privateKey });
    if (!signed.ok) throw new Error("the fixture cannot be signed");
    const keys = [{ sender: one.sender, publicKey }];
    const count = isSmall ? MESSAGES_SMALL : MESSAGES;
    const measure = (name: string, times: number, act: () => boolean, atLeast?: number) =>
      measureRate(name, { times, runs, note: `${bytes.byteLength} bytes each`, atLeast }, act);
    const wanted = isSmall ? undefined : RATE_MIN;
    const convert = (): boolean => {
      const { valid, message: read } = checkCap(bytes, { profile: "loa" });
      return valid && read !== undefined && toGeoJson(read).features.length > 0;
    };
    const few = count / SIGNATURES_SHARE;
    // The arithmetic of a signature alone, which nothing of ours can make faster.
    const dsaEncoding = "ieee-p1363";
    const payload = Buffer.alloc(SIGNED_BYTES, "x");
    const makeSignature = () => sign("sha256", payload, { key: privateKey, dsaEncoding });
    const signature = makeSignature();
    const isMade = () => verify("sha256", payload, { key: publicKey, dsaEncoding }, signature);
    const results = [
      measure("read", count, () => isSound(readCap(bytes)), wanted),
      measure("read, check against loa and convert to GeoJSON", count, convert, wanted),
      measure("write", count, () => writeCap(one).ok, wanted),
      measure("sign", few, () => signCap(bytes, { privateKey }).ok),
      measure("sign, of which ECDSA P-256 alone", few, () => makeSignature().byteLength > 0),
      measure("verify", few, () => verifyCap(signed.bytes, { keys }).verified),
      measure("verify, of which ECDSA P-256 alone", few, isMade),
    ];
    for (const { figure: each } of results)
      say(`  ${each.name}: ${Math.round(each.value)} ${each.unit}`);
    return {
      figures: results.map((result) => result.figure),
      checks: results.map(({ name, ok }) => check(`cap: every message passes ${name}`, ok)),
    };
  },
};

const isSound = ({ problems }: ReturnType<typeof readCap>): boolean =>
  !problems.some(({ level }) => level === "error");

interface Measure {
  readonly times: number;
  readonly runs: number;
  readonly note: string;
  readonly atLeast: number | undefined;
}

/** The first run warms up and is not counted. */
function measureRate(
  name: string,
  { times, runs, note, atLeast }: Measure,
  act: () => boolean,
): { name: string; figure: Figure; ok: boolean } {
  let passed = 0;
  const rates = Array.from({ length: runs + 1 }, () => {
    const startMs = clockMs();
    for (let each = 0; each < times; each++) if (act()) passed++;
    return times / ((clockMs() - startMs) / 1000);
  });
  const target = atLeast === undefined ? {} : { target: { atLeast } };
  const result = figure(`cap: ${name}`, "messages/s", rates.slice(1), NATURE, { note, ...target });
  return { name, figure: result, ok: passed === times * (runs + 1) };
}
