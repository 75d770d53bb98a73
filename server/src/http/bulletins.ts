// Bulletins over HTTP.
import {
  correctBulletin as correctRoute,
  updateBulletin as updateRoute,
  updateIncident as updateIncidentRoute,
} from "@loa/api/bulletin-chain.ts";
import {
  approveBulletin as approveRoute,
  type bulletinSchema,
  cancelBulletin as cancelRoute,
  createBulletin as createRoute,
  createBulletinFromCap as fromCapRoute,
  editBulletin as editRoute,
  getBulletin,
  issueBulletin as issueRoute,
  listBulletins as listRoute,
  returnBulletin as returnRoute,
  submitBulletin as submitRoute,
} from "@loa/api/bulletins.ts";
import type { z } from "@hono/zod-openapi";
import type { Approval } from "../bulletin/approval.ts";
import { placesOf } from "../bulletin/approval.ts";
import {
  approveBulletin,
  createBulletin,
  editBulletin,
  returnBulletin,
  submitBulletin,
} from "../bulletin/bulletin.ts";
import type { IssueDeps } from "../bulletin/bulletin-deps.ts";
import type { Bulletin } from "../bulletin/bulletin-row.ts";
import { cancelBulletin } from "../bulletin/cancel.ts";
import { draftNext, draftNextOfIncident } from "../bulletin/chain-draft.ts";
import { createBulletinFromCap } from "../bulletin/from-cap.ts";
import { type Issued, issueBulletin } from "../bulletin/issue.ts";
import { type BulletinDetail, listBulletins, readBulletin, readDetail } from "../bulletin/read.ts";
import { readAreaFault } from "../dispatch/area-check.ts";
import type { App } from "./app.ts";
import type { Actor } from "../account/actor.ts";
import { pageOf } from "./page.ts";

type BulletinView = z.input<typeof bulletinSchema>;

export function mountBulletins<A>(app: App, deps: IssueDeps<A>): void {
  const show = (caller: Actor, id: string) => showBulletin(deps, caller, id);

  app.mount(createRoute, async ({ caller, body, stableId }) => {
    const { id } = await createBulletin(deps, caller, body, stableId);
    return show(caller, id);
  });
  app.mount(fromCapRoute, async ({ caller, query, body, stableId }) => {
    const { accountId, areas = [], zones = [], updates = [], ...options } = query;
    const named = areas.length + zones.length > 0;
    const wish = {
      accountId,
      updates,
      ...options,
      ...(named && { target: { areas, zones, rule: { kind: "named" as const } } }),
    };
    const drafted = await createBulletinFromCap(deps, caller, body, wish, stableId);
    return {
      bulletin: await show(caller, drafted.bulletin.id),
      remarks: [...drafted.remarks],
      problems: drafted.problems.map((problem) => ({ ...problem })),
    };
  });
  app.mount(listRoute, async ({ caller, query: { limit, ...rest } }) => {
    const rows = await listBulletins(deps, caller, { ...rest, limit: limit + 1 });
    return pageOf(rows.map(showSummary), limit);
  });
  app.mount(getBulletin, async ({ caller, params }) => show(caller, params.id));
  app.mount(editRoute, async ({ caller, params, body }) => {
    await editBulletin(deps, caller, params.id, body);
    return show(caller, params.id);
  });
  app.mount(submitRoute, async ({ caller, params, body }) => {
    await submitBulletin(deps, caller, params.id, body.version);
    return show(caller, params.id);
  });
  app.mount(returnRoute, async ({ caller, params, body }) => {
    await returnBulletin(deps, caller, params.id, body.reason);
    return show(caller, params.id);
  });
  app.mount(approveRoute, async ({ caller, params, body }) => {
    await approveBulletin(deps, caller, params.id, body.hash);
    return show(caller, params.id);
  });
  app.mount(issueRoute, async ({ caller, params, stableId }) =>
    showIssued(deps, await issueBulletin(deps, caller, params.id, stableId)),
  );
  app.mount(updateRoute, async ({ caller, params, body, stableId }) => {
    const wish = { step: body.last ? "last" : "update", content: body.content } as const;
    const { id } = await draftNext(deps, caller, params.id, wish, stableId);
    return show(caller, id);
  });
  app.mount(updateIncidentRoute, async ({ caller, params, body, stableId }) => {
    const wish = { step: body.last ? "last" : "update", content: body.content } as const;
    const { id } = await draftNextOfIncident(deps, caller, params.id, wish, stableId);
    return show(caller, id);
  });
  app.mount(correctRoute, async ({ caller, params, body, stableId }) => {
    const wish = { step: "correction", content: body.content } as const;
    const { id } = await draftNext(deps, caller, params.id, wish, stableId);
    return show(caller, id);
  });
  app.mount(cancelRoute, async ({ caller, params, body, stableId }) => {
    const { id } = await cancelBulletin(deps, caller, params.id, body.reason, stableId);
    return show(caller, id);
  });
}

/** What was issued, as every operation that issues answers it. */
export async function showIssued<A>(
  deps: IssueDeps<A>,
  { bulletin, resolved, dispatch, isRepeat }: Issued,
) {
  const detail = await readDetail(deps, bulletin, resolved);
  // What this request planned, it compared with the approved places as it made it (message-area.ts).
  const faultOf = isRepeat ? storedFault(deps) : noFault;
  return {
    bulletin: await showDetail(deps, detail, faultOf),
    dispatch: {
      id: dispatch.dispatchId,
      seq: dispatch.seq,
      issuedAt: dispatch.issuedAt.toISOString(),
    },
  };
}

/** A bulletin with its history and approvals, for somebody who may see it. */
export async function showBulletin<A>(
  deps: IssueDeps<A>,
  caller: Actor,
  id: string,
): Promise<BulletinView> {
  return showDetail(deps, await readBulletin(deps, caller, id), storedFault(deps));
}

/** What is wrong with the places that the message of a sending names. */
type FaultOf = (dispatchId: string) => Promise<string | undefined>;

const noFault: FaultOf = async () => undefined;
const storedFault =
  <A>({ pool }: IssueDeps<A>): FaultOf =>
  (dispatchId) =>
    readAreaFault(pool, dispatchId);

async function showDetail<A>(
  deps: IssueDeps<A>,
  detail: BulletinDetail,
  faultOf: FaultOf,
): Promise<BulletinView> {
  const { bulletin, resolved, history, approvals, dispatchId, dispatches } = detail;
  const sendings = dispatches.map(async ({ id: dispatch, purpose }) => ({
    id: dispatch,
    purpose,
    fault: (await faultOf(dispatch)) ?? null,
  }));
  const places = resolved && placesOf(resolved, deps.places());
  return {
    ...showSummary(bulletin),
    content: bulletin.content as BulletinView["content"],
    places: places && {
      packs: places.packs.map((pack) => ({ ...pack })),
      communes: places.communes.map(({ code, villages }) => ({
        code,
        villages: villages && [...villages],
      })),
    },
    hash: bulletin.hash?.toString("hex") ?? null,
    standingOrderId: bulletin.standingOrderId,
    identifier: bulletin.identifier,
    signature: bulletin.signature?.toString("base64url") ?? null,
    keyId: bulletin.keyId,
    wordings: detail.wordings,
    dispatchId,
    dispatches: await Promise.all(sendings),
    isSettling: detail.isSettling,
    history: history.map(({ at, personName, ...event }) => ({
      ...event,
      at: at.toISOString(),
      person: personName,
    })),
    approvals: approvals.map(showApproval),
  };
}

export const showApproval = (approval: Approval) => ({
  personId: approval.personId,
  person: approval.personName,
  capacity: approval.capacity,
  standingOrderId: approval.standingOrderId,
  hash: approval.hash.toString("hex"),
  at: approval.at.toISOString(),
  keyId: approval.keyId,
  signature: approval.signature.toString("base64url"),
  voidedAt: approval.voidedAt?.toISOString() ?? null,
});

const showSummary = ({ content, ...bulletin }: Bulletin) => ({
  id: bulletin.id,
  agencyId: bulletin.agencyId,
  accountId: bulletin.accountId,
  state: bulletin.state,
  version: bulletin.version,
  msgType: bulletin.msgType,
  step: bulletin.step,
  type: content.type,
  kind: content.kind,
  hazard: content.hazard,
  riskLevel: content.riskLevel,
  number: content.number,
  headline: { vi: content.texts.vi.headline, en: content.texts.en.headline },
  incidentId: content.incidentId,
  references: [...bulletin.referenceIds],
  unknownReferences: [...bulletin.unknownReferences],
  createdAt: bulletin.createdAt.toISOString(),
  issuedAt: bulletin.issuedAt?.toISOString() ?? null,
  expiresAt: bulletin.expiresAt?.toISOString() ?? content.expiresAt,
});
