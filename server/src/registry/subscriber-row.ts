// One record of a list of subscribers, read and checked. What is wrong with it is told and
// the next record is read: a list of millions is never refused for one bad line.
import { type Standing, STANDINGS } from "@loa/model/bulletin-type.ts";
import { type EndpointKind, endpointBit } from "@loa/model/endpoint.ts";
import { Problem } from "@loa/model/problem.ts";
import { type Line, LINE_BYTES_MAX, NO_VALUES, openValueReader, textOf } from "./csv-line.ts";
import { openIds, REF_CHARS_MAX } from "./imported-id.ts";
import type { PlaceBook, Place } from "./place.ts";
import { rememberValues, type ValueReader } from "./remembered-value.ts";
import { storedPlaces } from "./subscriber-input.ts";
import {
  CONSENT_VERSION_CHARS_MAX,
  endpointFault,
  endpointsFault,
  type EndpointInput,
  FOLLOWS_MAX,
  isEndpointKind,
  PLACES_MAX,
  shortTextFault,
} from "./subscriber-field.ts";
import { packInts, packText } from "./subscriber-tuple.ts";

/** The columns of a list of subscribers; the marked ones may be left out. */
export const SUBSCRIBER_COLUMNS = [
  "ref",
  "kind",
  "standing",
  "home",
  "places",
  "follows",
  "endpoints",
  "consent_version",
  "consent_at",
] as const;
type Column = (typeof SUBSCRIBER_COLUMNS)[number];
const OPTIONAL: readonly Column[] = ["kind", "standing", "places", "follows"];

/** A record that can be stored; fields are packed as a tuple holds them. */
export interface SubscriberRow {
  readonly id: Uint8Array;
  readonly kind: Uint8Array;
  readonly standing: Uint8Array;
  readonly home: Place;
  readonly places: Uint8Array;
  readonly follows: Uint8Array;
  readonly endpoints: ParsedEndpoints;
  readonly consentVersion: string;
  readonly consentAtMs: number;
}

export interface ParsedEndpoints {
  readonly bits: number;
  /** Kind and address by turns, or null when there are none. */
  readonly addresses: readonly string[] | null;
}

/**
 * Reads records: a row, which is valid until the next one is read, or a sentence that says what is
 * wrong.
 */
export type RowReader = (line: Line) => SubscriberRow | string;

/** RFC 3339 with an offset, which is never guessed. */
const INSTANT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/**
 * Makes a reader for lists with this header line.
 * @throws {Problem} csv-invalid when the header lacks a column, or names one that nobody reads.
 */
export function openRowReader(
  header: Line,
  source: string,
  findPlace: PlaceBook,
  accounts: ReadonlyMap<string, number>,
): RowReader {
  const columns = readHeader(header);
  const width = columns.size;
  // A column that was left out is one beyond the last: its value is always missing.
  const at = (column: Column): number => columns.get(column) ?? width;
  const [ref, kind, standing, home] = [at("ref"), at("kind"), at("standing"), at("home")];
  const [places, follows, endpoints] = [at("places"), at("follows"), at("endpoints")];
  const [version, instant] = [at("consent_version"), at("consent_at")];
  const readValues = openValueReader();
  const idOf = openIds(source);
  const readKind = rememberValues(parseKind);
  const readStanding = rememberValues(parseStanding);
  const readHome = rememberValues((code) => parseHome(code, findPlace));
  const readPlaces = rememberValues((text) => parsePlaces(text, findPlace));
  const readFollows = rememberValues((text) => parseFollows(text, accounts));
  const readEndpoints = rememberValues(parseEndpoints);
  const readVersion = rememberValues(parseVersion);
  const readInstant = rememberValues(parseInstant);
  return (line) => {
    if (line.to - line.from > LINE_BYTES_MAX)
      return `the line is longer than ${LINE_BYTES_MAX} bytes`;
    const values = readValues(line);
    if (!values) return "a quote is not closed on its line, or stands inside a bare value";
    const { bytes, starts, ends, count } = values;
    if (count !== width) return `the line has ${count} values, the header ${width}`;
    const of = <T>(read: ValueReader<T>, column: number): T =>
      read(bytes, starts[column] as number, ends[column] as number);
    const nameFault = of(refFault, ref);
    if (nameFault) return `ref ${nameFault}`;
    const sort = of(readKind, kind);
    if (typeof sort === "string") return sort;
    const stands = of(readStanding, standing);
    if (typeof stands === "string") return stands;
    const living = of(readHome, home);
    if (typeof living === "string") return living;
    const further = of(readPlaces, places);
    if (typeof further === "string") return further;
    const following = of(readFollows, follows);
    if (typeof following === "string") return following;
    const reach = of(readEndpoints, endpoints);
    if (typeof reach === "string") return reach;
    if (stands.isExercise && reach.faultOfExercise) return reach.faultOfExercise;
    const consent = of(readVersion, version);
    if (typeof consent === "string") return consent;
    const agreed = of(readInstant, instant);
    if (typeof agreed === "string") return agreed;
    return {
      id: of(idOf, ref),
      kind: sort.packed,
      standing: stands.packed,
      home: living,
      places: further,
      follows: following,
      endpoints: reach,
      consentVersion: consent.text,
      consentAtMs: agreed.ms,
    };
  };
}

/** What is wrong with a reference. */
function refFault(bytes: Uint8Array, from: number, to: number): string | undefined {
  let at = from;
  while (at < to && (bytes[at] as number) >= SPACE && (bytes[at] as number) <= TILDE) at += 1;
  // Printable ASCII of the right length is not made a text to be checked.
  if (at === to && to > from && to - from <= REF_CHARS_MAX) return undefined;
  return shortTextFault(textOf(bytes, from, to), REF_CHARS_MAX);
}
const SPACE = 0x20;
const TILDE = 0x7e;

function parseKind(text: string): { readonly packed: Uint8Array } | string {
  const kind = text || "person";
  if (kind !== "person" && kind !== "organisation")
    return "kind is neither person nor organisation";
  return { packed: packText(kind) };
}

function parseStanding(
  text: string,
): { readonly packed: Uint8Array; readonly isExercise: boolean } | string {
  const standing = text || STANDINGS[0];
  if (!isStanding(standing)) return `standing is none of ${STANDINGS.join(", ")}`;
  return { packed: packText(standing), isExercise: standing === "exercise" };
}

const isStanding = (text: string): text is Standing =>
  (STANDINGS as readonly string[]).includes(text);

function readHeader(line: Line): Map<Column, number> {
  const { bytes, starts, ends, count } = openValueReader()(line) ?? NO_VALUES;
  const names = Array.from({ length: count }, (_, i) =>
    textOf(bytes, starts[i] as number, ends[i] as number).trim(),
  );
  const wanted = `The first line of the list names its columns: ${SUBSCRIBER_COLUMNS.join(",")}`;
  const columns = new Map<Column, number>();
  const faults: string[] = [];
  for (const [index, name] of names.entries()) {
    const column = SUBSCRIBER_COLUMNS.find((known) => known === name);
    if (!column) faults.push(`nobody reads the column ${JSON.stringify(name.slice(0, 60))}`);
    else if (columns.has(column)) faults.push(`the column ${column} is there twice`);
    else columns.set(column, index);
  }
  for (const column of SUBSCRIBER_COLUMNS)
    if (!columns.has(column) && !OPTIONAL.includes(column))
      faults.push(`the column ${column} is missing`);
  if (faults.length > 0)
    throw new Problem(
      "csv-invalid",
      `${wanted} (${OPTIONAL.join(", ")} may be left out).`,
      faults.slice(0, 20).map((what) => ({ at: "line 1", what })),
    );
  return columns;
}

function parseHome(code: string, findPlace: PlaceBook): Place | string {
  const answer = findPlace(code);
  return answer.kind === "fault" ? `home ${code} ${answer.what}` : answer.place;
}

function parsePlaces(text: string, findPlace: PlaceBook): Uint8Array | string {
  const codes = splitList(text);
  if (codes.length > PLACES_MAX) return `${codes.length} places, ${PLACES_MAX} are allowed`;
  const places: Place[] = [];
  for (const code of codes) {
    const answer = findPlace(code);
    if (answer.kind === "fault") return `place ${code} ${answer.what}`;
    places.push(answer.place);
  }
  return packInts(storedPlaces(places));
}

function parseFollows(text: string, accounts: ReadonlyMap<string, number>): Uint8Array | string {
  const handles = splitList(text);
  if (handles.length > FOLLOWS_MAX) return `${handles.length} follows, ${FOLLOWS_MAX} are allowed`;
  const ordinals = new Set<number>();
  for (const handle of handles) {
    const ordinal = accounts.get(handle);
    if (ordinal === undefined) return `follows ${handle}, and there is no such account`;
    ordinals.add(ordinal);
  }
  return packInts([...ordinals].toSorted((a, b) => a - b));
}

function parseEndpoints(
  text: string,
): (ParsedEndpoints & { readonly faultOfExercise: string | undefined }) | string {
  const endpoints: EndpointInput[] = [];
  for (const part of splitList(text)) {
    const colon = part.indexOf(":");
    const kind = colon < 0 ? part : part.slice(0, colon);
    if (!isEndpointKind(kind)) return `endpoint ${JSON.stringify(kind)} is of no known kind`;
    endpoints.push({ kind, address: colon < 0 ? null : part.slice(colon + 1) });
  }
  if (endpoints.length === 0) return "endpoints are missing";
  const faultFor = (standing: Standing) =>
    endpoints.map((endpoint) => endpointFault(endpoint, standing)).find((what) => what);
  const fault = endpointsFault(endpoints) ?? faultFor("public");
  if (fault) return `endpoints: ${fault}`;
  const addresses = endpoints.flatMap(({ kind, address }) => (address ? [kind, address] : []));
  return {
    bits: endpoints.reduce((bits, { kind }: { kind: EndpointKind }) => bits | endpointBit(kind), 0),
    addresses: addresses.length > 0 ? addresses : null,
    faultOfExercise: faultFor("exercise"),
  };
}

function parseVersion(text: string): { readonly text: string } | string {
  const fault = shortTextFault(text, CONSENT_VERSION_CHARS_MAX);
  return fault ? `consent_version ${fault}` : { text };
}

function parseInstant(text: string): { ms: number } | string {
  const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? "consent_at wants RFC 3339 with an offset" : { ms };
}

const splitList = (text: string): string[] =>
  text === "" ? [] : text.split(";").map((part) => part.trim());
