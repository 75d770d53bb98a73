// Who asks, while the database does not answer. A key that the database knew a while ago is believed
// then, so that an operator sees what is wrong exactly when something is. Nothing else follows
// from it: whatever reads or changes data needs the database itself.
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Problem } from "@loa/model/problem.ts";
import type { Authenticate, Caller } from "./caller.ts";

/** How long after the database last confirmed it a caller is believed without it. */
export const REMEMBER_MS = 60 * 60_000;
/** How long the database is waited for before memory is asked. */
export const PATIENCE_MS = 1_000;
/** Callers remembered; those who watch an installation are few. */
export const REMEMBERED_MAX = 1_000;

/** Wraps `authenticate`; `forget` is called when a key or a member may have been revoked. */
export function rememberCallers(authenticate: Authenticate): {
  readonly authenticate: Authenticate;
  readonly forget: () => void;
} {
  const known = new Map<string, { readonly caller: Caller; readonly untilMs: number }>();
  let generation = 0;
  return {
    forget() {
      generation += 1;
      known.clear();
    },
    async authenticate(credential) {
      const name = createHash("sha256").update(credential).digest("base64");
      const before = generation;
      const asked = authenticate(credential).then((caller) => {
        // A lookup that began before a revocation must not be believed after it.
        if (generation === before && caller.kind === "member") {
          known.delete(name);
          if (known.size >= REMEMBERED_MAX) known.delete(known.keys().next().value as string);
          known.set(name, { caller, untilMs: performance.now() + REMEMBER_MS });
        }
        return caller;
      });
      const remembered = (): Caller | undefined => {
        const entry = known.get(name);
        return entry && entry.untilMs > performance.now() ? entry.caller : undefined;
      };
      if (remembered() === undefined) return asked;
      const answered = new AbortController();
      const late = pause(PATIENCE_MS, undefined, answered).catch(() => undefined);
      try {
        return (await Promise.race([asked, late])) ?? remembered() ?? (await asked);
      } catch (fault) {
        // The database said no: that is an answer.
        if (fault instanceof Problem) throw fault;
        const caller = remembered();
        if (caller === undefined) throw fault;
        return caller;
      } finally {
        answered.abort();
        asked.catch(() => {});
      }
    },
  };
}
