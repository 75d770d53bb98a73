// GET /v1/openapi.json and /docs, and 307 for what the device edge serves.
import { getDocs, getOpenApi } from "@loa/api/documentation.ts";
import { deviceEdgeRoutes } from "@loa/api/device-edge.ts";
import { buildOpenApi } from "@loa/api/openapi.ts";
import type { App } from "./app.ts";
import { DOCS_PAGE_HEADERS, renderDocsPage } from "./docs-page.ts";

/** Mounts the two documents, made once. */
export function mountDocumentation(app: App, deps: { readonly version: string }): void {
  const document = buildOpenApi(deps.version);
  const json = JSON.stringify(document);
  const page = renderDocsPage(document);
  app.mount(
    getOpenApi,
    async () => new Response(json, { headers: { "content-type": "application/json" } }),
  );
  app.mount(getDocs, async () => new Response(page, { headers: DOCS_PAGE_HEADERS }));
}

/** Sends devices and gateways that ask the API to the device edge. */
export function mountDeviceEdgeRedirects(
  app: App,
  deps: { readonly streamOrigin: () => string },
): void {
  for (const route of deviceEdgeRoutes) app.redirect(route, deps.streamOrigin);
}
