// GET /feeds/...: Atom, GeoJSON and the CAP documents. Public data: any page of anybody may read it.
import {
  getAccountFeed,
  getAreaFeed,
  getBulletinFeature,
  getCapDocument,
  getCapKey,
  getFeed,
  getIncidentFeed,
} from "@loa/api/publications.ts";
import { Problem } from "@loa/model/problem.ts";
import { type Asset, CACHE_CHANGING, makeAsset } from "../feed/asset.ts";
import type { Site } from "../feed/site.ts";
import type { App } from "./app.ts";
import { sendAsset } from "./asset-response.ts";

const OPEN = {
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
} as const;

export interface FeedRouteDeps {
  readonly site: Site;
  /** PEM of the key with which CAP documents are signed, if they are. */
  readonly capPublicKey: string | undefined;
}

export function mountFeeds(app: App, { site, capPublicKey }: FeedRouteDeps): void {
  const send = (request: Request, asset: Asset | undefined): Response => {
    if (!asset) throw new Problem("not-found", "There is nothing under this name.");
    return sendAsset(request, asset, OPEN);
  };
  const keyFile =
    capPublicKey === undefined
      ? undefined
      : makeAsset(capPublicKey, "application/x-pem-file", CACHE_CHANGING);
  // Before the folder, whose files would take its name.
  app.mount(getCapKey, async ({ request }) => send(request, keyFile));
  app.mount(getFeed, async ({ params, request }) =>
    send(request, site.feedFile({ kind: "all" }, params.file)),
  );
  app.mount(getAccountFeed, async ({ params: { handle, file }, request }) =>
    send(request, site.feedFile({ kind: "account", handle }, file)),
  );
  app.mount(getAreaFeed, async ({ params: { code, file }, request }) => {
    const former = site.former(code);
    if (!former) return send(request, site.feedFile({ kind: "area", code }, file));
    const codes = former.into.map((unit) => unit.code);
    if (codes.length > 1)
      throw new Problem(
        "area-superseded",
        `${code} is a former unit; today it is in ${codes.join(", ")}. Take the feeds of these.`,
      );
    const location = `/feeds/areas/${encodeURIComponent(codes[0] ?? "")}/${file}`;
    return new Response(null, {
      status: 308,
      headers: { ...OPEN, location, "cache-control": CACHE_CHANGING },
    });
  });
  app.mount(getIncidentFeed, async ({ params: { id, file }, request }) =>
    send(request, site.feedFile({ kind: "incident", id }, file)),
  );
  app.mount(getCapDocument, async ({ params: { code }, request }) =>
    send(request, await site.cap(code)),
  );
  app.mount(getBulletinFeature, async ({ params: { code }, request }) =>
    send(request, site.feature(code)),
  );
}
