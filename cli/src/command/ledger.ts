// `loa ledger`: what happened to a dispatch, in all, by commune, for one subscriber, or every row.
import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { z } from "@hono/zod-openapi";
import { getBulletin } from "@loa/api/bulletins.ts";
import { ApiProblem, type Client } from "@loa/api/client.ts";
import {
  type DispatchDocument,
  type dispatchCommuneSchema,
  exportDispatch,
  getDispatch,
  getRecipient,
  listAreaOrders,
  listDispatchCommunes,
  type recipientSchema,
} from "@loa/api/dispatches.ts";
import { STATES } from "@loa/model/delivery.ts";
import {
  answer,
  type Command,
  type CommandAnswer,
  type CommandContext,
  positional,
  textOption,
  UsageError,
} from "../command.ts";
import { formatFields, formatNumber, formatTable } from "../table.ts";

export const ledger: Command = {
  name: "ledger",
  usage: "BULLETIN|DISPATCH [--communes | --orders | --subscriber ID | --csv [--out FILE]]",
  summary: {
    en: "Account for a dispatch: who was reached, and who was not",
    vi: "Sổ gửi của một đợt phát: ai đã nhận, ai chưa",
  },
  help: [
    ["--communes", "by commune, residents and concerned apart in --json"],
    ["--orders", "the orders to loudspeakers, carriers and others, with what they claim"],
    ["--subscriber ID", "what happened to one subscriber"],
    ["--csv", "one row for each recipient and channel, on stdout"],
    ["--out FILE", "with --csv: into a file"],
  ],
  options: {
    communes: { type: "boolean" },
    orders: { type: "boolean" },
    subscriber: { type: "string" },
    csv: { type: "boolean" },
    out: { type: "string" },
  },
  async run(context) {
    const { values } = context;
    const client = context.client();
    const id = await dispatchOf(client, positional(context, 0, "the ID of a bulletin or dispatch"));
    const subscriber = textOption(values, "subscriber");
    if (subscriber !== undefined) {
      const recipient = await client.ask(getRecipient, { params: { id, subscriber } });
      return answer(recipient, recipientText(recipient));
    }
    if (values.csv === true) return exportRows(context, id);
    if (values.orders === true) {
      const orders = await client.ask(listAreaOrders, { params: { id } });
      const rows = orders.items.map((each) => [
        each.area,
        each.channel,
        each.state,
        each.claimed,
        each.evidence ?? "",
      ]);
      const text = formatTable(["Area", "Channel", "State", "Claimed", "Evidence"], rows);
      return answer(orders, text);
    }
    if (values.communes === true) {
      const communes = await client.ask(listDispatchCommunes, { params: { id } });
      return answer(communes, communesText(communes.items));
    }
    const dispatch = await client.ask(getDispatch, { params: { id } });
    return answer(dispatch, dispatchText(dispatch));
  },
};

/** Whoever issued a bulletin knows its ID, and not the one of its dispatch. */
async function dispatchOf(client: Client, id: string): Promise<string> {
  try {
    const { dispatchId } = await client.ask(getBulletin, { params: { id } });
    return dispatchId ?? id;
  } catch (fault) {
    if (fault instanceof ApiProblem && fault.document.status === 404) return id;
    throw fault;
  }
}

function dispatchText(dispatch: DispatchDocument): string {
  const { audience, population } = dispatch;
  const fields = formatFields([
    ["Dispatch", dispatch.id],
    ["Bulletin", dispatch.bulletin],
    ["State", `${dispatch.state}, ${dispatch.type}, ${dispatch.lane}`],
    ["Issued", dispatch.issuedAt],
    ["Expires", dispatch.expiresAt],
    [
      "Audience",
      `${formatNumber(audience.residents)} residents + ${formatNumber(audience.concerned)} concerned = ${formatNumber(audience.total)} registered people`,
    ],
    [
      "Area",
      `${dispatch.communes} communes, ${population === null ? "population not known" : `${formatNumber(population)} inhabitants`}`,
    ],
    ["Joined later", dispatch.joinedLater],
    ["Not sent", dispatch.fault],
  ]);
  const channels = formatTable(
    ["Channel", "Planned", ...STATES, "Delivered of planned"],
    Object.entries(dispatch.channels).map(([name, { planned, state, reached }]) => [
      name,
      planned,
      ...STATES.map((each) => state[each]),
      percent(reached.delivered, planned),
    ]),
  );
  const orders = dispatch.area.map(
    (each) =>
      `${each.channel}: ${each.orders} orders, ${each.carriedOut} carried out; claimed ${formatNumber(each.claimed)} (not counted above)`,
  );
  const refused = dispatch.refusedReceipts.map(
    (each) => `${each.channel}: ${formatNumber(each.refused)} receipts refused, ${each.reason}`,
  );
  const remarks = [...orders, ...refused].join("\n");
  return [fields, channels, remarks].filter((each) => each !== "").join("\n\n");
}

function communesText(communes: readonly z.output<typeof dispatchCommuneSchema>[]): string {
  return formatTable(
    ["Code", "Commune", "Inhabitants", "Channel", "Planned", "Sent", "Delivered", "Read"],
    communes.flatMap(({ code, name, population, channels }) =>
      Object.entries(channels).map(([channel, { residents, concerned }]) => [
        code,
        name.vi,
        population,
        channel,
        residents.planned + concerned.planned,
        residents.reached.sent + concerned.reached.sent,
        residents.reached.delivered + concerned.reached.delivered,
        residents.reached.read + concerned.reached.read,
      ]),
    ),
  );
}

function recipientText(recipient: z.output<typeof recipientSchema>): string {
  if (!recipient.inAudience)
    return `${recipient.subscriber} is not in the audience of this dispatch.`;
  const heading = `${recipient.subscriber}: one of the ${recipient.group}, counted in ${recipient.commune}`;
  const rows = recipient.channels.flatMap(({ channel, state, facts }) => [
    [channel, state, ""],
    ...facts.map(({ plane, at }) => ["", plane, at ?? "time not kept"]),
  ]);
  return `${heading}\n\n${formatTable(["Channel", "State", "When"], rows)}`;
}

/** Streams the rows, so that millions of them need no memory. */
async function exportRows(context: CommandContext, id: string): Promise<CommandAnswer> {
  const { isJson, values, stdout, signal } = context;
  const out = textOption(values, "out");
  if (isJson && out === undefined)
    throw new UsageError("--csv with --json wants --out FILE: stdout holds one JSON document");
  const response = await context
    .client()
    .ask(exportDispatch, { params: { id }, query: { format: "csv" }, signal });
  if (response.body === null) throw new Error("the export has no body");
  const rows = Readable.fromWeb(response.body as never);
  if (out === undefined) {
    await pipeline(rows, stdout, { end: false });
    return answer(null, "");
  }
  await pipeline(rows, createWriteStream(out));
  return answer({ dispatch: id, file: out }, `Written to ${out}`);
}

const percent = (part: number, whole: number): string =>
  whole === 0 ? "–" : `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
