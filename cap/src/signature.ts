// One ds:Signature taken apart, strictly: exactly what G1 allows and nothing beside it. Whatever an
// attacker could hide something in (further references, transforms with arguments, objects) is
// refused before any arithmetic is done.
import {
  CANONICAL_METHODS,
  DIGEST_METHODS,
  ENVELOPED,
  EXCLUSIVE,
  type HashMethod,
  SIGNATURE_METHODS,
  type SignatureMethod,
} from "./algorithm.ts";
import type { CanonicalForm } from "./canonical.ts";
import { SIGNATURE_NAMESPACE } from "./schema.ts";
import { XmlElement } from "./xml.ts";

export interface ParsedSignature {
  readonly element: XmlElement;
  readonly signedInfo: XmlElement;
  /** How SignedInfo, and how the document, are put into one form. */
  readonly signedInfoForm: CanonicalForm;
  readonly documentForm: CanonicalForm;
  readonly digestMethod: HashMethod;
  readonly digest: Buffer;
  readonly method: SignatureMethod;
  /** The method's name as the document gives it. */
  readonly methodName: string;
  readonly value: Buffer;
}

/** Why a signature is not looked at further; a sentence under the rule. */
export interface SignatureFault {
  readonly rule: "G1" | "G2";
  readonly message: string;
}

export function parseSignature(element: XmlElement): ParsedSignature | SignatureFault {
  try {
    return takeApart(element);
  } catch (cause) {
    if (cause instanceof Refusal) return { rule: cause.rule, message: cause.message };
    throw cause;
  }
}

/** Leaves from any depth; never leaves this file. */
class Refusal extends Error {
  readonly rule: SignatureFault["rule"];

  constructor(rule: SignatureFault["rule"], message: string) {
    super(message);
    this.rule = rule;
  }
}

const refuse = (message: string, rule: SignatureFault["rule"] = "G2"): never => {
  throw new Refusal(rule, message);
};

function takeApart(element: XmlElement): ParsedSignature {
  const [signedInfo, value, ...rest] = element.elements;
  if (!isNamed(signedInfo, "SignedInfo") || !isNamed(value, "SignatureValue"))
    return refuse("the signature has no SignedInfo or no SignatureValue");
  // A KeyInfo is a hint and proves nothing; an Object could carry a message of its own.
  const [keyInfo, ...others] = rest;
  if (others.length > 0 || (keyInfo !== undefined && !isNamed(keyInfo, "KeyInfo")))
    refuse("the signature holds more than SignedInfo, SignatureValue and KeyInfo");
  const [canonical, method, reference, ...further] = signedInfo.elements;
  if (!isNamed(canonical, "CanonicalizationMethod") || !isNamed(method, "SignatureMethod"))
    return refuse("the signature does not say how it was made");
  if (!isNamed(reference, "Reference") || further.length > 0)
    return refuse("the signature has not exactly one reference");
  const signedInfoForm = canonicalForm(canonical);
  if (signedInfo.xml.includes("<!--")) refuse("SignedInfo holds a comment");
  if (method.elements.length > 0) refuse("the signature's method has arguments");
  const methodName = algorithmOf(method);
  const known = SIGNATURE_METHODS.get(methodName);
  if (known === undefined) return refuse(`${methodName} is no method that is accepted`, "G1");
  return {
    element,
    signedInfo,
    signedInfoForm,
    ...takeReference(reference, element),
    method: known,
    methodName,
    value: readBase64(value),
  };
}

function takeReference(
  reference: XmlElement,
  signature: XmlElement,
): Pick<ParsedSignature, "documentForm" | "digestMethod" | "digest"> {
  const uri = reference.attributes.find(({ name, prefix }) => name === "URI" && prefix === "");
  if (uri?.value !== "") refuse("the signature is over something else than the whole document");
  const [transforms, method, digest, ...rest] = reference.elements;
  if (!isNamed(transforms, "Transforms") || !isNamed(method, "DigestMethod") || rest.length > 0)
    return refuse("the reference has another form than an enveloped signature's");
  if (!isNamed(digest, "DigestValue")) return refuse("the reference has no digest");
  const [enveloped, canonical, ...further] = transforms.elements;
  if (!isNamed(enveloped, "Transform") || algorithmOf(enveloped) !== ENVELOPED)
    return refuse("the signature is not an enveloped one");
  if (enveloped.elements.length > 0 || further.length > 0)
    refuse("the reference has transforms that are not accepted");
  if (canonical !== undefined && !isNamed(canonical, "Transform"))
    refuse("the reference has transforms that are not accepted");
  // Without a method of its own a document is put into the form of Canonical XML 1.0.
  const form = canonical === undefined ? { isExclusive: false } : canonicalForm(canonical);
  const digestName = algorithmOf(method);
  const digestMethod = DIGEST_METHODS.get(digestName);
  if (digestMethod === undefined || method.elements.length > 0)
    return refuse(`${digestName} is no digest that is accepted`, "G1");
  return {
    documentForm: { ...form, without: new Set([signature]) },
    digestMethod,
    digest: readBase64(digest),
  };
}

function canonicalForm(element: XmlElement): CanonicalForm {
  const name = algorithmOf(element);
  const method = CANONICAL_METHODS.get(name);
  if (method === undefined) return refuse(`${name} is no transform that is accepted`);
  const [list, ...rest] = element.elements;
  if (list === undefined) return method;
  const prefixes = list.attributes.find((attribute) => attribute.name === "PrefixList")?.value;
  const isList = list.name === "InclusiveNamespaces" && list.namespace === EXCLUSIVE;
  if (!method.isExclusive || !isList || prefixes === undefined || rest.length > 0)
    return refuse(`the transform ${name} has arguments that are not accepted`);
  const inclusivePrefixes = prefixes
    .split(" ")
    .filter((prefix) => prefix !== "")
    .map((prefix) => (prefix === "#default" ? "" : prefix));
  return { ...method, inclusivePrefixes };
}

const isNamed = (element: XmlElement | undefined, name: string): element is XmlElement =>
  element?.name === name && element.namespace === SIGNATURE_NAMESPACE;

const algorithmOf = (element: XmlElement): string =>
  element.attributes.find(({ name, prefix }) => name === "Algorithm" && prefix === "")?.value ?? "";

function readBase64(element: XmlElement): Buffer {
  const text = element.text.replaceAll(/[ \t\n\r]+/gu, "");
  if (element.elements.length > 0 || !/^[A-Za-z0-9+/]+={0,2}$/u.test(text) || text.length % 4 !== 0)
    refuse(`${element.name} is not base64`);
  return Buffer.from(text, "base64");
}
