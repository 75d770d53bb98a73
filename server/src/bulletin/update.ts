// What an Update may replace: bulletins of the same agency, type and incident that went out.
// One storm is one thread; an exercise never replaces a real warning.
import { type BulletinContent, REFERENCES_MAX } from "@loa/model/bulletin.ts";
import { type Fault, Problem } from "@loa/model/problem.ts";
import type { BulletinState } from "@loa/model/transition.ts";
import { type Bulletin, loadBulletin, selectSuccessor } from "./bulletin-row.ts";
import type { Sql } from "./store.ts";

/** What may be referenced: in force, or run out, which is not a reason to refuse the next one. */
export const REFERABLE: readonly BulletinState[] = ["issued", "expired"];

/** @throws {Problem} bulletin-unknown, bulletin-invalid, bulletin-state naming who replaced it. */
export async function requireUpdatable(
  sql: Sql,
  wish: {
    readonly agencyId: string;
    readonly content: BulletinContent;
    readonly updates: readonly string[];
  },
): Promise<void> {
  const faults: Fault[] = [];
  if (wish.updates.length > REFERENCES_MAX || new Set(wish.updates).size < wish.updates.length)
    faults.push({ at: "/updates", what: `wants at most ${REFERENCES_MAX} bulletins, each once` });
  for (const [index, id] of wish.updates.entries()) {
    const at = `/updates/${index}`;
    const old = await loadBulletin(sql, id);
    if (old.agencyId !== wish.agencyId) faults.push({ at, what: "is another agency's bulletin" });
    else if (old.content.type !== wish.content.type)
      faults.push({ at, what: `is of type ${old.content.type}` });
    else if (old.msgType === "Cancel") faults.push({ at, what: "is itself a Cancel" });
    else if (old.content.incidentId !== wish.content.incidentId)
      faults.push({ at, what: "belongs to another incident" });
    else await requireReferable(sql, old);
  }
  if (faults.length > 0)
    throw new Problem("bulletin-invalid", "It cannot update these bulletins.", faults);
}

/** @throws {Problem} bulletin-state, with the bulletin that is in force instead. */
export async function requireReferable(
  sql: Sql,
  old: Pick<Bulletin, "id" | "state">,
): Promise<void> {
  if (REFERABLE.includes(old.state)) return;
  const successor = await selectSuccessor(sql, old.id);
  throw new Problem(
    "bulletin-state",
    successor === undefined
      ? `${old.id} was not issued; it is ${old.state}.`
      : `${old.id} is ${old.state}; ${successor} took its place, refer to that one.`,
  );
}
