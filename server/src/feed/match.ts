// Finds the bulletin that a pasted text comes from, and says where the two differ. Spacing, case,
// punctuation, old and new places of Vietnamese tone marks and the head of a forwarded message do
// not count; words, numbers and marks of meaning do. A text in which no word has a mark is compared
// without marks, as SMS are sent. Every step is bounded: what is pasted is a stranger's.
import { type Form, FORMS } from "@loa/model/bulletin.ts";
import { cleanText, codePoints, type Language, LANGUAGES } from "@loa/model/text.ts";
import type { Publication } from "./publication.ts";

/** The newest publications that a text is compared with; each costs some 20 µs and 16 KiB. */
export const MATCHED_MAX = 500;
/** Longest text that is compared: an item has 8,000 characters. */
export const PASTE_MAX = 10_000;
/** Fewer words than this are in many texts, and prove nothing. */
export const PASTE_WORDS_MIN = 6;
/** Cells of the table of differences, two bytes each: 6 MB and some 15 ms. */
export const DIFFERENCE_CELLS_MAX = 3_000_000;
/** Of the smaller text's word triples, how many must be in the other for them to be related. */
const RELATED_SHARE = 0.4;
/** Words of the original that are told where the beginning or end was replaced. */
const REPLACED_WORDS_MAX = 12;
/** Words in a row that make one mark of a text. */
const TRIPLE = 3;

export interface Word {
  /** As it was written. */
  readonly shown: string;
  /** Case and the place of the tone do not count. */
  readonly exact: string;
  /** Without marks. */
  readonly bare: string;
}

/** A text of a publication: one form in one language, or an item. */
export interface MatchSource {
  readonly publication: Publication;
  readonly language: Language;
  readonly part: Form | "item";
}

export type Difference = { readonly kind: "same" | "added" | "missing"; readonly text: string };

export type Match =
  /** Too few words to say anything. */
  | { readonly kind: "too-short" }
  | { readonly kind: "unknown" }
  | {
      readonly kind: "found";
      readonly source: MatchSource;
      /** All words of the text are there, in order, and none besides. */
      readonly sameness: "whole" | "excerpt" | "altered";
      readonly isWithoutMarks: boolean;
      /** It held characters that nobody sees, which were left out. */
      readonly hadHidden: boolean;
      /** Where it was altered; undefined when both are too long to be laid side by side. */
      readonly differences: readonly Difference[] | undefined;
    };

interface Prepared {
  readonly source: MatchSource;
  readonly text: string;
  readonly triples: Uint32Array;
}

const WORDS = /(?<![\p{L}\p{N}])[-−]?\p{N}+(?:[.,:/]\p{N}+)*%?|\p{L}[\p{L}\p{M}]*/gu;
/** Combining tone marks: grave, acute, tilde, hook above, dot below. */
const TONES = /[\u0300\u0301\u0303\u0309\u0323]/gu;

/** The words of a text. */
export function wordsOf(text: string): Word[] {
  return Array.from(text.normalize("NFKC").matchAll(WORDS), ([shown]) => {
    const apart = shown.toLowerCase().normalize("NFD").replaceAll("−", "-");
    // "hoà" and "hòa" are one word: the tone belongs to the syllable.
    const tones = apart.match(TONES)?.join("") ?? "";
    return {
      shown,
      exact: apart.replaceAll(TONES, "") + tones,
      bare: apart.replaceAll(/\p{M}/gu, "").replaceAll("đ", "d"),
    };
  });
}

/** What messengers and mail put before a text that is passed on. */
const FORWARD_HEAD =
  /^(?:\s*(?:>|\|)+\s?|\s*\[?\d{1,2}[:/.]\d{2}[^\]\n]{0,40}\]\s*[^:\n]{0,60}:\s|\s*-{2,}[^\n]{0,60}-{2,}\s*\n|\s*(?:fwd?|fw|re|tr|chuyển tiếp|đã chuyển tiếp|tin nhắn được chuyển tiếp|forwarded(?: message| from [^\n:]{1,60})?)\s*[:\n])/iu;

/** The text without the heads of forwarding, line by line. */
export function stripForwarding(text: string): string {
  let rest = text.replaceAll(/^[>|\s]+/gmu, "");
  for (let i = 0; i < 4; i++) {
    const next = rest.replace(FORWARD_HEAD, "");
    if (next === rest) break;
    rest = next;
  }
  return rest;
}

/** Compares texts with the newest publications; what it prepares of them is kept. */
export class Matcher {
  readonly #prepared = new Map<string, readonly Prepared[]>();

  /** Does beforehand what the first comparison would wait for. */
  prepare(publications: readonly Publication[]): void {
    this.#prepare(publications);
  }

  match(text: string, publications: readonly Publication[]): Match {
    const limited = Array.from(text).slice(0, PASTE_MAX).join("");
    const clean = cleanText(limited, { max: PASTE_MAX, lines: true });
    const bare = stripForwarding(clean);
    const words = wordsOf(bare);
    if (words.length < PASTE_WORDS_MIN) return { kind: "too-short" };
    const best = this.#closest(bare, publications);
    if (!best) return { kind: "unknown" };
    const approved = wordsOf(best.text);
    const isWithoutMarks = words.every(({ exact, bare: plain }) => exact === plain);
    const letters = (of: string): number => codePoints(of.replaceAll(/\s/gu, ""));
    return {
      kind: "found",
      source: best.source,
      isWithoutMarks: isWithoutMarks && approved.some(({ exact, bare: plain }) => exact !== plain),
      hadHidden: letters(limited.normalize("NFC")) > letters(clean),
      ...compare(words, approved, isWithoutMarks ? "bare" : "exact"),
    };
  }

  #closest(text: string, publications: readonly Publication[]): Prepared | undefined {
    const triples = new Set(triplesOf(text));
    let best: Prepared | undefined;
    let bestScore = 0;
    for (const prepared of this.#prepare(publications)) {
      const size = Math.min(triples.size, prepared.triples.length);
      if (size === 0) continue;
      let shared = 0;
      for (const triple of prepared.triples) if (triples.has(triple)) shared++;
      // Of texts that share as much, the one of which it is more; of equals, the first.
      const score = shared / size + shared / (triples.size + prepared.triples.length);
      if (shared / size >= RELATED_SHARE && score > bestScore) {
        best = prepared;
        bestScore = score;
      }
    }
    return best;
  }

  #prepare(publications: readonly Publication[]): Prepared[] {
    const chosen = publications.slice(0, MATCHED_MAX);
    const wanted = new Set(chosen.map(({ id }) => id));
    for (const id of this.#prepared.keys()) if (!wanted.has(id)) this.#prepared.delete(id);
    return chosen.flatMap((publication) => {
      const known = this.#prepared.get(publication.id) ?? prepare(publication);
      this.#prepared.set(publication.id, known);
      return known;
    });
  }
}

function prepare(publication: Publication): Prepared[] {
  const { texts, items } = publication.content;
  const of = (source: Omit<MatchSource, "publication">, text: string): Prepared => ({
    source: { publication, ...source },
    text,
    triples: new Uint32Array(new Set(triplesOf(text))),
  });
  return LANGUAGES.flatMap((language) => [
    ...FORMS.map((part) => of({ language, part }, texts[language][part])),
    ...items.map(({ title, text }) =>
      of({ language, part: "item" }, `${title[language]}\n${text[language]}`),
    ),
  ]);
}

/** A number for each three words in a row, without marks; a text of fewer has one. */
function triplesOf(text: string): number[] {
  const bare = fold(text.normalize("NFKC"));
  const hashes = Array.from(bare.matchAll(WORDS), ([word]) => hashWord(word));
  const count = Math.max(1, hashes.length - TRIPLE + 1);
  return Array.from({ length: count }, (_, at) => {
    let hash = FNV_BASIS;
    for (let i = at; i < at + TRIPLE; i++) hash = Math.imul(hash ^ (hashes[i] ?? 0), FNV_PRIME);
    return (hash ^ (hash >>> 15)) >>> 0;
  });
}

const fold = (text: string): string =>
  text.toLowerCase().normalize("NFD").replaceAll(/\p{M}/gu, "").replaceAll("đ", "d");

/** FNV-1a. */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
function hashWord(word: string): number {
  let hash = FNV_BASIS;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), FNV_PRIME);
  return hash >>> 0;
}

type Compared = Pick<Extract<Match, { kind: "found" }>, "sameness" | "differences">;

function compare(
  given: readonly Word[],
  approved: readonly Word[],
  key: "exact" | "bare",
): Compared {
  const differences = difference(given, approved, key);
  if (!differences) return { sameness: "altered", differences };
  // Who passes on a part leaves out beginning and end; that is not an alteration. Where something
  // else stands in the place of the beginning or end, the words that it took the place of are told.
  const from = differences.findIndex(({ kind }) => kind !== "missing");
  const to = differences.findLastIndex(({ kind }) => kind !== "missing");
  const head = differences[from]?.kind === "added" ? differences.slice(0, from) : [];
  const tail = differences[to]?.kind === "added" ? differences.slice(to + 1) : [];
  const middle = differences.slice(from, to + 1);
  const isAltered = middle.some(({ kind }) => kind !== "same");
  const isPart = middle.length < differences.length;
  const shorten = (take: (words: string[]) => string[]) => (run: Difference) => ({
    ...run,
    text: take(run.text.split(" ")).join(" "),
  });
  return {
    sameness: isAltered ? "altered" : isPart ? "excerpt" : "whole",
    differences: [
      ...head.map(shorten((words) => words.slice(-REPLACED_WORDS_MAX))),
      ...middle,
      ...tail.map(shorten((words) => words.slice(0, REPLACED_WORDS_MAX))),
    ],
  };
}

/** The longest common sequence of words, as runs; undefined over DIFFERENCE_CELLS_MAX. */
export function difference(
  given: readonly Word[],
  approved: readonly Word[],
  key: "exact" | "bare",
): Difference[] | undefined {
  const width = approved.length + 1;
  if ((given.length + 1) * width > DIFFERENCE_CELLS_MAX) return undefined;
  const lengths = new Uint16Array((given.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = given.length - 1; i >= 0; i--)
    for (let j = approved.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        given[i]?.[key] === approved[j]?.[key]
          ? at(i + 1, j + 1) + 1
          : Math.max(at(i + 1, j), at(i, j + 1));
  const runs: { kind: Difference["kind"]; words: string[] }[] = [];
  const put = (kind: Difference["kind"], word: Word | undefined): void => {
    const last = runs.at(-1);
    if (last?.kind === kind) last.words.push(word?.shown ?? "");
    else runs.push({ kind, words: [word?.shown ?? ""] });
  };
  let i = 0;
  let j = 0;
  while (i < given.length || j < approved.length) {
    const isSame =
      i < given.length && j < approved.length && given[i]?.[key] === approved[j]?.[key];
    if (isSame) {
      put("same", given[i]);
      i++;
      j++;
    } else if (j >= approved.length || (i < given.length && at(i + 1, j) >= at(i, j + 1)))
      put("added", given[i++]);
    else put("missing", approved[j++]);
  }
  return runs.map(({ kind, words }) => ({ kind, text: words.join(" ") }));
}
