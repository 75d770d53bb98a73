// The algorithms of XML signatures that are known, as data: what we make, what we accept, and what
// is only read. Everything else is refused by not being here; so are keyed hashes, whose "public"
// key would let anybody sign.

export const ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
export const EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#";
export const SHA_256 = "http://www.w3.org/2001/04/xmlenc#sha256";
export const RSA_SHA_256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
export const ECDSA_SHA_256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";

/** Comments are never part of what a reference to the whole document signs. */
export const CANONICAL_METHODS: ReadonlyMap<string, { readonly isExclusive: boolean }> = new Map([
  [EXCLUSIVE, { isExclusive: true }],
  [`${EXCLUSIVE}WithComments`, { isExclusive: true }],
  ["http://www.w3.org/TR/2001/REC-xml-c14n-20010315", { isExclusive: false }],
  ["http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments", { isExclusive: false }],
  ["http://www.w3.org/2006/12/xml-c14n11", { isExclusive: false }],
  ["http://www.w3.org/2006/12/xml-c14n11#WithComments", { isExclusive: false }],
]);

export interface HashMethod {
  readonly hash: "sha1" | "sha256" | "sha384" | "sha512";
}
export interface SignatureMethod extends HashMethod {
  /** As node:crypto names the type of the key. */
  readonly keyType: "rsa" | "ec" | "dsa";
}

export const DIGEST_METHODS: ReadonlyMap<string, HashMethod> = new Map<string, HashMethod>([
  ["http://www.w3.org/2000/09/xmldsig#sha1", { hash: "sha1" }],
  [SHA_256, { hash: "sha256" }],
  ["http://www.w3.org/2001/04/xmldsig-more#sha384", { hash: "sha384" }],
  ["http://www.w3.org/2001/04/xmlenc#sha512", { hash: "sha512" }],
]);

const MORE = "http://www.w3.org/2001/04/xmldsig-more#";
export const SIGNATURE_METHODS: ReadonlyMap<string, SignatureMethod> = new Map<
  string,
  SignatureMethod
>([
  ["http://www.w3.org/2000/09/xmldsig#rsa-sha1", { keyType: "rsa", hash: "sha1" }],
  ["http://www.w3.org/2000/09/xmldsig#dsa-sha1", { keyType: "dsa", hash: "sha1" }],
  [RSA_SHA_256, { keyType: "rsa", hash: "sha256" }],
  [`${MORE}rsa-sha384`, { keyType: "rsa", hash: "sha384" }],
  [`${MORE}rsa-sha512`, { keyType: "rsa", hash: "sha512" }],
  [`${MORE}ecdsa-sha1`, { keyType: "ec", hash: "sha1" }],
  [ECDSA_SHA_256, { keyType: "ec", hash: "sha256" }],
  [`${MORE}ecdsa-sha384`, { keyType: "ec", hash: "sha384" }],
  [`${MORE}ecdsa-sha512`, { keyType: "ec", hash: "sha512" }],
]);

/** Shorter RSA keys have been broken, or soon will be. */
export const RSA_BITS_MIN = 2048;
