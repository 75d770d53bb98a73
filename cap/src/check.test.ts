// The profiles: our examples conform, and each rule is broken once.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type CapProfile, checkCap } from "./check.ts";

const fixtures = new URL("../fixtures/", import.meta.url);
const fixture = (name: string): string => readFileSync(new URL(name, fixtures), "utf8");
const FLOOD = fixture("loa-flash-flood-order.xml");
const LAST = fixture("loa-last-bulletin.xml");
const EXERCISE = fixture("loa-exercise.xml");

const check = (xml: string, profile: CapProfile = "loa") =>
  checkCap(new TextEncoder().encode(xml), { profile });
const rulesOf = (xml: string, level: "error" | "warning", profile: CapProfile = "loa"): string[] =>
  check(xml, profile)
    .problems.filter((problem) => problem.level === level)
    .map(({ rule }) => rule);

/** Something changed; the change must have hit. */
function changed(xml: string, from: string | RegExp, to: string): string {
  const result = xml.replaceAll(from, to);
  expect(result).not.toBe(xml);
  return result;
}
const parameter = (name: string): RegExp =>
  new RegExp(
    ` *<parameter>\\s*<valueName>${name}</valueName>\\s*<value>[^<]*</value>\\s*</parameter>\\n`,
    "gu",
  );
const valueOf = (name: string): RegExp =>
  new RegExp(`(?<=<valueName>${name}</valueName>\\s*<value>)[^<]*`, "gu");

const examples = readdirSync(fixtures).filter((name) => name !== "song-lua-cancel.xml");

test.each(examples)("the example %s follows the profile without a remark", (name) => {
  expect(check(fixture(name)).problems).toEqual([]);
});

describe("the profile loa refuses", () => {
  test.each<[string, string, string]>([
    [
      "a message that does not name the profile: L1",
      "L1",
      changed(FLOOD, "profile:loa:1.0", "other"),
    ],
    [
      "a time in another zone: A3",
      "A3",
      changed(FLOOD, "T01:40:00+07:00</sent>", "T02:40:00+08:00</sent>"),
    ],
    [
      "an expiry in another zone: A3",
      "A3",
      changed(FLOOD, "T12:00:00+07:00</expires>", "T05:00:00-00:00</expires>"),
    ],
    [
      "a scope that is not Public: A6",
      "A6",
      changed(FLOOD, "Public</scope>", "Restricted</scope><restriction>x</restriction>"),
    ],
    ["no incident: L9", "L9", changed(FLOOD, /.*<incidents>.*\n/gu, "")],
    [
      "a Cancel that does not say why: A10",
      "A10",
      changed(fixture("loa-cancel.xml"), /.*<note>.*\n/gu, ""),
    ],
    ["an Alert without info: I0", "I0", changed(FLOOD, / *<info>[^]*<\/info>\n/gu, "")],
    ["English before Vietnamese: I1", "I1", changed(FLOOD, "vi-VN", "fr")],
    ["plain vi for vi-VN: I1", "I1", changed(FLOOD, "vi-VN", "vi")],
    ["a hazard of its own: L2", "L2", changed(FLOOD, ">flash-flood<", ">big-flood<")],
    ["no hazard: L2", "L2", changed(FLOOD, ">loa.hazard<", ">other<")],
    ["a flash flood of level 4: L3", "L3", changed(FLOOD, valueOf("loa.riskLevel"), "4")],
    ["a storm of level 2: L3", "L3", changed(LAST, valueOf("loa.riskLevel"), "2")],
    ["a level in words: L3", "L3", changed(LAST, valueOf("loa.riskLevel"), "đỏ")],
    [
      "a level where there are none: L3",
      "L3",
      changed(
        EXERCISE,
        valueOf("loa.nature"),
        "advice</value></parameter><parameter><valueName>loa.riskLevel</valueName><value>1",
      ),
    ],
    ["a nature of its own: L4", "L4", changed(FLOOD, valueOf("loa.nature"), "command")],
    ["no number: L5", "L5", changed(FLOOD, parameter("loa.number"), "")],
    ["no legal basis: L6", "L6", changed(FLOOD, parameter("loa.legalBasis"), "")],
    ["no post that signs: L7", "L7", changed(FLOOD, parameter("loa.signatoryPost"), "")],
    [
      "a level without the bulletin that it is from: L8",
      "L8",
      changed(FLOOD, parameter("loa.source[A-Z][a-z]+"), ""),
    ],
    ["a source without its number: L8", "L8", changed(FLOOD, parameter("loa.sourceNumber"), "")],
    [
      "a source from the future: L8",
      "L8",
      changed(FLOOD, valueOf("loa.sourceTime"), "2026-09-08T02:00:00+07:00"),
    ],
    ["codes of nobody knows which pack: L10", "L10", changed(FLOOD, parameter("loa.areaPack"), "")],
    ["a pack without its date: L10", "L10", changed(FLOOD, valueOf("loa.areaPack"), "song-lua")],
    ["a shape without codes: L10", "L10", changed(FLOOD, /loa\.(?:area|village)</gu, "other<")],
    ["a village without its commune: L11", "L11", changed(FLOOD, "SL021/Xóm Đồi", "Xóm Đồi")],
    [
      "a bare cấp in the description: L12",
      "L12",
      changed(FLOOD, "Rủi ro thiên tai do lũ quét: cấp 3.", "Lũ quét cấp 3."),
    ],
    [
      "a bare cấp in the headline: L12",
      "L12",
      changed(FLOOD, "Lệnh sơ tán ngay:", "Lệnh sơ tán cấp 1:"),
    ],
    [
      "a bare level in English: L12",
      "L12",
      changed(FLOOD, "Disaster risk level for the flash flood: 3.", "Flash flood level 3."),
    ],
    [
      "a bare báo động: L12",
      "L12",
      changed(EXERCISE, "Mực nước sông Lụa tại trạm Đá Dựng dự kiến lên trên", "Dự kiến"),
    ],
    [
      "a bare cấp in a note: L12",
      "L12",
      changed(fixture("loa-cancel.xml"), "Thu hồi lệnh", "Hạ cấp 2, thu hồi lệnh"),
    ],
    [
      "a bare cấp in a correction: L12",
      "L12",
      changed(LAST, "đúng là gió mạnh cấp 8", "đúng là. Cấp 8"),
    ],
    ["an exercise that looks real: L13", "L13", changed(EXERCISE, "DIỄN TẬP: hồ", "Hồ")],
    [
      "a last bulletin that is an Alert: L14",
      "L14",
      changed(changed(LAST, ">Update<", ">Alert<"), /.*<references>.*\n/gu, ""),
    ],
    ["no action asked for: I4", "I4", changed(FLOOD, /.*<responseType>.*\n/gu, "")],
    ["no expiry: I12", "I12", changed(FLOOD, /.*<expires>.*\n/gu, "")],
    [
      "an expiry before it is sent: I12",
      "I12",
      changed(FLOOD, "T12:00:00+07:00</expires>", "T01:00:00+07:00</expires>"),
    ],
    [
      "a life of five days: I12",
      "I12",
      changed(FLOOD, "08T12:00:00+07:00</expires>", "13T12:00:00+07:00</expires>"),
    ],
    ["no headline: I13", "I13", changed(FLOOD, /.*<headline>.*\n/gu, "")],
    [
      "a headline that nobody can read: I13",
      "I13",
      changed(FLOOD, "Lệnh sơ tán ngay", "Lệnh sơ tán ngay ".repeat(10)),
    ],
    ["an evacuation without instruction: I14", "I14", changed(FLOOD, /.*<instruction>.*\n/gu, "")],
    ["nobody's name: I16", "I16", changed(FLOOD, /.*<senderName>.*\n/gu, "")],
    ["no area: R0", "R0", changed(FLOOD, / *<area>[^]*?<\/area>\n/gu, "")],
    [
      "a shape that crosses itself: R2",
      "R2",
      changed(FLOOD, "13.90,109.78 13.97,109.78", "13.97,109.78 13.90,109.78"),
    ],
    ["text in another form of Unicode: T2", "T2", changed(FLOOD, "ngay:", "nga\u0300y:")],
  ])("%s", (_, rule, xml) => {
    expect(rulesOf(xml, "error")).toContain(rule);
    expect(check(xml).valid).toBe(false);
  });

  describe("what differs between languages", () => {
    const english = FLOOD.indexOf("<language>en");
    const inEnglish = (from: string | RegExp, to: string): string =>
      FLOOD.slice(0, english) + changed(FLOOD.slice(english), from, to);
    test.each<[string, string, string]>([
      ["severity", "M2", inEnglish("Extreme", "Minor")],
      ["action", "M2", inEnglish("Evacuate", "Monitor")],
      ["expiry", "M2", inEnglish("T12:00:00+07:00</expires>", "T13:00:00+07:00</expires>")],
      ["risk level", "M2", inEnglish(valueOf("loa.riskLevel"), "2")],
      ["area", "M2", inEnglish("SL021-02", "SL021-03")],
      ["shape", "M2", inEnglish("13.97,109.78", "13.98,109.78")],
      ["a legal basis that is left out", "M2", inEnglish(parameter("loa.legalBasis"), "")],
      ["an instruction that is left out", "M0", inEnglish(/.*<instruction>.*\n/gu, "")],
      ["hazard", "M1", inEnglish(">flash-flood<", ">flood<")],
      [
        "a block that is left out",
        "M0",
        FLOOD.replace(/ *<info>[^]*?<\/info>\n/u, (info) => info + info),
      ],
    ])("%s: %s", (_, rule, xml) => {
      expect(rulesOf(xml, "error")).toContain(rule);
    });
  });

  test("and remarks on what is only unwise", () => {
    expect(
      rulesOf(changed(FLOOD, /(?<=<\/info>\n) *<info>[^]*<\/info>\n/gu, ""), "warning"),
    ).toEqual(["M0"]);
    expect(rulesOf(changed(FLOOD, "gọi 112", "gọi 114 hoặc 112"), "warning")).toEqual(["L15"]);
    const bare = changed(FLOOD, parameter("loa.riskLevel"), "");
    expect(rulesOf(bare, "warning")).toEqual(["L3", "L3"]);
  });

  test("hazards at the same time may raise a level by two, and no more", () => {
    const more =
      "</value></parameter><parameter><valueName>loa.alongside</valueName><value>landslide";
    const level = (value: string): string => changed(FLOOD, valueOf("loa.riskLevel"), value + more);
    expect(rulesOf(level("5"), "error")).toEqual([]);
    expect(rulesOf(level("6"), "error")).toContain("L3");
  });
});

describe("the profile google", () => {
  test("wants what Google's validator wants", () => {
    expect(rulesOf(FLOOD, "error", "google")).toEqual([]);
    expect(rulesOf(changed(FLOOD, /.*<web>.*\n/gu, ""), "error", "google")).toContain("I15");
    expect(rulesOf(changed(FLOOD, /.*<expires>.*\n/gu, ""), "error", "google")).toContain("I12");
    expect(rulesOf(fixture("song-lua-cancel.xml"), "error", "google")).toEqual(["I0"]);
    expect(rulesOf(changed(FLOOD, /.*<contact>.*\n/gu, ""), "warning", "google")).toContain("I16");
  });

  test("does not stand in the way of core", () => {
    expect(check(changed(FLOOD, /.*<web>.*\n/gu, ""), "core").valid).toBe(true);
  });
});

test("bytes that are no message are refused in every profile, and once", () => {
  for (const profile of ["core", "google", "loa"] as const)
    expect(check("Bão số 9", profile)).toMatchObject({
      valid: false,
      profile,
      message: undefined,
      problems: [{ rule: "X1" }],
    });
});

const corpus = new URL("../../../shared/cap-corpus/", import.meta.url);

test.skipIf(!existsSync(corpus))("no profile throws over anything of the corpus", () => {
  for (const kind of ["valid/", "invalid/", "other-versions/", "feeds/"])
    for (const name of readdirSync(new URL(kind, corpus)))
      for (const profile of ["google", "loa"] as const) {
        const bytes = readFileSync(new URL(kind + name, corpus));
        const { valid, problems } = checkCap(bytes, { profile });
        expect(valid).toBe(!problems.some(({ level }) => level === "error"));
      }
});
