// Asks the one transition table whether somebody may act, and says why not.
import { Problem } from "@loa/model/problem.ts";
import { type BulletinAction, mayAct, type Transition } from "@loa/model/transition.ts";
import { type Actor, standpointTowards } from "../account/actor.ts";
import type { Db } from "../db/connection.ts";
import type { Bulletin } from "./bulletin-row.ts";

/**
 * @throws {Problem} bulletin-state, role-missing; approver-foreign or bulletin-unknown for those
 * who belong neither to the agency nor to the one above it.
 */
export async function requireAllowed(
  db: Db,
  actor: Actor,
  bulletin: Pick<Bulletin, "id" | "agencyId" | "state">,
  action: BulletinAction,
): Promise<Transition> {
  const standpoint = await standpointTowards(db, actor, bulletin.agencyId);
  const verdict = mayAct(bulletin.state, action, standpoint, actor.roles);
  if (verdict.allowed) return verdict.transition;
  if (standpoint === "foreign" && action === "approve")
    throw new Problem(
      "approver-foreign",
      "You belong neither to the issuing agency nor to the one directly above it.",
    );
  if (standpoint === "foreign")
    throw new Problem("bulletin-unknown", `There is no bulletin ${bulletin.id} of yours.`);
  if (verdict.why === "state")
    throw new Problem("bulletin-state", `A bulletin that is ${bulletin.state} has no "${action}".`);
  throw new Problem("role-missing", `Your roles do not let you ${action} this bulletin.`);
}
