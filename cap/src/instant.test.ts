import fc from "fast-check";
import { expect, test } from "vitest";
import { instantMs } from "./instant.ts";

test("instants of CAP are those of everybody else", () => {
  const years = { min: new Date("0101-01-01T00:00:00Z"), max: new Date("9998-12-31T00:00:00Z") };
  fc.assert(
    fc.property(fc.date({ ...years, noInvalidDate: true }), (date) => {
      const text = date.toISOString().slice(0, 19);
      const ms = Math.floor(date.getTime() / 1000) * 1000;
      expect(instantMs(`${text}-00:00`)).toBe(ms);
      expect(instantMs(`${text}+07:00`)).toBe(ms - 7 * 3_600_000);
      expect(instantMs(`${text}-09:30`)).toBe(ms + 9.5 * 3_600_000);
    }),
  );
});

test("the end of a day is the beginning of the next", () => {
  expect(instantMs("2026-09-07T24:00:00+07:00")).toBe(instantMs("2026-09-08T00:00:00+07:00"));
});

test.each([
  "2026-02-29T00:00:00+07:00",
  "1900-02-29T00:00:00+07:00",
  "2026-04-31T00:00:00+07:00",
  "2026-13-01T00:00:00+07:00",
  "2026-00-01T00:00:00+07:00",
  "2026-09-00T00:00:00+07:00",
  "0000-01-01T00:00:00+07:00",
  "2026-09-07T24:00:01+07:00",
  "2026-09-07T12:60:00+07:00",
  "2026-09-07T23:59:60+07:00",
  "2026-09-07T12:00:00+14:01",
  "2026-09-07T12:00:00+07:60",
  "2026-09-07T12:00:00,07:00",
  "2026-09-07T12:00:00Z",
  "2026-09-07T12:00:00.5+07:00",
  "2026-09-07 12:00:00+07:00",
  "",
])("%s is none", (text) => {
  expect(instantMs(text)).toBeUndefined();
});
