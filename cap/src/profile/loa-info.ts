// The profile `loa`, in each info: what it is about, who says so and on what ground, and where.
import { isInstant } from "../instant.ts";
import type { CapArea, CapInfo, CapMessage, CapNamedValue } from "../message.ts";
import type { CapPlaces } from "../place.ts";
import type { Report } from "../report.ts";
import { isAfter } from "../value.ts";
import { checkPolygons } from "./google.ts";
import {
  CAP_ALONGSIDE,
  CAP_AREA,
  CAP_AREA_PACK,
  CAP_CORRECTION,
  CAP_HAZARD,
  CAP_LAST_BULLETIN,
  CAP_LEGAL_BASIS,
  CAP_NATURE,
  CAP_NATURES,
  CAP_NUMBER,
  CAP_RISK_LEVEL,
  CAP_SIGNATORY_POST,
  CAP_SOURCE_BODY,
  CAP_SOURCE_NUMBER,
  CAP_SOURCE_TIME,
  CAP_VILLAGE,
} from "./names.ts";
import { HAZARD_LEVELS, type HazardKey, RISK_LEVELS, riskRange } from "./risk.ts";

const VILLAGE = /^[^\s/]+\/\S[^/]*$/u;
const AREA_PACK = /^[a-z0-9]+(?:-[a-z0-9]+)*\/\d{4}-\d{2}-\d{2}$/u;

export function checkLoaInfo(
  report: Report,
  message: CapMessage,
  info: CapInfo,
  places: CapPlaces,
): void {
  const values = new Values(info);
  const need = (rule: string, name: string): void => {
    if (values.one(name) === undefined)
      report.error(rule, places.of(info), `there is no parameter ${name}`);
  };
  checkHazard(report, info, values, places);
  const nature = values.one(CAP_NATURE);
  if (!CAP_NATURES.some((each) => each === nature))
    report.error(
      "L4",
      placeOf(places, info, CAP_NATURE),
      `${CAP_NATURE} is not ${CAP_NATURES.join(", ")}`,
    );
  need("L5", CAP_NUMBER);
  need("L6", CAP_LEGAL_BASIS);
  need("L7", CAP_SIGNATORY_POST);
  checkSource(report, message, info, values, places);
  if (info.responseTypes.length === 0)
    report.error("I4", places.of(info), "there is no responseType");
  if (info.certainty === "Unknown" || info.severity === "Unknown" || info.urgency === "Unknown")
    report.warning("I5", places.of(info), "urgency, severity or certainty is Unknown");
  checkAreas(report, info, values, places);
  const last = values.one(CAP_LAST_BULLETIN);
  if (last !== undefined && last !== "true")
    report.error(
      "L14",
      placeOf(places, info, CAP_LAST_BULLETIN),
      `${CAP_LAST_BULLETIN} is not true`,
    );
  for (const name of [CAP_LAST_BULLETIN, CAP_CORRECTION])
    if (values.one(name) !== undefined && message.msgType !== "Update")
      report.error("L14", placeOf(places, info, name), `${name} in another message than an Update`);
}

class Values {
  readonly #parameters: readonly CapNamedValue[];

  constructor({ parameters }: CapInfo) {
    this.#parameters = parameters;
  }

  /** Of the parameter of that name; undefined when it is absent or empty. */
  one(name: string): string | undefined {
    return this.all(name)[0];
  }

  all(name: string): string[] {
    return this.#parameters
      .filter(({ valueName, value }) => valueName === name && value.trim() !== "")
      .map(({ value }) => value);
  }
}

const placeOf = (places: CapPlaces, info: CapInfo, name: string) =>
  places.of(info.parameters.find(({ valueName }) => valueName === name) ?? info);

const isHazard = (key: string | undefined): key is HazardKey =>
  key !== undefined && Object.hasOwn(HAZARD_LEVELS, key);

/** L2, L3: the hazard by key, and a level that it can have. */
function checkHazard(report: Report, info: CapInfo, values: Values, places: CapPlaces): void {
  const codes = info.eventCodes.filter(({ valueName }) => valueName === CAP_HAZARD);
  const [code] = codes;
  const hazard = code?.value;
  if (code === undefined || codes.length > 1)
    report.error("L2", places.of(info), `there is not exactly one eventCode ${CAP_HAZARD}`);
  else if (!isHazard(hazard))
    report.error("L2", places.of(code), `"${code.value.slice(0, 60)}" is no hazard of the profile`);
  const alongside = values.all(CAP_ALONGSIDE);
  for (const each of alongside)
    if (!isHazard(each))
      report.error("L2", placeOf(places, info, CAP_ALONGSIDE), "it is no hazard of the profile");
  const given = values.one(CAP_RISK_LEVEL);
  if (!isHazard(hazard)) return;
  const range = riskRange(hazard, alongside.length > 0);
  const at = placeOf(places, info, CAP_RISK_LEVEL);
  if (range === null) {
    if (given !== undefined) report.error("L3", at, `${hazard} has no risk levels`);
    return;
  }
  const level = RISK_LEVELS.find((each) => String(each) === given);
  if (given === undefined)
    report.warning(
      "L3",
      places.of(info),
      "there is no risk level; it is published with a forecast",
    );
  else if (level === undefined || level < range[0] || level > range[1])
    report.error(
      "L3",
      at,
      `${hazard} has risk levels ${range[0]} to ${range[1]}, not "${given.slice(0, 20)}"`,
    );
}

/**
 * L8: figures and levels of a forecast are those of the hydrometeorological service. So whoever
 * gives a level, or passes on a forecast, names the bulletin that it is from; the service its own.
 */
function checkSource(
  report: Report,
  message: CapMessage,
  info: CapInfo,
  values: Values,
  places: CapPlaces,
): void {
  const time = values.one(CAP_SOURCE_TIME);
  const names = [CAP_SOURCE_BODY, CAP_SOURCE_NUMBER, CAP_SOURCE_TIME];
  const missing = names.filter((name) => values.one(name) === undefined);
  const isQuoting =
    values.one(CAP_NATURE) === "forecast" || values.one(CAP_RISK_LEVEL) !== undefined;
  if (missing.length > 0 && (isQuoting || missing.length < names.length))
    report.error("L8", places.of(info), `there is no ${missing.join(", ")} of the source bulletin`);
  if (time === undefined) return;
  const at = placeOf(places, info, CAP_SOURCE_TIME);
  if (!isInstant(time)) report.error("L8", at, "the time of the source bulletin is none");
  else if (isAfter(time, message.sent))
    report.error("L8", at, "the source bulletin is later than the message that quotes it");
}

/** L10, L11: units by code of a dated pack, and villages. */
function checkAreas(report: Report, info: CapInfo, values: Values, places: CapPlaces): void {
  if (info.areas.length === 0) report.error("R0", places.of(info), "there is no area");
  const pack = values.one(CAP_AREA_PACK);
  const isCoded = info.areas.some(({ geocodes }) =>
    geocodes.some(({ valueName }) => valueName === CAP_AREA || valueName === CAP_VILLAGE),
  );
  if (isCoded && pack === undefined)
    report.error("L10", places.of(info), `there are codes and no parameter ${CAP_AREA_PACK}`);
  if (pack !== undefined && !AREA_PACK.test(pack))
    report.error(
      "L10",
      placeOf(places, info, CAP_AREA_PACK),
      "it is not name/YYYY-MM-DD of a pack",
    );
  for (const area of info.areas) {
    checkPolygons(report, places, area);
    checkCodes(report, area, places);
  }
}

/** The area is the union of its codes (R0): a commune's code beside its villages' is the commune. */
function checkCodes(report: Report, area: CapArea, places: CapPlaces): void {
  const coded = area.geocodes.filter(
    ({ valueName }) => valueName === CAP_AREA || valueName === CAP_VILLAGE,
  );
  if (coded.length === 0)
    report.error("L10", places.of(area), `the area has neither ${CAP_AREA} nor ${CAP_VILLAGE}`);
  if (new Set(coded.map(({ value }) => value)).size < coded.length)
    report.warning("L10", places.of(area), "the area has a code twice");
  for (const geocode of area.geocodes) {
    if (geocode.value.trim() === "") report.error("R4", places.of(geocode), "the code is empty");
    if (geocode.valueName === CAP_VILLAGE && !VILLAGE.test(geocode.value))
      report.error("L11", places.of(geocode), "it is not `commune code/name of the village`");
  }
}
