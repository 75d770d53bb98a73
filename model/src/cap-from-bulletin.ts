// From an issued bulletin to its CAP 1.2 message: the other direction of cap-draft.ts. Everything
// that people approved is carried over or named; nothing is said that they did not approve. What
// CAP asks for and no bulletin holds (urgency, severity, certainty) follows here from what it does
// hold, by one table, and never changes a quoted level.
import type {
  CapArea,
  CapInfo,
  CapMessage,
  CapNamedValue,
  CapReference,
} from "@loa/cap/message.ts";
import {
  CAP_ALONGSIDE,
  CAP_AREA,
  CAP_AREA_PACK,
  CAP_CORRECTION,
  CAP_HAZARD,
  CAP_LAST_BULLETIN,
  CAP_LEGAL_BASIS,
  CAP_NATURE,
  CAP_NUMBER,
  CAP_RISK_LEVEL,
  CAP_SIGNATORY,
  CAP_SIGNATORY_POST,
  CAP_SOURCE_BODY,
  CAP_SOURCE_NUMBER,
  CAP_SOURCE_TIME,
  LOA_PROFILE_CODE,
} from "@loa/cap/profile/names.ts";
import type { BulletinType } from "./bulletin-type.ts";
import { type BulletinContent, markOf, type MsgType } from "./bulletin.ts";
import { HAZARDS, type Hazard, type HazardFacts } from "./hazard.ts";
import { formatLocalTime, parseInstant } from "./local-time.ts";
import type { Position } from "./target.ts";
import { type Bilingual, type Language, LANGUAGES } from "./text.ts";

/** Parameters beside those of the profile. */
export const CAP_KIND = "loa.kind";
export const CAP_SHORT_CODE = "loa.shortCode";
export const CAP_APPROVAL_HASH = "loa.approvalHash";
/** Google's readers show no more of a place; whoever wants all of it has the codes. */
export const AREA_DESC_MAX = 50;

/** A unit that is named, with the codes of the communes, or of the villages, that it stands for. */
export interface CapPlace {
  readonly name: Bilingual;
  readonly codes: readonly string[];
}

export interface CapBulletin {
  readonly identifier: string;
  readonly sender: string;
  readonly sent: Date;
  readonly msgType: MsgType;
  readonly content: BulletinContent;
  readonly account: { readonly handle: string; readonly name: Bilingual };
  readonly incident: { readonly id: string; readonly name: Bilingual } | null;
  readonly references: readonly CapReference[];
  readonly packs: readonly { readonly name: string; readonly validFrom: string }[];
  readonly places: readonly CapPlace[];
  /** The last bulletin of its chain (tin cuối cùng). */
  readonly isLast: boolean;
  /** What it corrects, in a sentence; null where it is no correction (đính chính). */
  readonly correction: Bilingual | null;
  /** Where people read it, and the code that they can type instead. */
  readonly page: Readonly<Record<Language, string>>;
  readonly shortCode: string;
  /** Hex of the SHA-256 that was approved. */
  readonly hash: string;
}

/** An Exercise is for its named participants; of a test everybody disregards what it says. */
const STATUS = {
  Actual: "Actual",
  Exercise: "Exercise",
  PublicTest: "Test",
} as const satisfies Record<BulletinType, string>;

const CAP_LANGUAGE: Readonly<Record<Language, string>> = { vi: "vi-VN", en: "en" };

/**
 * The message to write (and then to sign).
 * @param inProfile whether it claims to follow the profile `loa`, which the checker decides.
 */
export function capFromBulletin(bulletin: CapBulletin, inProfile = true): CapMessage {
  const { content, incident, references } = bulletin;
  const note = noteOf(bulletin);
  return {
    identifier: bulletin.identifier,
    sender: bulletin.sender,
    sent: formatLocalTime(bulletin.sent),
    status: STATUS[content.type],
    msgType: bulletin.msgType,
    ...(content.source && {
      source: clean(`${content.source.body}, ${content.source.number}, ${content.source.time}`),
    }),
    scope: "Public",
    codes: inProfile ? [LOA_PROFILE_CODE] : [],
    ...(note !== "" && { note }),
    references,
    // Who belongs to no incident is a thread of its own.
    incidents: incident?.id ?? references[0]?.identifier ?? bulletin.identifier,
    infos: LANGUAGES.map((language) => infoOf(bulletin, language)),
    signatures: 0,
    unknown: [],
  };
}

/** CAP wants an exercise named in the note, and a Cancel's reason. */
function noteOf({ content, msgType }: CapBulletin): string {
  const mark = markOf(content.type);
  const name = content.type === "Exercise" ? `: ${content.exerciseName}` : "";
  const reason = msgType === "Cancel" ? content.texts.vi.short : undefined;
  return [mark && `${mark.vi} / ${mark.en}${name}`, reason]
    .filter((part) => part !== undefined)
    .map(clean)
    .join(". ");
}

function infoOf(bulletin: CapBulletin, language: Language): CapInfo {
  const { content, account } = bulletin;
  const { headline, short, full } = content.texts[language];
  const event = HAZARDS[content.hazard].name[language];
  return {
    language: CAP_LANGUAGE[language],
    categories: [CATEGORY[content.hazard] ?? "Met"],
    event: event.charAt(0).toUpperCase() + event.slice(1),
    responseTypes: responseTypesOf(bulletin),
    urgency: urgencyOf(bulletin),
    severity: severityOf(content),
    certainty: UNFORESEEN.has(content.hazard) ? "Observed" : "Likely",
    eventCodes: [{ valueName: CAP_HAZARD, value: content.hazard }],
    effective: formatLocalTime(bulletin.sent),
    expires: formatLocalTime(parseInstant(content.expiresAt) as Date),
    senderName: clean(account.name[language]),
    headline: clean(headline),
    description: full.trim(),
    instruction: short.trim(),
    web: bulletin.page[language],
    parameters: parametersOf(bulletin, language),
    // Items may be long, and are fetched by who wants them.
    resources: content.items.map(({ title }, index) => ({
      resourceDesc: clean(title[language]),
      mimeType: "text/html",
      uri: `${bulletin.page[language]}/${index + 1}`,
    })),
    areas: areasOf(bulletin, language),
  };
}

function responseTypesOf({ msgType, content }: CapBulletin): string[] {
  if (msgType === "Cancel") return ["None"];
  switch (content.nature) {
    case "order":
      return ["Execute", "Prepare"];
    case "advice":
      return ["Prepare"];
    case "forecast":
      return ["Prepare", "Monitor"];
  }
}

function urgencyOf({ msgType, content }: CapBulletin): string {
  if (msgType === "Cancel") return "Past";
  if (content.kind === "notice") return "Future";
  return content.nature === "order" ? "Immediate" : "Expected";
}

/** By level; the worst that a hazard can be is never less than a storm's middle. */
function severityOf({ kind, hazard, riskLevel }: BulletinContent): string {
  if (kind === "notice") return "Minor";
  if (riskLevel === null) return "Severe";
  const { levels }: HazardFacts = HAZARDS[hazard];
  const isWorst = levels !== null && riskLevel >= 3 && riskLevel >= levels[1];
  if (riskLevel >= 4 || isWorst) return "Extreme";
  return riskLevel === 3 ? "Severe" : riskLevel === 2 ? "Moderate" : "Minor";
}

/** What has happened already when a bulletin speaks of it. */
const UNFORESEEN: ReadonlySet<Hazard> = new Set([
  "earthquake",
  "dyke-failure",
  "reservoir-release",
  "epidemic",
  "industrial-accident",
  "other",
]);

/** Met, but for these. */
const CATEGORY: Readonly<Partial<Record<Hazard, string>>> = {
  landslide: "Geo",
  subsidence: "Geo",
  earthquake: "Geo",
  tsunami: "Geo",
  salinity: "Env",
  "forest-fire": "Fire",
  "reservoir-release": "Infra",
  "dyke-failure": "Infra",
  epidemic: "Health",
  "industrial-accident": "Safety",
  other: "Other",
};

function parametersOf(bulletin: CapBulletin, language: Language): CapNamedValue[] {
  const { content, packs } = bulletin;
  const { signatory, riskLevel, source } = content;
  const pairs: [string, string | null | undefined][] = [
    [CAP_NUMBER, content.number],
    [CAP_KIND, content.kind],
    [CAP_NATURE, content.nature],
    [CAP_RISK_LEVEL, riskLevel === null ? null : String(riskLevel)],
    ...content.alongside.map((hazard): [string, string] => [CAP_ALONGSIDE, hazard]),
    ...content.legalBasis.map((citation): [string, string] => [CAP_LEGAL_BASIS, citation]),
    [CAP_SIGNATORY, signatory.name],
    [CAP_SIGNATORY_POST, signatory.post[language]],
    [CAP_SOURCE_BODY, source?.body],
    [CAP_SOURCE_NUMBER, source?.number],
    [CAP_SOURCE_TIME, source?.time],
    ...packs.map((pack): [string, string] => [CAP_AREA_PACK, `${pack.name}/${pack.validFrom}`]),
    [CAP_LAST_BULLETIN, bulletin.isLast ? "true" : null],
    [CAP_CORRECTION, bulletin.correction?.[language]],
    [CAP_SHORT_CODE, bulletin.shortCode],
    [CAP_APPROVAL_HASH, `sha256:${bulletin.hash}`],
  ];
  return pairs.flatMap(([valueName, value]) =>
    value === null || value === undefined ? [] : [{ valueName, value: clean(value) }],
  );
}

/** A place each; with a drawn shape, one area that has the shape and the codes it came down to. */
function areasOf({ content, places }: CapBulletin, language: Language): CapArea[] {
  const geocodes = (codes: readonly string[]): CapNamedValue[] =>
    codes.map((value) => ({ valueName: CAP_AREA, value }));
  const { polygon, circle } = content.target;
  if (polygon === undefined && circle === undefined)
    return places.map(({ name, codes }) => ({
      areaDesc: clean(name[language]),
      polygons: [],
      circles: [],
      geocodes: geocodes(codes),
    }));
  const point = ([lon, lat]: Position) => [lat, lon] as const;
  const circles =
    circle === undefined ? [] : [{ center: point(circle.center), radiusKm: circle.radiusKm }];
  return [
    {
      areaDesc: cut(clean(places.map(({ name }) => name[language]).join(", "))),
      polygons: polygon === undefined ? [] : [polygon.map(point)],
      circles,
      geocodes: geocodes(places.flatMap(({ codes }) => codes)),
    },
  ];
}

const cut = (text: string): string => {
  const letters = Array.from(text);
  return letters.length <= AREA_DESC_MAX
    ? text
    : `${letters
        .slice(0, AREA_DESC_MAX - 1)
        .join("")
        .trimEnd()}…`;
};

/** One line without space around it: CAP's readers differ in what they do with more. */
const clean = (text: string): string => text.replaceAll(/\s+/gu, " ").trim();
