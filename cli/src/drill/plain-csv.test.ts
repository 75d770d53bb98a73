import fc from "fast-check";
import { expect, test } from "vitest";
import { csvLine, readPlainCsv } from "./plain-csv.ts";

const cell = fc.string({ unit: fc.constantFrom("a", "ộ", ",", '"', " ", "-") });

test("what is written is what is read", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell)), (rows) => {
      const text = [["a", "b", "c"], ...rows].map(csvLine).join("");
      expect(readPlainCsv(text)).toEqual(rows.map(([a, b, c]) => ({ a, b, c })));
    }),
  );
});

test("a row of another length than the heading is named", () => {
  expect(() => readPlainCsv("a,b\n1,2\n3\n")).toThrow("row 3");
});
