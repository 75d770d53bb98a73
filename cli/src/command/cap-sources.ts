// `loa cap sources ...` and `loa cap import`: whose messages come in, and bringing one in.
import { readFile } from "node:fs/promises";
import type { z } from "@hono/zod-openapi";
import {
  changeCapSource,
  type capMessageSchema,
  type capSourceSchema,
  createCapSource,
  importCapMessage,
  listCapMessages,
  listCapSources,
  pushCapMessage,
} from "@loa/api/cap-sources.ts";
import type { Client } from "@loa/api/client.ts";
import { HAZARD_KEYS } from "@loa/model/hazard.ts";
import { plainLine, readCapFile } from "../cap-file.ts";
import {
  answer,
  type Command,
  listOption,
  positional,
  requiredOption,
  textOption,
  UsageError,
} from "../command.ts";
import { formatTable } from "../table.ts";
import { findAccount } from "./bulletins-create.ts";

type Source = z.output<typeof capSourceSchema>;
type Message = z.output<typeof capMessageSchema>;

const text = { type: "string" } as const;
const many = { type: "string", multiple: true } as const;
const PAGE = 200;

const sourceLine = ({ id, name, suspendedAt, fault }: Source): string =>
  `${id}  ${name}  ${suspendedAt === null ? (fault ?? "well") : "suspended"}`;

/** By id or by name. */
async function findSource(client: Client, wanted: string): Promise<Source> {
  let after: string | null = null;
  do {
    const page: { items: Source[]; next: string | null } = await client.ask(listCapSources, {
      query: { limit: PAGE, ...(after && { after }) },
    });
    const found = page.items.find(({ id, name }) => id === wanted || name === wanted);
    if (found !== undefined) return found;
    after = page.next;
  } while (after !== null);
  throw new UsageError(`there is no source ${wanted}`);
}

export const capSourcesList: Command = {
  name: "cap sources list",
  usage: "",
  summary: { en: "List the sources of CAP messages", vi: "Liệt kê các nguồn CAP" },
  help: [],
  options: {},
  async run({ client }) {
    const page = await client().ask(listCapSources, { query: { limit: PAGE } });
    const rows = page.items.map((each) => [
      each.id,
      each.name,
      each.suspendedAt === null ? (each.fault === null ? "well" : "failing") : "suspended",
      each.polledAt,
      plainLine(each.fault ?? each.url ?? "pushes"),
    ]);
    return answer(page, formatTable(["Source", "Name", "State", "Asked", "Where or why"], rows));
  },
};

export const capSourcesAdd: Command = {
  name: "cap sources add",
  usage: "NAME --account HANDLE --areas CODES --channels live,...",
  summary: { en: "Admit a source of CAP messages", vi: "Thêm một nguồn CAP" },
  help: [
    ["--account HANDLE", "its drafts are of this account's agency"],
    ["--areas CODES", "units about which it may speak"],
    ["--channels LIST", "of its drafts"],
    ["--url URL", "of an Atom, RSS or CAP feed; without it the source pushes"],
    ["--hazards LIST", "about which it may speak; all, if left out"],
    ["--settings FILE.json", "the rest, as docs/cap-sources.md has it: interval, keys, repairs"],
  ],
  options: { account: text, areas: many, channels: many, url: text, hazards: many, settings: text },
  async run(context) {
    const { values } = context;
    const name = positional(context, 0, "a name");
    const client = context.client();
    const accountId = await findAccount(client, requiredOption(values, "account"));
    const file = textOption(values, "settings");
    const more = file === undefined ? {} : (JSON.parse(await readFile(file, "utf8")) as object);
    const hazards = listOption(values, "hazards");
    const areas = listOption(values, "areas");
    const channels = listOption(values, "channels");
    // What does not fit is refused by the API, which says where.
    const settings = {
      hazards: hazards.length > 0 ? hazards : [...HAZARD_KEYS],
      ...(areas.length > 0 && { areas }),
      ...(channels.length > 0 && { channels }),
      ...more,
    } as never;
    const url = textOption(values, "url") ?? null;
    const source = await client.ask(createCapSource, { body: { name, accountId, url, settings } });
    return answer(source, sourceLine(source));
  },
};

const suspension = (suspended: boolean): Command["run"] =>
  async function run(context) {
    const client = context.client();
    const { id } = await findSource(client, positional(context, 0, "a source"));
    const source = await client.ask(changeCapSource, { params: { id }, body: { suspended } });
    return answer(source, sourceLine(source));
  };

export const capSourcesSuspend: Command = {
  name: "cap sources suspend",
  usage: "SOURCE",
  summary: { en: "Take nothing more from a source", vi: "Tạm dừng nhận từ một nguồn CAP" },
  help: [],
  options: {},
  run: suspension(true),
};

export const capSourcesResume: Command = {
  name: "cap sources resume",
  usage: "SOURCE",
  summary: { en: "Take from a suspended source again", vi: "Nhận lại từ một nguồn CAP" },
  help: [],
  options: {},
  run: suspension(false),
};

export const capSourcesMessages: Command = {
  name: "cap sources messages",
  usage: "SOURCE",
  summary: {
    en: "List what came from a source and what became of it",
    vi: "Liệt kê các bản tin đã nhận từ một nguồn CAP và kết quả xử lý",
  },
  help: [],
  options: {},
  async run(context) {
    const client = context.client();
    const { id } = await findSource(client, positional(context, 0, "a source"));
    const page = await client.ask(listCapMessages, { params: { id }, query: {} });
    const rows = page.items.map((each) => [
      each.receivedAt,
      each.state + (each.orphan ? ", orphan" : ""),
      plainLine(each.identifier) || "–",
      each.bulletinIds.join(" ") || plainLine(each.reason ?? ""),
    ]);
    return answer(page, formatTable(["Received", "State", "Identifier", "Bulletin or why"], rows));
  },
};

export const capImport: Command = {
  name: "cap import",
  usage: "FILE|- [--source SOURCE]",
  summary: {
    en: "Bring a CAP message in, as its source's",
    vi: "Nhập một bản tin CAP của một nguồn",
  },
  help: [["--source SOURCE", "id or name, for an author; without it the key must be a source's"]],
  options: { source: text },
  async run(context) {
    const body = new Uint8Array(await readCapFile(positional(context, 0, "a CAP file")));
    const client = context.client();
    const wanted = textOption(context.values, "source");
    const message: Message =
      wanted === undefined
        ? await client.ask(pushCapMessage, { body })
        : await client.ask(importCapMessage, {
            params: { id: (await findSource(client, wanted)).id },
            body,
          });
    const { state, reason, remarks, bulletinIds, known } = message;
    const lines = [
      `${state}${known ? ", known before" : ""}${reason === null ? "" : `: ${plainLine(reason)}`}`,
      ...bulletinIds.map((id) => `Bulletin  ${id}`),
      ...remarks.map((remark) => `- ${plainLine(remark)}`),
    ];
    const ok = state !== "refused" && state !== "alarm";
    return { ok, document: message, text: lines.join("\n") };
  },
};
