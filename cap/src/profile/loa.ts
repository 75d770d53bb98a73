// The profile `loa`, version 1.0: a CAP profile for Vietnam. docs/cap-profile.md is its text, and
// names each rule as it is named here: by the id of the CAP rule that it sharpens, or L1 to L15.
import { instantMs } from "../instant.ts";
import type { CapInfo, CapMessage } from "../message.ts";
import type { CapPlaces } from "../place.ts";
import type { CapPlace, Report } from "../report.ts";
import { findBareLevels } from "./bare-level.ts";
import { checkSame } from "./google.ts";
import { checkLoaInfo } from "./loa-info.ts";
import { checkParity } from "./loa-parity.ts";
import { CAP_CORRECTION, LOA_PROFILE_CODE } from "./names.ts";

/** Vietnam has one time zone, and no summer time. */
const OFFSET = /\+07:00$/u;
/** A warning is renewed by an Update and not by a long life. */
export const LOA_SPAN_MAX_MS = 72 * 3_600_000;
/** What the texts of a message that is not meant must begin with, so that no extract is believed. */
const MARKS: Readonly<Record<string, readonly [vi: string, en: string]>> = {
  Exercise: ["DIỄN TẬP", "EXERCISE"],
  Test: ["TIN THỬ NGHIỆM", "TEST MESSAGE"],
};

export function checkLoa(report: Report, message: CapMessage, places: CapPlaces): void {
  const { infos, msgType, codes, note } = message;
  const at = (name?: string) => places.of(message, name);
  if (!codes.includes(LOA_PROFILE_CODE))
    report.error("L1", at("code"), `there is no code ${LOA_PROFILE_CODE}`);
  checkOffset(report, "A3", message.sent, at("sent"));
  if (message.scope !== "Public") report.error("A6", at("scope"), "the scope is not Public");
  if (message.incidents === undefined) report.error("L9", at(), "there is no incident");
  if (msgType === "Cancel" && note === undefined)
    report.error("A10", at(), "a Cancel without a note that says why");
  if ((msgType === "Alert" || msgType === "Update") && infos.length === 0)
    report.error("I0", at(), `an ${msgType} without info`);
  checkBare(report, note, "vi", at("note"));
  for (const info of infos) {
    checkTimes(report, message, info, places);
    checkTexts(report, message, info, places);
    checkLoaInfo(report, message, info, places);
  }
  checkSame(report, places, infos);
  checkParity(report, places, infos);
}

function checkOffset(report: Report, rule: string, text: string | undefined, at: CapPlace): void {
  if (text !== undefined && instantMs(text) !== undefined && !OFFSET.test(text))
    report.error(rule, at, "the time is not in Vietnam's, +07:00");
}

function checkTimes(report: Report, message: CapMessage, info: CapInfo, places: CapPlaces): void {
  const at = (name?: string) => places.of(info, name);
  checkOffset(report, "A3", info.effective, at("effective"));
  checkOffset(report, "A3", info.onset, at("onset"));
  checkOffset(report, "A3", info.expires, at("expires"));
  const [sent, effective, expires] = [message.sent, info.effective, info.expires].map((text) =>
    instantMs(text ?? ""),
  );
  if (expires === undefined) {
    if (info.expires === undefined) report.error("I12", at(), "there is no expires");
    return;
  }
  if (effective !== undefined && effective > expires)
    report.error("I12", at("expires"), "it expires before it is effective");
  if (sent === undefined) return;
  if (expires <= sent) report.error("I12", at("expires"), "it had expired when it was sent");
  if (expires - sent > LOA_SPAN_MAX_MS)
    report.error("I12", at("expires"), "it lasts longer than 72 hours; renew it by an Update");
}

export const languageOf = ({ language }: CapInfo): "vi" | "en" | undefined => {
  const [primary] = language.toLowerCase().split("-");
  return primary === "vi" || primary === "en" ? primary : undefined;
};

function checkTexts(report: Report, message: CapMessage, info: CapInfo, places: CapPlaces): void {
  const at = (name?: string) => places.of(info, name);
  const { headline, description, instruction } = info;
  if (headline === undefined) report.error("I13", at(), "there is no headline");
  else if (Array.from(headline).length > 160)
    report.error("I13", at("headline"), "the headline is longer than 160 characters");
  if (description === undefined) report.error("I14", at(), "there is no description");
  const asks = info.responseTypes.some((word) => !["None", "AllClear", "Monitor"].includes(word));
  if (asks && instruction === undefined)
    report.error("I14", at(), "it asks for action and has no instruction");
  const texts = [headline, description, instruction].filter((text) => text !== undefined);
  if (new Set(texts.map((text) => text.trim())).size < texts.length)
    report.error("I14", at(), "headline, description and instruction are not all different");
  if (info.senderName === undefined) report.error("I16", at(), "there is no senderName");
  const language = languageOf(info);
  for (const name of ["event", "headline", "description", "instruction", "audience"] as const) {
    const text = info[name];
    checkBare(report, text, language, at(name));
    if (text !== undefined && text.normalize("NFC") !== text)
      report.error("T2", at(name), `the ${name} is not in Unicode's form NFC`);
  }
  for (const area of info.areas)
    checkBare(report, area.areaDesc, language, places.of(area, "areaDesc"));
  for (const parameter of info.parameters)
    if (parameter.valueName === CAP_CORRECTION)
      checkBare(report, parameter.value, language, places.of(parameter));
  const mark = MARKS[message.status]?.[language === "en" ? 1 : 0];
  if (mark !== undefined && headline !== undefined && !headline.startsWith(mark))
    report.error("L13", at("headline"), `the headline does not begin with "${mark}"`);
  checkRescue(report, instruction, at("instruction"));
}

function checkBare(
  report: Report,
  text: string | undefined,
  language: "vi" | "en" | undefined,
  at: CapPlace,
): void {
  if (text === undefined || language === undefined) return;
  for (const { words, advice } of findBareLevels(text, language))
    report.error("L12", at, `"${words}" can be misread; ${advice}`);
}

/** 112 is the one number for rescue; the others are linked with it. */
function checkRescue(report: Report, instruction: string | undefined, at: CapPlace): void {
  const numbers = instruction?.match(/(?<!\d)11[2-5](?!\d)/gu) ?? [];
  if (numbers.length > 0 && numbers[0] !== "112")
    report.warning("L15", at, `names ${numbers[0]} before 112, the number for rescue`);
}
