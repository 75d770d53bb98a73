// What a bulletin's content must be before anybody may submit it. Every rule answers a fault with
// a pointer to the place, and all faults are listed at once: at two in the morning nobody wants
// to hear of them one by one. Pure: the caller says what time it is.
import {
  ALONGSIDE_MAX,
  type BulletinContent,
  CITATION_MAX,
  EXERCISE_MARK,
  FORM_RULES,
  FORMS,
  ITEM_TEXT_MAX,
  ITEM_TITLE_MAX,
  ITEMS_MAX,
  LEGAL_BASIS_MAX,
  NAME_MAX,
  NOTICE_SPAN_MAX_HOURS,
  NUMBER_MAX,
  PUBLIC_TEST_MARK,
  WARNING_SPAN_MAX_HOURS,
} from "./bulletin.ts";
import { SERVED_CHANNELS } from "./endpoint.ts";
import { HAZARDS, levelFault } from "./hazard.ts";
import { parseInstant } from "./local-time.ts";
import type { Fault } from "./problem.ts";
import { CIRCLE_RADIUS_KM_MAX, POLYGON_POINTS_MAX, TARGET_NAMES_MAX } from "./target.ts";
import { type Bilingual, type Language, LANGUAGES, type TextRule, textFault } from "./text.ts";
import { BRIEF_FORMS, type Wordings } from "./wording.ts";

const HOUR_MS = 3_600_000;

/** Most milliseconds from issue to expiry. */
export const spanMaxMs = (kind: BulletinContent["kind"]): number =>
  (kind === "warning" ? WARNING_SPAN_MAX_HOURS : NOTICE_SPAN_MAX_HOURS) * HOUR_MS;

/** Everything that is wrong with a content at an instant; empty when it may be submitted. */
export function checkContent(content: BulletinContent, now: Date): Fault[] {
  return [
    ...checkTexts(content),
    ...briefsOf(content.wordings).flatMap(({ at, form, text }) =>
      checkText(at, text, FORM_RULES[form]),
    ),
    ...checkMarks(content),
    ...checkItems(content),
    ...checkOrigin(content),
    ...checkLevel(content),
    ...checkTarget(content),
    ...checkExpiry(content, now),
    ...checkType(content, now),
  ];
}

const line = (max: number): TextRule => ({ max, lines: false });

function checkText(at: string, text: string, rule: TextRule): Fault[] {
  const what = textFault(text, rule);
  return what === undefined ? [] : [{ at, what }];
}

const checkBilingual = (at: string, text: Bilingual, rule: TextRule): Fault[] =>
  LANGUAGES.flatMap((language) => checkText(`${at}/${language}`, text[language], rule));

function checkTexts(content: BulletinContent): Fault[] {
  return LANGUAGES.flatMap((language) =>
    FORMS.flatMap((form) =>
      checkText(`/texts/${language}/${form}`, content.texts[language][form], FORM_RULES[form]),
    ),
  );
}

/** Every text that an agency wrote for the concerned and for those who are left out. */
const briefsOf = (wordings: Wordings = {}) =>
  (["concerned", "left"] as const).flatMap((part) =>
    LANGUAGES.flatMap((language) =>
      BRIEF_FORMS.flatMap((form) => {
        const text = wordings[part]?.[language][form];
        const at = `/wordings/${part}/${language}/${form}`;
        return text === undefined ? [] : [{ at, language, form, text }];
      }),
    ),
  );

/** Wording that only an exercise or a test may hold. CAP texts do say "exercise caution". */
const EXERCISE_WORDS: Readonly<Record<Language, readonly RegExp[]>> = {
  vi: [/diễn tập/iu, /tin thử nghiệm/iu],
  en: [
    /\bEXERCISE\b(?!\s+(?:EXTREME\s+|GREAT\s+)?(?:CAUTION|CARE)\b)/u,
    /\bTEST MESSAGE\b/iu,
    /\bthis is (?:only )?an? (?:exercise|drill|test)\b/iu,
  ],
};
/** In an exercise these words are how Hawaii's false alarm of 2018 was believed. */
const DENIALS: Readonly<Record<Language, RegExp>> = {
  vi: /không phải (?:là )?(?:một )?(?:cuộc )?(?:diễn tập|thử nghiệm)/iu,
  en: /\bnot an? (?:exercise|drill|test)\b/iu,
};

function checkMarks({ type, texts, items, wordings }: BulletinContent): Fault[] {
  const faults: Fault[] = [];
  const briefs = briefsOf(wordings).map((brief) => ({ ...brief, form: true }));
  const inContent = LANGUAGES.flatMap((language) => [
    ...FORMS.map((form) => ({
      at: `/texts/${language}/${form}`,
      language,
      text: texts[language][form],
      form: true,
    })),
    ...items.flatMap((item, index) =>
      (["title", "text"] as const).map((part) => ({
        at: `/items/${index}/${part}/${language}`,
        language,
        text: item[part][language],
        form: false,
      })),
    ),
  ]);
  for (const { at, language, text, form } of [...inContent, ...briefs]) {
    if (type === "Actual") {
      if (EXERCISE_WORDS[language].some((words) => words.test(text)))
        faults.push({ at, what: "holds exercise or test wording, which an Actual must not" });
      continue;
    }
    if (DENIALS[language].test(text))
      faults.push({ at, what: `denies being ${type === "Exercise" ? "an exercise" : "a test"}` });
    if (!form) continue;
    if (type === "Exercise" && !text.includes(EXERCISE_MARK[language]))
      faults.push({ at, what: `an Exercise must hold "${EXERCISE_MARK[language]}"` });
    if (type === "PublicTest" && !text.startsWith(PUBLIC_TEST_MARK[language]))
      faults.push({ at, what: `a PublicTest must begin with "${PUBLIC_TEST_MARK[language]}"` });
  }
  return faults;
}

function checkItems({ items }: BulletinContent): Fault[] {
  if (items.length > ITEMS_MAX)
    return [{ at: "/items", what: `has ${items.length} items, ${ITEMS_MAX} are allowed` }];
  return items.flatMap((item, index) => [
    ...checkBilingual(`/items/${index}/title`, item.title, line(ITEM_TITLE_MAX)),
    ...checkBilingual(`/items/${index}/text`, item.text, { max: ITEM_TEXT_MAX, lines: true }),
  ]);
}

function checkOrigin(content: BulletinContent): Fault[] {
  const { number, legalBasis, signatory, source, nature } = content;
  const faults = [
    ...checkText("/number", number, line(NUMBER_MAX)),
    ...checkBilingual("/signatory/post", signatory.post, line(NAME_MAX)),
    ...legalBasis.flatMap((citation, index) =>
      checkText(`/legalBasis/${index}`, citation, line(CITATION_MAX)),
    ),
  ];
  if (signatory.name !== null)
    faults.push(...checkText("/signatory/name", signatory.name, line(NAME_MAX)));
  if (legalBasis.length === 0 || legalBasis.length > LEGAL_BASIS_MAX)
    faults.push({ at: "/legalBasis", what: `wants 1 to ${LEGAL_BASIS_MAX} citations` });
  if (source === null) {
    if (nature === "forecast")
      faults.push({ at: "/source", what: "a quoted forecast names its source bulletin" });
    return faults;
  }
  faults.push(
    ...checkText("/source/body", source.body, line(NAME_MAX)),
    ...checkText("/source/number", source.number, line(NUMBER_MAX)),
  );
  if (parseInstant(source.time) === undefined)
    faults.push({ at: "/source/time", what: "wants RFC 3339 with an offset" });
  return faults;
}

function checkLevel({ hazard, riskLevel, alongside, source }: BulletinContent): Fault[] {
  const faults: Fault[] = [];
  if (alongside.length > ALONGSIDE_MAX || new Set([hazard, ...alongside]).size <= alongside.length)
    faults.push({
      at: "/alongside",
      what: `wants at most ${ALONGSIDE_MAX} further hazards, each once`,
    });
  if (riskLevel === null) return faults;
  const what = levelFault(hazard, riskLevel, alongside);
  if (what !== undefined) faults.push({ at: "/riskLevel", what });
  else if (source === null && HAZARDS[hazard].levels !== null)
    faults.push({ at: "/source", what: "a risk level is quoted, so its source must be named" });
  return faults;
}

function checkTarget({ target, channels }: BulletinContent): Fault[] {
  const faults: Fault[] = [];
  const { areas, zones, polygon, circle, rule } = target;
  if (areas.length + zones.length === 0 && polygon === undefined && circle === undefined)
    faults.push({ at: "/target", what: "names no place" });
  if (areas.length + zones.length > TARGET_NAMES_MAX)
    faults.push({ at: "/target/areas", what: `at most ${TARGET_NAMES_MAX} areas and zones` });
  if (polygon !== undefined && polygon.length > POLYGON_POINTS_MAX)
    faults.push({
      at: "/target/polygon",
      what: `has ${polygon.length} points, ${POLYGON_POINTS_MAX} are allowed`,
    });
  if (circle !== undefined && !(circle.radiusKm > 0 && circle.radiusKm <= CIRCLE_RADIUS_KM_MAX))
    faults.push({
      at: "/target/circle/radiusKm",
      what: `wants more than 0 and at most ${CIRCLE_RADIUS_KM_MAX} km`,
    });
  if (rule.kind === "share" && !(rule.atLeast > 0 && rule.atLeast <= 1))
    faults.push({ at: "/target/rule/atLeast", what: "wants more than 0 and at most 1" });
  for (const [at, names] of [
    ["/target/areas", areas],
    ["/target/zones", zones],
    ["/channels", channels],
  ] as const)
    if (new Set<string>(names).size < names.length)
      faults.push({ at, what: "names something twice" });
  channels.forEach((channel, index) => {
    if (!SERVED_CHANNELS.includes(channel))
      faults.push({ at: `/channels/${index}`, what: `${channel} has no way out in this Loa` });
  });
  if (channels.length === 0) faults.push({ at: "/channels", what: "names no channel" });
  return faults;
}

function checkExpiry({ expiresAt, kind }: BulletinContent, now: Date): Fault[] {
  const at = "/expiresAt";
  const instant = parseInstant(expiresAt);
  if (instant === undefined) return [{ at, what: "wants RFC 3339 with an offset" }];
  const spanMs = instant.getTime() - now.getTime();
  if (spanMs <= 0) return [{ at, what: "is in the past" }];
  if (spanMs > spanMaxMs(kind))
    return [{ at, what: `a ${kind} lasts at most ${spanMaxMs(kind) / HOUR_MS} hours` }];
  return [];
}

function checkType(content: BulletinContent, now: Date): Fault[] {
  switch (content.type) {
    case "Actual":
      return [];
    case "Exercise":
      return checkText("/exerciseName", content.exerciseName, line(NAME_MAX));
    case "PublicTest": {
      const faults = checkText("/announcement/where", content.announcement.where, line(NAME_MAX));
      // The union says so, but a content may come from storage or another program.
      if ((content.kind as string) !== "notice")
        faults.push({ at: "/kind", what: "a PublicTest is a notice: it sounds no alarm" });
      const told = parseInstant(content.announcement.at);
      if (told === undefined)
        faults.push({ at: "/announcement/at", what: "wants RFC 3339 with an offset" });
      else if (told.getTime() > now.getTime())
        faults.push({ at: "/announcement/at", what: "a PublicTest is announced beforehand" });
      return faults;
    }
  }
}
