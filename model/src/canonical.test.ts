import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson, type CanonicalValue } from "./canonical.ts";

// RFC 8785 section 3.2.3 and 3.2.4: the standard's own example.
test("the example of RFC 8785 comes out byte for byte", () => {
  const value = {
    // oxlint-disable-next-line no-loss-of-precision -- the RFC writes more digits than fit.
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
    literals: [null, true, false],
  };
  expect(canonicalJson(value)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

test("keys sort by UTF-16 code units, as the RFC's table shows", () => {
  const keys = ["€", "\r", "\ufb33", "1", "😀", "\u0080", "ö"];
  const text = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
  expect(Object.keys(JSON.parse(text) as object)).toEqual([
    "1",
    "\r",
    "\u0080",
    "ö",
    "€",
    "😀",
    "\ufb33",
  ]);
});

const values = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<CanonicalValue>;

function shuffle(value: CanonicalValue): CanonicalValue {
  if (Array.isArray(value)) return value.map(shuffle);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, member === undefined ? undefined : shuffle(member)]),
  );
}

test("the order in which keys were written does not matter", () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(canonicalJson(shuffle(value))).toBe(canonicalJson(value));
    }),
  );
});

test("reading it back gives the value, and writing that gives the same text", () => {
  fc.assert(
    fc.property(values, (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(JSON.parse(text) as CanonicalValue)).toBe(text);
    }),
  );
});

test.each([
  ["NaN", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["half a surrogate pair", "\ud800"],
  ["a Date", new Date(0) as unknown as CanonicalValue],
  ["undefined in a list", [undefined as unknown as CanonicalValue]],
])("%s has no canonical form", (_, value) => {
  expect(() => canonicalJson(value)).toThrow(TypeError);
});
