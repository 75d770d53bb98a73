// What the fields of a registration may hold, the same for a device, an import and an
// operator. Each check answers a sentence that says what is wrong, or undefined.
import type { Standing } from "@loa/model/bulletin-type.ts";
import type { EndpointKind } from "@loa/model/endpoint.ts";
import { ENDPOINT_KINDS } from "@loa/model/endpoint.ts";

/** Further places of one subscriber: parents, school, work, boat; not a way to follow a country. */
export const PLACES_MAX = 16;
/** Accounts that one subscriber follows. */
export const FOLLOWS_MAX = 64;
/** Longest name of a consent wording. There are few of them; they are kept once. */
export const CONSENT_VERSION_CHARS_MAX = 64;
/** Longest sentence that says on what basis somebody is registered. */
export const CONSENT_BASIS_CHARS_MAX = 500;
/** Longest address of an endpoint; RFC 5321 allows a mail address 254. */
export const ADDRESS_CHARS_MAX = 254;

/** Endpoint kinds whose address is a secret of a device, which no list can hold. */
const KINDS_OF_DEVICES: readonly EndpointKind[] = ["webpush"];
/** Endpoint kinds that reach a real person by an address: never for a synthetic one. */
const KINDS_WITH_ADDRESS: readonly EndpointKind[] = ["sms", "email", "webpush"];

/** One way to reach a subscriber, as it is given. */
export interface EndpointInput {
  readonly kind: EndpointKind;
  readonly address: string | null;
}

/** E.164: a plus, a country code that does not start with 0, at most 15 digits. */
const E164 = /^\+[1-9]\d{6,14}$/;
/** Plausible, not proven: one @, a dot in the domain, no space. Only a delivered mail proves more. */
const EMAIL = /^[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+$/;
/** C0, DEL and C1 controls, and what JavaScript takes for half a character. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\ufffd]/;

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

export const isEndpointKind = (text: string): text is EndpointKind =>
  (ENDPOINT_KINDS as readonly string[]).includes(text);

/** What is wrong with a short text that is not empty. */
export function shortTextFault(text: string, charsMax: number): string | undefined {
  if (text === "") return "is empty";
  if (text.length > charsMax) return `has ${text.length} characters, ${charsMax} are allowed`;
  if (PRINTABLE_ASCII.test(text)) return undefined;
  if (!text.isWellFormed() || UNPRINTABLE.test(text)) return "holds a character that is not text";
  if (text.normalize("NFC") !== text) return "is not in Unicode normalization form C";
  return undefined;
}

/** What is wrong with one endpoint. */
export function endpointFault(
  { kind, address }: EndpointInput,
  standing: Standing,
): string | undefined {
  if (standing === "exercise" && KINDS_WITH_ADDRESS.includes(kind))
    return `a person of exercises has no ${kind}: an exercise must not reach anybody real`;
  if (KINDS_OF_DEVICES.includes(kind)) return `${kind} is registered by the device itself`;
  if (!KINDS_WITH_ADDRESS.includes(kind))
    return address === null ? undefined : `${kind} has no address`;
  if (address === null) return `${kind} needs an address, as ${kind}:address`;
  if (kind === "sms" && !E164.test(address))
    return `${kind} wants a number in E.164 form, like +84912345678`;
  if (kind === "email" && (!EMAIL.test(address) || shortTextFault(address, ADDRESS_CHARS_MAX)))
    return `${kind} wants a mail address`;
  return undefined;
}

/** What is wrong with a list of endpoints as a whole; each single one is checked before. */
export function endpointsFault(endpoints: readonly EndpointInput[]): string | undefined {
  const twice = endpoints.find(
    ({ kind }, index) => endpoints.findIndex((other) => other.kind === kind) !== index,
  );
  return twice && `${twice.kind} is given twice`;
}
