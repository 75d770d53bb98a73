// The profile `google`: what Google Public Alerts demands and recommends beyond CAP itself, as its
// validator does. A warning here is a recommendation there.
import { crossesItself } from "../polygon.ts";
import type { CapInfo, CapMessage } from "../message.ts";
import type { CapPlaces } from "../place.ts";
import type { Report } from "../report.ts";
import { isAfter } from "../value.ts";

export const GOOGLE_HEADLINE_MAX = 140;
export const GOOGLE_AREA_DESC_MAX = 50;

export function checkGoogle(report: Report, message: CapMessage, places: CapPlaces): void {
  const { infos, msgType, references, status } = message;
  const at = (name?: string) => places.of(message, name);
  if (infos.length === 0) report.error("I0", at(), "there is no info");
  if (status === "Test") report.warning("A4", at("status"), "Test is discouraged");
  if (/[-+]00:00$/u.test(message.sent))
    report.warning("A3", at("sent"), "the offset is zero; give that of the place");
  if (message.restriction !== undefined && message.scope !== "Restricted")
    report.error("A7", at("restriction"), "there is a restriction and the scope is not Restricted");
  const isFollowing = msgType === "Update" || msgType === "Cancel";
  for (const reference of references)
    if (
      isFollowing &&
      reference.identifier === message.identifier &&
      reference.sender === message.sender
    )
      report.error("A11", at("references"), "it refers to itself");
  for (const info of infos) checkInfo(report, places, info);
  checkSame(report, places, infos);
}

function checkInfo(report: Report, places: CapPlaces, info: CapInfo): void {
  const at = (name?: string) => places.of(info, name);
  const { headline, description, instruction, expires, effective, web } = info;
  if (description === undefined) report.error("I14", at(), "there is no description");
  if (expires === undefined) report.error("I12", at(), "there is no expires");
  if (isAfter(effective, expires))
    report.error("I12", at("expires"), "it expires before it is effective");
  if (web === undefined) report.error("I15", at(), "there is no web");
  else if (!URL.canParse(web)) report.error("I15", at("web"), "the web address is not absolute");
  for (const name of ["urgency", "severity", "certainty"] as const)
    if (info[name] === "Unknown")
      report.warning(RULE[name], at(name), `${name} Unknown is discouraged`);
  if (info.senderName === undefined) report.warning("I16", at(), "there is no senderName");
  if (info.contact === undefined) report.warning("I16", at(), "there is no contact");
  if (info.responseTypes.length === 0) report.warning("I4", at(), "there is no responseType");
  if (instruction === undefined) report.warning("I14", at(), "there is no instruction");
  if (headline === undefined) report.warning("I13", at(), "there is no headline");
  else if (headline.length > GOOGLE_HEADLINE_MAX)
    report.warning("I13", at("headline"), `the headline is longer than ${GOOGLE_HEADLINE_MAX}`);
  const texts = [headline, description, instruction].filter((text) => text !== undefined);
  if (new Set(texts.map((text) => text.trim())).size < texts.length)
    report.warning("I14", at(), "headline, description and instruction are not all different");
  checkResourcesAndAreas(report, places, info);
}

const RULE = { urgency: "I5", severity: "I6", certainty: "I7" } as const;

function checkResourcesAndAreas(report: Report, places: CapPlaces, info: CapInfo): void {
  for (const resource of info.resources)
    if (
      resource.uri !== undefined &&
      resource.derefUri === undefined &&
      !URL.canParse(resource.uri)
    )
      report.error("S4", places.of(resource, "uri"), "the uri is not absolute and has no content");
  if (info.areas.length === 0) report.error("R0", places.of(info), "there is no area");
  for (const area of info.areas) {
    const { polygons, circles, geocodes, areaDesc } = area;
    if (polygons.length + circles.length + geocodes.length === 0)
      report.error("R0", places.of(area), "the area has neither shape nor code");
    if (areaDesc.length > GOOGLE_AREA_DESC_MAX)
      report.warning("R1", places.of(area, "areaDesc"), `longer than ${GOOGLE_AREA_DESC_MAX}`);
    checkPolygons(report, places, area);
    for (const [index, { radiusKm }] of circles.entries())
      if (radiusKm === 0) report.warning("R3", places.of(area, "circle", index), "cannot be shown");
    for (const geocode of geocodes)
      if (geocode.valueName.trim() === "" || geocode.value.trim() === "")
        report.warning("R4", places.of(geocode), "the geocode is empty");
  }
}

/** R2: rings that cross themselves; also of the profile `loa`. */
export function checkPolygons(
  report: Report,
  places: CapPlaces,
  area: CapInfo["areas"][number],
): void {
  for (const [index, polygon] of area.polygons.entries()) {
    const crosses = crossesItself(polygon);
    const at = places.of(area, "polygon", index);
    if (crosses === true) report.error("R2", at, "the polygon crosses itself");
    if (crosses === "unknown")
      report.warning("R2", at, "too large to say whether the polygon crosses itself");
  }
}

/** M1, I3, M3: what must or should be the same, or not, between infos. */
export function checkSame(report: Report, places: CapPlaces, infos: readonly CapInfo[]): void {
  const [first] = infos;
  if (first === undefined) return;
  for (const info of infos.slice(1)) {
    const at = (name?: string) => places.of(info, name);
    if (!isSame(first.categories, info.categories))
      report.error("M1", at("category"), "the categories differ from those of the first info");
    if (!isSame(first.eventCodes, info.eventCodes))
      report.error("M1", at("eventCode"), "the event codes differ from those of the first info");
    const ofLanguage = infos.find(({ language }) => language === info.language);
    if (ofLanguage?.event !== info.event)
      report.warning("I3", at("event"), "the event differs from the first in this language");
    if (first.language === info.language) continue;
    for (const name of ["event", "headline", "description", "instruction"] as const)
      if (info[name] !== undefined && info[name] === first[name])
        report.warning("M3", at(name), `the ${name} is the same as in ${first.language}`);
  }
}

/** Equal as data, in the order in which the message has it. */
export const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
