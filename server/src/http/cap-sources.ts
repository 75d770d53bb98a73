// CAP sources and their messages over HTTP.
import {
  capMessageSchema,
  capSourceSchema,
  changeCapSource,
  createCapSource,
  importCapMessage,
  listCapMessages,
  listCapSources,
  pushCapMessage,
} from "@loa/api/cap-sources.ts";
import type { z } from "@hono/zod-openapi";
import { Problem } from "@loa/model/problem.ts";
import { listMessages } from "../source/message.ts";
import type { Receiver, Reception } from "../source/receive.ts";
import {
  type CapSource,
  changeSource,
  createSource,
  listSources,
  readSource,
  type SourceDeps,
} from "../source/source.ts";
import type { App } from "./app.ts";
import { pageOf } from "./page.ts";

export interface CapSourceRouteDeps<A> extends SourceDeps {
  readonly receiver: Receiver<A>;
}

export function mountCapSources<A>(app: App, deps: CapSourceRouteDeps<A>): void {
  const { pool, receiver } = deps;
  app.mount(createCapSource, async ({ body, stableId }) =>
    showSource(await createSource(deps, body, stableId)),
  );
  app.mount(listCapSources, async ({ query: { limit, after } }) => {
    const rows = await listSources(pool, limit + 1, after);
    return pageOf(rows.map(showSource), limit);
  });
  app.mount(changeCapSource, async ({ params, body: { url, settings, suspended } }) =>
    showSource(
      await changeSource(deps, params.id, {
        ...(url !== undefined && { url }),
        ...(settings && { settings }),
        ...(suspended !== undefined && { suspended }),
      }),
    ),
  );
  app.mount(listCapMessages, async ({ params, query: { limit, after } }) => {
    await readSource(pool, params.id);
    const rows = await listMessages(pool, params.id, limit + 1, after);
    return pageOf(
      rows.map((message) => showMessage({ message, isKnown: true })),
      limit,
    );
  });
  app.mount(importCapMessage, async ({ caller, params, body }) => {
    const source = await readSource(pool, params.id);
    if (source.agencyId !== caller.agencyId)
      throw new Problem("not-entitled", `${source.name} is another agency's source.`);
    return showMessage(await receiver.receive(source, body, { via: "hand", actor: caller }));
  });
  app.mount(pushCapMessage, async ({ caller, body }) => {
    const source = await readSource(pool, caller.sourceId);
    return showMessage(await receiver.receive(source, body, { via: "push" }));
  });
}

const showSource = (source: CapSource): z.input<typeof capSourceSchema> => {
  const { id, name, agencyId, accountId, memberId, url, settings, fault } = source;
  return {
    id,
    name,
    agencyId,
    accountId,
    memberId,
    url,
    fault,
    settings: {
      ...settings,
      repairs: [...settings.repairs],
      grants: [...settings.grants],
      keys: settings.keys.map((key) => ({ ...key })),
      areas: [...settings.areas],
      hazards: [...settings.hazards],
      channels: [...settings.channels],
    },
    createdAt: source.createdAt.toISOString(),
    suspendedAt: source.suspendedAt?.toISOString() ?? null,
    polledAt: source.polledAt?.toISOString() ?? null,
    nextPollAt: source.nextPollAt.toISOString(),
  };
};

const showMessage = ({ message, isKnown }: Reception): z.input<typeof capMessageSchema> => {
  const { contentSha256: _contentSha256, ...shown } = message;
  return {
    ...shown,
    sent: message.sent?.toISOString() ?? null,
    sha256: message.sha256.toString("hex"),
    receivedAt: message.receivedAt.toISOString(),
    remarks: [...message.remarks],
    bulletinIds: [...message.bulletinIds],
    known: isKnown,
  };
};
