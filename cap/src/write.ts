// Writes a message. Only conforming documents come out: what was written is read again, and if that
// breaks a rule or says anything else than the message did, nothing comes out but the problems.
import { escapeText } from "./canonical.ts";
import type {
  CapArea,
  CapInfo,
  CapMessage,
  CapNamedValue,
  CapPoint,
  CapProblem,
  CapResource,
} from "./message.ts";
import { readCap } from "./read.ts";
import { CAP_NAMESPACE } from "./schema.ts";

export type CapWritten =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly xml: string }
  | { readonly ok: false; readonly problems: readonly CapProblem[] };

/**
 * The document of a message, in UTF-8. Reading it gives the same message. Signatures are not
 * written, because they belong to other bytes; sign what comes out.
 */
export function writeCap(message: CapMessage): CapWritten {
  const refuse = (rule: string, what: string): CapWritten => ({
    ok: false,
    problems: [{ rule, level: "error", path: "/alert", line: 0, message: what }],
  });
  if (message.unknown.length > 0) return refuse("X5", "it holds elements that CAP does not know");
  const xml = formatMessage(message);
  if (!xml.isWellFormed()) return refuse("X1", "it holds half of a surrogate pair");
  const bytes = new TextEncoder().encode(xml);
  const { message: again, problems } = readCap(bytes);
  const errors = problems.filter(({ level }) => level === "error");
  if (errors.length > 0 || again === undefined) return { ok: false, problems: errors };
  return formatMessage(again) === xml
    ? { ok: true, bytes, xml }
    : refuse("X8", "it holds a value that is empty or has space around it, and would be lost");
}

const INDENT = "  ";

/** Lines of a document; a value that is undefined has no element. */
class Lines {
  #text = '<?xml version="1.0" encoding="UTF-8"?>\n';
  #indent = "";

  put(name: string, text: string | undefined): void {
    if (text !== undefined) this.#line(`<${name}>${escapeText(text)}</${name}>`);
  }

  all(name: string, texts: readonly string[]): void {
    for (const text of texts) this.put(name, text);
  }

  within(name: string, attributes: string, inside: () => void): void {
    this.#line(`<${name}${attributes}>`);
    const outer = this.#indent;
    this.#indent += INDENT;
    inside();
    this.#indent = outer;
    this.#line(`</${name}>`);
  }

  pairs(name: string, pairs: readonly CapNamedValue[]): void {
    for (const { valueName, value } of pairs)
      this.within(name, "", () => {
        this.put("valueName", valueName);
        this.put("value", value);
      });
  }

  get text(): string {
    return this.#text;
  }

  #line(text: string): void {
    this.#text += `${this.#indent}${text}\n`;
  }
}

function formatMessage(message: CapMessage): string {
  const lines = new Lines();
  lines.within("alert", ` xmlns="${CAP_NAMESPACE}"`, () => {
    lines.put("identifier", message.identifier);
    lines.put("sender", message.sender);
    lines.put("sent", message.sent);
    lines.put("status", message.status);
    lines.put("msgType", message.msgType);
    lines.put("source", message.source);
    lines.put("scope", message.scope);
    lines.put("restriction", message.restriction);
    lines.put("addresses", message.addresses);
    lines.all("code", message.codes);
    lines.put("note", message.note);
    const references = message.references.map(
      ({ sender, identifier, sent }) => `${sender},${identifier},${sent}`,
    );
    if (references.length > 0) lines.put("references", references.join(" "));
    lines.put("incidents", message.incidents);
    for (const info of message.infos) putInfo(lines, info);
  });
  return lines.text;
}

function putInfo(lines: Lines, info: CapInfo): void {
  lines.within("info", "", () => {
    lines.put("language", info.language);
    lines.all("category", info.categories);
    lines.put("event", info.event);
    lines.all("responseType", info.responseTypes);
    lines.put("urgency", info.urgency);
    lines.put("severity", info.severity);
    lines.put("certainty", info.certainty);
    lines.put("audience", info.audience);
    lines.pairs("eventCode", info.eventCodes);
    lines.put("effective", info.effective);
    lines.put("onset", info.onset);
    lines.put("expires", info.expires);
    lines.put("senderName", info.senderName);
    lines.put("headline", info.headline);
    lines.put("description", info.description);
    lines.put("instruction", info.instruction);
    lines.put("web", info.web);
    lines.put("contact", info.contact);
    lines.pairs("parameter", info.parameters);
    for (const resource of info.resources) putResource(lines, resource);
    for (const area of info.areas) putArea(lines, area);
  });
}

function putResource(lines: Lines, resource: CapResource): void {
  lines.within("resource", "", () => {
    lines.put("resourceDesc", resource.resourceDesc);
    lines.put("mimeType", resource.mimeType);
    lines.put("size", resource.size);
    lines.put("uri", resource.uri);
    lines.put("derefUri", resource.derefUri);
    lines.put("digest", resource.digest);
  });
}

function putArea(lines: Lines, area: CapArea): void {
  lines.within("area", "", () => {
    lines.put("areaDesc", area.areaDesc);
    lines.all(
      "polygon",
      area.polygons.map((points) => points.map(formatPoint).join(" ")),
    );
    lines.all(
      "circle",
      area.circles.map(
        ({ center, radiusKm }) => `${formatPoint(center)} ${formatNumber(radiusKm)}`,
      ),
    );
    lines.pairs("geocode", area.geocodes);
    lines.put("altitude", area.altitude);
    lines.put("ceiling", area.ceiling);
  });
}

const formatPoint = ([latitude, longitude]: CapPoint): string =>
  `${formatNumber(latitude)},${formatNumber(longitude)}`;

/** Plain decimals, which CAP demands, also where JavaScript would write an exponent. */
function formatNumber(number: number): string {
  const text = String(number + 0);
  if (!text.includes("e")) return text;
  const [digits = "", exponent] = text.replace(/^-/u, "").replace(".", "").split("e");
  const places = Number(exponent);
  const sign = number < 0 ? "-" : "";
  return places < 0
    ? `${sign}0.${"0".repeat(-places - 1)}${digits}`
    : `${sign}${digits.padEnd(places + 1, "0")}`;
}
