// Subscribers over HTTP, for operators. Lists stream in and out; nothing is held but a batch.
import {
  issueTokens,
  deleteSubscriber as deleteRoute,
  exportSubscribers as exportRoute,
  getSubscriber,
  importSubscribers as importRoute,
  synthesizeSubscribers as synthRoute,
} from "@loa/api/subscribers.ts";
import type { Bus } from "../bus/bus.ts";
import { deleteSubscriber, readSubscriber, type RegistryDeps } from "../registry/subscriber.ts";
import { exportSubscribers } from "../registry/subscriber-export.ts";
import { type ImportReport, importSubscribers } from "../registry/subscriber-import.ts";
import { importSynthetic } from "../registry/subscriber-synth.ts";
import { findExercisePeople } from "../registry/exercise-people.ts";
import { createToken, type TokenKey } from "../registry/token.ts";
import type { App } from "./app.ts";
import { showSubscriber } from "./devices.ts";
import { answerImport } from "./import-lines.ts";

export interface SubscriberDeps extends RegistryDeps {
  readonly bus: Pick<Bus, "publish">;
  readonly tokenKey: TokenKey;
}

export function mountSubscribers(app: App, deps: SubscriberDeps): void {
  const { pool, bus, tokenKey } = deps;
  const changed = () => bus.publish("registry.changed", { what: "subscribers" });

  app.mount(importRoute, ({ caller, query, body, signal, request }) =>
    answerImport(request, signal, async (report: ImportReport, signal) => {
      const options = { ...query, memberId: caller.memberId, signal };
      const result = await importSubscribers(deps, body, options, report);
      changed();
      return result;
    }),
  );

  app.mount(synthRoute, ({ caller, body, signal, request }) =>
    answerImport(request, signal, async (report: ImportReport, signal) => {
      const options = { ...body, memberId: caller.memberId, signal };
      const result = await importSynthetic(deps, options, report);
      changed();
      return result;
    }),
  );

  app.mount(exportRoute, async () => {
    const csv = ReadableStream.from(exportSubscribers(pool)) as ReadableStream<Uint8Array>;
    return new Response(csv, { headers: { "content-type": "text/csv; charset=utf-8" } });
  });

  app.mount(issueTokens, async ({ body: { source, refs } }) => {
    const people = await findExercisePeople(pool, source, refs);
    const items = people.map((person) => {
      if (!person) return null;
      const { ref, id, ordinal, generation } = person;
      const token = createToken(tokenKey, { standing: "exercise", ordinal, generation });
      return { ref, subscriberId: id, ordinal, token };
    });
    return { items };
  });

  app.mount(getSubscriber, async ({ params }) =>
    showSubscriber(await readSubscriber(deps, { id: params.id })),
  );

  app.mount(deleteRoute, async ({ params }) => {
    await deleteSubscriber(deps, { id: params.id });
    changed();
  });
}
