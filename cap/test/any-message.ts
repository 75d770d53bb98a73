// Any conforming CAP message, for properties: every element there or not, texts in any script, with
// whatever XML must escape.
import fc from "fast-check";
import {
  CATEGORIES,
  CERTAINTIES,
  type CapArea,
  type CapInfo,
  type CapMessage,
  type CapNamedValue,
  type CapResource,
  MSG_TYPES,
  RESPONSE_TYPES,
  SEVERITIES,
  STATUSES,
  URGENCIES,
} from "../src/message.ts";

const FORBIDDEN = /[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const piece = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom(
    "&",
    "<b>",
    "]]>",
    "\r",
    "\n",
    " ",
    "\t",
    '"',
    "Bão số 9",
    "\u202e",
    "&amp;",
    "🌀",
  ),
);
const text = fc
  .array(piece, { maxLength: 4 })
  .map((all) => all.join(""))
  .filter((all) => all.trim() !== "" && !FORBIDDEN.test(all));
const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((each) => !/[\s,<&]/u.test(each) && !FORBIDDEN.test(each));

const two = (number: number): string => String(number).padStart(2, "0");
const instant = fc
  .record({
    ms: fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2100, 0) }),
    minutes: fc.integer({ min: 0, max: 14 * 60 }),
    sign: fc.constantFrom("+", "-"),
  })
  .map(({ ms, minutes, sign }) => {
    const offset = `${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
    return `${new Date(ms).toISOString().slice(0, 19)}${offset}`;
  });

const reference = fc.record({ sender: name, identifier: name, sent: instant });
const pair: fc.Arbitrary<CapNamedValue> = fc.record({ valueName: text, value: text });
const language = fc.constantFrom("vi-VN", "en", "en-US", "fr-CA", "es-419", "zh-Hant-TW");
const some = <T>(each: fc.Arbitrary<T>, minLength = 0): fc.Arbitrary<T[]> =>
  fc.array(each, { minLength, maxLength: minLength + 2 });

const coordinate = (max: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: -max, max }),
    fc.double({ min: -max, max, noNaN: true }).map((number) => number + 0),
    fc.constantFrom(1e-7, -1.5e-9, max, -max, 0),
  );
const point = fc.tuple(coordinate(90), coordinate(180));
const polygon = fc
  .array(point, { minLength: 3, maxLength: 6 })
  .map((points) => [...points, points[0] as [number, number]]);
const circle = fc.record({
  center: point,
  radiusKm: fc.oneof(fc.double({ min: 0, max: 1e22, noNaN: true }), fc.constantFrom(0, 1e21)),
});
const height = fc.integer({ min: -1000, max: 60_000 }).map(String);

/** A record of which any fields may be absent. */
const optional = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(fields, { requiredKeys: [] }) as unknown as fc.Arbitrary<Partial<T>>;

const area: fc.Arbitrary<CapArea> = fc
  .tuple(
    fc.record({
      areaDesc: text,
      polygons: some(polygon),
      circles: some(circle),
      geocodes: some(pair),
    }),
    fc.oneof(
      fc.constant({}),
      fc.record({ altitude: height }),
      fc.record({ altitude: height, ceiling: height }),
    ),
  )
  .map(([needed, heights]) => ({ ...needed, ...heights }));

const resource: fc.Arbitrary<CapResource> = fc
  .tuple(
    fc.record({ resourceDesc: text, mimeType: fc.constantFrom("image/png", "audio/mpeg") }),
    optional({
      size: fc.nat().map(String),
      uri: fc.webUrl(),
      derefUri: fc.base64String({ minLength: 4 }),
      digest: fc.constant("0".repeat(40)),
    }),
  )
  .map(([needed, more]) => ({ ...needed, ...more }));

const info: fc.Arbitrary<CapInfo> = fc
  .tuple(
    fc.record({
      language,
      categories: some(fc.constantFrom(...CATEGORIES), 1),
      event: fc.oneof(text, fc.constant("")),
      responseTypes: some(fc.constantFrom(...RESPONSE_TYPES)),
      urgency: fc.constantFrom(...URGENCIES),
      severity: fc.constantFrom(...SEVERITIES),
      certainty: fc.constantFrom(...CERTAINTIES),
      eventCodes: some(pair),
      parameters: some(pair),
      resources: some(resource),
      areas: some(area),
    }),
    optional({
      audience: text,
      effective: instant,
      onset: instant,
      expires: instant,
      senderName: text,
      headline: text,
      description: text,
      instruction: text,
      web: fc.webUrl(),
      contact: text,
    }),
  )
  .map(([needed, more]) => ({ ...needed, ...more }));

const unquoted = text.map((each) => each.replaceAll('"', "'"));

/** Conforms to the schema and to section 3 of the standard. */
export const anyMessage: fc.Arbitrary<CapMessage> = fc
  .tuple(
    fc.record({
      identifier: name,
      sender: name,
      sent: instant,
      status: fc.constantFrom(...STATUSES),
      msgType: fc.constantFrom(...MSG_TYPES),
      codes: some(text),
      references: some(reference, 1),
      infos: some(info),
      signatures: fc.constant(0),
      unknown: fc.constant([]),
    }),
    fc.oneof(
      fc.record({ scope: fc.constant("Public") }),
      fc.record({ scope: fc.constant("Restricted"), restriction: text }),
      fc.record({ scope: fc.constant("Private"), addresses: unquoted }),
    ),
    optional({ source: text, note: text, incidents: unquoted }),
  )
  .map(([needed, scope, more]) => ({ ...needed, ...scope, ...more }));
