// Reads a CAP 1.2 message from the wild. It never throws: it answers the message, as far as there
// is one, and the list of what is wrong with it. A problem of level error means that the message
// breaks the schema or a rule of section 3 of the standard, or is not safe to read.
import {
  CATEGORIES,
  CERTAINTIES,
  type CapArea,
  type CapInfo,
  type CapMessage,
  type CapNamedValue,
  type CapProblem,
  type CapResource,
  MSG_TYPES,
  RESPONSE_TYPES,
  SCOPES,
  SEVERITIES,
  STATUSES,
  URGENCIES,
} from "./message.ts";
import { createReport, type Report } from "./report.ts";
import {
  ALERT,
  AREA,
  CAP_NAMESPACE,
  INFO,
  namedValue,
  RESOURCE,
  type Sequence,
  SIGNATURE_NAMESPACE,
} from "./schema.ts";
import {
  checkName,
  checkUri,
  clip,
  readCircle,
  readDecimal,
  readInstant,
  readLanguage,
  readPolygon,
  readReferences,
  readWord,
} from "./value.ts";
import { readXml, type XmlNode } from "./xml.ts";

export interface CapReading {
  /** Undefined when the bytes are no CAP 1.2 message at all, or not one that is safe to read. */
  readonly message: CapMessage | undefined;
  readonly problems: readonly CapProblem[];
}

/** Reads the bytes of one message. Never throws. */
export function readCap(bytes: Uint8Array): CapReading {
  const reading = readXml(bytes);
  if (!reading.ok) return { message: undefined, problems: [reading.problem] };
  const report = createReport();
  const { root } = reading;
  if (root.name !== "alert" || root.namespace !== CAP_NAMESPACE) {
    const found = root.namespace === "" ? "no namespace" : root.namespace;
    report.error("X4", root, `the root is ${root.name} in ${clip(found)}, not alert of CAP 1.2`);
    return { message: undefined, problems: report.problems };
  }
  const message = readAlert(report, root);
  return { message, problems: report.problems };
}

/** The children of an element by name, once their order and number are checked (X5). */
class Parts {
  readonly #byName: ReadonlyMap<string, XmlNode[]>;

  constructor(byName: ReadonlyMap<string, XmlNode[]>) {
    this.#byName = byName;
  }

  all(name: string): readonly XmlNode[] {
    return this.#byName.get(name) ?? [];
  }

  /** The first, where there should be one. */
  one(name: string): XmlNode | undefined {
    return this.all(name)[0];
  }

  /** Its text as written; undefined when it is absent or empty (X8). */
  text(name: string): string | undefined {
    const text = this.one(name)?.text;
    return text === undefined || text.trim() === "" ? undefined : text;
  }
}

function readParts(report: Report, node: XmlNode, sequence: Sequence): Parts {
  const byName = new Map<string, XmlNode[]>();
  const places = new Map(sequence.map(([name], index) => [name, index]));
  let reached = 0;
  let disordered = false;
  if (node.mixed) report.error("X5", node, `${node.name} holds text between its elements`);
  for (const attribute of node.attributes)
    report.error("X5", node, `${node.name} has no attribute ${clip(attribute)}`);
  for (const child of node.children) {
    const place = child.namespace === CAP_NAMESPACE ? places.get(child.name) : undefined;
    if (place === undefined) {
      report.error("X5", child, `${clip(child.name)} is not an element of ${node.name}`);
      continue;
    }
    if (place < reached && !disordered) {
      report.error("X5", child, `${child.name} comes too late in ${node.name}`);
      disordered = true;
    }
    reached = Math.max(reached, place);
    const same = byName.get(child.name);
    if (same === undefined) byName.set(child.name, [child]);
    else same.push(child);
  }
  for (const [name, often, rule] of sequence) {
    const count = byName.get(name)?.length ?? 0;
    if (count === 0 && (often === "1" || often === "+"))
      report.error(rule, node, `${node.name} has no ${name}`);
    if (count > 1 && (often === "1" || often === "?"))
      report.error("X5", byName.get(name)?.[1] ?? node, `${name} is there ${count} times`);
  }
  return new Parts(byName);
}

/** Leaves out what is undefined, so that an absent element is an absent property. */
function present<T extends Record<string, unknown>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as never;
}

function readAlert(report: Report, root: XmlNode): CapMessage {
  const signatures = takeSignatures(report, root);
  const parts = readParts(report, { ...root, children: signatures.others }, ALERT);
  for (const [name, rule] of [
    ["identifier", "A1"],
    ["sender", "A2"],
  ] as const) {
    const node = parts.one(name);
    if (node !== undefined) checkName(report, rule, node);
  }
  const sent = readInstant(report, "A3", parts.one("sent")) ?? "";
  const message: CapMessage = {
    identifier: parts.one("identifier")?.text ?? "",
    sender: parts.one("sender")?.text ?? "",
    sent,
    status: readWord(report, "A4", parts.one("status"), STATUSES),
    msgType: readWord(report, "A5", parts.one("msgType"), MSG_TYPES),
    scope: readWord(report, "A6", parts.one("scope"), SCOPES),
    ...present({
      source: parts.text("source"),
      restriction: parts.text("restriction"),
      addresses: parts.text("addresses"),
      note: parts.text("note"),
      incidents: parts.text("incidents"),
    }),
    codes: parts.all("code").map((code) => code.text),
    references: readReferences(report, parts.one("references")),
    infos: parts.all("info").map((info) => readInfo(report, info)),
    signatures: signatures.count,
  };
  checkAlert(report, root, message);
  return message;
}

/** X7: signatures are last; one that nobody verified is told, and is no reason to refuse. */
function takeSignatures(report: Report, root: XmlNode): { count: number; others: XmlNode[] } {
  const isSignature = (node: XmlNode): boolean =>
    node.name === "Signature" && node.namespace === SIGNATURE_NAMESPACE;
  const found = root.children.filter(isSignature);
  const [first] = found;
  if (first !== undefined) {
    report.warning("X7", first, "the signature was not verified");
    const after = root.children.slice(root.children.indexOf(first));
    const late = after.find((node) => !isSignature(node));
    if (late !== undefined) report.error("X7", late, `${late.name} comes after a signature`);
  }
  return { count: found.length, others: root.children.filter((node) => !isSignature(node)) };
}

/** The rules between elements (section 3.2.1). */
function checkAlert(report: Report, root: XmlNode, message: CapMessage): void {
  const { scope, restriction, addresses, msgType, references } = message;
  if (scope === "Restricted" && restriction === undefined)
    report.error("A7", root, "the scope is Restricted and there is no restriction");
  if (scope !== "Restricted" && restriction !== undefined)
    report.warning("A7", root, "there is a restriction and the scope is not Restricted");
  if (scope === "Private" && addresses === undefined)
    report.error("A8", root, "the scope is Private and there are no addresses");
  if (addresses !== undefined && (addresses.split('"').length - 1) % 2 !== 0)
    report.error("A8", root, "the addresses have a quote that does not end");
  if (["Update", "Cancel", "Ack", "Error"].includes(msgType) && references.length === 0)
    report.error("A11", root, `${msgType} without references`);
  for (const reference of references) {
    if (reference.identifier === message.identifier && reference.sender === message.sender)
      report.warning("A11", root, "it refers to itself");
    if (Date.parse(reference.sent) > Date.parse(message.sent))
      report.warning("A11", root, "it refers to a message that was sent later");
  }
  if (msgType === "Alert" && message.infos.length === 0)
    report.warning("I0", root, "an Alert without info");
}

function readInfo(report: Report, node: XmlNode): CapInfo {
  const parts = readParts(report, node, INFO);
  const event = parts.one("event");
  if (event !== undefined && event.text.trim() === "")
    report.warning("I3", event, "the event is empty");
  const web = parts.one("web");
  if (web !== undefined) checkUri(report, "I15", web);
  const expires = readInstant(report, "I12", parts.one("expires"));
  const effective = readInstant(report, "I10", parts.one("effective"));
  if (expires === undefined) report.warning("I12", node, "there is no expires");
  else if (effective !== undefined && Date.parse(expires) < Date.parse(effective))
    report.warning("I12", node, "it expires before it is effective");
  return {
    language: readLanguage(report, parts.one("language")),
    categories: parts.all("category").map((each) => readWord(report, "I2", each, CATEGORIES)),
    event: event?.text ?? "",
    responseTypes: parts
      .all("responseType")
      .map((each) => readWord(report, "I4", each, RESPONSE_TYPES)),
    urgency: readWord(report, "I5", parts.one("urgency"), URGENCIES),
    severity: readWord(report, "I6", parts.one("severity"), SEVERITIES),
    certainty: readWord(report, "I7", parts.one("certainty"), CERTAINTIES),
    ...present({
      audience: parts.text("audience"),
      effective,
      onset: readInstant(report, "I11", parts.one("onset")),
      expires,
      senderName: parts.text("senderName"),
      headline: parts.text("headline"),
      description: parts.text("description"),
      instruction: parts.text("instruction"),
      web: parts.text("web"),
      contact: parts.text("contact"),
    }),
    eventCodes: parts.all("eventCode").map((each) => readPair(report, "I9", each)),
    parameters: parts.all("parameter").map((each) => readPair(report, "I17", each)),
    resources: parts.all("resource").map((each) => readResource(report, each)),
    areas: parts.all("area").map((each) => readArea(report, each)),
  };
}

function readPair(report: Report, rule: string, node: XmlNode): CapNamedValue {
  const parts = readParts(report, node, namedValue(rule));
  return { valueName: parts.one("valueName")?.text ?? "", value: parts.one("value")?.text ?? "" };
}

function readResource(report: Report, node: XmlNode): CapResource {
  const parts = readParts(report, node, RESOURCE);
  const derefUri = parts.text("derefUri");
  const size = parts.one("size");
  if (size !== undefined && !/^\s*[-+]?\d+\s*$/u.test(size.text))
    report.error("S3", size, `"${clip(size.text)}" is not a whole number`);
  const uri = parts.one("uri");
  if (uri !== undefined && derefUri === undefined) checkUri(report, "S4", uri);
  return {
    resourceDesc: parts.one("resourceDesc")?.text ?? "",
    mimeType: parts.one("mimeType")?.text ?? "",
    ...present({
      size: parts.text("size"),
      uri: parts.text("uri"),
      derefUriLength: derefUri?.length,
      digest: parts.text("digest"),
    }),
  };
}

function readArea(report: Report, node: XmlNode): CapArea {
  const parts = readParts(report, node, AREA);
  const areaDesc = parts.one("areaDesc");
  if (areaDesc !== undefined && areaDesc.text.trim() === "")
    report.error("R1", areaDesc, "the areaDesc is empty");
  const altitude = readDecimal(report, parts.one("altitude"));
  const ceiling = readDecimal(report, parts.one("ceiling"));
  if (ceiling !== undefined && altitude === undefined)
    report.error("R5", node, "there is a ceiling without an altitude");
  return {
    areaDesc: areaDesc?.text ?? "",
    polygons: parts
      .all("polygon")
      .map((each) => readPolygon(report, each))
      .filter((polygon) => polygon !== undefined),
    circles: parts
      .all("circle")
      .map((each) => readCircle(report, each))
      .filter((circle) => circle !== undefined),
    geocodes: parts.all("geocode").map((each) => readPair(report, "R4", each)),
    ...present({ altitude, ceiling }),
  };
}
