// What is known after a run, from three sides: the list of people from the imported file, what the
// receiving side wrote down, and what the server says in its ledger. Gathering it asks only the
// public API and the witness.
import type { z } from "@hono/zod-openapi";
import {
  type dispatchSchema,
  exportDispatch,
  getDispatch,
  listAreaOrders,
  listDispatchCommunes,
} from "@loa/api/dispatches.ts";
import type { Cast } from "@loa/cli/drill/desk.ts";
import { type Expectation, expectAudience } from "@loa/cli/drill/expectation.ts";
import type { CommuneLedger, OrderLedger } from "@loa/cli/drill/checks.ts";
import { type State, STATES } from "@loa/model/delivery.ts";
import type { RunPlan } from "./plan.ts";
import type { Part, Sent } from "./story.ts";
import type { Testimony } from "./witness-protocol.ts";
import type { World } from "./world.ts";

/** One row of the ledger's export. */
export interface LedgerRow {
  readonly state: State;
  readonly channel: string;
  readonly commune: string;
  readonly as: "resident" | "concerned";
}

/** All of one dispatch. */
export interface DispatchEvidence extends Sent {
  /** From the list alone; undefined for a Cancel and for `left`, which go to whom others reached. */
  readonly expectation: Expectation | undefined;
  readonly summary: z.output<typeof dispatchSchema>;
  readonly communes: readonly CommuneLedger[];
  readonly orders: readonly OrderLedger[];
  /** By number of the person. */
  readonly rows: ReadonlyMap<number, LedgerRow>;
  /** Rows of the export that name nobody on the list, or somebody twice. */
  readonly strangeRows: readonly string[];
}

export interface Evidence {
  readonly plan: RunPlan;
  readonly world: World;
  readonly dispatches: readonly DispatchEvidence[];
  readonly testimony: Testimony;
  readonly breaches: readonly string[];
  /** How many slices of one channel of one dispatch may have been left in doubt by a fault. */
  readonly interruptions: number;
  /** Slices that a far side did not answer in time, as the workers say, by channel. */
  readonly unanswered: Readonly<Record<string, number>>;
  readonly sliceSize: number;
  readonly workers: number;
  /** How many devices claimed what they did not get. */
  readonly claims: number;
  /** What was still under way when patience ended. */
  readonly unsettled: string | undefined;
}

export type Summary = z.output<typeof dispatchSchema>;

export const readSummaries = (cast: Cast, sent: readonly Sent[]): Promise<Summary[]> =>
  Promise.all(
    sent.map(({ dispatch }) => cast.author.ask(getDispatch, { params: { id: dispatch } })),
  );

/** Asks the server for everything that it knows of one dispatch. */
export async function gatherDispatch(
  cast: Cast,
  world: World,
  sent: Sent,
): Promise<DispatchEvidence> {
  const params = { id: sent.dispatch };
  const summary = await cast.author.ask(getDispatch, { params });
  const communes = await cast.author.ask(listDispatchCommunes, { params });
  const orders = await cast.author.ask(listAreaOrders, { params });
  const response = await cast.author.ask(exportDispatch, { params, query: { format: "csv" } });
  const { rows, strangeRows } = readExport(await response.text(), world);
  const { areas, rule, part } = sent;
  const meant = { areas, rule, account: world.account };
  return {
    ...sent,
    expectation:
      part === "cancel" || part === "left"
        ? undefined
        : expectAudience(world.rows, world.units, meant),
    summary,
    communes: communes.items,
    orders: orders.items,
    rows,
    strangeRows,
  };
}

function readExport(text: string, world: World) {
  const rows = new Map<number, LedgerRow>();
  const strangeRows: string[] = [];
  for (const line of text.split("\n").slice(1)) {
    if (line === "") continue;
    const [subscriber = "", commune = "", group = "", channel = "", state = ""] = line.split(",");
    const index = world.indexOf.get(subscriber);
    const known = STATES.find((each) => each === state);
    if (index === undefined || rows.has(index) || known === undefined) strangeRows.push(line);
    else
      rows.set(index, {
        state: known,
        channel,
        commune,
        as: group === "residents" ? "resident" : "concerned",
      });
  }
  return { rows, strangeRows };
}

/** The dispatch of a part of the story, if there is one. */
export const dispatchOf = (
  dispatches: readonly DispatchEvidence[],
  part: Part | undefined,
): DispatchEvidence | undefined => dispatches.find((each) => each.part === part);

/** What a dispatch replaces, and what that replaced, back to the first. */
export function replacedBy(
  dispatches: readonly DispatchEvidence[],
  dispatch: DispatchEvidence,
): DispatchEvidence[] {
  const before = dispatchOf(dispatches, dispatch.replaces);
  return before === undefined ? [] : [before, ...replacedBy(dispatches, before)];
}
