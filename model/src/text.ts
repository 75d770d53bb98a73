// Text that people read and machines sign. It must look the same to everyone and hide nothing:
// NFC, well-formed, no invisible or direction-changing characters, a limit in code points.

/** Languages in which every bulletin must be complete. */
export const LANGUAGES = ["vi", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
export type Bilingual = Readonly<Record<Language, string>>;

/** What a text field may hold. */
export interface TextRule {
  /** Most code points; protects forms, frames and the eyes of the reader. */
  readonly max: number;
  /** Line breaks are allowed. */
  readonly lines: boolean;
  readonly empty?: boolean;
}

/** Bidi controls (UAX 9) reorder what is read, so that a number or link can lie. */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
/** Zero-width and invisible characters make two texts differ that look the same. */
const INVISIBLE =
  /\u00ad|\u034f|\u115f|\u1160|\u17b4|\u17b5|\u180e|[\u200b-\u200d]|[\u2060-\u2064]|\u3164|\ufeff|\uffa0/u;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for.
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/u;

/** What is wrong with a text, in English, or undefined when nothing is. */
export function textFault(text: string, rule: TextRule): string | undefined {
  if (!text.isWellFormed()) return "holds half of a surrogate pair";
  if (text.normalize("NFC") !== text) return "is not in Unicode normalization form C";
  if (BIDI.test(text)) return "holds a character that changes the reading direction";
  if (INVISIBLE.test(text)) return "holds an invisible character";
  if (CONTROL.test(text)) return "holds a control character";
  if (!rule.lines && text.includes("\n")) return "must be one line";
  if (rule.empty !== true && text.trim() === "") return "must not be empty";
  const length = codePoints(text);
  if (length > rule.max) return `has ${length} characters, ${rule.max} are allowed`;
  return undefined;
}

/** The length as people count it: code points, not UTF-16 units. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/**
 * The same text without what textFault refuses: for text from the wild that becomes a draft,
 * which a person reads before it goes anywhere. Cut at a word when it is longer than the rule.
 */
export function cleanText(text: string, rule: TextRule): string {
  const global = (pattern: RegExp): RegExp => new RegExp(pattern.source, "gu");
  let clean = text
    .toWellFormed()
    .normalize("NFC")
    .replaceAll(/\r\n?/gu, "\n")
    .replaceAll("\t", " ");
  for (const pattern of [BIDI, INVISIBLE, CONTROL]) clean = clean.replaceAll(global(pattern), "");
  clean = rule.lines
    ? clean.replaceAll(/ *\n */gu, "\n").replaceAll(/\n{3,}/gu, "\n\n")
    : clean.replaceAll(/\s+/gu, " ");
  // Removing a character between two others can leave a pair that composes.
  clean = clean.trim().normalize("NFC");
  if (codePoints(clean) <= rule.max) return clean;
  const cut = Array.from(clean)
    .slice(0, rule.max - 1)
    .join("");
  const lastSpace = cut.lastIndexOf(" ");
  return `${(lastSpace > rule.max / 2 ? cut.slice(0, lastSpace) : cut).trimEnd()}…`;
}
