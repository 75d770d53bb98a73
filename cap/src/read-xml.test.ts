// The reader of XML against another's, which is known to be good: what both accept they see alike,
// and ours refuses whatever the other refuses. And its limits, each with a document that goes over.
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { parseXml, XmlElement as OtherElement, type XmlNode as OtherNode } from "@rgrove/parse-xml";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CAP_ASK_EVERY, CAP_ATTRIBUTES_MAX, CAP_NAME_MAX } from "./limit.ts";
import { readXml } from "./read-xml.ts";
import { XmlInstruction, type XmlNode } from "./xml.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const typhoon = readFileSync(new URL("../fixtures/song-lua-typhoon.xml", import.meta.url), "utf8");

/** What both trees say, in one form. */
type Plain = string | [name: string, attributes: Record<string, string>, children: Plain[]];

function plainOfOurs(node: XmlNode): Plain[] {
  if (typeof node === "string") return [node];
  if (node instanceof XmlInstruction) return [];
  const full = (prefix: string, name: string): string =>
    prefix === "" ? name : `${prefix}:${name}`;
  const attributes = node.attributes.map(({ prefix, name, value }) => [full(prefix, name), value]);
  return [
    [
      full(node.prefix, node.name),
      Object.fromEntries(attributes),
      mergeText(node.children.flatMap(plainOfOurs)),
    ],
  ];
}

function plainOfOther(node: OtherNode): Plain[] {
  if (node instanceof OtherElement) {
    const attributes = Object.entries(node.attributes).filter(
      ([name]) => !/^xmlns(?::|$)/u.test(name),
    );
    return [
      [node.name, Object.fromEntries(attributes), mergeText(node.children.flatMap(plainOfOther))],
    ];
  }
  return "text" in node && typeof node.text === "string" && node.text !== "" ? [node.text] : [];
}

const mergeText = (children: Plain[]): Plain[] =>
  children.reduce<Plain[]>((merged, child) => {
    const last = merged.at(-1);
    if (typeof last === "string" && typeof child === "string")
      return [...merged.slice(0, -1), last + child];
    return [...merged, child];
  }, []);

function ours(text: string): Plain[] | undefined {
  const reading = readXml(bytes(text));
  return reading.ok ? plainOfOurs(reading.document.root) : undefined;
}

function other(text: string): Plain[] | undefined {
  try {
    const { root } = parseXml(text);
    return root === null ? undefined : plainOfOther(root);
  } catch {
    return undefined;
  }
}

const PIECES = [
  ...Array.from("<>&;/=?!\"' \n\r\t-:]x"),
  "<a>",
  "</a>",
  "<b c='d'>",
  "</b>",
  "<e/>",
  "<!-- n -->",
  "<![CDATA[<t>]]>",
  "<?p i?>",
  "&lt;",
  "&#10;",
  "&#xE9;",
  "&#0;",
  "]]>",
  "Bão",
  "<f:g xmlns:f='u' f:h='1'/>",
  " xmlns='v'",
  "<?xml version='1.0'?>",
] as const;

describe("the reader of XML", () => {
  test("sees a real message as another reader does", () => {
    expect(ours(typhoon)).toEqual(other(typhoon));
  });

  test("accepts nothing that another reader refuses, and sees alike what both accept", () => {
    let both = 0;
    const snippet = fc
      .array(fc.constantFrom(...PIECES), { maxLength: 12 })
      .map((all) => all.join(""));
    const wrapped = snippet.map((text) => `<r>${text}</r>`);
    fc.assert(
      fc.property(fc.oneof(snippet, wrapped, wrapped), (text) => {
        const mine = ours(text);
        if (mine !== undefined) both++;
        expect(mine ?? other(text)).toEqual(other(text));
      }),
      { numRuns: 3000 },
    );
    expect(both).toBeGreaterThan(100);
  });

  test("and so of a message in which something was changed", () => {
    fc.assert(
      fc.property(
        fc.nat(typhoon.length),
        fc.nat(40),
        fc.constantFrom(...PIECES),
        (at, drop, piece) => {
          const text = typhoon.slice(0, at) + piece + typhoon.slice(at + drop);
          const seen = other(text);
          return isDeepStrictEqual(ours(text) ?? seen, seen);
        },
      ),
      { numRuns: 500 },
    );
    expect(ours(typhoon)).toBeDefined();
  });

  test.each([
    ["a prefix that nobody declared", "<a:b/>"],
    ["a prefix that is declared as nothing", "<a xmlns:b=''/>"],
    ["the prefix xml for something else", "<a xmlns:xml='u'/>"],
    ["the same attribute under two prefixes", "<a xmlns:b='u' xmlns:c='u' b:d='' c:d=''/>"],
    ["two colons", "<a:b:c xmlns:a='u'/>"],
    ["XML 1.1", "<?xml version='1.1'?><a/>"],
    ["two roots", "<a/><b/>"],
    ["text after the root", "<a/>Bão"],
    ["a control character", "<a>\u0007</a>"],
    ["a control character by number", "<a>&#7;</a>"],
    ["half of a surrogate pair by number", "<a>&#xD800;</a>"],
    ["an end tag of something else", "<a></b>"],
  ])("%s is not well-formed", (_, text) => {
    expect(readXml(bytes(text))).toMatchObject({ ok: false, problem: { rule: "X1" } });
  });

  test("a prefix holds where it is declared, and the nearest one holds", () => {
    const reading = readXml(
      bytes("<a xmlns='u' xmlns:p='v'><p:b xmlns:p='w'><c xmlns=''/></p:b><p:d/></a>"),
    );
    if (!reading.ok) throw new Error(reading.problem.message);
    const { root } = reading.document;
    const [b, d] = root.elements;
    expect([root.namespace, b?.namespace, b?.elements[0]?.namespace, d?.namespace]).toEqual([
      "u",
      "w",
      "",
      "v",
    ]);
  });
});

describe("over a limit is a clear refusal", () => {
  const attributes = Array.from({ length: CAP_ATTRIBUTES_MAX + 1 }, (_, index) => `a${index}=""`);
  test.each([
    ["attributes", `<a ${attributes.join(" ")}/>`],
    ["length of a name", `<${"a".repeat(CAP_NAME_MAX + 1)}/>`],
  ])("%s", (_, text) => {
    expect(readXml(bytes(text))).toMatchObject({ ok: false, problem: { rule: "X3" } });
  });

  test("time, when whoever reads brings a clock", () => {
    const text = `<a>${"<b/>".repeat(CAP_ASK_EVERY)}</a>`;
    expect(readXml(bytes(text), { isLate: () => false }).ok).toBe(true);
    expect(readXml(bytes(text), { isLate: () => true })).toMatchObject({
      ok: false,
      problem: { rule: "X3", message: "takes too long to read" },
    });
  });

  // Documents of the largest size that make a careless reader slow: each must cost what it weighs.
  test.each([
    ["references", `<a>${"&amp;".repeat(700_000)}</a>`],
    ["comments", `<a>${"<!---->".repeat(500_000)}</a>`],
    ["sections", `<a>${"<![CDATA[x]]>".repeat(300_000)}</a>`],
    ["brackets", `<a>${"]]".repeat(1_900_000)}</a>`],
    ["open comments", `<a>${"<!--".repeat(900_000)}`],
    ["open quotes", `<a>${'<b x="'.repeat(600_000)}`],
    ["siblings", `<a>${"<b/>".repeat(49_000)}</a>`],
  ])("four megabytes of %s end", { timeout: 20_000 }, (_, text) => {
    const reading = readXml(bytes(text));
    expect(reading.ok ? "read" : reading.problem.rule).toMatch(/^(?:read|X[123])$/u);
  });
});
