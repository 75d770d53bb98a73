// The ledger over HTTP: figures, communes, one recipient, rows, and the reports of gateways.
import {
  exportDispatch,
  getDispatch,
  getRecipient,
  listAreaOrders,
  listDispatchCommunes,
  reportAreaOrder,
} from "@loa/api/dispatches.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import { Problem } from "@loa/model/problem.ts";
import { listOrders, reportOrder } from "../dispatch/area-order.ts";
import { readRecipient } from "../dispatch/recipient.ts";
import { isReduced } from "../dispatch/reduce.ts";
import { exportRows } from "../report/export.ts";
import { readDispatch, readSummary, type ReportDeps, summarizeDispatch } from "../report/report.ts";
import type { App } from "./app.ts";

const CSV_HEAD = "subscriber,commune,group,channel,state,sent_at,delivered_at,read_at\n";

export function mountDispatches(app: App, deps: ReportDeps): void {
  const { pool, tree } = deps;

  app.mount(getDispatch, async ({ caller, params }) => {
    const head = await readDispatch(deps, caller, params.id);
    const { summary, area, fault, population } = await summarizeDispatch(deps, head);
    const { residents, concerned } = head;
    return {
      id: head.id,
      bulletin: head.bulletinId,
      type: head.type,
      lane: head.lane,
      state: head.state,
      issuedAt: formatLocalTime(head.issuedAt),
      expiresAt: formatLocalTime(head.expiresAt),
      audience: { residents, concerned, total: residents + concerned },
      communes: head.communeIds.length,
      population,
      channels: summary.channels,
      area,
      fault,
      joinedLater: summary.joinedLater,
      refusedReceipts: [...summary.refusals],
    };
  });

  app.mount(listDispatchCommunes, async ({ caller, params }) => {
    const head = await readDispatch(deps, caller, params.id);
    const { communes } = await readSummary(deps, head.id);
    const inside = new Set(head.communeIds);
    const items = communes.map(({ areaId, channels }) => {
      const area = tree().byId(areaId);
      return {
        code: area?.code ?? String(areaId),
        name: area?.name ?? { vi: "", en: "" },
        population: area?.population ?? null,
        inside: inside.has(areaId),
        channels,
      };
    });
    return { items: items.toSorted((a, b) => (a.code < b.code ? -1 : 1)) };
  });

  app.mount(getRecipient, async ({ caller, params }) => {
    const head = await readDispatch(deps, caller, params.id);
    await requireFacts(pool, head.id);
    const { rows } = await pool.query<{ ordinal: number }>(
      "SELECT ordinal FROM subscriber WHERE id = $1",
      [params.subscriber],
    );
    const ordinal = rows[0]?.ordinal;
    if (ordinal === undefined)
      throw new Problem("subscriber-unknown", `There is no subscriber ${params.subscriber}.`);
    const history = await readRecipient(pool, head.id, ordinal);
    return {
      dispatch: head.id,
      subscriber: params.subscriber,
      inAudience: history !== undefined,
      group: history?.group ?? null,
      commune: history ? (tree().byId(history.areaId)?.code ?? null) : null,
      channels: (history?.channels ?? []).map(({ channel, state, facts }) => ({
        channel,
        state,
        facts: facts.map(({ plane, msSinceIssue }) => ({
          plane,
          at:
            msSinceIssue === null ? null : formatLocalTime(new Date(+head.issuedAt + msSinceIssue)),
        })),
      })),
    };
  });

  app.mount(exportDispatch, async ({ caller, params, query }) => {
    const head = await readDispatch(deps, caller, params.id);
    await requireFacts(pool, head.id);
    const codeOf = (areaId: number) => tree().byId(areaId)?.code ?? "";
    const rows = exportRows(pool, head.id, head.issuedAt, codeOf);
    const isCsv = query.format === "csv";
    const body = ReadableStream.from(isCsv ? csvOf(rows) : jsonOf(rows)).pipeThrough(
      new TextEncoderStream(),
    );
    const type = isCsv ? "text/csv; charset=utf-8" : "application/x-ndjson";
    return new Response(body, { headers: { "content-type": type } });
  });

  app.mount(listAreaOrders, async ({ caller, params }) => {
    const head = await readDispatch(deps, caller, params.id);
    const orders = await listOrders(pool, head.id);
    return {
      items: orders.map(({ changedAt, ...order }) => ({
        ...order,
        changedAt: formatLocalTime(changedAt),
      })),
    };
  });

  app.mount(reportAreaOrder, async ({ caller, params, body }) => {
    await reportOrder(pool, caller.channel, params.id, body);
  });
}

/** @throws {Problem} facts-reduced when facts of single persons are no longer kept. */
async function requireFacts(pool: ReportDeps["pool"], dispatchId: string): Promise<void> {
  if (await isReduced(pool, dispatchId))
    throw new Problem(
      "facts-reduced",
      "What happened to single persons is no longer kept; the figures of the dispatch are.",
    );
}

type Rows = ReturnType<typeof exportRows>;

/** No field can hold a comma or a quote: ids, codes, words of ours, and times. */
async function* csvOf(rows: Rows): AsyncGenerator<string> {
  yield CSV_HEAD;
  for await (const part of rows)
    yield part
      .map(
        (row) =>
          `${row.subscriber ?? ""},${row.commune},${row.group},${row.channel},${row.state},` +
          `${row.sentAt?.toISOString() ?? ""},${row.deliveredAt?.toISOString() ?? ""},` +
          `${row.readAt?.toISOString() ?? ""}\n`,
      )
      .join("");
}

async function* jsonOf(rows: Rows): AsyncGenerator<string> {
  for await (const part of rows) yield part.map((row) => `${JSON.stringify(row)}\n`).join("");
}
