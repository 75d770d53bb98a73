// From a CAP message to a bulletin's draft: what the message says in our form, for a person to
// read over. It quotes a forecast, so the message is its source. Nothing of it is dropped quietly:
// whatever could not be carried over is a remark.
import {
  type CapInfo,
  type CapMessage,
  type CapNamedValue,
  type CapPoint,
} from "@loa/cap/message.ts";
import {
  CAP_ALONGSIDE,
  CAP_AREA,
  CAP_CORRECTION,
  CAP_HAZARD,
  CAP_LAST_BULLETIN,
  CAP_NUMBER,
  CAP_RISK_LEVEL,
  CAP_SOURCE_BODY,
  CAP_SOURCE_NUMBER,
  CAP_SOURCE_TIME,
  CAP_VILLAGE,
} from "@loa/cap/profile/names.ts";
import type { BulletinKind, BulletinType } from "./bulletin-type.ts";
import {
  type BulletinContent,
  CITATION_MAX,
  FORM_RULES,
  type Form,
  type Forms,
  markOf,
  NAME_MAX,
  NUMBER_MAX,
  type SourceBulletin,
} from "./bulletin.ts";
import { spanMaxMs } from "./bulletin-check.ts";
import type { ChannelName } from "./endpoint.ts";
import { HAZARD_KEYS, type Hazard, levelFault, RISK_LEVELS, type RiskLevel } from "./hazard.ts";
import { formatLocalTime, parseInstant } from "./local-time.ts";
import { Problem } from "./problem.ts";
import type { AudienceRule, Target } from "./target.ts";
import { cleanText, codePoints, type Language } from "./text.ts";

/** Life of a draft whose message names no expiry, or one that has passed. */
export const DRAFT_LIFE_HOURS = 12;

export interface CapDraftOptions {
  readonly now: Date;
  readonly type: Exclude<BulletinType, "PublicTest">;
  readonly channels: readonly ChannelName[];
  readonly audienceRule: AudienceRule;
  readonly kind?: BulletinKind | undefined;
  /** Where to, instead of where the message says. */
  readonly target?: Target | undefined;
  readonly hazard?: Hazard | undefined;
  readonly expiresAt?: string | undefined;
  readonly incidentId?: string | null | undefined;
  /** For an Exercise: its name. */
  readonly exerciseName?: string | undefined;
}

export interface CapDraft {
  readonly content: BulletinContent;
  /** What a person must look at, in English. */
  readonly remarks: readonly string[];
}

/**
 * Makes a draft of a message that was read without an error.
 * @throws {Problem} cap-invalid when it has no info, or may not become a bulletin of that type:
 * only an Actual, Public message becomes an Actual bulletin, and none that is withdrawn.
 */
export function draftFromCap(message: CapMessage, options: CapDraftOptions): CapDraft {
  requireFit(message, options.type);
  const vi = infoIn(message, "vi");
  const en = infoIn(message, "en");
  const first = (vi ?? en ?? message.infos[0]) as CapInfo;
  const remarks: string[] = [];
  for (const [language, info] of [
    ["vi", vi],
    ["en", en],
  ] as const)
    if (info === undefined)
      remarks.push(`There is no text in "${language}"; that in "${first.language}" stands in.`);
  if (message.signatures > 0)
    remarks.push("The message is signed; the signature was not verified.");
  const texts = {
    vi: formsOf(vi ?? first, "vi", options.type, remarks),
    en: formsOf(en ?? first, "en", options.type, remarks),
  };
  const hazard = options.hazard ?? hazardOf(first, remarks);
  const alongside = alongsideOf(first, hazard);
  const line = (text: string, max: number): string => cleanText(text, { max, lines: false });
  const body = line(first.senderName ?? message.sender, NAME_MAX);
  const number = line(valueOf(first.parameters, CAP_NUMBER) ?? message.identifier, NUMBER_MAX);
  const post = {
    vi: line((vi ?? first).senderName ?? message.sender, NAME_MAX),
    en: line((en ?? first).senderName ?? message.sender, NAME_MAX),
  };
  remarks.push(...stepRemarks(first, line));
  const kind = options.kind ?? "warning";
  const common = {
    kind,
    nature: "forecast" as const,
    number,
    legalBasis: [`CAP ${line(`${message.sender}, ${message.identifier}, ${message.sent}`, 280)}`],
    signatory: { name: null, post },
    source: sourceOf(first, { body, number, time: message.sent }),
    incidentId: options.incidentId ?? null,
    hazard,
    alongside,
    riskLevel: levelOf(first, hazard, alongside, remarks),
    texts,
    items: [],
    target: options.target ?? targetOf(first, remarks),
    audienceRule: options.audienceRule,
    channels: options.channels,
    expiresAt: options.expiresAt ?? expiryOf(first, kind, options.now, remarks),
  };
  const content: BulletinContent =
    options.type === "Exercise"
      ? { ...common, type: "Exercise", exerciseName: options.exerciseName ?? "Diễn tập" }
      : { ...common, type: "Actual" };
  return { content, remarks };
}

/** A draft of CAP is an update; whether it is the last of its chain or a correction people decide. */
function stepRemarks(
  { parameters }: CapInfo,
  line: (text: string, max: number) => string,
): string[] {
  const correction = valueOf(parameters, CAP_CORRECTION);
  return [
    ...(valueOf(parameters, CAP_LAST_BULLETIN) === "true"
      ? ["It is the source's last bulletin (tin cuối cùng) of its chain."]
      : []),
    ...(correction === undefined
      ? []
      : [`It corrects an earlier message (đính chính): ${line(correction, CITATION_MAX)}`]),
  ];
}

function requireFit(message: CapMessage, type: BulletinType): void {
  const refuse = (what: string): never => {
    throw new Problem("cap-invalid", `The message cannot become a bulletin: ${what}.`);
  };
  if (message.infos.length === 0) refuse("it has no info");
  if (message.msgType !== "Alert" && message.msgType !== "Update")
    refuse(`its msgType is ${message.msgType}`);
  // An exercise may use any text as its material; the public gets only what was meant for it.
  if (type === "Exercise") return;
  if (message.status !== "Actual") refuse(`its status is ${message.status}`);
  if (message.scope !== "Public") refuse(`its scope is ${message.scope}`);
}

const infoIn = (message: CapMessage, language: Language): CapInfo | undefined =>
  message.infos.find(({ language: tag }) => tag.toLowerCase().split("-")[0] === language);

const valueOf = (pairs: readonly CapNamedValue[], name: string): string | undefined =>
  pairs.find(({ valueName }) => valueName.trim() === name)?.value.trim();

function formsOf(info: CapInfo, language: Language, type: BulletinType, remarks: string[]): Forms {
  const mark = markOf(type);
  const lead = mark === undefined ? "" : `${mark[language]} - `;
  const event = info.event.trim() || "CAP";
  const headline = info.headline ?? event;
  const description = info.description ?? headline;
  const instruction = info.instruction ?? "";
  const put = (form: Form, text: string): string => {
    const whole = cleanText(lead + text, { max: Number.MAX_SAFE_INTEGER, lines: true });
    if (codePoints(whole) > FORM_RULES[form].max)
      remarks.push(
        `The ${form} form in "${language}" was cut to ${FORM_RULES[form].max} characters.`,
      );
    return cleanText(lead + text, FORM_RULES[form]);
  };
  const join = (...parts: readonly string[]): string =>
    parts
      .map((part) => part.trim())
      .filter((part) => part !== "")
      .join("\n\n");
  return {
    headline: put("headline", headline),
    // What to do is worth more than what is; a short form has room for one.
    short: put("short", instruction === "" ? headline : `${headline.trim()}. ${instruction}`),
    full: put("full", join(description, instruction)),
    spoken: put("spoken", join(headline, instruction === "" ? description : instruction)),
  };
}

/** Words of CAP's free-text events, most telling first. */
const HAZARD_WORDS: readonly (readonly [RegExp, Hazard])[] = [
  [/tsunami|sóng thần/iu, "tsunami"],
  [/flash flood|lũ quét/iu, "flash-flood"],
  [/storm surge|coastal flood|nước dâng/iu, "storm-surge"],
  [/typhoon|hurricane|cyclone|tropical storm|\bbão\b/iu, "storm"],
  [/tropical depression|áp thấp/iu, "tropical-depression"],
  [/earthquake|động đất/iu, "earthquake"],
  [/landslide|sạt lở/iu, "landslide"],
  [/tornado|\blốc\b/iu, "tornado"],
  [/lightning|thunder|\bsét\b/iu, "lightning"],
  [/\bhail\b|mưa đá/iu, "hail"],
  [/flood|(?<!\p{L})lũ(?!\p{L})/iu, "flood"],
  [/\brain|mưa lớn/iu, "heavy-rain"],
  [/\bfire|cháy rừng/iu, "forest-fire"],
  [/drought|hạn hán/iu, "drought"],
  [/\bheat|nắng nóng/iu, "heat"],
  [/\bfog|sương mù/iu, "fog"],
  [/frost|freez|sương muối/iu, "frost"],
  [/\bcold|rét/iu, "cold"],
  [/small craft|gale|marine|gió mạnh/iu, "wind-at-sea"],
];

function hazardOf(info: CapInfo, remarks: string[]): Hazard {
  const code = valueOf(info.eventCodes, CAP_HAZARD);
  const coded = HAZARD_KEYS.find((hazard) => hazard === code);
  if (coded !== undefined) return coded;
  const guessed = HAZARD_WORDS.find(([words]) => words.test(info.event))?.[1];
  remarks.push(
    guessed === undefined
      ? `No hazard is known for the event "${info.event.trim()}"; choose one.`
      : `The hazard ${guessed} was guessed from the event "${info.event.trim()}".`,
  );
  return guessed ?? "other";
}

/** Hazards at the same time; they can raise the level, so a draft without them would lose it. */
function alongsideOf({ parameters }: CapInfo, hazard: Hazard): Hazard[] {
  const named = new Set(
    parameters
      .filter(({ valueName }) => valueName.trim() === CAP_ALONGSIDE)
      .map(({ value }) => value.trim()),
  );
  return HAZARD_KEYS.filter((key) => named.has(key) && key !== hazard);
}

/**
 * The bulletin from which the figures are: the one that the message quotes, where it quotes one,
 * and else the message itself.
 */
function sourceOf({ parameters }: CapInfo, itself: SourceBulletin): SourceBulletin {
  const [body, number, time] = [CAP_SOURCE_BODY, CAP_SOURCE_NUMBER, CAP_SOURCE_TIME].map((name) =>
    valueOf(parameters, name),
  );
  if (!body || !number || !time || parseInstant(time) === undefined) return itself;
  const line = (text: string, max: number): string => cleanText(text, { max, lines: false });
  return { body: line(body, NAME_MAX), number: line(number, NUMBER_MAX), time };
}

/** Only the source sets a level: it is taken if it is there, never worked out from severity. */
function levelOf(
  info: CapInfo,
  hazard: Hazard,
  alongside: readonly Hazard[],
  remarks: string[],
): RiskLevel | null {
  const given = valueOf(info.parameters, CAP_RISK_LEVEL);
  if (given === undefined) return null;
  const level = RISK_LEVELS.find((each) => String(each) === given);
  const fault =
    level === undefined ? `"${given}" is no level` : levelFault(hazard, level, alongside);
  if (level !== undefined && fault === undefined) return level;
  remarks.push(`The risk level was left out: ${fault}.`);
  return null;
}

function targetOf(info: CapInfo, remarks: string[]): Target {
  const { areas } = info;
  const codes = areas
    .flatMap(({ geocodes }) => geocodes)
    .filter(({ valueName }) => valueName.trim() === CAP_AREA)
    .map(({ value }) => value.trim());
  const polygons = areas.flatMap((area) => area.polygons);
  const circles = areas.flatMap((area) => area.circles).filter(({ radiusKm }) => radiusKm > 0);
  const [polygon] = polygons;
  const [circle] = circles;
  const villages = areas
    .flatMap(({ geocodes }) => geocodes)
    .filter(({ valueName }) => valueName.trim() === CAP_VILLAGE)
    .map(({ value }) => cleanText(value, { max: NAME_MAX, lines: false }));
  if (villages.length > 0)
    remarks.push(
      `It names villages that no pack has; add them as zones: ${villages.join("; ").slice(0, 300)}.`,
    );
  const base = { areas: [...new Set(codes)], zones: [] };
  if (codes.length > 0) {
    if (polygons.length + circles.length > 0)
      remarks.push("Its units are taken by their codes; its shapes are not.");
    return { ...base, rule: { kind: "named" } };
  }
  const position = ([latitude, longitude]: CapPoint) => [longitude, latitude] as const;
  if (polygons.length === 1 && circles.length === 0)
    return { ...base, polygon: (polygon ?? []).map(position), rule: { kind: "touches" } };
  if (circles.length === 1 && polygons.length === 0 && circle !== undefined)
    return {
      ...base,
      circle: { center: position(circle.center), radiusKm: circle.radiusKm },
      rule: { kind: "touches" },
    };
  // Taking some of several shapes would warn a part of the people and look as if it were all.
  remarks.push(
    `Choose the places: it names ${polygons.length} polygons and ${circles.length} circles (${areas
      .map(({ areaDesc }) => areaDesc.trim())
      .join("; ")
      .slice(0, 300)}).`,
  );
  return { ...base, rule: { kind: "named" } };
}

function expiryOf(info: CapInfo, kind: BulletinKind, now: Date, remarks: string[]): string {
  const expires = info.expires === undefined ? undefined : parseInstant(info.expires);
  const spanMs = expires === undefined ? 0 : expires.getTime() - now.getTime();
  if (expires !== undefined && spanMs > 0 && spanMs <= spanMaxMs(kind))
    return formatLocalTime(expires);
  remarks.push(
    `The expiry is set to ${DRAFT_LIFE_HOURS} hours from now: the message ${
      expires === undefined ? "names none" : spanMs <= 0 ? "has expired" : "lasts too long"
    }.`,
  );
  return formatLocalTime(new Date(now.getTime() + DRAFT_LIFE_HOURS * 3_600_000));
}
