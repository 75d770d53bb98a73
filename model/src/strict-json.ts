// Reads JSON from outside more strictly than JSON.parse, and says where it is wrong.
//
// What two readers could understand differently is refused: a name given twice, a number that
// loses digits, text that is not NFC, a lone surrogate. A hash that a person approved must mean one
// text only, so ambiguity ends here. Deep nesting and U+0000 (which PostgreSQL cannot store) too.
import { type Fault, Problem } from "./problem.ts";

/** Deepest nesting of arrays and objects: protects the stack; GeoJSON needs 7. */
export const JSON_DEPTH_MAX = 64;
/** Most faults that one answer lists: protects the answer from growing with the body. */
export const FAULTS_MAX = 20;

/** The first character that can be part of a text which NFC would change. */
const FIRST_COMBINING = 0x300;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * Decodes UTF-8, a byte order mark included.
 * @throws {Problem} body-not-utf8, naming the offset of the first wrong byte.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  const decoder = (fatal: boolean) => new TextDecoder("utf-8", { fatal, ignoreBOM: true });
  try {
    return decoder(true).decode(bytes);
  } catch {
    const offset = firstWrongByte(bytes, decoder(false).decode(bytes));
    throw new Problem("body-not-utf8", `Byte ${offset} of the body is not UTF-8.`, [
      { at: `byte ${offset}`, what: "not UTF-8" },
    ]);
  }
}

/** The offset of the first U+FFFD in `decoded` that is not spelled out in the bytes. */
function firstWrongByte(bytes: Uint8Array, decoded: string): number {
  const encoder = new TextEncoder();
  let offset = 0;
  let from = 0;
  for (;;) {
    const at = decoded.indexOf("\uFFFD", from);
    if (at === -1) return offset;
    offset += encoder.encode(decoded.slice(from, at)).length;
    const spelledOut =
      bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd;
    if (!spelledOut) return offset;
    offset += 3;
    from = at + 1;
  }
}

/** The code for a text that may not come in, or undefined: not NFC, a lone surrogate, U+0000. */
export function unusableText(text: string): "text-not-nfc" | "request-invalid" | undefined {
  if (text.includes("\0") || !text.isWellFormed()) return "request-invalid";
  return text.normalize("NFC") === text ? undefined : "text-not-nfc";
}

/** One step of an RFC 6901 JSON Pointer. */
export const pointerStep = (key: PropertyKey): string =>
  `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;

/**
 * Parses one JSON value.
 * @throws {Problem} body-not-json with line and column; request-invalid or text-not-nfc with
 * JSON Pointers.
 */
export function parseStrictJson(text: string): unknown {
  return new Reader(text).readDocument();
}

class Reader {
  readonly #text: string;
  #at = 0;
  readonly #path: (string | number)[] = [];
  readonly #faults: Fault[] = [];
  readonly #notNfc: Fault[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): unknown {
    this.#skipSpace();
    const value = this.#readValue();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail("more after the end of the value");
    if (this.#faults.length > 0)
      throw new Problem("request-invalid", describe(this.#faults), this.#faults);
    if (this.#notNfc.length > 0)
      throw new Problem(
        "text-not-nfc",
        "Normalise the texts to NFC (in JavaScript: text.normalize()) and send them again.",
        this.#notNfc,
      );
    return value;
  }

  #readValue(): unknown {
    const char = this.#text[this.#at];
    if (char === '"') return this.#readString();
    if (char === "{") return this.#readObject();
    if (char === "[") return this.#readArray();
    if (char === "t") return this.#readWord("true", true);
    if (char === "f") return this.#readWord("false", false);
    if (char === "n") return this.#readWord("null", null);
    return this.#readNumber();
  }

  #readObject(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#open();
    if (this.#accept("}")) return object;
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') this.#fail("a name in double quotes is wanted");
      const name = this.#readString("name");
      if (Object.hasOwn(object, name)) this.#note("the name is given twice");
      if (name === "__proto__") this.#note("this name is not allowed");
      this.#skipSpace();
      if (!this.#accept(":")) this.#fail("a colon is wanted");
      this.#skipSpace();
      const value = this.#readValue();
      if (name !== "__proto__") object[name] = value;
      this.#path.pop();
      this.#skipSpace();
    } while (this.#accept(","));
    if (!this.#accept("}")) this.#fail("a comma or } is wanted");
    return object;
  }

  #readArray(): unknown[] {
    const array: unknown[] = [];
    this.#open();
    if (this.#accept("]")) return array;
    do {
      this.#skipSpace();
      this.#path.push(array.length);
      array.push(this.#readValue());
      this.#path.pop();
      this.#skipSpace();
    } while (this.#accept(","));
    if (!this.#accept("]")) this.#fail("a comma or ] is wanted");
    return array;
  }

  #open(): void {
    this.#at += 1;
    // Going on would need the stack that the limit protects, so this fault ends the reading.
    if (this.#path.length >= JSON_DEPTH_MAX) {
      this.#note(`nested deeper than ${JSON_DEPTH_MAX} levels`);
      throw new Problem("request-invalid", describe(this.#faults), this.#faults);
    }
    this.#skipSpace();
  }

  /** Reads a string; a name becomes a step of the path, so that its own faults are found there. */
  #readString(role: "value" | "name" = "value"): string {
    const start = this.#at + 1;
    let plainFrom = start;
    let unescaped = "";
    let highest = 0;
    let at = start;
    for (; ; at += 1) {
      const code = this.#text.charCodeAt(at);
      if (code === 0x22) break;
      if (!(code >= 0x20)) {
        this.#at = at;
        this.#fail(Number.isNaN(code) ? "the string does not end" : "a control character");
      }
      if (code === 0x5c) {
        unescaped += this.#text.slice(plainFrom, at);
        this.#at = at + 1;
        unescaped += this.#readEscape();
        at = this.#at - 1;
        plainFrom = this.#at;
        highest = Infinity;
      } else if (code > highest) highest = code;
    }
    this.#at = at + 1;
    const text = unescaped + this.#text.slice(plainFrom, at);
    if (role === "name") this.#path.push(text);
    if (highest >= FIRST_COMBINING) this.#checkText(text);
    return text;
  }

  #checkText(text: string): void {
    const fault = unusableText(text);
    if (fault === "text-not-nfc" && this.#notNfc.length < FAULTS_MAX)
      this.#notNfc.push({ at: this.#pointer(), what: "not in NFC" });
    if (fault === "request-invalid") this.#note("holds U+0000 or half of a surrogate pair");
  }

  /** Reads what follows a backslash, and moves behind it. */
  #readEscape(): string {
    const char = this.#text[this.#at] ?? "";
    if (char === "u") {
      const hex = this.#text.slice(this.#at + 1, this.#at + 5);
      if (!/^[\da-f]{4}$/i.test(hex)) this.#fail("four hexadecimal digits are wanted after \\u");
      this.#at += 5;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const escaped = Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
    if (escaped === undefined) this.#fail("no such escape");
    this.#at += 1;
    return escaped;
  }

  #readNumber(): number {
    const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    pattern.lastIndex = this.#at;
    const literal = pattern.exec(this.#text)?.[0];
    if (literal === undefined) this.#fail("a value is wanted");
    this.#at += literal.length;
    const number = Number(literal);
    const lossy = Number.isInteger(number) && !Number.isSafeInteger(number);
    if (lossy || !Number.isFinite(number)) this.#note("the number is too large to be kept exactly");
    return number;
  }

  #readWord<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail("a value is wanted");
    this.#at += word.length;
    return value;
  }

  #accept(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #note(what: string): void {
    if (this.#faults.length < FAULTS_MAX) this.#faults.push({ at: this.#pointer(), what });
  }

  #pointer(): string {
    return this.#path.map(pointerStep).join("");
  }

  #fail(what: string): never {
    const before = this.#text.slice(0, this.#at);
    const line = before.split("\n").length;
    const column = this.#at - before.lastIndexOf("\n");
    const at = `line ${line} column ${column}`;
    throw new Problem("body-not-json", `The JSON breaks at ${at}: ${what}.`, [{ at, what }]);
  }
}

/** The first fault as a sentence, with the number of further ones. */
export function describe(faults: readonly Fault[]): string {
  const [first] = faults;
  if (!first) return "";
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  return `${first.at || "The body"}: ${first.what}${more}.`;
}
