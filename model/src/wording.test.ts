// Residents, the concerned and those who are left out read different words, whoever wrote them.
import { expect, test } from "vitest";
import { checkContent } from "./bulletin-check.ts";
import type { BulletinType } from "./bulletin-type.ts";
import { type BulletinContent, FORM_RULES, markOf } from "./bulletin.ts";
import { cancelContent } from "./cancel-content.ts";
import { LANGUAGES } from "./text.ts";
import { typhoonContent } from "./typhoon-content.ts";
import { type BriefTexts, wordingsOf } from "./wording.ts";

const now = new Date("2026-11-24T02:00:00Z");
const account = { vi: "UBND tỉnh Sông Lụa", en: "Sông Lụa Province" };
const replaced = [{ number: "15/CĐ-PCTT", issuedAt: now }];

const contentOf = (type: BulletinType, change: Partial<BulletinContent> = {}): BulletinContent =>
  ({
    ...typhoonContent({
      type,
      target: { areas: ["SL001"], zones: [], rule: { kind: "named" } },
      channels: ["live"],
      now,
    }),
    number: "16/CĐ-PCTT",
    ...change,
  }) as BulletinContent;

const own: BriefTexts = {
  vi: { headline: "Gọi cho người thân", short: "Gọi cho người thân ở ven biển." },
  en: { headline: "Call your relatives", short: "Call your relatives on the coast." },
};

test.each(["Actual", "Exercise"] as const)("%s: each group has words of its own", (type) => {
  const content = contentOf(type);
  const { concerned, left } = wordingsOf(content, account, replaced);
  const mark = markOf(type);
  for (const language of LANGUAGES) {
    const resident = content.texts[language];
    for (const form of ["headline", "short"] as const) {
      const words = [resident[form], concerned[language][form], left?.[language][form] ?? ""];
      expect(new Set(words).size).toBe(3);
      for (const text of words) {
        expect(text.length).toBeLessThanOrEqual(FORM_RULES[form].max);
        // Once, in front: a mark that stands twice is read as a mistake.
        expect(text.split(mark?.[language] ?? text)).toHaveLength(2);
      }
    }
  }
  expect(left?.vi.headline).toContain("15/CĐ-PCTT");
  expect(left?.vi.short).toContain("16/CĐ-PCTT");
});

test("what an agency words itself goes out as it is, and is checked like any text", () => {
  const content = contentOf("Actual", { wordings: { concerned: own, left: own } });
  expect(wordingsOf(content, account, replaced)).toEqual({ concerned: own, left: own });
  const exercise = contentOf("Exercise", { wordings: { concerned: own } });
  expect(checkContent(exercise, now).map(({ at }) => at)).toContain(
    "/wordings/concerned/vi/headline",
  );
});

test("where nothing is replaced nobody is left out", () => {
  expect(wordingsOf(contentOf("Actual"), account, []).left).toBeNull();
});

test("the concerned read of a Cancel in its own words, not in those of what it takes back", () => {
  const content = contentOf("Actual", { wordings: { concerned: own } });
  const expiresAt = new Date(now.getTime() + 3_600_000);
  const old = { content, accountName: account, issuedAt: now, expiresAt };
  const reason = { vi: "Bão đã đổi hướng.", en: "The typhoon has turned away." };
  const cancel = cancelContent(old, reason, now);
  const { concerned } = wordingsOf(cancel, account, []);
  expect(concerned.vi.headline).toContain("THU HỒI");
  expect(concerned.en.short).toContain(reason.en);
});
