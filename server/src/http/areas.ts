// Areas and packs over HTTP. The tree is in memory; only shapes are read from the database.
import { getArea, getAreaGeometry, importPack, listAreas, listPacks } from "@loa/api/areas.ts";
import { Problem } from "@loa/model/problem.ts";
import { sql } from "kysely";
import type { Db, Pool } from "../db/connection.ts";
import { type Area, type AreaTree, resolveCode } from "../registry/area.ts";
import { importAreaPack } from "../registry/area-pack.ts";
import type { App } from "./app.ts";

export interface AreaDeps {
  readonly db: Db;
  readonly pool: Pool;
  readonly tree: () => AreaTree;
  /** Called after an import, before it is answered: loads the tree and whatever stands on it anew. */
  readonly areasChanged: () => Promise<void>;
}

export function mountAreas(app: App, { db, pool, tree, areasChanged }: AreaDeps): void {
  // Sorting a country's villages takes tenths of a second; once for each tree is enough.
  let sorted: { readonly tree: AreaTree; readonly areas: readonly Area[] } | undefined;
  const sortAll = (units: AreaTree): readonly Area[] => {
    if (sorted?.tree !== units) sorted = { tree: units, areas: units.areas.toSorted(byCode) };
    return sorted.areas;
  };

  app.mount(listAreas, async ({ query: { parent, level, limit, after } }) => {
    const units = tree();
    const list =
      parent === undefined
        ? sortAll(units)
        : units.children(requireArea(units, parent).id).toSorted(byCode);
    const items = list
      .filter((area) => level === undefined || area.level === level)
      .filter(({ code }) => after === undefined || code > after);
    const shown = items.slice(0, limit);
    return {
      items: shown.map((area) => showArea(units, area)),
      next: items.length > limit ? (shown.at(-1)?.code ?? null) : null,
    };
  });

  app.mount(getArea, async ({ params, query }) => {
    const units = tree();
    const found = resolveCode(units, params.code, query.asOf);
    return {
      code: found.code,
      asOf: found.asOf,
      state: found.state,
      formerName: found.formerName,
      current: found.current.map(({ area, part }) => ({ area: showArea(units, area), part })),
      part: found.part,
    };
  });

  app.mount(getAreaGeometry, async ({ params }) => {
    const units = tree();
    const area = requireArea(units, params.code);
    const row = await db
      .selectFrom("area")
      .select(sql<string | null>`geometry::text`.as("geometry"))
      .where("id", "=", area.id)
      .executeTakeFirstOrThrow();
    const properties = JSON.stringify(showArea(units, area));
    // The stored text is sent as it is: parsing ten thousand points to write them again is waste.
    const feature = `{"type":"Feature","id":${JSON.stringify(area.code)},"properties":${properties},"geometry":${row.geometry ?? "null"}}`;
    return new Response(feature, { headers: { "content-type": "application/geo+json" } });
  });

  app.mount(importPack, async ({ body }) => {
    const report = await importAreaPack({ pool }, body);
    await areasChanged();
    return { ...report, untangled: [...report.untangled], zones: [...report.zones] };
  });

  app.mount(listPacks, async () => ({
    items: tree().packs.map(({ name, validFrom }) => ({ name, validFrom })),
  }));
}

const byCode = (a: Area, b: Area) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0);

/** @throws {Problem} area-unknown, or area-superseded with where to look today. */
function requireArea(tree: AreaTree, code: string): Area {
  const area = tree.byCode(code);
  if (area) return area;
  const { current } = resolveCode(tree, code);
  const codes = current.map((successor) => successor.area.code).join(", ");
  throw new Problem("area-superseded", `${code} is a former unit; today it is in ${codes}.`);
}

function showArea(tree: AreaTree, area: Area) {
  const parent = area.parentId === null ? undefined : tree.byId(area.parentId);
  const pack = tree.versions.find(({ id }) => id === area.packId);
  return {
    code: area.code,
    level: area.level,
    kind: area.kind,
    parent: parent?.code ?? null,
    name: { ...area.name },
    population: area.population,
    pack: pack?.name ?? "",
  };
}
