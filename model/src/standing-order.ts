// Standing orders: texts that two people signed beforehand, with blanks, so that at two in the
// morning one person can warn at once. What may be filled in is fixed by the order; anything else
// in the bulletin is what was signed, letter for letter.
import {
  type BulletinContent,
  FORMS,
  type Forms,
  type Item,
  NAME_MAX,
  type SourceBulletin,
} from "./bulletin.ts";
import { canonicalJson, type CanonicalValue } from "./canonical.ts";
import type { RiskLevel } from "./hazard.ts";
import { formatLocalTime, formatTimeEn, formatTimeVi, parseInstant } from "./local-time.ts";
import type { Fault } from "./problem.ts";
import { type Bilingual, type Language, LANGUAGES, textFault } from "./text.ts";

/** Most blanks of one order: more cannot be filled in under pressure. */
export const BLANKS_MAX = 12;
export const BLANK_TEXT_MAX = 200;
export const CHOICES_MAX = 20;
/** Most areas that an order may cover. */
export const ORDER_AREAS_MAX = 200;
/** Longest life of an order: texts and posts age. */
export const ORDER_SPAN_MAX_DAYS = 400;
export const BLANK_NAME_PATTERN = /^[a-z][a-z0-9-]{0,31}$/u;
const BLANK_PATTERN = /\{\{([^{}]*)\}\}/gu;

/** What one blank may hold. */
export type Blank =
  | { readonly kind: "text"; readonly label: Bilingual; readonly max: number }
  | {
      readonly kind: "number";
      readonly label: Bilingual;
      readonly min: number;
      readonly max: number;
    }
  /** An instant, written out in each language. */
  | { readonly kind: "time"; readonly label: Bilingual }
  | { readonly kind: "choice"; readonly label: Bilingual; readonly choices: readonly Bilingual[] };

/** What is filled in: a text in both languages, a number, an instant, or the index of a choice. */
export type BlankValue = Bilingual | number | string;

/** The part of a content that is signed beforehand; the rest is said at each use. */
type Signed<C> = C extends BulletinContent
  ? Omit<C, "target" | "expiresAt" | "riskLevel" | "source" | "incidentId">
  : never;
export type OrderTemplate = Signed<BulletinContent>;

/** All that the two signatures cover. */
export interface StandingOrderBody {
  readonly name: Bilingual;
  /** Null: bulletins under this order name no level. */
  readonly highestLevel: RiskLevel | null;
  /** Codes of units; a use may only name places inside. */
  readonly areas: readonly string[];
  /** Most hours from a use to the bulletin's expiry. */
  readonly hoursMax: number;
  readonly template: OrderTemplate;
  readonly blanks: Readonly<Record<string, Blank>>;
  /** RFC 3339: no use after this instant. */
  readonly expiresAt: string;
  /** Id of a CAP source whose messages may use it by themselves. */
  readonly source?: string | undefined;
}

export interface OrderUse {
  readonly values: Readonly<Record<string, BlankValue>>;
  readonly areas: readonly string[];
  readonly riskLevel: RiskLevel | null;
  readonly source: SourceBulletin | null;
  readonly incidentId: string | null;
  readonly expiresAt: string;
}

/** The canonical text whose SHA-256 the two sign. */
export const standingOrderText = (
  id: string,
  agencyId: string,
  accountId: string,
  body: StandingOrderBody,
): string =>
  canonicalJson({ version: 1, id, agencyId, accountId, body: body as unknown as CanonicalValue });

interface Place {
  readonly at: string;
  readonly language: Language;
  readonly text: string;
}

function textsOf({ texts, items }: Pick<OrderTemplate, "texts" | "items">): Place[] {
  return LANGUAGES.flatMap((language) => [
    ...FORMS.map((form) => ({
      at: `/template/texts/${language}/${form}`,
      language,
      text: texts[language][form],
    })),
    ...items.flatMap((item, index) =>
      (["title", "text"] as const).map((part) => ({
        at: `/template/items/${index}/${part}/${language}`,
        language,
        text: item[part][language],
      })),
    ),
  ]);
}

/**
 * What is wrong with an order beside its texts, which are checked with all blanks filled in.
 * Every blank must stand in both languages: a translation that lacks a place or an hour misleads.
 */
export function checkOrder(body: StandingOrderBody, now: Date): Fault[] {
  const faults: Fault[] = [];
  for (const language of LANGUAGES) {
    const what = textFault(body.name[language], { max: NAME_MAX, lines: false });
    if (what !== undefined) faults.push({ at: `/name/${language}`, what });
  }
  if (body.areas.length === 0 || body.areas.length > ORDER_AREAS_MAX)
    faults.push({ at: "/areas", what: `wants 1 to ${ORDER_AREAS_MAX} areas` });
  const names = Object.keys(body.blanks);
  if (names.length > BLANKS_MAX)
    faults.push({ at: "/blanks", what: `has ${names.length} blanks, ${BLANKS_MAX} are allowed` });
  for (const name of names) faults.push(...checkBlank(name, body.blanks[name] as Blank));
  const until = parseInstant(body.expiresAt);
  const spanMs = until === undefined ? Number.NaN : until.getTime() - now.getTime();
  if (!(spanMs > 0 && spanMs <= ORDER_SPAN_MAX_DAYS * 86_400_000))
    faults.push({
      at: "/expiresAt",
      what: `wants an instant within the next ${ORDER_SPAN_MAX_DAYS} days`,
    });
  const used: Record<Language, Set<string>> = { vi: new Set(), en: new Set() };
  for (const { at, language, text } of textsOf(body.template))
    for (const [, name = ""] of text.matchAll(BLANK_PATTERN)) {
      used[language].add(name);
      if (!Object.hasOwn(body.blanks, name))
        faults.push({ at, what: `{{${name}}} is not one of the order's blanks` });
    }
  for (const name of names)
    for (const language of LANGUAGES)
      if (!used[language].has(name))
        faults.push({ at: `/blanks/${name}`, what: `is nowhere in the ${language} text` });
  return faults;
}

function checkBlank(name: string, blank: Blank): Fault[] {
  const at = `/blanks/${name}`;
  const faults: Fault[] = [];
  if (!BLANK_NAME_PATTERN.test(name))
    faults.push({ at, what: "wants a name of a-z, 0-9 and hyphen" });
  const texts = blank.kind === "choice" ? [blank.label, ...blank.choices] : [blank.label];
  for (const text of texts)
    for (const language of LANGUAGES) {
      const what = textFault(text[language], { max: BLANK_TEXT_MAX, lines: false });
      if (what !== undefined) faults.push({ at, what: `${language}: ${what}` });
    }
  if (blank.kind === "choice" && (blank.choices.length < 2 || blank.choices.length > CHOICES_MAX))
    faults.push({ at, what: `wants 2 to ${CHOICES_MAX} choices` });
  if (blank.kind === "text" && !(blank.max >= 1 && blank.max <= BLANK_TEXT_MAX))
    faults.push({ at, what: `wants a max from 1 to ${BLANK_TEXT_MAX}` });
  if (blank.kind === "number" && !(blank.min <= blank.max))
    faults.push({ at, what: "wants min to be at most max" });
  return faults;
}

/** What a blank reads as in one language, or what is wrong with the value. */
function writeValue(
  blank: Blank,
  value: BlankValue | undefined,
  language: Language,
): { text: string } | { what: string } {
  switch (blank.kind) {
    case "text": {
      if (typeof value !== "object") return { what: "wants a text in vi and en" };
      const text = value[language];
      if (/[{}]/u.test(text)) return { what: "must not hold braces" };
      const what = textFault(text, { max: blank.max, lines: false });
      return what === undefined ? { text } : { what: `${language}: ${what}` };
    }
    case "number":
      if (typeof value !== "number" || !(value >= blank.min && value <= blank.max))
        return { what: `wants a number from ${blank.min} to ${blank.max}` };
      return { text: language === "vi" ? String(value).replace(".", ",") : String(value) };
    case "time": {
      const at = typeof value === "string" ? parseInstant(value) : undefined;
      if (at === undefined) return { what: "wants RFC 3339 with an offset" };
      return { text: language === "vi" ? formatTimeVi(at) : formatTimeEn(at) };
    }
    case "choice": {
      const choice = typeof value === "number" ? blank.choices[value] : undefined;
      return choice === undefined
        ? { what: `wants the index of a choice, 0 to ${blank.choices.length - 1}` }
        : { text: choice[language] };
    }
  }
}

/**
 * The content that a use of an order makes, or the faults of what was filled in. Whether the
 * places lie inside the order's areas is asked of the resolved target, by the server.
 */
export function fillOrder(
  body: StandingOrderBody,
  use: OrderUse,
  now: Date,
): { readonly content: BulletinContent } | { readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const words: Record<Language, Map<string, string>> = { vi: new Map(), en: new Map() };
  for (const [name, blank] of Object.entries(body.blanks))
    for (const language of LANGUAGES) {
      const written = writeValue(blank, use.values[name], language);
      if ("text" in written) words[language].set(name, written.text);
      else faults.push({ at: `/values/${name}`, what: written.what });
    }
  for (const name of Object.keys(use.values))
    if (!Object.hasOwn(body.blanks, name))
      faults.push({ at: `/values/${name}`, what: "is not one of the order's blanks" });
  if (use.riskLevel !== null && (body.highestLevel === null || use.riskLevel > body.highestLevel))
    faults.push({ at: "/riskLevel", what: `the order covers levels up to ${body.highestLevel}` });
  const until = parseInstant(use.expiresAt);
  if (until !== undefined && until.getTime() - now.getTime() > body.hoursMax * 3_600_000)
    faults.push({ at: "/expiresAt", what: `the order covers at most ${body.hoursMax} hours` });
  if (faults.length > 0) return { faults };

  const write = (language: Language, text: string): string =>
    text.replaceAll(BLANK_PATTERN, (_, name: string) => words[language].get(name) ?? "");
  const forms = (language: Language): Forms => {
    const { headline, short, full, spoken } = body.template.texts[language];
    return {
      headline: write(language, headline),
      short: write(language, short),
      full: write(language, full),
      spoken: write(language, spoken),
    };
  };
  const bilingual = ({ vi, en }: Bilingual): Bilingual => ({
    vi: write("vi", vi),
    en: write("en", en),
  });
  const items: Item[] = body.template.items.map(({ category, title, text }) => ({
    category,
    title: bilingual(title),
    text: bilingual(text),
  }));
  const content: BulletinContent = {
    ...body.template,
    texts: { vi: forms("vi"), en: forms("en") },
    items,
    target: { areas: use.areas, zones: [], rule: { kind: "named" } },
    riskLevel: use.riskLevel,
    source: use.source,
    incidentId: use.incidentId,
    expiresAt: use.expiresAt,
  };
  return { content };
}

/**
 * The use with the longest texts that the order allows. An order whose longest text is sound has
 * none that fails at two in the morning.
 */
export function longestUse(body: StandingOrderBody, now: Date): OrderUse {
  const time = formatLocalTime(now);
  const values = Object.entries(body.blanks).map(([name, blank]): [string, BlankValue] => {
    switch (blank.kind) {
      case "text": {
        const text = "x".repeat(blank.max);
        return [name, { vi: text, en: text }];
      }
      case "number":
        return [name, blank.max];
      case "time":
        return [name, time];
      case "choice": {
        const lengths = blank.choices.map(({ vi, en }) => Math.max(vi.length, en.length));
        return [name, lengths.indexOf(Math.max(...lengths))];
      }
    }
  });
  return {
    values: Object.fromEntries(values),
    areas: body.areas,
    riskLevel: body.highestLevel,
    source: { body: "-", number: "-", time },
    incidentId: null,
    expiresAt: formatLocalTime(new Date(now.getTime() + body.hoursMax * 3_600_000)),
  };
}
