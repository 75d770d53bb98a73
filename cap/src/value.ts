// Reads and checks single values: words of a list, instants, pairs, points. A value that breaks its
// rule is reported and returned as it stands.
import { type CapPoint, type CapReference, DEFAULT_LANGUAGE } from "./message.ts";
import type { Report } from "./report.ts";
import type { XmlNode } from "./xml.ts";

/** Points of one message's shapes together; protects memory and geometry that comes after. */
export const CAP_POINTS_MAX = 100_000;

/** A1, A2: what identifier and sender must not hold, since references join them by commas. */
const FORBIDDEN = /[\s,<&]/u;
const INSTANT = /^\d{4}-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)[-+]\d\d:\d\d$/u;
/** BCP 47 as xs:language has it: no underscore. */
const LANGUAGE = /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/u;
const DECIMAL = /^[-+]?(\d+(\.\d*)?|\.\d+)$/u;
/** T2: characters that reorder or hide what is read. */
// oxlint-disable-next-line no-misleading-character-class -- single characters are what it looks for.
const HIDDEN = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

export function checkName(report: Report, rule: string, node: XmlNode): void {
  if (node.text === "") report.error(rule, node, `${node.name} is empty`);
  else if (FORBIDDEN.test(node.text))
    report.error(rule, node, `${node.name} holds a space, a comma, "<" or "&"`);
  if (HIDDEN.test(node.text)) report.warning("T2", node, `${node.name} holds a hidden character`);
}

/** A word of a closed list; case matters (X5). Surrounding space is XML's, not the word's. */
export function readWord(
  report: Report,
  rule: string,
  node: XmlNode | undefined,
  words: readonly string[],
): string {
  if (node === undefined) return "";
  const word = node.text.trim();
  if (!words.includes(word))
    report.error(rule, node, `${node.name} is "${clip(word)}", not one of ${words.join(", ")}`);
  return word;
}

/** A3: `YYYY-MM-DDThh:mm:ss±hh:mm` of a day that exists. */
export function readInstant(
  report: Report,
  rule: string,
  node: XmlNode | undefined,
): string | undefined {
  if (node === undefined) return undefined;
  const text = node.text.trim();
  if (text === "" && node.name !== "sent") return undefined;
  if (!isInstant(text))
    report.error(rule, node, `"${clip(text)}" is not YYYY-MM-DDThh:mm:ss±hh:mm of a real day`);
  return text;
}

export function isInstant(text: string): boolean {
  if (!INSTANT.test(text) || Number.isNaN(Date.parse(text))) return false;
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text.slice(0, 10));
}

/** I1; absent or empty is English of the United States. */
export function readLanguage(report: Report, node: XmlNode | undefined): string {
  const text = node?.text.trim() ?? "";
  if (node === undefined || text === "") return DEFAULT_LANGUAGE;
  if (!LANGUAGE.test(text)) report.error("I1", node, `"${clip(text)}" is not a language tag`);
  return text;
}

/** I15, S4: a full absolute URI. xs:anyURI lets `www.example.org` pass, and real senders write it. */
export function checkUri(report: Report, rule: string, node: XmlNode): void {
  const text = node.text.trim();
  if (text !== "" && !URL.canParse(text))
    report.warning(rule, node, `"${clip(text)}" is not an absolute URI`);
}

/** A11: space-separated triples `sender,identifier,sent`. */
export function readReferences(report: Report, node: XmlNode | undefined): CapReference[] {
  if (node === undefined) return [];
  return node.text
    .split(/\s+/u)
    .filter((token) => token !== "")
    .flatMap((token) => {
      const parts = token.split(",");
      const [sender, identifier, sent] = parts as [string, string, string];
      if (parts.length === 3 && sender !== "" && identifier !== "" && isInstant(sent))
        return [{ sender, identifier, sent }];
      report.error("A11", node, `"${clip(token)}" is not sender,identifier,sent`);
      return [];
    });
}

function readPoint(token: string): CapPoint | undefined {
  const parts = token.split(",");
  if (parts.length !== 2 || !parts.every((part) => DECIMAL.test(part))) return undefined;
  return [Number(parts[0]), Number(parts[1])];
}

const isOnEarth = ([latitude, longitude]: CapPoint): boolean =>
  Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;

/** R2: at least four points, the first again at the end. Undefined when it is no polygon. */
export function readPolygon(report: Report, node: XmlNode): CapPoint[] | undefined {
  const tokens = node.text.split(/\s+/u).filter((token) => token !== "");
  if (tokens.length === 0) {
    report.warning("X8", node, "the polygon is empty");
    return undefined;
  }
  if (tokens.length > CAP_POINTS_MAX) {
    report.error("X3", node, `has ${tokens.length} points, ${CAP_POINTS_MAX} are allowed`);
    return undefined;
  }
  const points: CapPoint[] = [];
  for (const token of tokens) {
    const point = readPoint(token);
    if (point === undefined) {
      report.error("R2", node, `"${clip(token)}" is not latitude,longitude`);
      return undefined;
    }
    if (!isOnEarth(point)) {
      report.error("R2", node, `"${clip(token)}" is not on Earth (longitude first?)`);
      return undefined;
    }
    points.push(point);
  }
  const [first, last] = [points[0], points.at(-1)] as [CapPoint, CapPoint];
  const closed = first[0] === last[0] && first[1] === last[1];
  if (points.length < 4) report.error("R2", node, `has ${points.length} points, 4 are the least`);
  if (!closed) report.error("R2", node, "does not end where it begins");
  return points.length >= 4 && closed ? points : undefined;
}

/** R3: `latitude,longitude radius`, in kilometres. */
export function readCircle(
  report: Report,
  node: XmlNode,
): { center: CapPoint; radiusKm: number } | undefined {
  const [pair = "", radius = "", ...rest] = node.text.trim().split(/\s+/u);
  const center = readPoint(pair);
  const radiusKm = DECIMAL.test(radius) ? Number(radius) : Number.NaN;
  if (center === undefined || rest.length > 0 || !(radiusKm >= 0)) {
    report.error("R3", node, `"${clip(node.text)}" is not latitude,longitude radius`);
    return undefined;
  }
  if (!isOnEarth(center)) {
    report.error("R3", node, `"${clip(pair)}" is not on Earth (longitude first?)`);
    return undefined;
  }
  if (radiusKm === 0) report.warning("R3", node, "the radius is 0");
  return { center, radiusKm };
}

/** R5: feet. */
export function readDecimal(report: Report, node: XmlNode | undefined): string | undefined {
  const text = node?.text.trim() ?? "";
  if (node === undefined || text === "") return undefined;
  if (!DECIMAL.test(text)) report.error("R5", node, `"${clip(text)}" is not a number`);
  return text;
}

/** Text of the world in a message of ours: short, so that a report stays readable. */
export const clip = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
