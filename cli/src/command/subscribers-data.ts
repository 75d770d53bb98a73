// The rights of those who are registered, from the operator's desk: show, export, delete.
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { deleteSubscriber, exportSubscribers, getSubscriber } from "@loa/api/subscribers.ts";
import { answer, type Command, positional, textOption, UsageError } from "../command.ts";
import { formatFields } from "../table.ts";

const ID = "the ID of a subscriber";

export const subscribersShow: Command = {
  name: "subscribers show",
  usage: "ID",
  summary: {
    en: "Show all that is kept of one subscriber",
    vi: "Xem mọi thông tin đang lưu về một người nhận",
  },
  help: [],
  options: {},
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const one = await context.client().ask(getSubscriber, { params });
    const text = formatFields([
      ["Subscriber", one.id],
      ["Kind", `${one.kind}, ${one.standing}`],
      ["Home", one.home],
      ["Further places", one.places.join(" ") || null],
      ["Follows", one.follows.join(" ") || null],
      ["Reached by", one.endpoints.map(({ kind }) => kind).join(", ")],
      ["Consent", `${one.consent.version}, ${one.consent.at}: ${one.consent.basis}`],
    ]);
    return answer(one, text);
  },
};

export const subscribersExport: Command = {
  name: "subscribers export",
  usage: "[--out FILE]",
  summary: {
    en: "Export the registry as CSV, one row for each subscriber",
    vi: "Xuất danh sách người nhận ra CSV",
  },
  help: [["--out FILE", "into a file that only you can read; else to stdout"]],
  options: { out: { type: "string" } },
  async run({ client, values, isJson, stdout, signal }) {
    const out = textOption(values, "out");
    if (isJson && out === undefined)
      throw new UsageError("with --json, --out FILE is needed: stdout holds one JSON document");
    const response = await client().ask(exportSubscribers, { signal });
    if (response.body === null) throw new Error("the export has no body");
    const rows = Readable.fromWeb(response.body as never);
    if (out === undefined) {
      await pipeline(rows, stdout, { end: false });
      return answer(null, "");
    }
    await pipeline(rows, createWriteStream(out, { mode: 0o600 }));
    return answer({ file: out }, `Written to ${out}`);
  },
};

export const subscribersDelete: Command = {
  name: "subscribers delete",
  usage: "ID",
  summary: {
    en: "Delete a subscriber for good; sums of the past stand",
    vi: "Xóa hẳn một người nhận; các số liệu đã chốt không đổi",
  },
  help: [],
  options: {},
  async run(context) {
    const id = positional(context, 0, ID);
    await context.client().ask(deleteSubscriber, { params: { id } });
    return answer({ deleted: id }, `${id} is deleted.`);
  },
};
