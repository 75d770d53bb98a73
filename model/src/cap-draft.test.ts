import { readCap } from "@loa/cap/read.ts";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkContent } from "./bulletin-check.ts";
import { type CapDraftOptions, draftFromCap } from "./cap-draft.ts";
import type { CapMessage } from "@loa/cap/message.ts";

const NOW = new Date("2026-09-07T08:00:00Z");
const TARGET = { areas: ["SL001"], zones: [], rule: { kind: "named" } } as const;
const options = (change: Partial<CapDraftOptions> = {}): CapDraftOptions => ({
  now: NOW,
  type: "Actual",
  channels: ["live"],
  audienceRule: "residents",
  ...change,
});

function readFixture(name: string, change: (text: string) => string = (text) => text): CapMessage {
  const text = readFileSync(new URL(`../../cap/fixtures/${name}`, import.meta.url), "utf8");
  const { message, problems } = readCap(new TextEncoder().encode(change(text)));
  expect(problems.filter(({ level }) => level === "error")).toEqual([]);
  return message as CapMessage;
}
const typhoon = (change?: (text: string) => string) => readFixture("song-lua-typhoon.xml", change);

test("the typhoon becomes a sound draft that quotes its source", () => {
  const { content, remarks } = draftFromCap(typhoon(), options());
  expect(checkContent(content, NOW)).toEqual([]);
  expect(content).toMatchObject({
    type: "Actual",
    kind: "warning",
    nature: "forecast",
    number: "SLUA-09/KC-05",
    hazard: "storm",
    riskLevel: 4,
    source: { number: "SLUA-09/KC-05", time: "2026-09-07T14:00:00+07:00" },
    target: { areas: ["SL021", "SL022"], rule: { kind: "named" } },
    expiresAt: "2026-09-08T08:00:00+07:00",
  });
  expect(content.texts.vi.headline).toMatch(/^Tin bão khẩn cấp/u);
  expect(content.texts.en.short).toMatch(/Leave river mouths/u);
  expect(remarks).toEqual(["Its units are taken by their codes; its shapes are not."]);
});

test("a last bulletin and what it corrects are told to who reads the draft", () => {
  const { remarks } = draftFromCap(readFixture("loa-last-bulletin.xml"), options());
  expect(remarks).toContain("It is the source's last bulletin (tin cuối cùng) of its chain.");
  expect(remarks.join(" ")).toContain("(đính chính): Bản tin số SLUA-09/KC-08 ghi gió mạnh cấp 9");
  expect(draftFromCap(typhoon(), options()).remarks.join(" ")).not.toMatch(/cuối cùng|đính chính/u);
});

test("an order quotes its source, not itself, and its villages are asked about", () => {
  const order = readFixture("loa-flash-flood-order.xml");
  const { content, remarks } = draftFromCap(order, options());
  expect(checkContent(content, NOW)).toEqual([]);
  expect(content).toMatchObject({
    number: "12/CĐ-PTDS",
    hazard: "flash-flood",
    riskLevel: 3,
    source: {
      body: "Đài Khí tượng Thủy văn tỉnh Sông Lụa",
      number: "SLUA-LQ-31",
      time: "2026-09-08T01:15:00+07:00",
    },
    target: { areas: ["SL021-01", "SL021-02"], rule: { kind: "named" } },
  });
  expect(remarks.join("\n")).toContain("add them as zones: SL021/Xóm Đồi");
});

test("a level that other hazards raised is kept with them", () => {
  const raised = (text: string) =>
    text.replaceAll(
      /(?<=loa.riskLevel<\/valueName>\s*<value>)3(<\/value>\s*<\/parameter>)/gu,
      "5$1<parameter><valueName>loa.alongside</valueName><value>landslide</value></parameter>",
    );
  const { content } = draftFromCap(readFixture("loa-flash-flood-order.xml", raised), options());
  expect(content).toMatchObject({ riskLevel: 5, alongside: ["landslide"] });
});

test("retargeted as an exercise it says so in every form", () => {
  const { content } = draftFromCap(typhoon(), options({ type: "Exercise", target: TARGET }));
  expect(checkContent(content, NOW)).toEqual([]);
  expect(content.target).toEqual(TARGET);
  expect(content.texts.vi.spoken).toMatch(/^DIỄN TẬP - /u);
});

test("without codes one shape is taken, in GeoJSON's order; of several none", () => {
  const one = (text: string) => text.replaceAll("loa.area", "other");
  const { content } = draftFromCap(typhoon(one), options());
  expect(content.target.polygon?.[0]).toEqual([109.8, 13.62]);
  const ring = "<polygon>14.2,109.8 14.2,110.2 14.4,110.2 14.2,109.8</polygon>";
  const two = (text: string) => one(text).replaceAll("</polygon>", `</polygon>${ring}`);
  const draft = draftFromCap(typhoon(two), options());
  expect(draft.content.target.polygon).toBeUndefined();
  expect(draft.remarks.join()).toContain("it names 2 polygons");
  expect(checkContent(draft.content, NOW).map(({ at }) => at)).toEqual(["/target"]);
});

test("what is missing in a language, out of date or too long is remarked", () => {
  const english = typhoon((text) =>
    text
      .replace("<language>vi-VN", "<language>fr-FR")
      .replaceAll("2026-09-08T08:00", "2026-09-07T09:00")
      .replaceAll("<instruction>", `<instruction>${"Leave now. ".repeat(400)}`),
  );
  const { content, remarks } = draftFromCap(english, options());
  expect(checkContent(content, NOW)).toEqual([]);
  expect(remarks.join("\n")).toMatch(/no text in "vi".*\n.*cut to[^]*message has expired/u);
  expect(content.texts.vi.full.endsWith("…")).toBe(true);
});

test.each<[string, (text: string) => string]>([
  ["an exercise of somebody else", (text) => text.replace(">Actual<", ">Exercise<")],
  ["a test", (text) => text.replace(">Actual<", ">Test<")],
  [
    "what is not public",
    (text) =>
      text.replace(
        "<scope>Public</scope>",
        "<scope>Restricted</scope><restriction>Nội bộ</restriction>",
      ),
  ],
  ["an acknowledgement", (text) => text.replace(">Update<", ">Ack<")],
])("%s never becomes an Actual bulletin", (_, change) => {
  expect(() => draftFromCap(typhoon(change), options())).toThrow(/cannot become a bulletin/u);
});

test("a level that the hazard cannot have is left out, not corrected", () => {
  const { content, remarks } = draftFromCap(
    typhoon((text) => text.replaceAll("<value>4</value>", "<value>1</value>")),
    options(),
  );
  expect(content.riskLevel).toBeNull();
  expect(remarks.join()).toContain("typhoon has risk levels 3 to 5, not 1");
});

const corpus = new URL("../../../shared/cap-corpus/valid/", import.meta.url);

describe.skipIf(!existsSync(corpus))("every real message", () => {
  test.each(existsSync(corpus) ? readdirSync(corpus) : [])("%s makes a sound exercise", (name) => {
    const { message } = readCap(readFileSync(new URL(name, corpus)));
    const usable =
      message !== undefined &&
      message.infos.length > 0 &&
      ["Alert", "Update"].includes(message.msgType);
    const draft = () =>
      draftFromCap(message as CapMessage, options({ type: "Exercise", target: TARGET }));
    const faults = usable ? checkContent(draft().content, NOW) : [];
    expect(faults).toEqual([]);
  });
});
