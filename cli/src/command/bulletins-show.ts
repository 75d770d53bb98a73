// `loa bulletins show`: all that an approver must have read, with the hash that is approved.
import { getBulletin } from "@loa/api/bulletins.ts";
import { answer, type Command, positional } from "../command.ts";
import { bulletinText } from "./bulletin-text.ts";

export const bulletinsShow: Command = {
  name: "bulletins show",
  usage: "ID",
  summary: {
    en: "Show a bulletin with its texts, history and hash",
    vi: "Xem bản tin: nội dung, quá trình xử lý và mã băm",
  },
  help: [],
  options: {},
  async run(context) {
    const id = positional(context, 0, "the ID of a bulletin");
    const bulletin = await context.client().ask(getBulletin, { params: { id } });
    return answer(bulletin, bulletinText(bulletin));
  },
};
