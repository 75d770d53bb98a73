// An installation in which nothing happens, for tests of what is said about it.
import type { InstallationState } from "../src/http/health.ts";
import type { ReasonCode } from "../src/observe/reason.ts";
import { sheddingOf } from "../src/observe/reason.ts";
import type { Facts } from "../src/observe/watch.ts";

export const calmFacts = (facts: Partial<Facts> = {}): Facts => ({
  database: { answeredMsAgo: 10, latencyMs: 1, fault: undefined },
  processes: [],
  supervisor: undefined,
  oldestWarningMs: undefined,
  capAlarms: [],
  backupAgeMs: undefined,
  ...facts,
});

export function calmState(
  codes: readonly ReasonCode[] = [],
  facts: Partial<Facts> = {},
): InstallationState {
  const at = new Date("2026-09-07T07:00:00Z");
  const reasons = codes.map((code) => ({ code, since: at, detail: "" }));
  return {
    at,
    reasons,
    shedding: sheddingOf(reasons),
    facts: calmFacts(facts),
    figures: undefined,
  };
}
