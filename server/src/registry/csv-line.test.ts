import { parse } from "csv-parse/sync";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LINE_BYTES_MAX, openValueReader, quoteValue, readLines, textOf } from "./csv-line.ts";

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function lines(text: string | Uint8Array, size = 7): Promise<string[]> {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  const all: string[] = [];
  for await (const some of readLines(inPieces(bytes, size)))
    all.push(...some.map((line) => textOf(line.bytes, line.from, line.to)));
  return all;
}
const readValues = openValueReader();
/** The values of a line that lies within other bytes. */
function splitValues(line: string): string[] | undefined {
  const bytes = Buffer.from(`",${line},"`);
  const values = readValues({ bytes, from: 2, to: bytes.length - 2 });
  return (
    values &&
    Array.from({ length: values.count }, (_, i) =>
      textOf(values.bytes, values.starts[i] as number, values.ends[i] as number),
    )
  );
}
/** Text as lists have it: much of what matters to CSV, some Vietnamese, no line break. */
const value = fc
  .array(fc.constantFrom('"', '""', ",", ";", " ", "ã", "Xã Lụa Hạ", "00101", "\t", "𠀀"), {
    maxLength: 6,
  })
  .map((parts) => parts.join(""));

describe("a line", () => {
  test("that was written is read again, here and by csv-parse", () => {
    fc.assert(
      // The first value is never empty: csv-parse takes a line of one empty value for no line.
      fc.property(fc.array(value, { maxLength: 8 }), (further) => {
        const values = ["ref", ...further];
        const line = values.map(quoteValue).join(",");
        expect(splitValues(line)).toEqual(values);
        expect(parse(line, { relax_column_count: true })).toEqual([values]);
      }),
    );
  });

  test("of any kind is read as csv-parse reads it, or refused where csv-parse refuses", () => {
    fc.assert(
      fc.property(value, (line) => {
        fc.pre(line !== "");
        const theirs = (() => {
          try {
            return parse(line)[0];
          } catch {
            return undefined;
          }
        })();
        expect(splitValues(line)).toEqual(theirs);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is the same wherever the bytes are cut, with LF or CRLF, mark or none", async () => {
    for (let size = 1; size < 9; size++) {
      expect(await lines("\uFEFFref,home\r\nẫ,00101\n\nb", size)).toEqual([
        "ref,home",
        "ẫ,00101",
        "",
        "b",
      ]);
    }
  });

  test("with bytes that are not UTF-8 spoils itself only", async () => {
    expect(await lines(Buffer.from("61c30a620a", "hex"))).toEqual(["a\ufffd", "b"]);
  });

  test("without end takes bounded memory, and the next one is read", async () => {
    const [long, next] = await lines(`${"x".repeat(50 * LINE_BYTES_MAX)}\nnext\n`, 1_000);
    expect(long?.length).toBeGreaterThan(LINE_BYTES_MAX);
    expect(long?.length).toBeLessThan(2 * LINE_BYTES_MAX);
    expect(next).toBe("next");
  });
});
