// `loa cap show` and `loa cap convert`: what a CAP file says, for people and for maps. Need no server.
import { toGeoJson } from "@loa/cap/geojson.ts";
import type { CapInfo, CapMessage } from "@loa/cap/message.ts";
import { type CapReading, readCap } from "@loa/cap/read.ts";
import {
  CAP_READ_HELP,
  CAP_READ_OPTIONS,
  plainLine,
  problemLine,
  readCapFile,
  readOptionsOf,
} from "../cap-file.ts";
import { answer, type Command, type CommandContext, positional, UsageError } from "../command.ts";

async function readGiven(context: CommandContext): Promise<CapReading> {
  const bytes = await readCapFile(positional(context, 0, "a CAP file"));
  return readCap(bytes, readOptionsOf(context.values));
}

export const capShow: Command = {
  name: "cap show",
  usage: "FILE",
  summary: {
    en: "Show what a CAP 1.2 message says",
    vi: "Hiển thị nội dung một bản tin CAP 1.2",
  },
  help: CAP_READ_HELP,
  options: CAP_READ_OPTIONS,
  async run(context) {
    const { message, problems } = await readGiven(context);
    const lines = [
      ...(message === undefined ? [] : describe(message)),
      ...problems.map(problemLine),
    ];
    return {
      ok: message !== undefined,
      document: { message: message ?? null, problems },
      text: lines.join("\n"),
    };
  },
};

export const capConvert: Command = {
  name: "cap convert",
  usage: "FILE --geojson",
  summary: {
    en: "Turn the areas of a CAP 1.2 message into GeoJSON",
    vi: "Chuyển phạm vi của bản tin CAP 1.2 sang GeoJSON",
  },
  help: [["--geojson", "a feature for each area of each language"], ...CAP_READ_HELP],
  options: { geojson: { type: "boolean" }, ...CAP_READ_OPTIONS },
  async run(context) {
    if (context.values.geojson !== true) throw new UsageError("--geojson is needed");
    const { message, problems } = await readGiven(context);
    const errors = problems.filter(({ level }) => level === "error");
    // A message with an error may lack a shape; its map would show too small an area.
    if (message === undefined || errors.length > 0)
      return { ok: false, document: { problems }, text: errors.map(problemLine).join("\n") };
    const collection = toGeoJson(message);
    return answer(collection, JSON.stringify(collection, null, 2));
  },
};

/** Headings are CAP's own words, since whoever looks at a CAP file knows them. */
function describe(message: CapMessage): string[] {
  const { identifier, sender, sent, status, msgType, scope, references, incidents, note } = message;
  return [
    `${msgType} ${plainLine(identifier)}`,
    ...rows([
      ["sender", sender],
      ["sent", sent],
      ["status", `${status}, ${scope}`],
      ["source", message.source],
      ["codes", message.codes.join(" ")],
      ["note", note],
      ["references", references.map((each) => `${each.identifier} (${each.sent})`).join(", ")],
      ["incidents", incidents],
      ["signatures", message.signatures === 0 ? "none" : `${message.signatures}, not verified`],
    ]),
    ...message.infos.flatMap(describeInfo),
  ];
}

function describeInfo(info: CapInfo): string[] {
  return [
    "",
    `${info.language}  ${plainLine(info.headline ?? info.event)}`,
    ...rows([
      ["event", `${info.event} (${info.categories.join(", ")})`],
      ["response", info.responseTypes.join(", ")],
      ["urgency", `${info.urgency}, severity ${info.severity}, certainty ${info.certainty}`],
      ["effective", info.effective],
      ["onset", info.onset],
      ["expires", info.expires],
      ["senderName", info.senderName],
      ["description", info.description],
      ["instruction", info.instruction],
      ["web", info.web],
      ["contact", info.contact],
      ...info.parameters.map(({ valueName, value }) => [valueName, value] as const),
      ...info.areas.map((area) => ["area", describeArea(area)] as const),
    ]),
  ];
}

function describeArea({ areaDesc, polygons, circles, geocodes }: CapInfo["areas"][number]): string {
  const shapes = [
    polygons.length > 0 ? `${polygons.length} polygons` : "",
    circles.length > 0 ? `${circles.length} circles` : "",
    geocodes.map(({ value }) => value).join(" "),
  ].filter((part) => part !== "");
  return [areaDesc.trim(), ...shapes].join(" · ");
}

const rows = (pairs: readonly (readonly [string, string | undefined])[]): string[] =>
  pairs
    .filter(([, value]) => value !== undefined && value.trim() !== "")
    .map(([name, value]) => `  ${plainLine(name).padEnd(17)} ${plainLine(value ?? "")}`);
