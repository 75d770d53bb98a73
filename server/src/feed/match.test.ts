import { typhoonContent } from "@loa/model/typhoon-content.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Matcher, MATCHED_MAX, PASTE_MAX, wordsOf } from "./match.ts";
import type { Publication } from "./publication.ts";

const typhoon = typhoonContent({
  type: "Actual",
  target: { areas: ["SL"], zones: [], rule: { kind: "named" } },
  channels: ["live"],
  now: new Date("2026-11-24T03:00:00Z"),
});
const publish = (id: string, content = typhoon) => ({ id, content }) as unknown as Publication;
const ours = [publish("a")];
const { short, full } = typhoon.texts.vi;
const match = (text: string, publications = ours) => new Matcher().match(text, publications);
const bare = (text: string): string =>
  text.normalize("NFD").replaceAll(/\p{M}/gu, "").replaceAll("đ", "d").replaceAll("Đ", "D");

describe("a text that was passed on is still what was approved", () => {
  test.each([
    ["as it is", short],
    ["in capitals", short.toUpperCase()],
    ["with other spacing", short.replaceAll(" ", "  \n")],
    ["without full stops and commas", short.replaceAll(/[.,](?=\s)/gu, "")],
    ["with the head of a forwarded mail", `Fwd: ${short}`],
    ["quoted", short.replaceAll(/^/gmu, "> ")],
    ["from a messenger", `[24/11/2026, 07:05] Cô Ba: ${short}`],
    ["passed on in Vietnamese", `Đã chuyển tiếp:\n${short}`],
    ["with tone marks in their new places", short.replaceAll("thủy", "thuỷ")],
    ["taken apart in Unicode", short.normalize("NFD")],
    ["in letters that look bold", short.replace("19", "𝟏𝟗")],
  ])("%s", (_, text) => {
    expect(match(text)).toMatchObject({
      kind: "found",
      sameness: "whole",
      source: { part: "short", language: "vi" },
    });
  });

  test("without any marks, as an SMS is sent, which is said", () => {
    expect(match(bare(short))).toMatchObject({ sameness: "whole", isWithoutMarks: true });
  });

  test("a part of it is a part", () => {
    const part = full.split("\n").slice(3, 5).join("\n");
    expect(match(part)).toMatchObject({ sameness: "excerpt", source: { part: "full" } });
  });

  test("in English, and an item", () => {
    expect(match(typhoon.texts.en.full)).toMatchObject({
      source: { language: "en", part: "full" },
    });
    expect(match(typhoon.items[1]?.text.vi ?? "")).toMatchObject({ source: { part: "item" } });
  });
});

describe("what was altered is said, word by word", () => {
  test.each([
    ["another hour", short.replace("19 giờ", "21 giờ"), ["added 21", "missing 19"]],
    ["another telephone", short.replace("112", "0912345678"), ["added 0912345678", "missing 112"]],
    ["a link after it", `${short} Xem tại bit.ly/cuutro`, ["added Xem tại bit ly cuutro"]],
    ["a word before it", `KHÔNG đúng: ${short}`, ["added KHÔNG đúng"]],
    ["a mark that makes another word", short.replace("bờ", "bỏ"), ["added bỏ", "missing bờ"]],
    ["a comma in a figure", full.replace("2,0 đến", "20 đến"), ["added 20", "missing 2,0"]],
    [
      "a letter of another alphabet",
      short.replace("sơ tán", "sơ tаn"),
      ["added tаn", "missing tán"],
    ],
  ])("%s", (_, text, told) => {
    const found = match(text);
    expect(found).toMatchObject({ kind: "found", sameness: "altered" });
    const differences = (found.kind === "found" && found.differences) || [];
    const changed = differences.flatMap(({ kind, text: words }) =>
      kind === "same" ? [] : [`${kind} ${words}`],
    );
    expect(changed).toEqual(told);
  });

  test("characters that nobody sees", () => {
    expect(match(short.replace("Người", "Ngư\u200bời"))).toMatchObject({
      sameness: "whole",
      hadHidden: true,
    });
  });
});

describe("what is not ours", () => {
  test("is not found", () => {
    const other =
      "Khẩn cấp: vỡ đê sông Hồng đoạn qua huyện, tất cả người dân chạy ngay lên núi trong đêm nay.";
    expect(match(other)).toEqual({ kind: "unknown" });
    expect(match(short, [])).toEqual({ kind: "unknown" });
  });

  test("a few words prove nothing", () => {
    expect(match("Cần cứu nạn gọi 112")).toEqual({ kind: "too-short" });
    expect(match("\u200b\u202e   ")).toEqual({ kind: "too-short" });
  });
});

test("of two bulletins with the same text, the one that stands first is meant", () => {
  expect(match(short, [publish("now"), publish("before")])).toMatchObject({
    source: { publication: { id: "now" } },
  });
});

test("whatever is pasted is answered, and in time", () => {
  const matcher = new Matcher();
  const many = Array.from({ length: MATCHED_MAX }, (_, i) => publish(`p${i}`));
  matcher.prepare(many);
  const beginMs = performance.now();
  for (const text of [
    "a ".repeat(PASTE_MAX),
    `${full} `.repeat(6),
    ">".repeat(PASTE_MAX),
    "[1:00".repeat(2_000),
    "́".repeat(PASTE_MAX),
  ])
    matcher.match(text, many);
  // Some 50 ms each on an idle core; much more would stop the front.
  expect(performance.now() - beginMs).toBeLessThan(3_000);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
      expect(["unknown", "too-short", "found"]).toContain(match(text).kind);
      for (const { shown, exact } of wordsOf(text)) expect([shown, exact]).not.toContain("");
    }),
  );
});
