// A check and what was found where it does not hold.
import type { DrillCheck } from "@loa/cli/drill/document.ts";

/** Findings that are told; one is too many already. */
const TOLD_MAX = 5;

/** Holds when there is nothing wrong. */
export const check = (name: string, wrongs: readonly string[]): DrillCheck =>
  wrongs.length === 0
    ? { name, ok: true }
    : { name, ok: false, found: `${wrongs.length}: ${wrongs.slice(0, TOLD_MAX).join("; ")}` };
