import { expect, test } from "vitest";
import { checkContent } from "./bulletin-check.ts";
import {
  type BulletinContent,
  type Form,
  FULL_MAX,
  HEADLINE_MAX,
  ITEMS_MAX,
  PUBLIC_TEST_MARK,
} from "./bulletin.ts";
import type { BulletinType } from "./bulletin-type.ts";
import { formatLocalTime, parseInstant } from "./local-time.ts";
import { typhoonContent } from "./typhoon-content.ts";
import type { Language } from "./text.ts";

const NOW = new Date("2026-11-24T02:00:00Z");

const typhoon = (type: BulletinType = "Actual"): BulletinContent =>
  typhoonContent({
    type,
    target: { areas: ["SL001"], zones: [], rule: { kind: "named" } },
    channels: ["live"],
    now: NOW,
  });

function withText(
  content: BulletinContent,
  language: Language,
  form: Form,
  text: string,
): BulletinContent {
  const texts = { ...content.texts, [language]: { ...content.texts[language], [form]: text } };
  return { ...content, texts };
}

const places = (content: BulletinContent, now = NOW): string[] =>
  checkContent(content, now).map(({ at }) => at);

test.each(["Actual", "Exercise", "PublicTest"] as const)(
  "the typhoon order is complete as %s",
  (type) => {
    expect(checkContent(typhoon(type), NOW)).toEqual([]);
  },
);

test("a language without its text is named", () => {
  expect(places(withText(typhoon(), "en", "spoken", "  "))).toEqual(["/texts/en/spoken"]);
});

test("every form has its limit, counted as people count", () => {
  expect(places(withText(typhoon(), "vi", "headline", "ộ".repeat(HEADLINE_MAX)))).toEqual([]);
  expect(places(withText(typhoon(), "vi", "headline", "ộ".repeat(HEADLINE_MAX + 1)))).toEqual([
    "/texts/vi/headline",
  ]);
  expect(places(withText(typhoon(), "en", "full", "😀".repeat(FULL_MAX)))).toEqual([]);
});

test.each([
  ["decomposed letters", "bão".normalize("NFD")],
  ["an override of the reading direction", "gọi \u202e211"],
  ["a zero-width space", "112\u200b3"],
  ["a line break in a headline", "Bão\nsố 9"],
  ["half a surrogate pair", "Bão \ud83d"],
  ["a control character", "Bão \u0007"],
])("%s in a text is refused", (_, text) => {
  expect(places(withText(typhoon(), "vi", "headline", text))).toEqual(["/texts/vi/headline"]);
});

test("an Exercise says so in every form, an extract of it too", () => {
  const content = withText(typhoon("Exercise"), "vi", "short", "Bão số 9 sắp đổ bộ.");
  expect(places(content)).toEqual(["/texts/vi/short"]);
});

test("an Exercise may not deny that it is one", () => {
  const text = "EXERCISE - This is not a drill. Leave now.";
  expect(places(withText(typhoon("Exercise"), "en", "full", text))).toEqual(["/texts/en/full"]);
});

test("an Actual holds no exercise wording, but people may exercise caution", () => {
  const exercise = withText(typhoon(), "vi", "full", "Đây là cuộc diễn tập.");
  expect(places(exercise)).toEqual(["/texts/vi/full"]);
  expect(places(withText(typhoon(), "en", "full", "EXERCISE CAUTION NEAR THE RIVER"))).toEqual([]);
  expect(places(withText(typhoon(), "en", "full", "EXERCISE EXERCISE EXERCISE"))).toEqual([
    "/texts/en/full",
  ]);
});

test("a PublicTest begins with its mark, is announced and sounds no alarm", () => {
  const content = typhoon("PublicTest");
  const loud = { ...content, kind: "warning" } as unknown as BulletinContent;
  expect(places(loud)).toEqual(["/kind"]);
  const mark = PUBLIC_TEST_MARK.vi;
  expect(places(withText(content, "vi", "headline", `Bão (${mark})`))).toEqual([
    "/texts/vi/headline",
  ]);
  const late = {
    ...content,
    announcement: { where: "Đài tỉnh", at: formatLocalTime(new Date(NOW.getTime() + 60_000)) },
  } as BulletinContent;
  expect(places(late)).toEqual(["/announcement/at"]);
});

test("a forecast and a risk level name the bulletin that they quote", () => {
  expect(places({ ...typhoon(), source: null })).toEqual(["/source"]);
  expect(places({ ...typhoon(), source: null, riskLevel: null })).toEqual([]);
  expect(places({ ...typhoon(), source: null, riskLevel: null, nature: "forecast" })).toEqual([
    "/source",
  ]);
});

test("a level must be one that the hazard can have; coinciding hazards raise it", () => {
  const flashFlood = { ...typhoon(), hazard: "flash-flood", alongside: [] } as const;
  expect(places({ ...flashFlood, riskLevel: 3 })).toEqual([]);
  expect(places({ ...flashFlood, riskLevel: 4 })).toEqual(["/riskLevel"]);
  expect(places({ ...flashFlood, alongside: ["heavy-rain"], riskLevel: 5 })).toEqual([]);
  expect(places({ ...typhoon(), riskLevel: 2 })).toEqual(["/riskLevel"]);
});

test("a channel without a way out is refused: nobody would have been told", () => {
  const content: BulletinContent = { ...typhoon(), channels: ["live", "sms"] };
  expect(places(content)).toEqual(["/channels/1"]);
});

test("expiry is absolute, in the future and within the span of its kind", () => {
  const until = (hours: number): string =>
    formatLocalTime(new Date(NOW.getTime() + hours * 3_600_000));
  expect(places({ ...typhoon(), expiresAt: until(72) })).toEqual([]);
  expect(places({ ...typhoon(), expiresAt: until(73) })).toEqual(["/expiresAt"]);
  expect(places({ ...typhoon(), kind: "notice", expiresAt: until(73) })).toEqual([]);
  expect(places({ ...typhoon(), expiresAt: until(0) })).toEqual(["/expiresAt"]);
  expect(places({ ...typhoon(), expiresAt: "2026-11-25T02:00:00" })).toEqual(["/expiresAt"]);
});

test("a day that does not exist is not an instant", () => {
  expect(parseInstant("2026-02-30T10:00:00+07:00")).toBeUndefined();
  expect(parseInstant("2028-02-29T10:00:00+07:00")).toEqual(new Date("2028-02-29T03:00:00Z"));
});

test("all faults are told at once", () => {
  const [item] = typhoon().items;
  const content = {
    ...typhoon(),
    number: "",
    legalBasis: [],
    channels: [],
    items: Array.from({ length: ITEMS_MAX + 1 }, () => item as NonNullable<typeof item>),
    target: { areas: [], zones: [], rule: { kind: "touches" } },
  } as const;
  expect(places(content).toSorted()).toEqual([
    "/channels",
    "/items",
    "/legalBasis",
    "/number",
    "/target",
  ]);
});
