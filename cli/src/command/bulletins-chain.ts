// What follows an issued bulletin in its chain: update (cập nhật), last bulletin (tin cuối cùng),
// correction (đính chính) and cancel (thu hồi). Each is a draft that goes the way of every bulletin.
import { readFile } from "node:fs/promises";
import { correctBulletin, updateBulletin, updateIncident } from "@loa/api/bulletin-chain.ts";
import { cancelBulletin } from "@loa/api/bulletins.ts";
import {
  answer,
  type Command,
  positional,
  requiredOption,
  textOption,
  UsageError,
} from "../command.ts";
import { bulletinLine } from "./bulletin-text.ts";

const ID = "the ID of a bulletin";
const text = { type: "string" } as const;

/** The content of a file that may be named; without one the server takes the old content. */
async function contentFrom(file: string | undefined): Promise<{ content?: never }> {
  return file === undefined ? {} : { content: JSON.parse(await readFile(file, "utf8")) as never };
}

export const bulletinsUpdate: Command = {
  name: "bulletins update",
  usage: "ID | --incident ID [--content CONTENT.json] [--last]",
  summary: {
    en: "Draft the update of an issued bulletin; --last makes it the last of its chain",
    vi: "Soạn bản tin cập nhật; thêm --last nếu là tin cuối cùng",
  },
  help: [
    ["--incident ID", "the one bulletin in force on this incident, instead of naming it"],
    ["--content CONTENT.json", "the new content; without it the old one stands in"],
    ["--last", "the last bulletin: after it the chain goes no further"],
  ],
  options: { incident: text, content: text, last: { type: "boolean" } },
  async run(context) {
    const { values } = context;
    const incident = textOption(values, "incident");
    const body = {
      ...(await contentFrom(textOption(values, "content"))),
      last: values.last === true,
    };
    if (incident !== undefined && context.positionals.length > 0)
      throw new UsageError("name the bulletin or its incident, not both");
    const client = context.client();
    const draft =
      incident === undefined
        ? await client.ask(updateBulletin, { params: { id: positional(context, 0, ID) }, body })
        : await client.ask(updateIncident, { params: { id: incident }, body });
    return answer(draft, bulletinLine(draft));
  },
};

export const bulletinsCorrect: Command = {
  name: "bulletins correct",
  usage: "ID [--content CONTENT.json]",
  summary: {
    en: "Draft the correction of an issued bulletin: words only, and nobody is woken",
    vi: "Soạn đính chính: chỉ sửa câu chữ, không báo động lại",
  },
  help: [["--content CONTENT.json", "the corrected content; only its words may differ"]],
  options: { content: text },
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const body = await contentFrom(textOption(context.values, "content"));
    const draft = await context.client().ask(correctBulletin, { params, body });
    return answer(draft, bulletinLine(draft));
  },
};

export const bulletinsCancel: Command = {
  name: "bulletins cancel",
  usage: 'ID --reason-vi "…" --reason-en "…"',
  summary: {
    en: "Draft the cancel of an issued bulletin; submit and approve it like any other",
    vi: "Soạn bản tin thu hồi; trình và duyệt như mọi bản tin khác",
  },
  help: [
    ['--reason-vi "…"', "why, in Vietnamese: it is sent"],
    ['--reason-en "…"', "why, in English"],
  ],
  options: { "reason-vi": text, "reason-en": text },
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const reason = {
      vi: requiredOption(context.values, "reason-vi"),
      en: requiredOption(context.values, "reason-en"),
    };
    const draft = await context.client().ask(cancelBulletin, { params, body: { reason } });
    return answer(draft, bulletinLine(draft));
  },
};
