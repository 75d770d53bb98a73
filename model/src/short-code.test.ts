import fc from "fast-check";
import { expect, test } from "vitest";
import { formatShortCode, makeShortCode, readShortCode, SHORT_CODE_LENGTH } from "./short-code.ts";

const ID = "7dcba285-0d2f-8d56-bd29-138b145d0031";
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

test("a bulletin has the same code for ever, and another one where that is taken", () => {
  const code = makeShortCode(ID);
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{9}$/u);
  expect(makeShortCode(ID)).toBe(code);
  expect(makeShortCode(ID, 1)).not.toBe(code);
});

test("is read as people type it: small letters, hyphens, spaces, O for 0 and l for 1", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom("-", " ", ".", "–", ""), (id, gap) => {
      const code = makeShortCode(id);
      const typed = formatShortCode(code)
        .toLowerCase()
        .replaceAll("-", gap)
        .replaceAll("0", "o")
        .replaceAll("1", "l");
      expect(readShortCode(` ${typed} `)).toEqual({ kind: "code", code });
    }),
  );
});

test("one wrong letter is always noticed", () => {
  fc.assert(
    fc.property(
      fc.uuid(),
      fc.nat({ max: SHORT_CODE_LENGTH - 1 }),
      fc.nat({ max: 30 }),
      (id, at, by) => {
        const code = makeShortCode(id);
        const other = LETTERS.charAt((LETTERS.indexOf(code.charAt(at)) + 1 + by) % LETTERS.length);
        const wrong = code.slice(0, at) + other + code.slice(at + 1);
        expect(readShortCode(wrong)).toEqual({ kind: "mistyped" });
      },
    ),
  );
});

test.each(["", "Bão số 9", "K7QM2FXDPX", "UUUUUUUUU", "<script>"])("%s is no code", (text) => {
  expect(readShortCode(text)).toEqual({ kind: "no-code" });
});
