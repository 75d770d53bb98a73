// The steps of a bulletin from draft to issued: submit, return, approve, issue. Who may do
// which is decided by the server alone.
import {
  approveBulletin,
  getBulletin,
  issueBulletin,
  returnBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import { answer, type Command, positional, requiredOption } from "../command.ts";
import { formatFields } from "../table.ts";
import { bulletinLine } from "./bulletin-text.ts";

const ID = "the ID of a bulletin";
const text = { type: "string" } as const;

export const bulletinsSubmit: Command = {
  name: "bulletins submit",
  usage: "ID",
  summary: {
    en: "Hand your draft to the approvers",
    vi: "Trình dự thảo bản tin để phê duyệt",
  },
  help: [],
  options: {},
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const client = context.client();
    const { version } = await client.ask(getBulletin, { params });
    const bulletin = await client.ask(submitBulletin, { params, body: { version } });
    return answer(bulletin, bulletinLine(bulletin));
  },
};

export const bulletinsReturn: Command = {
  name: "bulletins return",
  usage: 'ID --reason "…"',
  summary: {
    en: "Give a bulletin back to its authors",
    vi: "Trả lại bản tin cho người soạn, kèm lý do",
  },
  help: [['--reason "…"', "what must change"]],
  options: { reason: text },
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const body = { reason: requiredOption(context.values, "reason") };
    const bulletin = await context.client().ask(returnBulletin, { params, body });
    return answer(bulletin, bulletinLine(bulletin));
  },
};

export const bulletinsApprove: Command = {
  name: "bulletins approve",
  usage: "ID --hash HASH",
  summary: {
    en: "Approve exactly what you read: the hash that `bulletins show` printed",
    vi: "Phê duyệt đúng nội dung đã đọc: mã băm mà `bulletins show` đã in ra",
  },
  help: [["--hash HASH", "so that nothing else than what you read can be approved"]],
  options: { hash: text },
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const body = { hash: requiredOption(context.values, "hash") };
    const bulletin = await context.client().ask(approveBulletin, { params, body });
    return answer(bulletin, bulletinLine(bulletin));
  },
};

export const bulletinsIssue: Command = {
  name: "bulletins issue",
  usage: "ID",
  summary: {
    en: "Send an approved bulletin to everyone whom it concerns",
    vi: "Phát bản tin đã duyệt đến mọi người có liên quan",
  },
  help: [],
  options: {},
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const issued = await context.client().ask(issueBulletin, { params });
    const dispatch = formatFields([
      ["Dispatch", issued.dispatch.id],
      ["Issued at", issued.dispatch.issuedAt],
    ]);
    const next = `Follow it: npm run -s loa -- ledger ${issued.dispatch.id}`;
    return answer(issued, `${bulletinLine(issued.bulletin)}\n${dispatch}\n\n${next}`);
  },
};
