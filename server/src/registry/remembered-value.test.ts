import * as fc from "fast-check";
import { expect, test } from "vitest";
import { REMEMBERED_MAX, rememberValues } from "./remembered-value.ts";

test("a value comes to what it came to first, wherever it lies and whatever follows", () => {
  let parsed = 0;
  const read = rememberValues((text) => {
    parsed += 1;
    return { text };
  });
  const results = new Map<string, { text: string }>();
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "ab", "", "ẫ", "SL001")), (values) => {
      const list = Buffer.from(values.join(""));
      let from = 0;
      for (const value of values) {
        const to = from + Buffer.byteLength(value);
        const result = read(list, from, to);
        expect(result.text).toBe(value);
        expect(results.get(value) ?? result).toBe(result);
        results.set(value, result);
        from = to;
      }
      list.fill(0);
    }),
  );
  expect(parsed).toBe(results.size);
});

test("no more than a number of values are kept; others are read each time", () => {
  let parsed = 0;
  const read = rememberValues(() => (parsed += 1));
  const ask = (value: string) => read(Buffer.from(value), 0, value.length);
  for (let i = 0; i < REMEMBERED_MAX + 2; i++) ask(`value ${i}`);
  const before = parsed;
  ask("value 0");
  expect(parsed).toBe(before);
  ask(`value ${REMEMBERED_MAX + 1}`);
  expect(parsed).toBe(before + 1);
});
