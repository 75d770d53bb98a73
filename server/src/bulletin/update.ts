// What an Update may replace: bulletins of the same agency, type and incident that went out.
// One storm is one thread; an exercise never replaces a real warning. What replaces a bulletin goes
// over every channel to people that it went over: otherwise somebody keeps the old one for good.
import { type BulletinContent, REFERENCES_MAX } from "@loa/model/bulletin.ts";
import { canonicalJson, type CanonicalValue } from "@loa/model/canonical.ts";
import type { ChainStep } from "@loa/model/chain-step.ts";
import { ENDPOINT_KINDS } from "@loa/model/endpoint.ts";
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
    readonly step: ChainStep;
    readonly updates: readonly string[];
  },
): Promise<void> {
  const faults: Fault[] = [];
  if (wish.step === "correction" && wish.updates.length !== 1)
    faults.push({ at: "/updates", what: "a correction is about one bulletin" });
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
    else {
      await requireReferable(sql, old);
      faults.push(...stepFaults(old, wish, at));
    }
  }
  if (faults.length > 0)
    throw new Problem("bulletin-invalid", "It cannot update these bulletins.", faults);
}

function stepFaults(
  old: Bulletin,
  { content, step }: { readonly content: BulletinContent; readonly step: ChainStep },
  at: string,
): Fault[] {
  const faults: Fault[] = [];
  if (step === "correction") {
    if (old.state !== "issued") faults.push({ at, what: `is ${old.state}; issue an update` });
    if (meant(old.content) !== meant(content))
      faults.push({
        at: "/content",
        what: "a correction changes words only: for another place, level, time, channel or kind issue an update",
      });
  } else if (old.step === "last")
    faults.push({ at, what: "was the last of its chain; write a bulletin of its own" });
  for (const channel of ENDPOINT_KINDS)
    if (old.content.channels.includes(channel) && !content.channels.includes(channel))
      faults.push({
        at: "/content/channels",
        what: `lacks ${channel}, over which ${old.content.number} went: its readers would keep it`,
      });
  return faults;
}

/** Everything that is not words: who is told what to do, where, how loudly and until when. */
function meant(content: BulletinContent): string {
  const words = {
    texts: null,
    wordings: null,
    items: null,
    number: null,
    legalBasis: null,
    signatory: null,
    source: null,
  };
  return canonicalJson({ ...content, ...words } as unknown as CanonicalValue);
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

/** When nobody can have anything of these bulletins' chain any more: a phone may be off until then. */
export async function lastExpiry(
  sql: Sql,
  bulletinIds: readonly string[],
  atLeast: Date,
): Promise<Date> {
  const { rows } = await sql.query<{ until: Date }>(
    `SELECT greatest($2::timestamptz, max(o.expires_at)) AS until
     FROM dispatch d JOIN dispatch o ON o.id = d.id OR o.id = ANY(d.supersedes)
     WHERE d.bulletin_id = ANY($1::uuid[])`,
    [bulletinIds, atLeast],
  );
  return (rows[0] as { until: Date }).until;
}
