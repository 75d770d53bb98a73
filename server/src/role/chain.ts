// Chains, as the front joins them: the ledger says who had a bulletin, the index freezes those
// people, and the engine plans what they are told.
import type { AudienceIndex } from "../audience/audience-index.ts";
import type { FrozenAudience } from "../audience/freeze.ts";
import type { IssueDeps } from "../bulletin/bulletin-deps.ts";
import type { Bus } from "../bus/bus.ts";
import type { Pool } from "../db/connection.ts";
import { type ChainDeps, freezeCorrection, noteLeaving, settleAll } from "../dispatch/chain.ts";
import { closeAndCollectReached } from "../dispatch/supersede.ts";

export interface Chain extends Pick<
  IssueDeps<FrozenAudience>,
  "freezeReached" | "freezeCorrection" | "noteLeaving"
> {
  /** Finds those whom issued bulletins leave out, and has them told. */
  settle(): Promise<void>;
}

export function openChain(
  pool: Pool,
  bus: Pick<Bus, "request" | "publish">,
  index: Pick<AudienceIndex, "catchUp" | "freezeOrdinals">,
): Chain {
  const deps: ChainDeps<FrozenAudience> = {
    askReached: async (dispatchId) =>
      (await bus.request("ledger.reached", { dispatchId })) as Map<string, Uint8Array>,
    freeze: ({ channels, communes }) => index.freezeOrdinals(channels, communes),
  };
  return {
    async freezeReached(tx, bulletinIds) {
      await index.catchUp();
      return deps.freeze(await closeAndCollectReached(tx, bulletinIds, deps.askReached));
    },
    async freezeCorrection(tx, bulletinIds) {
      await index.catchUp();
      return freezeCorrection(tx, bulletinIds, deps);
    },
    noteLeaving,
    async settle() {
      for (const dispatchId of await settleAll(pool, deps))
        bus.publish("dispatch.changed", { dispatchId });
    },
  };
}
