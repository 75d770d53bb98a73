// The content of a Cancel: thu hồi. It says which bulletin no longer holds and why, to those who
// had it, in the lane, on the channels and for the places of the bulletin that it takes back.
// Only its texts are anybody's to write; everything else is the old bulletin's.
import { type BulletinContent, FORM_RULES, type Forms, markOf } from "./bulletin.ts";
import { canonicalJson, type CanonicalValue } from "./canonical.ts";
import { formatLocalTime, formatTimeEn, formatTimeVi } from "./local-time.ts";
import { type Bilingual, cleanText, type Language } from "./text.ts";

/** A phone that comes back within this time after the cancel still learns of it. */
export const CANCEL_LIFE_MIN_HOURS = 24;

/** What a cancel needs to know of the bulletin that it takes back. */
export interface Cancelled {
  readonly content: BulletinContent;
  readonly accountName: Bilingual;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** A draft for people to read over. `reason`: why, as one or two sentences in both languages. */
export function cancelContent(old: Cancelled, reason: Bilingual, now: Date): BulletinContent {
  const { content } = old;
  const life = new Date(now.getTime() + CANCEL_LIFE_MIN_HOURS * 3_600_000);
  const mark = markOf(content.type);
  const text = (language: Language): Forms => {
    const forms = content.texts[language];
    const lead = mark === undefined ? "" : `${mark[language]} - `;
    const headline = forms.headline.replace(lead, "");
    const vi = language === "vi";
    const at = vi ? formatTimeVi(old.issuedAt) : formatTimeEn(old.issuedAt);
    const what = vi
      ? `${old.accountName.vi} thu hồi bản tin số ${content.number} phát lúc ${at}.`
      : `${old.accountName.en} cancels bulletin ${content.number} of ${at}.`;
    const quote = vi ? `Bản tin bị thu hồi: ${headline}` : `Cancelled bulletin: ${headline}`;
    const title = vi ? `THU HỒI: ${headline}` : `CANCELLED: ${headline}`;
    const put = (form: keyof Forms, words: string): string =>
      cleanText(lead + words, FORM_RULES[form]);
    return {
      headline: put("headline", title),
      short: put("short", `${what} ${reason[language]}`),
      full: put("full", `${what}\n\n${reason[language]}\n\n${quote}`),
      spoken: put("spoken", `${what} ${reason[language]}`),
    };
  };
  // What the concerned read of the old bulletin must not be what they read of its end.
  const { wordings: _, ...rest } = content;
  return {
    ...rest,
    texts: { vi: text("vi"), en: text("en") },
    items: [],
    expiresAt: formatLocalTime(old.expiresAt > life ? old.expiresAt : life),
  };
}

/** Whether an edited cancel differs from the drafted one in more than its texts. */
export function changesMoreThanTexts(before: BulletinContent, after: BulletinContent): boolean {
  const rest = (content: BulletinContent): string =>
    canonicalJson({ ...(content as unknown as Record<string, CanonicalValue>), texts: null });
  return rest(before) !== rest(after);
}
