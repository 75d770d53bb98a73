// Finds a "cấp" or "báo động" that does not say of what. Risk level, wind force and civil-defence
// level are all "cấp", and they have different numbers on the same night: "bão cấp 4" and "gió cấp
// 12" can be one storm. Whoever reads only the number prepares for the wrong thing.

const NOT_LETTER_BEFORE = "(?<![\\p{L}\\p{N}])";
const NOT_LETTER_AFTER = "(?![\\p{L}\\p{N}])";
const NUMBER = `(?:\\d{1,2}|[IVX]{1,4}|một|hai|ba|bốn|năm(?!\\s*\\d))${NOT_LETTER_AFTER}`;

interface Term {
  readonly pattern: RegExp;
  /** Somewhere before it in the same sentence. */
  readonly before: RegExp;
  /** Directly before it. */
  readonly direct: RegExp;
  /** Soon after it. */
  readonly after: RegExp;
  readonly advice: string;
}

const NEVER = /(?!)/u;

const VIETNAMESE: readonly Term[] = [
  {
    pattern: new RegExp(`${NOT_LETTER_BEFORE}cấp\\s+(?:độ\\s+)?${NUMBER}`, "giu"),
    before: /rủi ro|gió|giật|bô-?pho|beaufort|phòng thủ dân sự|cháy rừng|chấn động/iu,
    // Houses, schools, dykes and alarms have levels of their own, which nobody mistakes.
    // And in cung cấp, khẩn cấp and the like the word is half of another.
    direct:
      /(?:nhà|trường|đê|đường|công trình|báo động(?:\s+số)?|cung|trợ|khẩn|nâng|phân|sơ|trung|cao)\s*$/iu,
    after: /^.{0,12}(?:phòng thủ dân sự|rủi ro|bô-?pho|beaufort)/iu,
    advice: "say of what: cấp độ rủi ro thiên tai, cấp gió or cấp độ phòng thủ dân sự",
  },
  {
    pattern: new RegExp(`${NOT_LETTER_BEFORE}báo động\\s+(?:số\\s+|cấp\\s+)?${NUMBER}`, "giu"),
    before: /sông|suối|mực nước|lũ|trạm|thủy văn|thuỷ văn/iu,
    direct: NEVER,
    after: /^.{0,12}(?:sông|trạm)/iu,
    advice: "say of which river and station",
  },
];

const ENGLISH: readonly Term[] = [
  {
    pattern: /(?<!\w)levels? (?:\d{1,2}|[IVX]{1,4})(?!\w)/giu,
    before: /risk|wind|civil[- ]defence|alarm/iu,
    direct: NEVER,
    after: /^.{0,12}(?:risk|civil[- ]defence)/iu,
    advice: "say of what: disaster risk level or civil-defence level",
  },
  {
    pattern: /(?<!\w)(?:alarm|alert) (?:level )?(?:\d|I{1,3})(?!\w)/giu,
    before: /river|water|flood|station/iu,
    direct: NEVER,
    after: /^.{0,16}(?:river|station)/iu,
    advice: "say of which river and station",
  },
];

const SENTENCE = /[^.;!?\n]+(?:[.](?=\S)[^.;!?\n]*)*/gu;

export interface BareLevel {
  /** As it stands in the text. */
  readonly words: string;
  readonly advice: string;
}

/** Every level in a text that does not say what it is a level of. */
export function findBareLevels(text: string, language: "vi" | "en"): BareLevel[] {
  const terms = language === "vi" ? VIETNAMESE : ENGLISH;
  const sentences = text.normalize("NFC").match(SENTENCE) ?? [];
  return sentences.flatMap((sentence) =>
    terms.flatMap(({ pattern, before, direct, after, advice }) =>
      Array.from(sentence.matchAll(pattern))
        .filter(({ 0: words, index }) => {
          const head = sentence.slice(0, index);
          const tail = sentence.slice(index + words.length);
          return !before.test(head) && !direct.test(head) && !after.test(tail);
        })
        .map(({ 0: words }) => ({ words, advice })),
    ),
  );
}
