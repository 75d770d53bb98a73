// The short code of a bulletin: nine letters that a person reads off a notice, types or says over
// the telephone. It comes from the bulletin's id alone, so it is known before anything is sent, and
// its last letter tells a slip of the finger from a code that was never given out.
import { createHash } from "node:crypto";

/** Crockford's letters: no I, L, O or U, which are read as something else. */
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const SHORT_CODE_LENGTH = 9;
/** 40 bits: among 100,000 bulletins two share a code in one installation of two hundred. */
const HASH_BYTES = 5;

/** `attempt` is raised when another bulletin has the code already. */
export function makeShortCode(bulletinId: string, attempt = 0): string {
  const hash = createHash("sha256").update(`loa short code ${attempt} ${bulletinId}`).digest();
  let bits = BigInt(`0x${hash.toString("hex", 0, HASH_BYTES)}`);
  let letters = "";
  for (let i = 0; i < SHORT_CODE_LENGTH - 1; i++) {
    letters = LETTERS.charAt(Number(bits & 31n)) + letters;
    bits >>= 5n;
  }
  return letters + checkLetter(letters);
}

/** `K7Q-M2F-XDP`, as it is printed. */
export const formatShortCode = (code: string): string => code.replaceAll(/(.{3})(?=.)/gu, "$1-");

export type ReadShortCode =
  | { readonly kind: "code"; readonly code: string }
  /** Nine letters, of which one is wrong or two have changed places. */
  | { readonly kind: "mistyped" }
  | { readonly kind: "no-code" };

/** Reads what somebody typed: spaces and hyphens do not count, nor small letters, nor O for 0. */
export function readShortCode(text: string): ReadShortCode {
  const code = text
    .toUpperCase()
    .replaceAll(/[\s\u2010-\u2015.-]/gu, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/gu, "1");
  const isCode = new RegExp(`^[${LETTERS}]{${SHORT_CODE_LENGTH}}$`, "u").test(code);
  if (!isCode) return { kind: "no-code" };
  return code.at(-1) === checkLetter(code.slice(0, -1))
    ? { kind: "code", code }
    : { kind: "mistyped" };
}

/** Luhn's sum over 32 letters: catches each single wrong letter and most that changed places. */
function checkLetter(letters: string): string {
  let sum = 0;
  Array.from(letters)
    .toReversed()
    .forEach((letter, index) => {
      const value = LETTERS.indexOf(letter) * (index % 2 === 0 ? 2 : 1);
      sum += Math.floor(value / LETTERS.length) + (value % LETTERS.length);
    });
  return LETTERS.charAt((LETTERS.length - (sum % LETTERS.length)) % LETTERS.length);
}
