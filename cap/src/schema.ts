// The order and number of CAP 1.2's elements, as data: CAP-v1.2.xsd is a sequence everywhere. The
// rule beside each element is the one that is broken when it is missing or there too often.

export const CAP_NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2";
export const SIGNATURE_NAMESPACE = "http://www.w3.org/2000/09/xmldsig#";

/** How often: once, at most once, at least once, any number of times. */
export type Often = "1" | "?" | "+" | "*";
interface Row {
  readonly name: string;
  readonly often: Often;
  readonly rule: string;
}

export interface Sequence {
  readonly rows: readonly Row[];
  /** Where in the order an element stands. */
  readonly places: ReadonlyMap<string, number>;
}

const sequence = (
  ...rows: readonly (readonly [name: string, often: Often, rule: string])[]
): Sequence => ({
  rows: rows.map(([name, often, rule]) => ({ name, often, rule })),
  places: new Map(rows.map(([name], index) => [name, index])),
});

export const ALERT: Sequence = sequence(
  ["identifier", "1", "A1"],
  ["sender", "1", "A2"],
  ["sent", "1", "A3"],
  ["status", "1", "A4"],
  ["msgType", "1", "A5"],
  ["source", "?", "A10"],
  ["scope", "1", "A6"],
  ["restriction", "?", "A7"],
  ["addresses", "?", "A8"],
  ["code", "*", "A9"],
  ["note", "?", "A10"],
  ["references", "?", "A11"],
  ["incidents", "?", "A12"],
  ["info", "*", "I0"],
);

export const INFO: Sequence = sequence(
  ["language", "?", "I1"],
  ["category", "+", "I2"],
  ["event", "1", "I3"],
  ["responseType", "*", "I4"],
  ["urgency", "1", "I5"],
  ["severity", "1", "I6"],
  ["certainty", "1", "I7"],
  ["audience", "?", "X5"],
  ["eventCode", "*", "I9"],
  ["effective", "?", "I10"],
  ["onset", "?", "I11"],
  ["expires", "?", "I12"],
  ["senderName", "?", "I16"],
  ["headline", "?", "I13"],
  ["description", "?", "I14"],
  ["instruction", "?", "I14"],
  ["web", "?", "I15"],
  ["contact", "?", "I16"],
  ["parameter", "*", "I17"],
  ["resource", "*", "S1"],
  ["area", "*", "R0"],
);

export const RESOURCE: Sequence = sequence(
  ["resourceDesc", "1", "S1"],
  ["mimeType", "1", "S2"],
  ["size", "?", "S3"],
  ["uri", "?", "S4"],
  ["derefUri", "?", "S5"],
  ["digest", "?", "S6"],
);

export const AREA: Sequence = sequence(
  ["areaDesc", "1", "R1"],
  ["polygon", "*", "R2"],
  ["circle", "*", "R3"],
  ["geocode", "*", "R4"],
  ["altitude", "?", "R5"],
  ["ceiling", "?", "R5"],
);

/** eventCode, parameter and geocode are pairs; the rule is the element's own. */
const namedValue = (rule: string): Sequence =>
  sequence(["valueName", "1", rule], ["value", "1", rule]);

export const PAIRS = {
  eventCode: namedValue("I9"),
  parameter: namedValue("I17"),
  geocode: namedValue("R4"),
} as const;
