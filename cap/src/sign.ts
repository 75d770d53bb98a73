// Signs a message: the last thing that is done to it. The bytes that come out are published as they
// are; whoever reads and writes them again has another document.
import { createPrivateKey, createPublicKey, createHash, KeyObject, sign } from "node:crypto";
import {
  ECDSA_SHA_256,
  ENVELOPED,
  EXCLUSIVE,
  RSA_BITS_MIN,
  RSA_SHA_256,
  SHA_256,
} from "./algorithm.ts";
import { canonicalizeDocument, canonicalizeElement } from "./canonical.ts";
import type { CapProblem } from "./message.ts";
import { readCapDocument } from "./read.ts";
import { readXml } from "./read-xml.ts";
import { SIGNATURE_NAMESPACE } from "./schema.ts";
import type { XmlDocument, XmlElement } from "./xml.ts";

export interface CapSigner {
  /** PEM of an RSA key of 2048 bits or more, or of an EC key (P-256 by rule G1). */
  readonly privateKey: string | KeyObject;
  /** PEM that goes along as a hint for people; it proves nothing to a reader. */
  readonly certificate?: string | undefined;
}

export type CapSigned =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problems: readonly CapProblem[] };

/** Signs a conforming message that holds no signature yet: enveloped, exclusive C14N, SHA-256. */
export function signCap(bytes: Uint8Array, signer: CapSigner): CapSigned {
  const reading = readXml(bytes);
  if (!reading.ok) return { ok: false, problems: [reading.problem] };
  const { document } = reading;
  const { message, problems } = readCapDocument(document);
  const key = toKey(signer.privateKey);
  const fault =
    methodOf(key) === undefined
      ? { rule: "G1", message: `the key is neither RSA of ${RSA_BITS_MIN} bits or more nor EC` }
      : message !== undefined && message.signatures > 0
        ? { rule: "G4", message: "the message is signed already" }
        : undefined;
  const faults: CapProblem[] =
    fault === undefined ? [] : [{ ...fault, level: "error", path: "/alert", line: 0 }];
  const errors = [...problems.filter(({ level }) => level === "error"), ...faults];
  if (errors.length > 0) return { ok: false, problems: errors };
  return { ok: true, bytes: new TextEncoder().encode(addSignature(document, key, signer)) };
}

function addSignature(document: XmlDocument, key: KeyObject, { certificate }: CapSigner): string {
  const form = canonicalizeDocument(document, { isExclusive: true });
  const digest = createHash("sha256")
    .update(form ?? "")
    .digest("base64");
  const { text } = document.source;
  const { closing } = document.root;
  const signature = (value: string): string =>
    `<Signature xmlns="${SIGNATURE_NAMESPACE}"><SignedInfo>` +
    `<CanonicalizationMethod Algorithm="${EXCLUSIVE}"/>` +
    `<SignatureMethod Algorithm="${methodOf(key) ?? ""}"/><Reference URI=""><Transforms>` +
    `<Transform Algorithm="${ENVELOPED}"/><Transform Algorithm="${EXCLUSIVE}"/></Transforms>` +
    `<DigestMethod Algorithm="${SHA_256}"/><DigestValue>${digest}</DigestValue></Reference>` +
    `</SignedInfo><SignatureValue>${value}</SignatureValue>${formatKeyInfo(certificate)}</Signature>`;
  const whole = (value: string): string =>
    // The text is written as UTF-8, whatever it was declared as.
    `<?xml version="1.0" encoding="UTF-8"?>${(text.slice(0, closing) + signature(value) + text.slice(closing)).replace(/^<\?xml[^>]*\?>/u, "")}`;
  const value = sign("sha256", Buffer.from(canonicalSignedInfo(signature(""))), {
    key,
    dsaEncoding: "ieee-p1363",
  });
  return whole(value.toString("base64"));
}

/**
 * The form of SignedInfo, read back from the signature. It declares its only namespace itself, so in
 * the exclusive form it is the same wherever it stands.
 */
function canonicalSignedInfo(signature: string): string {
  const reading = readXml(new TextEncoder().encode(signature));
  const signedInfo: XmlElement | undefined = reading.ok
    ? reading.document.root.elements[0]
    : undefined;
  const form = signedInfo && canonicalizeElement(signedInfo, { isExclusive: true });
  if (form === undefined) throw new Error("a signature that was just written cannot be read");
  return form;
}

function methodOf(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType === "ec") return ECDSA_SHA_256;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  return key.asymmetricKeyType === "rsa" && bits >= RSA_BITS_MIN ? RSA_SHA_256 : undefined;
}

function formatKeyInfo(certificate: string | undefined): string {
  const body = certificate
    ?.match(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/u)?.[1]
    ?.replaceAll(/\s+/gu, "");
  return body === undefined
    ? ""
    : `<KeyInfo><X509Data><X509Certificate>${body}</X509Certificate></X509Data></KeyInfo>`;
}

const toKey = (key: string | KeyObject): KeyObject =>
  key instanceof KeyObject ? key : createPrivateKey(key);

/** The public half, to be pinned by those who are to verify. */
export const publicKeyOf = (privateKey: string | KeyObject): string =>
  createPublicKey(toKey(privateKey)).export({ type: "spki", format: "pem" });
