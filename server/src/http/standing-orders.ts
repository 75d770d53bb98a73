// Standing orders over HTTP.
import {
  approveStandingOrder as approveRoute,
  createStandingOrder as createRoute,
  getStandingOrder,
  listStandingOrders as listRoute,
  reviewOrderUse as reviewRoute,
  revokeStandingOrder as revokeRoute,
  useStandingOrder as useRoute,
} from "@loa/api/standing-orders.ts";
import type { z } from "@hono/zod-openapi";
import type { IssueDeps } from "../bulletin/bulletin-deps.ts";
import { reviewOrderUse, useStandingOrder } from "../bulletin/order-use.ts";
import {
  approveStandingOrder,
  createStandingOrder,
  listStandingOrders,
  readStandingOrder,
  revokeStandingOrder,
  type StandingOrderDetail,
} from "../bulletin/standing-order.ts";
import type { App } from "./app.ts";
import { showApproval, showIssued } from "./bulletins.ts";
import { pageOf } from "./page.ts";

export function mountStandingOrders<A>(app: App, deps: IssueDeps<A>): void {
  app.mount(createRoute, async ({ caller, body, stableId }) =>
    showOrder(await createStandingOrder(deps, caller, body, stableId)),
  );
  app.mount(listRoute, async ({ caller, query: { limit, after } }) => {
    const rows = await listStandingOrders(deps, caller, limit + 1, after);
    return pageOf(rows.map(showOrder), limit);
  });
  app.mount(getStandingOrder, async ({ caller, params }) =>
    showOrder(await readStandingOrder(deps, caller, params.id)),
  );
  app.mount(approveRoute, async ({ caller, params, body }) =>
    showOrder(await approveStandingOrder(deps, caller, params.id, body.hash)),
  );
  app.mount(revokeRoute, async ({ caller, params }) =>
    showOrder(await revokeStandingOrder(deps, caller, params.id)),
  );
  app.mount(useRoute, async ({ caller, params, body, stableId }) =>
    showIssued(deps, await useStandingOrder(deps, caller, params.id, body, stableId)),
  );
  app.mount(reviewRoute, async ({ caller, params, body }) =>
    reviewOrderUse(deps, caller, params.id, body),
  );
}

type OrderView = z.input<(typeof getStandingOrder)["answer"]["schema"]>;

const showOrder = ({ order, approvals, usable }: StandingOrderDetail): OrderView => ({
  id: order.id,
  agencyId: order.agencyId,
  accountId: order.accountId,
  body: order.body as OrderView["body"],
  hash: order.hash.toString("hex"),
  createdBy: order.createdBy,
  createdAt: order.createdAt.toISOString(),
  revokedAt: order.revokedAt?.toISOString() ?? null,
  usable,
  approvals: approvals.map(showApproval),
});
