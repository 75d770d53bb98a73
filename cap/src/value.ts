// Reads and checks single values: words of a list, instants, names, links. A value that breaks its
// rule is reported and returned as it stands, unless a repair is granted for it.
import { CAP_REFERENCES_MAX } from "./limit.ts";
import { instantMs, isInstant } from "./instant.ts";
import { type CapReference, DEFAULT_LANGUAGE } from "./message.ts";
import type { Report } from "./report.ts";
import { isDecimal } from "./shape.ts";
import { clip } from "./text.ts";
import type { XmlElement } from "./xml.ts";

/** A1, A2: what identifier and sender must not hold, since references join them by commas. */
const FORBIDDEN = /[\s,<&]/u;
/** BCP 47 as xs:language has it: no underscore. */
const LANGUAGE = /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/;
const MIME_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;.*)?$/;

/** A1: what the identifier is; reported when it breaks the rule. */
export function readName(report: Report, rule: string, node: XmlElement | undefined): string {
  if (node === undefined) return "";
  const { text } = node;
  if (text === "") report.error(rule, node, `${node.name} is empty`);
  else if (FORBIDDEN.test(text))
    report.error(rule, node, `${node.name} holds a space, a comma, "<" or "&"`);
  return text;
}

/** A2: likewise, with the repairs that a known source can be granted. */
export function readSender(
  report: Report,
  node: XmlElement | undefined,
  alert: XmlElement,
  known: string | undefined,
): string {
  if (node === undefined) {
    if (known !== undefined && report.mends("missing-sender", alert)) return known;
    report.error("A2", alert, "alert has no sender");
    return "";
  }
  const { text } = node;
  if (/\s/u.test(text) && text.trim() !== "" && report.mends("sender-space", node))
    return text.trim().replaceAll(/\s+/gu, "_");
  return readName(report, "A2", node);
}

/** A word of a closed list; case and surrounding space matter (X5). */
export function readWord(
  report: Report,
  rule: string,
  node: XmlElement | undefined,
  words: readonly string[],
): string {
  if (node === undefined) return "";
  const word = node.text;
  if (words.includes(word)) return word;
  if (words.includes(word.trim())) {
    if (!report.mends("trim-words", node))
      report.error(rule, node, `${node.name} has space around "${word.trim()}"`);
    return word.trim();
  }
  if (rule === "I7" && word.trim() === "Very Likely" && report.mends("very-likely", node))
    return "Likely";
  report.error(rule, node, `${node.name} is "${clip(word)}", not one of ${words.join(", ")}`);
  return word.trim();
}

/** A3: `YYYY-MM-DDThh:mm:ss±hh:mm` of a day that exists. */
export function readInstant(
  report: Report,
  rule: string,
  node: XmlElement | undefined,
): string | undefined {
  if (node === undefined) return undefined;
  const text = node.text.trim();
  if (isInstant(text)) return text;
  const mended = text.endsWith("Z") ? `${text.slice(0, -1)}-00:00` : "";
  if (isInstant(mended) && report.mends("accept-z", node)) return mended;
  report.error(rule, node, `"${clip(text)}" is not YYYY-MM-DDThh:mm:ss±hh:mm of a real day`);
  return text === "" ? undefined : text;
}

/** I1; absent or empty is English of the United States. */
export function readLanguage(report: Report, node: XmlElement | undefined): string {
  const text = node?.text.trim() ?? "";
  if (node === undefined || text === "") return DEFAULT_LANGUAGE;
  if (LANGUAGE.test(text)) return text;
  const mended = text.replaceAll("_", "-");
  if (LANGUAGE.test(mended) && report.mends("language-underscore", node)) return mended;
  report.error("I1", node, `"${clip(text)}" is not a language tag`);
  return text;
}

/** I15, S4: a full absolute URI. xs:anyURI lets `www.example.org` pass, and real senders write it. */
export function checkUri(report: Report, rule: string, node: XmlElement | undefined): void {
  const text = node?.text.trim() ?? "";
  if (node === undefined || text === "") return;
  if (!URL.canParse(text)) report.warning(rule, node, `"${clip(text)}" is not an absolute URI`);
  else if (rule === "I15" && !/^https?:/iu.test(text))
    report.warning(rule, node, `"${clip(text)}" is no web address, and is not made a link`);
}

/** A11: space-separated triples `sender,identifier,sent`. */
export function readReferences(report: Report, node: XmlElement | undefined): CapReference[] {
  if (node === undefined) return [];
  const tokens = node.text.split(/\s+/u).filter((token) => token !== "");
  if (tokens.length > CAP_REFERENCES_MAX) {
    report.error("X3", node, `has ${tokens.length} references, ${CAP_REFERENCES_MAX} are allowed`);
    return [];
  }
  return tokens.flatMap((token) => {
    const [sender = "", identifier = "", sent = "", ...rest] = token.split(",");
    const mended = sent.endsWith("Z") ? `${sent.slice(0, -1)}-00:00` : "";
    const isWhole = sender !== "" && identifier !== "" && rest.length === 0;
    if (isWhole && isInstant(sent)) return [{ sender, identifier, sent }];
    if (isWhole && isInstant(mended) && report.mends("accept-z", node))
      return [{ sender, identifier, sent: mended }];
    report.error("A11", node, `"${clip(token)}" is not sender,identifier,sent`);
    return [];
  });
}

/** A8, A12: words parted by spaces, those with space inside in quotes. False: a quote never ends. */
export const hasEvenQuotes = (text: string): boolean => (text.split('"').length - 1) % 2 === 0;

/** R5: feet. */
export function readDecimal(report: Report, node: XmlElement | undefined): string | undefined {
  const text = node?.text.trim() ?? "";
  if (node === undefined) return undefined;
  if (!isDecimal(text)) report.error("R5", node, `${node.name} "${clip(text)}" is not a number`);
  return text === "" ? undefined : text;
}

/** S2: RFC 2046 type and subtype. */
export function checkMimeType(report: Report, node: XmlElement | undefined): void {
  if (node !== undefined && !MIME_TYPE.test(node.text.trim()))
    report.warning("S2", node, `"${clip(node.text)}" is not a media type`);
}

/** Whether the first instant is after the second; false where one of them is none. */
export function isAfter(first: string | undefined, second: string | undefined): boolean {
  const [a, b] = [instantMs(first ?? ""), instantMs(second ?? "")];
  return a !== undefined && b !== undefined && a > b;
}
