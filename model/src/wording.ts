// Other words for other people. A bulletin is written for those who live where it happens. Whoever
// only cares for that place must not flee from their own, and whoever had the bulletin that is
// replaced and is not meant any more must hear just that. An agency may write these words itself;
// otherwise they are made here. Either way approvers read them, and the approval covers them.
import type { BulletinContent, Form } from "./bulletin.ts";
import { FORM_RULES, markOf } from "./bulletin.ts";
import { formatTimeEn, formatTimeVi } from "./local-time.ts";
import { type Bilingual, cleanText, type Language, LANGUAGES } from "./text.ts";

/** The forms that such words have: what is shown first, and what fits a small screen. */
export const BRIEF_FORMS = ["headline", "short"] as const satisfies readonly Form[];
export type Brief = Readonly<Record<(typeof BRIEF_FORMS)[number], string>>;
export type BriefTexts = Readonly<Record<Language, Brief>>;

/** What an agency may write itself; what is absent Loa words. */
export interface Wordings {
  /** For people who have a place there, or follow the account, and live elsewhere. */
  readonly concerned?: BriefTexts | undefined;
  /** For people who had the bulletin that this one replaces, and whom this one is not for. */
  readonly left?: BriefTexts | undefined;
}

/** The words that go out. */
export interface EffectiveWordings {
  readonly concerned: BriefTexts;
  /** Null where nothing is replaced that somebody could be left with. */
  readonly left: BriefTexts | null;
}

/** A bulletin that is replaced, as far as its readers are reminded of it. */
export interface Replaced {
  readonly number: string;
  readonly issuedAt: Date;
}

/** The authored words, or the words that Loa makes. `replaced` is empty for an Alert or Cancel. */
export function wordingsOf(
  content: BulletinContent,
  accountName: Bilingual,
  replaced: readonly Replaced[],
): EffectiveWordings {
  const { concerned, left } = content.wordings ?? {};
  return {
    concerned: concerned ?? concernedTexts(content),
    left: replaced.length === 0 ? null : (left ?? leftTexts(content, accountName, replaced)),
  };
}

/** Puts the mark of an exercise or test in front, which every form must carry. */
function marked({ type }: BulletinContent, language: Language, brief: Brief): Brief {
  const mark = markOf(type);
  const lead = mark === undefined ? "" : `${mark[language]} - `;
  return {
    headline: cleanText(lead + brief.headline.replaceAll(lead, ""), FORM_RULES.headline),
    short: cleanText(lead + brief.short.replaceAll(lead, ""), FORM_RULES.short),
  };
}

const inBoth = (make: (language: Language) => Brief): BriefTexts =>
  Object.fromEntries(LANGUAGES.map((language) => [language, make(language)])) as {
    [L in Language]: Brief;
  };

function concernedTexts(content: BulletinContent): BriefTexts {
  const lead = { vi: "Nơi bạn quan tâm", en: "A place you care about" };
  return inBoth((language) => {
    const { headline, short } = content.texts[language];
    return marked(content, language, {
      headline: `${lead[language]}: ${withoutMark(content, language, headline)}`,
      short: `${lead[language]}: ${withoutMark(content, language, short)}`,
    });
  });
}

function withoutMark({ type }: BulletinContent, language: Language, text: string): string {
  const mark = markOf(type);
  return mark === undefined ? text : text.replaceAll(`${mark[language]} - `, "");
}

function leftTexts(
  content: BulletinContent,
  accountName: Bilingual,
  replaced: readonly Replaced[],
): BriefTexts {
  const numbers = [...new Set(replaced.map(({ number }) => number))].join(", ");
  const [first] = replaced;
  const at = first?.issuedAt ?? new Date(0);
  return inBoth((language) =>
    marked(
      content,
      language,
      language === "vi"
        ? {
            headline: `Bản tin số ${numbers} không còn áp dụng cho bạn`,
            short:
              `${accountName.vi} đã thay bản tin số ${numbers} phát lúc ${formatTimeVi(at)} bằng ` +
              `bản tin số ${content.number}. Bản tin mới không còn áp dụng cho nơi ở hoặc nơi quan tâm của bạn.`,
          }
        : {
            headline: `Bulletin ${numbers} no longer concerns you`,
            short:
              `${accountName.en} has replaced bulletin ${numbers} of ${formatTimeEn(at)} with ` +
              `bulletin ${content.number}, which no longer covers where you live or the places you care about.`,
          },
    ),
  );
}
