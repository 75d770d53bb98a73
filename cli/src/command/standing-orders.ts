// Standing orders from the command line: list, show, sign, and warn under one.
import { readFile } from "node:fs/promises";
import type { z } from "@hono/zod-openapi";
import {
  approveStandingOrder,
  getStandingOrder,
  listStandingOrders,
  useStandingOrder,
} from "@loa/api/standing-orders.ts";
import { answer, type Command, positional, requiredOption } from "../command.ts";
import { formatFields, formatTable } from "../table.ts";
import { bulletinLine } from "./bulletin-text.ts";

type StandingOrder = z.output<(typeof getStandingOrder)["answer"]["schema"]>;

const ID = "the ID of a standing order";

const orderText = (order: StandingOrder): string =>
  formatFields([
    ["Standing order", order.id],
    ["Name", order.body.name.vi],
    ["Hazard", order.body.template.hazard],
    ["Highest level", order.body.highestLevel],
    ["Areas", order.body.areas.join(" ")],
    ["Blanks", Object.keys(order.body.blanks).join(", ")],
    ["Headline", order.body.template.texts.vi.headline],
    ["Usable", order.usable ? "yes" : "no"],
    ["Signatures", order.approvals.map(({ person }) => person).join("; ")],
    ["Until", order.body.expiresAt],
    ["Hash", order.hash],
  ]);

export const standingOrdersList: Command = {
  name: "standing-orders list",
  usage: "",
  summary: { en: "List standing orders", vi: "Liệt kê các lệnh chờ sẵn" },
  help: [],
  options: {},
  async run({ client }) {
    const page = await client().ask(listStandingOrders, { query: {} });
    const rows = page.items.map((each) => [
      each.id,
      each.usable ? "usable" : "not usable",
      each.body.template.hazard,
      each.body.name.vi,
    ]);
    return answer(page, formatTable(["Standing order", "State", "Hazard", "Name"], rows));
  },
};

export const standingOrdersShow: Command = {
  name: "standing-orders show",
  usage: "ID",
  summary: { en: "Show a standing order and its hash", vi: "Xem một lệnh chờ sẵn và mã băm" },
  help: [],
  options: {},
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const order = await context.client().ask(getStandingOrder, { params });
    return answer(order, orderText(order));
  },
};

export const standingOrdersApprove: Command = {
  name: "standing-orders approve",
  usage: "ID --hash HASH",
  summary: { en: "Sign a standing order; it takes two", vi: "Ký lệnh chờ sẵn; cần hai người ký" },
  help: [["--hash HASH", "as `standing-orders show` printed it"]],
  options: { hash: { type: "string" } },
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const body = { hash: requiredOption(context.values, "hash") };
    const order = await context.client().ask(approveStandingOrder, { params, body });
    return answer(order, orderText(order));
  },
};

export const standingOrdersUse: Command = {
  name: "standing-orders use",
  usage: "ID USE.json",
  summary: {
    en: "Warn at once under a standing order; its use is reviewed afterwards",
    vi: "Cảnh báo ngay theo lệnh chờ sẵn; việc sử dụng được xem xét lại sau",
  },
  help: [["USE.json", "values of the blanks, areas, riskLevel, source, expiresAt"]],
  options: {},
  async run(context) {
    const params = { id: positional(context, 0, ID) };
    const file = positional(context, 1, "a file with the values of the blanks");
    const body = JSON.parse(await readFile(file, "utf8")) as never;
    const issued = await context.client().ask(useStandingOrder, { params, body });
    return answer(issued, `${bulletinLine(issued.bulletin)}\nDispatch  ${issued.dispatch.id}`);
  },
};
