import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyMutations, isAnswered, mutate } from "../test/mutation.ts";
import { type CapReading, readCap } from "./read.ts";
import {
  CAP_BYTES_MAX,
  CAP_DEPTH_MAX,
  CAP_ELEMENTS_MAX,
  CAP_POINTS_MAX,
  CAP_PROBLEMS_MAX,
  CAP_REFERENCES_MAX,
} from "./limit.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const fixture = (name: string): string =>
  readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const typhoon = fixture("song-lua-typhoon.xml");
/** The fixture with something changed; the change must have hit. */
function changed(from: string, to: string): Uint8Array {
  expect(typhoon).toContain(from);
  return bytes(typhoon.replace(from, to));
}
const errors = ({ problems }: CapReading): string[] =>
  problems.filter(({ level }) => level === "error").map(({ rule }) => rule);

test("the typhoon over Sông Lụa is read whole, in both languages", () => {
  const { message, problems } = readCap(bytes(typhoon));
  expect(problems).toEqual([]);
  expect(message).toMatchObject({
    identifier: "SLUA.2026.09.KC-05",
    sender: "kttv@songlua.example",
    sent: "2026-09-07T14:00:00+07:00",
    status: "Actual",
    msgType: "Update",
    scope: "Public",
    references: [{ identifier: "SLUA.2026.09.KC-04", sent: "2026-09-07T11:00:00+07:00" }],
    signatures: 0,
  });
  expect(message?.infos.map(({ language, event }) => [language, event])).toEqual([
    ["vi-VN", "Bão"],
    ["en", "Typhoon"],
  ]);
  const [info] = message?.infos ?? [];
  expect(info?.instruction).toMatch(/^Rời khỏi vùng cửa sông/u);
  expect(info?.parameters).toContainEqual({ valueName: "loa.riskLevel", value: "4" });
  const [area] = info?.areas ?? [];
  expect(area?.polygons[0]).toHaveLength(5);
  expect(area?.polygons[0]?.[0]).toEqual([13.62, 109.8]);
  expect(area?.geocodes.map(({ value }) => value)).toEqual(["SL021", "SL022"]);
});

test("a prefix, CDATA and no info are fine for a Cancel", () => {
  const { message, problems } = readCap(bytes(fixture("song-lua-cancel.xml")));
  expect(problems).toEqual([]);
  expect(message).toMatchObject({ msgType: "Cancel", infos: [] });
  expect(message?.note).toContain("nêu sai giờ");
});

describe("what breaks a rule is named, with its place", () => {
  test.each<[string, string, string, string, string]>([
    [
      "a space in the identifier",
      "A1",
      "SLUA.2026.09.KC-05<",
      "SLUA KC-05<",
      "/alert/identifier[1]",
    ],
    ["no identifier", "A1", "<identifier>SLUA.2026.09.KC-05</identifier>", "", "/alert"],
    [
      "UTC as Z",
      "A3",
      "<sent>2026-09-07T14:00:00+07:00",
      "<sent>2026-09-07T07:00:00Z",
      "/alert/sent[1]",
    ],
    ["30 February", "A3", "<sent>2026-09-07", "<sent>2026-02-30", "/alert/sent[1]"],
    ["a status of its own", "A4", "<status>Actual", "<status>actual", "/alert/status[1]"],
    ["Restricted without restriction", "A7", "<scope>Public", "<scope>Restricted", "/alert"],
    ["Private without addresses", "A8", "<scope>Public", "<scope>Private", "/alert"],
    ["a torn reference", "A11", "KC-04,2026", "KC-04 2026", "/alert/references[1]"],
    ["a language with underscore", "I1", "vi-VN", "vi_VN", "/alert/info[1]/language[1]"],
    ["Very Likely, of CAP 1.0", "I7", "Likely", "Very Likely", "/alert/info[1]/certainty[1]"],
    ["no severity", "I6", "<severity>Extreme</severity>", "", "/alert/info[1]"],
    [
      "an open ring",
      "R2",
      "14.10,109.80 13.62,109.80<",
      "14.10,109.80<",
      "/alert/info[1]/area[1]/polygon[1]",
    ],
    [
      "longitude first",
      "R2",
      "13.62,109.80 ",
      "109.80,13.62 ",
      "/alert/info[1]/area[1]/polygon[1]",
    ],
    [
      "a comma for a decimal point",
      "R2",
      "13.62,109.80 ",
      "13,62,109,80 ",
      "/alert/info[1]/area[1]/polygon[1]",
    ],
    ["an element of its own", "X5", "<scope>", "<loud>yes</loud><scope>", "/alert/loud[1]"],
    [
      "the wrong order",
      "X5",
      "<urgency>Expected</urgency>\n    <severity>Extreme</severity>",
      "<severity>Extreme</severity><urgency>Expected</urgency>",
      "/alert/info[1]/urgency[1]",
    ],
    [
      "two headlines",
      "X5",
      "<headline>",
      "<headline>Bão</headline><headline>",
      "/alert/info[1]/headline[2]",
    ],
    ["text between elements", "X5", "<scope>", "Bão<scope>", "/alert"],
    [
      "an element inside a text",
      "X5",
      "Bão</event>",
      "<b>Bão</b></event>",
      "/alert/info[1]/event[1]/b[1]",
    ],
    ["an attribute", "X5", "<scope>", '<scope to="all">', "/alert/scope[1]"],
    ["space around a word", "A4", "<status>Actual", "<status> Actual", "/alert/status[1]"],
    ["the hour 25", "A3", "T14:00:00+07:00</sent>", "T25:00:00+07:00</sent>", "/alert/sent[1]"],
    ["an offset that is nowhere", "A3", "+07:00</sent>", "+15:00</sent>", "/alert/sent[1]"],
    [
      "an empty time",
      "I11",
      "<onset>2026-09-07T20:00:00+07:00",
      "<onset>",
      "/alert/info[1]/onset[1]",
    ],
    ["a quote that never ends", "A12", '"Bão số 9"', '"Bão số 9', "/alert/incidents[1]"],
  ])("%s: %s", (_, rule, from, to, path) => {
    const { message, problems } = readCap(changed(from, to));
    expect(message).toBeDefined();
    const found = problems.find((problem) => problem.level === "error" && problem.rule === rule);
    expect(found).toMatchObject({ rule, path });
    expect(found?.line).toBeGreaterThan(0);
  });

  test("the line is that of the element", () => {
    const { problems } = readCap(changed("<certainty>Likely", "<certainty>Sure"));
    const line = typhoon.slice(0, typhoon.indexOf("<certainty>")).split("\n").length;
    expect(problems).toEqual([expect.objectContaining({ rule: "I7", line })]);
  });

  test("a shape that cannot be read is missing from the message, never smaller", () => {
    const { message } = readCap(changed("13.62,110.20 ", "13.62, 110.20 "));
    expect(message?.infos[0]?.areas[0]?.polygons).toEqual([]);
  });
});

describe("what is not safe is not read at all", () => {
  test.each<[string, string, Uint8Array]>([
    ["nothing", "X1", new Uint8Array()],
    ["no XML", "X1", bytes("Bão số 9")],
    ["a tag that does not end", "X1", bytes("<alert")],
    [
      "a document type",
      "X2",
      bytes('<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]><alert/>'),
    ],
    ["a document type behind a comment", "X2", bytes("<!-- <a> --><!doctype html><alert/>")],
    ["an entity of its own", "X1", changed("Bão</event>", "&bao;</event>")],
    ["too many bytes", "X3", new Uint8Array(CAP_BYTES_MAX + 1)],
    ["too deep", "X3", bytes("<a>".repeat(CAP_DEPTH_MAX + 1))],
    ["a hundred thousand deep", "X3", bytes("<a>".repeat(100_000))],
    ["too many elements", "X3", bytes(`<a>${"<b/>".repeat(CAP_ELEMENTS_MAX)}</a>`)],
    ["bytes that are not UTF-8", "X1", Uint8Array.from([...bytes(typhoon), 0xff])],
    ["an encoding that nobody knows", "X1", changed("UTF-8", "KLINGON")],
    [
      "a mark and a declaration that differ",
      "X1",
      Uint8Array.from([0xef, 0xbb, 0xbf, ...changed("UTF-8", "ISO-8859-1")]),
    ],
    ["CAP 1.1", "X4", changed("cap:1.2", "cap:1.1")],
    ["no namespace", "X4", changed(' xmlns="urn:oasis:names:tc:emergency:cap:1.2"', "")],
    ["another root", "X4", bytes('<feed xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>')],
  ])("%s: %s", (_, rule, input) => {
    const { message, problems } = readCap(input);
    expect(message).toBeUndefined();
    expect(problems).toEqual([expect.objectContaining({ rule, level: "error" })]);
  });

  test("text that looks like a document type is text", () => {
    expect(errors(readCap(changed("<event>Bão", "<event><![CDATA[<!DOCTYPE x>]]>")))).toEqual([]);
  });
});

test("a signature that nobody verified is told, and is no reason to refuse", () => {
  const signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>';
  const signed = readCap(changed("</alert>", `${signature}</alert>`));
  expect(signed.message?.signatures).toBe(1);
  expect(signed.problems).toEqual([expect.objectContaining({ rule: "X7", level: "warning" })]);
  const [head, ...infos] = typhoon.split("  <info>");
  const early = readCap(bytes([head, ...infos].join(`${signature}  <info>`)));
  expect(errors(early)).toContain("X7");
});

describe("text is text", () => {
  const warnings = (from: string, to: string): string[] =>
    readCap(changed(from, to)).problems.map(({ level, rule }) => `${level} ${rule}`);

  test.each<[string, string, string, string]>([
    ["markup", "T1", "<headline>Tin bão", "<headline>&lt;b&gt;Tin bão"],
    ["an entity that was encoded twice", "T1", "<headline>Tin bão", "<headline>Tin &amp;amp; bão"],
    ["text that runs backwards", "T2", "<headline>Tin bão", "<headline>Tin \u202ebão"],
    ["a space that cannot be seen", "T2", "<instruction>Rời", "<instruction>R\u200bời"],
    [
      "a link with a hidden character",
      "T2",
      "<web>https://songlua.example/",
      "<web>https://songlua.example/\u200e",
    ],
    [
      "a link that runs a script",
      "I15",
      "<web>https://songlua.example/bao-so-9",
      "<web>javascript:alert(1)",
    ],
    ["a link that is none", "I15", "<web>https://", "<web>"],
  ])("%s is flagged: %s", (_, rule, from, to) => {
    expect(warnings(from, to)).toEqual([`warning ${rule}`]);
  });

  test("what is empty is told, and read as if it were not there", () => {
    const { message, problems } = readCap(changed("Trực ban: 112", " "));
    expect(problems).toMatchObject([{ rule: "X8", level: "warning", message: "contact is empty" }]);
    expect(message?.infos[0]).not.toHaveProperty("contact");
  });

  test("joiners, which scripts need, are not flagged in texts", () => {
    expect(warnings("<headline>Tin bão", "<headline>می\u200cخواهم")).toEqual([]);
  });
});

describe("limits of a message", () => {
  const polygon = /<polygon>[^<]*<\/polygon>/u.exec(typhoon)?.[0] ?? "";

  test("points of all shapes together", () => {
    const point = "13.62,109.80 ";
    const half = `<polygon>${point.repeat(CAP_POINTS_MAX / 2)}</polygon>`;
    expect(errors(readCap(bytes(typhoon.replace(polygon, half))))).toEqual([]);
    const over = readCap(bytes(typhoon.replace(polygon, half + half)));
    expect(errors(over)).toEqual(["X3"]);
  });

  test("references", () => {
    const one = "a,b,2026-09-07T11:00:00+07:00 ";
    const many = typhoon.replace("<references>", `<references>${one.repeat(CAP_REFERENCES_MAX)}`);
    expect(errors(readCap(bytes(many)))).toContain("X3");
  });

  test("problems; and no number of warnings hides an error", () => {
    const area = `<circle>13,109 0</circle>`.repeat(2 * CAP_PROBLEMS_MAX);
    const { problems } = readCap(
      bytes(typhoon.replace(polygon, polygon + area).replace("</alert>", "<late/></alert>")),
    );
    expect(problems).toHaveLength(CAP_PROBLEMS_MAX + 1);
    expect(problems.at(-1)).toMatchObject({ rule: "X5", level: "error" });
  });

  test("elements that nobody knows cost what they weigh", { timeout: 20_000 }, () => {
    const { message } = readCap(changed("<scope>", `${"<x/>".repeat(40_000)}<scope>`));
    expect(message?.unknown).toHaveLength(40_000);
  });
});

test("no mutation of a message makes the reader throw or hang", () => {
  fc.assert(
    fc.property(anyMutations, (each) => {
      expect(isAnswered(mutate(bytes(typhoon), each))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("no bytes at all make the reader throw or hang", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (any) => {
      expect(isAnswered(any)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
