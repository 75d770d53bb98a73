// What a correction (đính chính) changed in what it corrects: whoever read the faulty text must see
// at once which words were wrong. Compared word by word, as everywhere in publishing; people write
// no list of their mistakes, so none can be left out.
import type { BulletinContent } from "@loa/model/bulletin.ts";
import { formatTimeEn, formatTimeVi } from "@loa/model/local-time.ts";
import { type Bilingual, type Language, LANGUAGES } from "@loa/model/text.ts";
import { type Difference, difference, wordsOf } from "./match.ts";
import type { Publication } from "./publication.ts";

/** Changed places of one part that are shown, and letters; what was changed more was written anew. */
const PLACES_MAX = 10;
const LETTERS_MAX = 900;
/** Words before and after a change that are repeated, so that the place is found again. */
const CONTEXT_WORDS = 4;

type Part = Exclude<keyof typeof PARTS, "other">;

/** What can be changed, in the order in which people read it. */
const PARTS = {
  headline: { vi: "tiêu đề", en: "headline" },
  short: { vi: "nội dung tóm tắt", en: "summary" },
  full: { vi: "toàn văn", en: "full text" },
  items: { vi: "thông tin kèm theo", en: "further information" },
  spoken: { vi: "lời đọc trên loa", en: "spoken text" },
  number: { vi: "số, ký hiệu", en: "number" },
  legalBasis: { vi: "căn cứ pháp lý", en: "legal basis" },
  signatory: { vi: "người ký", en: "signatory" },
  source: { vi: "nguồn tin", en: "source" },
  other: { vi: "bản tiếng nước ngoài hoặc lời riêng cho người ở nơi khác", en: "other versions" },
} as const satisfies Record<string, Bilingual>;

export interface Words {
  readonly kind: "same" | "before" | "now";
  readonly text: string;
}

/** One part of a bulletin that reads otherwise now. */
export interface Change {
  readonly part: Bilingual;
  /** Undefined where it was written anew. */
  readonly words: readonly Words[] | undefined;
}

/** What reads otherwise in one language, in the order of PARTS. */
export function changesOf(
  old: BulletinContent,
  corrected: BulletinContent,
  language: Language,
): Change[] {
  const before = partsOf(old, language);
  const after = partsOf(corrected, language);
  return (Object.keys(after) as Part[])
    .filter((part) => before[part] !== after[part])
    .map((part) => {
      const words = difference(wordsOf(before[part]), wordsOf(after[part]), "exact");
      return { part: PARTS[part], words: words && shorten(words) };
    });
}

/** One sentence, as CAP's `loa.correction` says it. */
export function sayCorrection(
  old: Pick<Publication, "content" | "issuedAt">,
  corrected: BulletinContent,
): Bilingual {
  const at = new Date(old.issuedAt);
  const [vi, en] = LANGUAGES.map((language) => {
    const parts = changesOf(old.content, corrected, language).map(({ part }) => part[language]);
    return (parts.length > 0 ? parts : [PARTS.other[language]]).join(", ");
  });
  const { number } = old.content;
  return {
    vi: `Đính chính bản tin số ${number} ban hành lúc ${formatTimeVi(at)}: ${vi}.`,
    en: `Corrects bulletin ${number} of ${formatTimeEn(at)}: ${en}.`,
  };
}

function partsOf(content: BulletinContent, language: Language): Record<Part, string> {
  const { headline, short, full, spoken } = content.texts[language];
  const { number, legalBasis, signatory, source } = content;
  return {
    headline,
    short,
    full,
    items: content.items
      .map(({ title, text }) => `${title[language]}\n${text[language]}`)
      .join("\n"),
    spoken,
    number,
    legalBasis: legalBasis.join("\n"),
    signatory: `${signatory.post[language]} ${signatory.name ?? ""}`,
    source: source === null ? "" : `${source.body} ${source.number} ${source.time}`,
  };
}

/** Long runs of what stayed are cut down to what stands beside a change. */
function shorten(runs: readonly Difference[]): Words[] | undefined {
  const shown = runs.map(({ kind, text }, index): Words => {
    if (kind !== "same") return { kind: kind === "added" ? "before" : "now", text };
    const words = text.split(" ");
    const head = index === 0 ? 0 : CONTEXT_WORDS;
    const tail = index === runs.length - 1 ? 0 : CONTEXT_WORDS;
    if (words.length <= head + tail) return { kind, text };
    const from = words.slice(0, head);
    const to = tail === 0 ? [] : words.slice(-tail);
    return { kind, text: [...from, "…", ...to].join(" ") };
  });
  const letters = shown.reduce((sum, run) => sum + run.text.length, 0);
  const places = shown.filter((run) => run.kind === "same").length;
  return letters > LETTERS_MAX || places > PLACES_MAX ? undefined : shown;
}
