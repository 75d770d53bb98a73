// Waits for what another process does: asks again until a deadline, often enough that the asking is
// no part of what is measured.
import { setTimeout as pause } from "node:timers/promises";

const POLL_MS = 4;

/** Resolves when `isSo` answers true. @throws when it does not within the time. */
export async function waitUntil(
  withinMs: number,
  isSo: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so within ${withinMs} ms`);
    await pause(POLL_MS);
  }
}
