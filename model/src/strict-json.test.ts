import fc from "fast-check";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { Problem } from "./problem.ts";
import { decodeUtf8, parseStrictJson } from "./strict-json.ts";

/** What parsing answers: the value, or the code of the problem. */
function tryParse(text: string): { value: unknown } | { code: string } {
  try {
    return { value: parseStrictJson(text) };
  } catch (fault) {
    if (fault instanceof Problem) return { code: fault.code };
    throw fault;
  }
}

/** What JSON.parse makes of it. */
function parseLoosely(text: string): { value: unknown } | { code: string } {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { code: "body-not-json" };
  }
}

/** Whether both agree; where the strict one refuses what is JSON, it must say why. */
function agree(text: string): boolean {
  const strict = tryParse(text);
  if ("code" in strict && strict.code !== "body-not-json") return "value" in parseLoosely(text);
  return isDeepStrictEqual(strict, parseLoosely(text));
}

test("what JSON.stringify writes is read as it was", () => {
  const texts = fc.jsonValue({ maxDepth: 8 }).map((value) => JSON.stringify(value));
  expect(() => fc.assert(fc.property(texts, agree))).not.toThrow();
});

test("it takes what JSON.parse takes and reads it the same, or says what is wrong with it", () => {
  const pieces = fc.constantFrom(
    ...'{}[]:,"\\ \n\t019.-+eEtrufalsn\u0000à\u0300\ud83d'.split(""),
    '"a"',
    "\\u00e0",
    "1e5",
    "null",
  );
  const texts = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(""));
  expect(() => fc.assert(fc.property(texts, agree), { numRuns: 2_000 })).not.toThrow();
});

test("numbers that would change are refused, others are exact", () => {
  for (const exact of ["0", "-0", "9007199254740991", "0.1", "1.5e-7", "1e15"])
    expect(tryParse(exact)).toEqual({ value: JSON.parse(exact) });
  for (const changed of ["9007199254740993", "1e999", "-1e400", "1e21"])
    expect(tryParse(changed)).toEqual({ code: "request-invalid" });
});

test("the offset of the first wrong byte is named, behind real replacement characters too", () => {
  expect(decodeUtf8(Buffer.from("Lũ quét \uFFFD"))).toBe("Lũ quét \uFFFD");
  const cases: [Uint8Array, string][] = [
    [Buffer.from([0xff]), "byte 0"],
    [Buffer.concat([Buffer.from("Lũ"), Buffer.from([0xc0, 0x80])]), "byte 3"],
    [Buffer.concat([Buffer.from("\uFFFDx"), Buffer.from([0xe1, 0xba])]), "byte 4"],
    [Buffer.from([0x61, 0xed, 0xa0, 0x80]), "byte 1"],
  ];
  for (const [bytes, at] of cases)
    expect(() => decodeUtf8(bytes)).toThrow(
      expect.objectContaining({ code: "body-not-utf8", faults: [{ at, what: "not UTF-8" }] }),
    );
});
