// One record of a list of subscribers, read and checked. What is wrong with it is told and
// the next record is read: a list of millions is never refused for one bad line.
import { type Standing, STANDINGS } from "@loa/model/bulletin-type.ts";
import { type EndpointKind, endpointBit } from "@loa/model/endpoint.ts";
import { Problem } from "@loa/model/problem.ts";
import { LINE_CHARS_MAX, splitValues } from "./csv-line.ts";
import { type ImportedKey, openKeys } from "./imported-id.ts";
import type { PlaceBook, Place } from "./place.ts";
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
/** Longest reference of a person in the list that it comes from. */
export const REF_CHARS_MAX = 200;
/** Distinct sets of endpoints or follows that are remembered; others are read again. */
const REMEMBERED_MAX = 10_000;

/** A record that can be stored. */
export interface SubscriberRow {
  readonly key: ImportedKey;
  readonly kind: "person" | "organisation";
  readonly standing: Standing;
  readonly home: Place;
  readonly places: readonly number[];
  readonly follows: readonly number[];
  readonly endpoints: ParsedEndpoints;
  readonly consentVersion: string;
  readonly consentAtMs: number;
}

export interface ParsedEndpoints {
  readonly bits: number;
  /** Kind and address by turns, or null when there are none. */
  readonly addresses: readonly string[] | null;
}

/** Reads records: a row, or a sentence that says what is wrong. */
export type RowReader = (line: string) => SubscriberRow | string;

/** RFC 3339 with an offset, which is never guessed. */
const INSTANT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/**
 * Makes a reader for lists with this header line.
 * @throws {Problem} csv-invalid when the header lacks a column, or names one that nobody reads.
 */
export function openRowReader(
  header: string,
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
  const keyOf = openKeys(source);
  const readEndpoints = remember(parseEndpoints);
  const readFollows = remember((text) => parseFollows(text, accounts));
  const readInstant = remember(parseInstant);
  const readVersion = remember((text) => {
    const fault = shortTextFault(text, CONSENT_VERSION_CHARS_MAX);
    return fault ? `consent_version ${fault}` : { text };
  });
  return (line) => {
    if (line.length > LINE_CHARS_MAX) return `the line is longer than ${LINE_CHARS_MAX} characters`;
    const values = splitValues(line);
    if (!values) return "a quote is not closed on its line, or stands inside a bare value";
    if (values.length !== width) return `the line has ${values.length} values, the header ${width}`;
    const name = values[ref] as string;
    const nameFault = shortTextFault(name, REF_CHARS_MAX);
    if (nameFault) return `ref ${nameFault}`;
    const sort = values[kind] || "person";
    if (sort !== "person" && sort !== "organisation")
      return "kind is neither person nor organisation";
    const stands = values[standing] || STANDINGS[0];
    if (!isStanding(stands)) return `standing is none of ${STANDINGS.join(", ")}`;
    const living = findPlace(values[home] as string);
    if (living.kind === "fault") return `home ${values[home]} ${living.what}`;
    const further = parsePlaces(values[places] ?? "", findPlace);
    if (typeof further === "string") return further;
    const following = readFollows(values[follows] ?? "");
    if (typeof following === "string") return following;
    const reach = readEndpoints(values[endpoints] as string);
    if (typeof reach === "string") return reach;
    if (stands === "exercise" && reach.faultOfExercise) return reach.faultOfExercise;
    const consent = readVersion(values[version] as string);
    if (typeof consent === "string") return consent;
    const agreed = readInstant(values[instant] as string);
    if (typeof agreed === "string") return agreed;
    return {
      key: keyOf(name),
      kind: sort,
      standing: stands,
      home: living.place,
      places: further,
      follows: following.ordinals,
      endpoints: reach,
      consentVersion: consent.text,
      consentAtMs: agreed.ms,
    };
  };
}

const isStanding = (text: string): text is Standing =>
  (STANDINGS as readonly string[]).includes(text);

function readHeader(line: string): Map<Column, number> {
  const names = splitValues(line)?.map((name) => name.trim()) ?? [];
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

/** Remembers what texts came to: lists hold few different ones, mostly the same again. */
function remember<T>(parse: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  let last: { readonly text: string; readonly result: T } | undefined;
  return (text) => {
    if (last?.text === text) return last.result;
    let result = known.get(text);
    if (result === undefined) {
      result = parse(text);
      if (known.size < REMEMBERED_MAX) known.set(text, result);
    }
    last = { text, result };
    return result;
  };
}

const NO_PLACES: readonly number[] = [];

function parsePlaces(text: string, findPlace: PlaceBook): readonly number[] | string {
  if (text === "") return NO_PLACES;
  const codes = splitList(text);
  if (codes.length > PLACES_MAX) return `${codes.length} places, ${PLACES_MAX} are allowed`;
  const places: Place[] = [];
  for (const code of codes) {
    const answer = findPlace(code);
    if (answer.kind === "fault") return `place ${code} ${answer.what}`;
    places.push(answer.place);
  }
  return storedPlaces(places);
}

function parseFollows(
  text: string,
  accounts: ReadonlyMap<string, number>,
): { ordinals: readonly number[] } | string {
  const handles = splitList(text);
  if (handles.length > FOLLOWS_MAX) return `${handles.length} follows, ${FOLLOWS_MAX} are allowed`;
  const ordinals = new Set<number>();
  for (const handle of handles) {
    const ordinal = accounts.get(handle);
    if (ordinal === undefined) return `follows ${handle}, and there is no such account`;
    ordinals.add(ordinal);
  }
  return { ordinals: [...ordinals].toSorted((a, b) => a - b) };
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

function parseInstant(text: string): { ms: number } | string {
  const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? "consent_at wants RFC 3339 with an offset" : { ms };
}

const splitList = (text: string): string[] =>
  text === "" ? [] : text.split(";").map((part) => part.trim());
