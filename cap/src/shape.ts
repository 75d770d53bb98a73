// R2 and R3: polygons and circles from their text. A shape that cannot be read is an error and is
// missing from the message as a whole; it never becomes a smaller or another shape in silence.
import { CAP_POINTS_MAX } from "./limit.ts";
import type { CapCircle, CapPoint } from "./message.ts";
import type { Report } from "./report.ts";
import { clip } from "./text.ts";
import type { XmlElement } from "./xml.ts";

const DECIMAL = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)$/;
/** A point of a polygon that ends where it begins. */
const POINTS_MIN = 4;

export const isDecimal = (text: string): boolean => DECIMAL.test(text);

/** Undefined when it is no polygon. */
export function readPolygon(report: Report, node: XmlElement): readonly CapPoint[] | undefined {
  const tokens = splitSpace(mendedText(report, node));
  if (tokens.length === 0) {
    report.warning("X8", node, "the polygon is empty");
    return undefined;
  }
  if (!report.takePoints(tokens.length)) {
    report.error("X3", node, `the message has more than ${CAP_POINTS_MAX} points`);
    return undefined;
  }
  const points: CapPoint[] = [];
  for (const token of tokens) {
    const point = readPoint(report, "R2", node, token);
    if (point === undefined) return undefined;
    points.push(point);
  }
  const [first, last] = [points[0], points.at(-1)] as [CapPoint, CapPoint];
  let isClosed = first[0] === last[0] && first[1] === last[1];
  if (!isClosed && points.length >= POINTS_MIN - 1 && report.mends("close-ring", node)) {
    points.push(first);
    isClosed = true;
  }
  const isEnough = points.length >= POINTS_MIN;
  if (!isEnough)
    report.error("R2", node, `has ${points.length} points, ${POINTS_MIN} are the least`);
  if (!isClosed) report.error("R2", node, "does not end where it begins");
  return isEnough && isClosed ? points : undefined;
}

/** `latitude,longitude radius`, in kilometres. */
export function readCircle(report: Report, node: XmlElement): CapCircle | undefined {
  const [pair = "", radius = "", ...rest] = splitSpace(mendedText(report, node));
  if (pair === "") {
    report.warning("X8", node, "the circle is empty");
    return undefined;
  }
  const radiusKm = isDecimal(radius) ? Number(radius) : Number.NaN;
  if (rest.length > 0 || !(radiusKm >= 0) || !report.takePoints(1)) {
    report.error("R3", node, `"${clip(node.text)}" is not latitude,longitude radius`);
    return undefined;
  }
  const center = readPoint(report, "R3", node, pair);
  if (center === undefined) return undefined;
  if (radiusKm === 0) report.warning("R3", node, "the radius is 0");
  return { center, radiusKm: radiusKm + 0 };
}

function readPoint(
  report: Report,
  rule: string,
  node: XmlElement,
  token: string,
): CapPoint | undefined {
  const comma = token.indexOf(",");
  const [first, second] = [token.slice(0, comma), token.slice(comma + 1)];
  if (comma === -1 || !isDecimal(first) || !isDecimal(second)) {
    report.error(rule, node, `"${clip(token)}" is not latitude,longitude`);
    return undefined;
  }
  // Adding 0 makes -0 the 0 that it means.
  const [latitude, longitude] = [Number(first) + 0, Number(second) + 0];
  if (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180) return [latitude, longitude];
  report.error(rule, node, `"${clip(token)}" is not on Earth (longitude first?)`);
  return undefined;
}

function mendedText(report: Report, node: XmlElement): string {
  const { text } = node;
  if (!/[()]/u.test(text) || !report.mends("strip-parentheses", node)) return text;
  return text.replaceAll(/[()]/gu, " ").replaceAll(/ *, */gu, ",");
}

const splitSpace = (text: string): string[] =>
  text.split(/[ \t\n\r]+/u).filter((token) => token !== "");
