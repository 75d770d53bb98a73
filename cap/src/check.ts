// Reads a message and holds it against a profile. `core` is the schema, section 3 of the standard and
// what is safe to read; the others are core and what they add.
import type { CapMessage, CapProblem } from "./message.ts";
import { checkGoogle } from "./profile/google.ts";
import { checkLoa } from "./profile/loa.ts";
import { type CapReadOptions, readCap } from "./read.ts";
import { Report } from "./report.ts";

export const CAP_PROFILES = ["core", "google", "loa"] as const;
export type CapProfile = (typeof CAP_PROFILES)[number];

export interface CapCheck {
  /** False exactly when there is a problem of level error. */
  readonly valid: boolean;
  readonly profile: CapProfile;
  readonly problems: readonly CapProblem[];
  readonly message: CapMessage | undefined;
}

/** Never throws. */
export function checkCap(
  bytes: Uint8Array,
  { profile = "core", ...options }: CapReadOptions & { readonly profile?: CapProfile } = {},
): CapCheck {
  const { message, problems, places } = readCap(bytes, options);
  const report = new Report();
  if (message !== undefined && profile === "google") checkGoogle(report, message, places);
  if (message !== undefined && profile === "loa") checkLoa(report, message, places);
  const all = withoutCopies([...problems, ...report.problems]).toSorted((a, b) => a.line - b.line);
  return { valid: !all.some(({ level }) => level === "error"), profile, problems: all, message };
}

/** A profile may be stricter about what the reader warned of: then the error alone is told. */
function withoutCopies(problems: readonly CapProblem[]): CapProblem[] {
  const keyOf = ({ rule, path, message }: CapProblem): string => `${rule} ${path} ${message}`;
  const errors = new Set(problems.filter(({ level }) => level === "error").map(keyOf));
  return problems.filter((problem) => problem.level === "error" || !errors.has(keyOf(problem)));
}
