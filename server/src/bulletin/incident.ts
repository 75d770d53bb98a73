// Incidents: one storm, flood or epidemic, the thread to which bulletins belong.
import { HAZARDS, type Hazard } from "@loa/model/hazard.ts";
import { Problem } from "@loa/model/problem.ts";
import { type Bilingual, LANGUAGES, textFault } from "@loa/model/text.ts";
import type { Actor } from "../account/actor.ts";
import type { Db, Pool } from "../db/connection.ts";
import { newId } from "../db/id.ts";
import { insertIncident } from "./store.ts";

export const INCIDENT_NAME_MAX = 120;

export interface Incident {
  readonly id: string;
  readonly agencyId: string;
  readonly hazard: Hazard;
  readonly name: Bilingual;
  readonly createdAt: Date;
}

/** Opens a thread. @throws {Problem} role-missing, request-invalid */
export async function createIncident(
  deps: { readonly db: Db; readonly pool: Pool },
  actor: Actor,
  wish: { hazard: Hazard; name: Bilingual },
  id: string = newId(),
): Promise<Incident> {
  if (!actor.roles.some((role) => role === "author" || role === "duty"))
    throw new Problem("role-missing", "An author or duty officer opens an incident.");
  const faults = LANGUAGES.flatMap((language) => {
    const what = textFault(wish.name[language], { max: INCIDENT_NAME_MAX, lines: false });
    return what === undefined ? [] : [{ at: `/name/${language}`, what }];
  });
  if (!Object.hasOwn(HAZARDS, wish.hazard))
    faults.push({ at: "/hazard", what: "is not a hazard that Loa knows" });
  if (faults.length > 0)
    throw new Problem("request-invalid", "Some fields cannot be used.", faults);
  await insertIncident(deps.pool, { ...wish, id, agencyId: actor.agencyId });
  return readIncident(deps.db, id);
}

/** @throws {Problem} incident-unknown */
export async function readIncident(db: Db, id: string): Promise<Incident> {
  const row = await db.selectFrom("incident").where("id", "=", id).selectAll().executeTakeFirst();
  if (row === undefined) throw new Problem("incident-unknown", `There is no incident ${id}.`);
  return toIncident(row);
}

/** Newest first. */
export async function listIncidents(db: Db, limit: number, after?: string): Promise<Incident[]> {
  const rows = await db
    .selectFrom("incident")
    .$if(after !== undefined, (query) =>
      query.where((where) =>
        where(
          "created_at",
          "<",
          where
            .selectFrom("incident as last")
            .where("last.id", "=", after as string)
            .select("last.created_at"),
        ),
      ),
    )
    .selectAll()
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return rows.map(toIncident);
}

const toIncident = (row: {
  id: string;
  agency_id: string;
  hazard: string;
  name_vi: string;
  name_en: string;
  created_at: Date;
}): Incident => ({
  id: row.id,
  agencyId: row.agency_id,
  hazard: row.hazard as Hazard,
  name: { vi: row.name_vi, en: row.name_en },
  createdAt: row.created_at,
});
