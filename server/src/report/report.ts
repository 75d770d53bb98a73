// Reports: the ledger's figures with the names of places and the population beside them.
// Reach among the registered is proven; a claim of an area channel stays a claim.
import type { DispatchSummary } from "@loa/model/delivery.ts";
import { Problem } from "@loa/model/problem.ts";
import type pg from "pg";
import type { Actor } from "../account/actor.ts";
import { type Bus, BusTimeout } from "../bus/bus.ts";
import { readAreaFault } from "../dispatch/area-check.ts";
import { summarizeOrders } from "../dispatch/area-order.ts";
import type { AreaTree } from "../registry/area.ts";

export interface ReportDeps {
  readonly pool: pg.Pool;
  readonly bus: Pick<Bus, "request">;
  readonly tree: () => AreaTree;
}

/** What is fixed of a dispatch. */
export interface DispatchHead {
  readonly id: string;
  readonly bulletinId: string;
  readonly type: "Actual" | "Exercise" | "PublicTest";
  readonly lane: "warning" | "notice";
  readonly state: "open" | "cancelled" | "expired" | "sealed";
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly residents: number;
  readonly concerned: number;
  readonly communeIds: readonly number[];
}

/**
 * Reads what is fixed of a dispatch, for somebody who may know it: a member of the issuing agency
 * or of one above it, or an operator.
 * @throws {Problem} dispatch-unknown, also for one that is not theirs to see.
 */
export async function readDispatch(
  { pool }: Pick<ReportDeps, "pool">,
  actor: Actor,
  dispatchId: string,
): Promise<DispatchHead> {
  const { rows } = await pool.query<DispatchHead>(
    `WITH RECURSIVE line AS (
       SELECT a.id, a.parent_id FROM dispatch d
       JOIN bulletin b ON b.id = d.bulletin_id JOIN agency a ON a.id = b.agency_id
       WHERE d.id = $1
       UNION SELECT a.id, a.parent_id FROM agency a JOIN line ON a.id = line.parent_id)
     SELECT id, bulletin_id AS "bulletinId", type, lane, state, issued_at AS "issuedAt",
            expires_at AS "expiresAt", residents, concerned, commune_ids AS "communeIds"
     FROM dispatch WHERE id = $1 AND ($3 OR $2 IN (SELECT id FROM line))`,
    [dispatchId, actor.agencyId, actor.roles.includes("operator")],
  );
  const head = rows[0];
  if (!head) throw new Problem("dispatch-unknown", `There is no dispatch ${dispatchId} for you.`);
  return head;
}

/**
 * The ledger's figures of a dispatch.
 * @throws {Problem} unavailable while the ledger starts again; nothing is lost meanwhile.
 */
export async function readSummary(
  { bus }: Pick<ReportDeps, "bus">,
  dispatchId: string,
): Promise<DispatchSummary> {
  try {
    const summary = await bus.request("ledger.summary", { dispatchId });
    return summary as DispatchSummary;
  } catch (cause) {
    const slow = cause instanceof BusTimeout;
    const detail = `The ledger ${slow ? "is busy" : "is starting"}; ask again in a few seconds.`;
    throw Object.assign(new Problem("unavailable", detail), { cause });
  }
}

/** Figures of a dispatch with population and area channels beside them. */
export async function summarizeDispatch(deps: ReportDeps, head: DispatchHead) {
  const [summary, area, fault = null] = await Promise.all([
    readSummary(deps, head.id),
    summarizeOrders(deps.pool, head.id),
    readAreaFault(deps.pool, head.id),
  ]);
  return { summary, area, fault, population: populationOf(deps.tree(), head.communeIds) };
}

/** Inhabitants of some communes; null when the area pack does not say for one of them. */
export function populationOf(tree: AreaTree, communeIds: readonly number[]): number | null {
  let sum = 0;
  for (const id of communeIds) {
    const population = tree.byId(id)?.population;
    if (population === null || population === undefined) return null;
    sum += population;
  }
  return sum;
}
