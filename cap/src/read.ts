// Reads a CAP 1.2 message from the wild. It never throws: it answers the message, as far as there
// is one, and the list of what is wrong with it. A problem of level error means that the message
// breaks the schema or a rule of section 3 of the standard, or is not safe to read.
import type { CapLimits } from "./limit.ts";
import {
  type CapMessage,
  type CapProblem,
  type CapRepair,
  MSG_TYPES,
  SCOPES,
  STATUSES,
} from "./message.ts";
import { takeParts } from "./parts.ts";
import { CapPlaces } from "./place.ts";
import { readInfo } from "./read-info.ts";
import { readXml } from "./read-xml.ts";
import { Report } from "./report.ts";
import { ALERT, CAP_NAMESPACE, SIGNATURE_NAMESPACE } from "./schema.ts";
import { clip } from "./text.ts";
import {
  hasEvenQuotes,
  isAfter,
  readInstant,
  readName,
  readReferences,
  readSender,
  readWord,
} from "./value.ts";
import { XmlElement, type XmlDocument } from "./xml.ts";

export interface CapReading {
  /** Undefined when the bytes are no CAP 1.2 message at all, or not one that is safe to read. */
  readonly message: CapMessage | undefined;
  /** By line. No message is trusted while one of them is of level error. */
  readonly problems: readonly CapProblem[];
  /** Where the parts of the message stand. */
  readonly places: CapPlaces;
}

export interface CapReadOptions extends CapLimits {
  /** What is granted to this source; nothing, if absent. Every use is a problem of level warning. */
  readonly repairs?: readonly CapRepair[] | undefined;
  /** The sender of the source, for the repair `missing-sender`. */
  readonly sender?: string | undefined;
}

/** Reads the bytes of one message. Never throws, fetches nothing, changes nothing in silence. */
export function readCap(bytes: Uint8Array, options: CapReadOptions = {}): CapReading {
  const reading = readXml(bytes, options);
  return reading.ok
    ? readCapDocument(reading.document, options)
    : { message: undefined, problems: [reading.problem], places: new CapPlaces() };
}

/** The same from a tree, so that a signature is verified over what was read. */
export function readCapDocument({ root }: XmlDocument, options: CapReadOptions = {}): CapReading {
  const report = new Report(options.repairs);
  const places = new CapPlaces();
  if (root.name !== "alert" || root.namespace !== CAP_NAMESPACE) {
    const found = root.namespace === "" ? "no namespace" : root.namespace;
    report.error("X4", root, `the root is ${root.name} in ${clip(found)}, not alert of CAP 1.2`);
    return { message: undefined, problems: report.problems, places };
  }
  const message = places.keep(readAlert(report, places, root, options.sender), root);
  checkAlert(report, places, message);
  return { message, problems: report.problems, places };
}

/** X7: signatures and what else is of their namespace stands after all of CAP's own. */
const isOfSignature = (node: XmlElement): boolean => node.namespace === SIGNATURE_NAMESPACE;

function readAlert(
  report: Report,
  places: CapPlaces,
  root: XmlElement,
  knownSender: string | undefined,
): CapMessage {
  const signatures = countSignatures(report, root);
  const parts = takeParts(report, root, ALERT, isOfSignature);
  const identifier = readName(report, "A1", parts.one("identifier"));
  const sender = readSender(report, parts.one("sender"), root, knownSender);
  const sent = readInstant(report, "A3", parts.one("sent")) ?? "";
  const status = readWord(report, "A4", parts.one("status"), STATUSES);
  const msgType = readWord(report, "A5", parts.one("msgType"), MSG_TYPES);
  const source = parts.text("source");
  const restriction = parts.text("restriction");
  const addresses = parts.text("addresses");
  const note = parts.text("note");
  const incidents = parts.text("incidents");
  return {
    identifier,
    sender,
    sent,
    status,
    msgType,
    ...(source !== undefined && { source }),
    scope: readWord(report, "A6", parts.one("scope"), SCOPES),
    ...(restriction !== undefined && { restriction }),
    ...(addresses !== undefined && { addresses }),
    codes: parts.all("code").map(({ text }) => text),
    ...(note !== undefined && { note }),
    references: readReferences(report, parts.one("references")),
    ...(incidents !== undefined && { incidents }),
    infos: parts.all("info").map((info) => readInfo(report, places, info)),
    signatures,
    unknown: report.unknown,
  };
}

/** A signature that nobody verified is told, and is no reason to refuse (X7). */
function countSignatures(report: Report, root: XmlElement): number {
  const elements = root.elements;
  const first = elements.findIndex(isOfSignature);
  if (first === -1) return 0;
  const late = elements.slice(first).find((node) => !isOfSignature(node));
  if (late !== undefined) report.error("X7", late, `${late.name} comes after a signature`);
  report.warning("X7", elements[first] as XmlElement, "the signature was not verified");
  return elements.filter((node) => isOfSignature(node) && node.name === "Signature").length;
}

/** The rules between elements (section 3.2.1). */
function checkAlert(report: Report, places: CapPlaces, message: CapMessage): void {
  const { scope, restriction, addresses, incidents, msgType, references } = message;
  const at = (name?: string) => places.of(message, name);
  if (scope === "Restricted" && restriction === undefined)
    report.error("A7", at(), "the scope is Restricted and there is no restriction");
  if (scope !== "Restricted" && restriction !== undefined)
    report.warning(
      "A7",
      at("restriction"),
      "there is a restriction and the scope is not Restricted",
    );
  if (scope === "Private" && addresses === undefined)
    report.error("A8", at(), "the scope is Private and there are no addresses");
  if (addresses !== undefined && !hasEvenQuotes(addresses))
    report.error("A8", at("addresses"), "the addresses have a quote that does not end");
  if (incidents !== undefined && !hasEvenQuotes(incidents))
    report.error("A12", at("incidents"), "the incidents have a quote that does not end");
  if (["Update", "Cancel", "Ack", "Error"].includes(msgType) && references.length === 0)
    report.error("A11", at("references"), `${msgType} without references`);
  for (const reference of references) {
    if (reference.identifier === message.identifier && reference.sender === message.sender)
      report.warning("A11", at("references"), "it refers to itself");
    if (isAfter(reference.sent, message.sent))
      report.warning("A11", at("references"), "it refers to a message that was sent later");
  }
  if (message.status === "Exercise" && message.note === undefined)
    report.warning("A4", at("status"), "an Exercise without a note that names it");
  if (msgType === "Error" && message.note === undefined)
    report.warning("A5", at("msgType"), "an Error without a note that says why");
  if (msgType === "Alert" && message.infos.length === 0)
    report.warning("I0", at(), "an Alert without info");
  for (const info of message.infos)
    if (isAfter(message.sent, info.expires))
      report.warning("I12", places.of(info, "expires"), "it had expired when it was sent");
}
