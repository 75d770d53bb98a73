// Asking a server that may be dying: every question is repeated, with the same Idempotency-Key, until
// it is answered, as a program of an agency has to do. A refusal is an answer.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { ApiProblem, type Client } from "@loa/api/client.ts";

/** A server that is killed has to answer again within this. */
export const ANSWERED_MS_MAX = 45_000;
/** One attempt: a front that was stopped holds a request for as long as it sleeps. */
const ATTEMPT_MS_MAX = 8_000;
const PAUSE_MS = 60;

/** A client whose questions outlive the server. */
export function persistent(client: Client, signal: AbortSignal): Client {
  const ask = async (route: never, asking: Record<string, unknown> = {}) => {
    const idempotencyKey = randomUUID();
    const deadline = performance.now() + ANSWERED_MS_MAX;
    for (;;) {
      const attempt = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS_MAX)]);
      try {
        const wish = { ...asking, idempotencyKey, signal: attempt } as never;
        return await (client.ask as (...given: never[]) => Promise<unknown>)(route, wish);
      } catch (fault) {
        signal.throwIfAborted();
        if (!isPassing(fault) || performance.now() > deadline) throw fault;
      }
      await pause(PAUSE_MS, undefined, { signal });
    }
  };
  return { origin: client.origin, ask: ask as unknown as Client["ask"] };
}

/** Whether asking again can help: the server was away, busy, or still has the first attempt. */
function isPassing(fault: unknown): boolean {
  if (!(fault instanceof ApiProblem)) return true;
  const { status, code } = fault.document;
  return status >= 500 || status === 429 || code === "idempotency-in-progress";
}
