// Whether a message comes from whom it says. The message that is answered was read from the very
// tree over which the signature was verified, and the key must be one that was pinned to the sender
// beforehand: a certificate inside the message proves nothing (G3).
import { createHash, createPublicKey, KeyObject, verify } from "node:crypto";
import { RSA_BITS_MIN } from "./algorithm.ts";
import { type CanonicalForm, canonicalizeDocument, canonicalizeElement } from "./canonical.ts";
import { instantMs } from "./instant.ts";
import { CAP_SIGNATURES_MAX } from "./limit.ts";
import type { CapMessage, CapProblem } from "./message.ts";
import { type CapReadOptions, readCapDocument } from "./read.ts";
import { readXml } from "./read-xml.ts";
import { SIGNATURE_NAMESPACE } from "./schema.ts";
import { type ParsedSignature, parseSignature } from "./signature.ts";
import type { XmlDocument, XmlElement } from "./xml.ts";

/** A key, and the one sender for whom it speaks. */
export interface CapPinnedKey {
  readonly sender: string;
  /** PEM of a public key or of a certificate, of which only the key counts. */
  readonly publicKey: string | KeyObject;
  /** The key is used for messages sent within these; always, where absent. */
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
}

/** What a source may be granted beyond a sound signature; every use is told. */
export const CAP_SIGNATURE_GRANTS = {
  "sha-1": "SHA-1, and RSA keys that are too short, which can be forged",
  "all-signatures-removed": "signatures over the message without any of its signatures",
} as const;
export type CapSignatureGrant = keyof typeof CAP_SIGNATURE_GRANTS;

export interface CapVerifyOptions extends CapReadOptions {
  readonly keys: readonly CapPinnedKey[];
  readonly grants?: readonly CapSignatureGrant[] | undefined;
}

export interface CapSignatureCheck {
  readonly path: string;
  readonly line: number;
  /** As the document names it; empty when the signature has no form that is accepted. */
  readonly algorithm: string;
  /** Whether the message is the one that was signed, by whomever. Needs no key. */
  readonly isIntact: boolean;
  /** Whether it was signed with a key that is pinned to the sender. */
  readonly isVerified: boolean;
}

export interface CapVerification {
  /** One signature at least is good, and the message has no error. */
  readonly verified: boolean;
  readonly message: CapMessage | undefined;
  readonly signatures: readonly CapSignatureCheck[];
  readonly problems: readonly CapProblem[];
}

/** Reads a message and verifies it. Never throws for what the message holds. */
export function verifyCap(bytes: Uint8Array, options: CapVerifyOptions): CapVerification {
  const reading = readXml(bytes, options);
  if (!reading.ok)
    return { verified: false, message: undefined, signatures: [], problems: [reading.problem] };
  const { message, problems } = readCapDocument(reading.document, options);
  if (message === undefined) return { verified: false, message, signatures: [], problems };
  const found = reading.document.root.elements.filter(
    ({ name, namespace }) => name === "Signature" && namespace === SIGNATURE_NAMESPACE,
  );
  const check = new Check(reading.document, message, options, new Set(found));
  const signatures = found.slice(0, CAP_SIGNATURES_MAX).map((each) => check.run(each));
  if (found.length === 0) check.error("G1", reading.document.root, "the message is not signed");
  if (found.length > CAP_SIGNATURES_MAX)
    check.error("X3", reading.document.root, `more than ${CAP_SIGNATURES_MAX} signatures`);
  const isGood = signatures.some(({ isVerified }) => isVerified);
  const read = problems.filter(({ rule, level }) => !isGood || rule !== "X7" || level === "error");
  // Beside a good signature another that is not says nothing against the message (G4).
  const own = check.problems.map((each) =>
    isGood ? { ...each, level: "warning" as const } : each,
  );
  const all = [...read, ...own];
  const verified = isGood && !all.some(({ level }) => level === "error");
  return { verified, message, signatures, problems: all };
}

class Check {
  readonly problems: CapProblem[] = [];
  readonly #document: XmlDocument;
  readonly #message: CapMessage;
  readonly #keys: readonly CapPinnedKey[];
  readonly #grants: ReadonlySet<CapSignatureGrant>;
  readonly #all: ReadonlySet<XmlElement>;

  constructor(
    document: XmlDocument,
    message: CapMessage,
    { keys, grants }: CapVerifyOptions,
    all: ReadonlySet<XmlElement>,
  ) {
    this.#document = document;
    this.#message = message;
    this.#keys = keys;
    this.#grants = new Set(grants);
    this.#all = all;
  }

  error(rule: string, { path, line }: XmlElement, message: string): void {
    this.problems.push({ rule, level: "error", path, line, message });
  }

  run(element: XmlElement): CapSignatureCheck {
    const { path, line } = element;
    const parsed = parseSignature(element);
    if ("rule" in parsed) {
      this.error(parsed.rule, element, parsed.message);
      return { path, line, algorithm: "", isIntact: false, isVerified: false };
    }
    const algorithm = parsed.methodName;
    const isIntact = this.#isIntact(parsed);
    if (!isIntact) {
      this.error("G2", element, "the message is not the one that was signed");
      return { path, line, algorithm, isIntact, isVerified: false };
    }
    return { path, line, algorithm, isIntact, isVerified: this.#isSignedBySender(parsed) };
  }

  #isIntact({ documentForm, digestMethod, digest }: ParsedSignature): boolean {
    const matches = (form: CanonicalForm): boolean => {
      const text = canonicalizeDocument(this.#document, form);
      return (
        text !== undefined && createHash(digestMethod.hash).update(text).digest().equals(digest)
      );
    };
    if (matches(documentForm)) return true;
    if (!this.#grants.has("all-signatures-removed")) return false;
    return matches({ ...documentForm, without: this.#all });
  }

  #isSignedBySender(parsed: ParsedSignature): boolean {
    const { element, method, digestMethod } = parsed;
    const { sender, sent } = this.#message;
    const pinned = this.#keys.filter((key) => key.sender === sender && isValidAt(key, sent));
    const text = canonicalizeElement(parsed.signedInfo, parsed.signedInfoForm);
    const key = pinned
      .map(({ publicKey }) => toKey(publicKey))
      .find((each) => text !== undefined && isSignature(parsed, text, each));
    if (key === undefined) {
      const keys = pinned.length === 1 ? "the key that is" : `none of the ${pinned.length} keys`;
      const why =
        pinned.length === 0 ? "no key is pinned to" : `it was not made with ${keys} pinned to`;
      this.error("G3", element, `${why} ${sender}`);
      return false;
    }
    const isShort = key.asymmetricKeyType === "rsa" && rsaBits(key) < RSA_BITS_MIN;
    const isWeak = isShort || method.hash === "sha1" || digestMethod.hash === "sha1";
    if (isWeak)
      this.error(
        "G1",
        element,
        isShort
          ? `the key has less than ${RSA_BITS_MIN} bits, and can be broken`
          : "the signature uses SHA-1, which can be forged",
      );
    return !isWeak || this.#grants.has("sha-1");
  }
}

function isValidAt({ from, until }: CapPinnedKey, sent: string): boolean {
  const ms = instantMs(sent);
  if (ms === undefined) return from === undefined && until === undefined;
  return (
    (from === undefined || from.getTime() <= ms) && (until === undefined || ms <= until.getTime())
  );
}

const toKey = (key: string | KeyObject): KeyObject =>
  key instanceof KeyObject ? key : createPublicKey(key);

const rsaBits = (key: KeyObject): number => key.asymmetricKeyDetails?.modulusLength ?? 0;

function isSignature({ method, value }: ParsedSignature, text: string, key: KeyObject): boolean {
  if (key.type !== "public" || key.asymmetricKeyType !== method.keyType) return false;
  try {
    // XML signatures write the two numbers of ECDSA and DSA side by side, not in ASN.1.
    return verify(method.hash, Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }, value);
  } catch {
    // A value of the wrong length is no signature.
    return false;
  }
}
