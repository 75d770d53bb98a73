// Incidents over HTTP.
import {
  createIncident as createRoute,
  getIncident,
  listIncidents as listRoute,
} from "@loa/api/incidents.ts";
import {
  createIncident,
  type Incident,
  listIncidents,
  readIncident,
} from "../bulletin/incident.ts";
import type { Connection } from "../db/connection.ts";
import type { App } from "./app.ts";
import { pageOf } from "./page.ts";

export function mountIncidents(app: App, deps: Pick<Connection, "db" | "pool">): void {
  app.mount(createRoute, async ({ caller, body, stableId }) =>
    showIncident(await createIncident(deps, caller, body, stableId)),
  );
  app.mount(listRoute, async ({ query: { limit, after } }) => {
    const rows = await listIncidents(deps.db, limit + 1, after);
    return pageOf(rows.map(showIncident), limit);
  });
  app.mount(getIncident, async ({ params }) =>
    showIncident(await readIncident(deps.db, params.id)),
  );
}

const showIncident = (incident: Incident) => ({
  ...incident,
  createdAt: incident.createdAt.toISOString(),
});
