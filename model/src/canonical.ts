// RFC 8785 (JSON Canonicalization Scheme): one text for one value, so that a hash or a signature
// over it means the value and not an accident of key order or spacing.

/** What can be written canonically: I-JSON (RFC 7493). Properties that are undefined are absent. */
export type CanonicalValue =
  | null
  | boolean
  | number
  | string
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue | undefined };

/**
 * The canonical text of a value.
 * @throws {TypeError} for what JSON cannot carry without loss: NaN, infinities, lone surrogates,
 * undefined in an array, and objects that are not plain (a Date would silently change its form).
 */
export function canonicalJson(value: CanonicalValue): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical form`);
    // ECMAScript's own shortest form is what RFC 8785 section 3.2.2.3 asks for; -0 becomes 0.
    return JSON.stringify(value);
  }
  if (typeof value === "string") return canonicalString(value);
  // One text is grown: a warning to a country names thousands of communes.
  let text = "";
  if (Array.isArray(value)) {
    for (const entry of value as readonly CanonicalValue[])
      text += `${text && ","}${canonicalJson(entry)}`;
    return `[${text}]`;
  }
  if (typeof value !== "object") throw new TypeError(`${typeof value} has no canonical form`);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError("only plain objects have a canonical form");
  const object = value as Readonly<Record<string, CanonicalValue | undefined>>;
  // Array.prototype.sort compares UTF-16 code units, as section 3.2.3 wants.
  for (const key of Object.keys(object).toSorted()) {
    const member = object[key];
    if (member !== undefined)
      text += `${text && ","}${canonicalString(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}

function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("a lone surrogate has no canonical form");
  return JSON.stringify(text);
}
