// Zones over HTTP.
import { createZone, getZone, listZones, retireZone } from "@loa/api/zones.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Db } from "../db/connection.ts";
import type { AreaTree } from "../registry/area.ts";
import * as registry from "../registry/zone.ts";
import type { App } from "./app.ts";

export interface ZoneDeps {
  readonly db: Db;
  readonly tree: () => AreaTree;
}

export function mountZones(app: App, { db, tree }: ZoneDeps): void {
  app.mount(listZones, async () => ({
    items: (await registry.listZones(db)).map((zone) => showZone(tree(), zone)),
  }));

  app.mount(getZone, async ({ params: { code } }) => {
    const [zone] = await registry.findZones(db, [code]);
    if (!zone) throw new Problem("zone-unknown", `No zone in use has the code ${code}.`);
    return { ...showZone(tree(), zone), geometry: zone.geometry as ShownGeometry };
  });

  app.mount(createZone, async ({ body, caller, stableId }) => {
    const input = { ...body, agencyId: caller.agencyId };
    return showZone(tree(), await registry.createZone(db, tree(), input, stableId));
  });

  app.mount(retireZone, async ({ params, caller }) => {
    await registry.retireZone(db, params.code, {
      agencyId: caller.agencyId,
      isOperator: caller.roles.includes("operator"),
    });
  });
}

/** What was stored passed the same schema when it came in. */
type ShownGeometry =
  | { type: "Polygon"; coordinates: number[][][] }
  | { type: "MultiPolygon"; coordinates: number[][][][] }
  | null;

function showZone(tree: AreaTree, zone: registry.Zone) {
  return {
    id: zone.id,
    code: zone.code,
    agencyId: zone.agencyId,
    name: { ...zone.name },
    areas: zone.areaIds.flatMap((id) => tree.byId(id)?.code ?? []),
    hasGeometry: zone.geometry !== null,
  };
}
