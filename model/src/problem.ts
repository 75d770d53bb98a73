// The caller's faults: one stable code for each. Stages throw a Problem; api/problems.ts
// gives each code its HTTP status and its sentence in Vietnamese and English.

/** Stable codes, grouped by noun; a code never changes its meaning. */
export const PROBLEM_CODES = [
  // The request itself.
  "body-too-large",
  "body-not-json",
  "body-not-utf8",
  "text-not-nfc",
  "request-invalid",
  "media-type-unsupported",
  "not-found",
  "method-not-allowed",
  "idempotency-key-missing",
  "idempotency-key-reused",
  "idempotency-in-progress",
  // Who asks.
  "key-missing",
  "key-unknown",
  "role-missing",
  "token-invalid",
  "gateway-key-scope",
  // Agencies and their people.
  "agency-unknown",
  "account-unknown",
  "handle-taken",
  "member-unknown",
  "roles-conflict",
  "api-key-unknown",
  // Areas.
  "area-unknown",
  "area-superseded",
  "zone-unknown",
  "geometry-invalid",
  "geometry-too-many-points",
  "area-pack-invalid",
  "area-pack-clash",
  "target-empty",
  // Subscribers.
  "csv-invalid",
  "consent-missing",
  "subscriber-unknown",
  // Bulletins.
  "incident-unknown",
  "bulletin-unknown",
  "bulletin-state",
  "bulletin-invalid",
  "bulletin-expired",
  "bulletin-changed",
  "approver-took-part",
  "approver-foreign",
  "approval-mismatch",
  "not-entitled",
  "resolves-otherwise",
  "standing-order-unknown",
  "standing-order-unusable",
  "cap-invalid",
  "source-unknown",
  "source-suspended",
  // Sending.
  "dispatch-unknown",
  "facts-reduced",
  "message-too-large",
  "area-order-state",
  "receipts-invalid",
  // Backups.
  "backup-refused",
  "backup-unknown",
  // The world.
  "busy",
  "unavailable",
  "internal-error",
] as const;

export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** One fault at one place of the request, for lists of several. */
export interface Fault {
  /** RFC 6901 JSON Pointer into the body, or a `query/name`, `header/name`, `line 12`. */
  readonly at: string;
  readonly what: string;
}

/** What a stage throws when the caller is at fault. Nothing was stored. */
export class Problem extends Error {
  override name = "Problem";
  readonly code: ProblemCode;
  readonly faults: readonly Fault[];

  /** @param detail what exactly is wrong, where, and what to do; in English, for this occurrence. */
  constructor(code: ProblemCode, detail: string, faults: readonly Fault[] = []) {
    super(detail);
    this.code = code;
    this.faults = faults;
  }
}
