// Reads what a message says in one language: the info block with its resources and areas (3.2.2 to
// 3.2.4 of the standard).
import { createHash } from "node:crypto";
import {
  CATEGORIES,
  CERTAINTIES,
  type CapArea,
  type CapInfo,
  type CapNamedValue,
  type CapResource,
  RESPONSE_TYPES,
  SEVERITIES,
  URGENCIES,
} from "./message.ts";
import { takeParts } from "./parts.ts";
import type { CapPlaces } from "./place.ts";
import type { Report } from "./report.ts";
import { AREA, INFO, PAIRS, RESOURCE } from "./schema.ts";
import { readCircle, readPolygon } from "./shape.ts";
import { clip } from "./text.ts";
import {
  checkMimeType,
  checkUri,
  isAfter,
  readDecimal,
  readInstant,
  readLanguage,
  readWord,
} from "./value.ts";
import type { XmlElement } from "./xml.ts";

export function readInfo(report: Report, places: CapPlaces, node: XmlElement): CapInfo {
  const parts = takeParts(report, node, INFO);
  const event = parts.one("event");
  if (event !== undefined && event.text.trim() === "")
    report.warning("I3", event, "the event is empty");
  checkUri(report, "I15", parts.one("web"));
  const effective = readInstant(report, "I10", parts.one("effective"));
  const onset = readInstant(report, "I11", parts.one("onset"));
  const expires = readInstant(report, "I12", parts.one("expires"));
  if (expires === undefined) report.warning("I12", node, "there is no expires");
  else if (isAfter(effective, expires))
    report.warning("I12", parts.one("expires") ?? node, "it expires before it is effective");
  const audience = parts.text("audience");
  const senderName = parts.text("senderName");
  const headline = parts.text("headline");
  const description = parts.text("description");
  const instruction = parts.text("instruction");
  const web = parts.text("web");
  const contact = parts.text("contact");
  const words = (name: string, rule: string, list: readonly string[]): string[] =>
    parts.all(name).map((each) => readWord(report, rule, each, list));
  const pairs = (name: keyof typeof PAIRS): CapNamedValue[] =>
    parts.all(name).map((each) => readPair(report, places, name, each));
  const info: CapInfo = {
    language: readLanguage(report, parts.one("language")),
    categories: words("category", "I2", CATEGORIES),
    event: event?.text ?? "",
    responseTypes: words("responseType", "I4", RESPONSE_TYPES),
    urgency: readWord(report, "I5", parts.one("urgency"), URGENCIES),
    severity: readWord(report, "I6", parts.one("severity"), SEVERITIES),
    certainty: readWord(report, "I7", parts.one("certainty"), CERTAINTIES),
    ...(audience !== undefined && { audience }),
    eventCodes: pairs("eventCode"),
    ...(effective !== undefined && { effective }),
    ...(onset !== undefined && { onset }),
    ...(expires !== undefined && { expires }),
    ...(senderName !== undefined && { senderName }),
    ...(headline !== undefined && { headline }),
    ...(description !== undefined && { description }),
    ...(instruction !== undefined && { instruction }),
    ...(web !== undefined && { web }),
    ...(contact !== undefined && { contact }),
    parameters: pairs("parameter"),
    resources: parts.all("resource").map((each) => readResource(report, places, each)),
    areas: parts.all("area").map((each) => readArea(report, places, each)),
  };
  return places.keep(info, node);
}

function readPair(
  report: Report,
  places: CapPlaces,
  kind: keyof typeof PAIRS,
  node: XmlElement,
): CapNamedValue {
  const parts = takeParts(report, node, PAIRS[kind]);
  const pair = {
    valueName: parts.one("valueName")?.text ?? "",
    value: parts.one("value")?.text ?? "",
  };
  return places.keep(pair, node);
}

function readResource(report: Report, places: CapPlaces, node: XmlElement): CapResource {
  const parts = takeParts(report, node, RESOURCE);
  checkMimeType(report, parts.one("mimeType"));
  const sizeAt = parts.one("size");
  const size = sizeAt?.text.trim();
  if (sizeAt !== undefined && !/^[-+]?\d+$/u.test(size ?? ""))
    report.error("S3", sizeAt, `"${clip(sizeAt.text)}" is not a whole number`);
  const uri = parts.text("uri");
  const derefUri = parts.text("derefUri");
  const digest = parts.text("digest");
  // Beside a derefUri a uri may be just the name of the content.
  if (derefUri === undefined) checkUri(report, "S4", parts.one("uri"));
  else checkContent(report, parts.one("derefUri") ?? node, derefUri, digest);
  const resource: CapResource = {
    resourceDesc: parts.one("resourceDesc")?.text ?? "",
    mimeType: parts.one("mimeType")?.text ?? "",
    ...(size !== undefined && size !== "" && { size }),
    ...(uri !== undefined && { uri }),
    ...(derefUri !== undefined && { derefUri }),
    ...(digest !== undefined && { digest }),
  };
  return places.keep(resource, node);
}

/** S5, S6: base64, and the digest that is given for it. The digest is SHA-1 and proves nothing. */
function checkContent(
  report: Report,
  node: XmlElement,
  derefUri: string,
  digest: string | undefined,
): void {
  const base64 = derefUri.replaceAll(/\s+/gu, "");
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/u.test(base64)) {
    report.error("S5", node, "the derefUri is not base64");
    return;
  }
  if (digest === undefined) return;
  const found = createHash("sha1").update(base64, "base64").digest("hex");
  if (found !== digest.trim().toLowerCase())
    report.warning("S6", node, "the digest is not that of the content");
}

function readArea(report: Report, places: CapPlaces, node: XmlElement): CapArea {
  const parts = takeParts(report, node, AREA);
  const areaDesc = parts.one("areaDesc");
  if (areaDesc !== undefined && areaDesc.text.trim() === "")
    report.error("R1", areaDesc, "the areaDesc is empty");
  const altitude = readDecimal(report, parts.one("altitude"));
  const ceiling = readDecimal(report, parts.one("ceiling"));
  if (ceiling !== undefined && altitude === undefined)
    report.error("R5", parts.one("ceiling") ?? node, "there is a ceiling without an altitude");
  const area: CapArea = {
    areaDesc: areaDesc?.text ?? "",
    polygons: parts
      .all("polygon")
      .map((each) => readPolygon(report, each))
      .filter((polygon) => polygon !== undefined),
    circles: parts
      .all("circle")
      .map((each) => readCircle(report, each))
      .filter((circle) => circle !== undefined),
    geocodes: parts.all("geocode").map((each) => readPair(report, places, "geocode", each)),
    ...(altitude !== undefined && { altitude }),
    ...(ceiling !== undefined && { ceiling }),
  };
  return places.keep(area, node);
}
