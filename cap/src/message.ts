// A CAP 1.2 message as types. Words and spelling are the standard's (OASIS CAP-v1.2, section 3).

export const STATUSES = ["Actual", "Exercise", "System", "Test", "Draft"] as const;
export const MSG_TYPES = ["Alert", "Update", "Cancel", "Ack", "Error"] as const;
export const SCOPES = ["Public", "Restricted", "Private"] as const;
export const CATEGORIES = [
  "Geo",
  "Met",
  "Safety",
  "Security",
  "Rescue",
  "Fire",
  "Health",
  "Env",
  "Transport",
  "Infra",
  "CBRNE",
  "Other",
] as const;
export const RESPONSE_TYPES = [
  "Shelter",
  "Evacuate",
  "Prepare",
  "Execute",
  "Avoid",
  "Monitor",
  "Assess",
  "AllClear",
  "None",
] as const;
export const URGENCIES = ["Immediate", "Expected", "Future", "Past", "Unknown"] as const;
export const SEVERITIES = ["Extreme", "Severe", "Moderate", "Minor", "Unknown"] as const;
export const CERTAINTIES = ["Observed", "Likely", "Possible", "Unlikely", "Unknown"] as const;

/** The language of an info that names none (3.2.2). */
export const DEFAULT_LANGUAGE = "en-US";

/**
 * A message as it was read. What a faulty message lacks is an empty string here and an error in
 * the problems, so a reader that goes on despite errors never meets undefined.
 */
export interface CapMessage {
  readonly identifier: string;
  readonly sender: string;
  readonly sent: string;
  readonly status: string;
  readonly msgType: string;
  readonly source?: string;
  readonly scope: string;
  readonly restriction?: string;
  readonly addresses?: string;
  readonly codes: readonly string[];
  readonly note?: string;
  readonly references: readonly CapReference[];
  readonly incidents?: string;
  readonly infos: readonly CapInfo[];
  /**
   * How many signatures it holds; none of them was verified. They belong to the bytes and not to
   * the message, so writing it again writes none of them.
   */
  readonly signatures: number;
  /** What CAP does not know, as it stood there; such a message breaks rule X5. */
  readonly unknown: readonly CapUnknown[];
}

/** An element or attribute that is not CAP's, kept so that nothing is lost. */
export interface CapUnknown {
  readonly path: string;
  readonly xml: string;
}

export interface CapReference {
  readonly sender: string;
  readonly identifier: string;
  readonly sent: string;
}

export interface CapNamedValue {
  readonly valueName: string;
  readonly value: string;
}

export interface CapInfo {
  /** As given, or DEFAULT_LANGUAGE. */
  readonly language: string;
  readonly categories: readonly string[];
  readonly event: string;
  readonly responseTypes: readonly string[];
  readonly urgency: string;
  readonly severity: string;
  readonly certainty: string;
  readonly audience?: string;
  readonly eventCodes: readonly CapNamedValue[];
  readonly effective?: string;
  readonly onset?: string;
  readonly expires?: string;
  readonly senderName?: string;
  readonly headline?: string;
  readonly description?: string;
  readonly instruction?: string;
  readonly web?: string;
  readonly contact?: string;
  readonly parameters: readonly CapNamedValue[];
  readonly resources: readonly CapResource[];
  readonly areas: readonly CapArea[];
}

export interface CapResource {
  readonly resourceDesc: string;
  readonly mimeType: string;
  readonly size?: string;
  readonly uri?: string;
  /** The content itself, in base64 as it was written. */
  readonly derefUri?: string;
  readonly digest?: string;
}

/** WGS 84 degrees, latitude first, as CAP writes it. GeoJSON is the other way round. */
export type CapPoint = readonly [latitude: number, longitude: number];

export interface CapCircle {
  readonly center: CapPoint;
  readonly radiusKm: number;
}

export interface CapArea {
  readonly areaDesc: string;
  /** Only those that could be read; a faulty one is a problem, never a smaller area in silence. */
  readonly polygons: readonly (readonly CapPoint[])[];
  readonly circles: readonly CapCircle[];
  readonly geocodes: readonly CapNamedValue[];
  readonly altitude?: string;
  readonly ceiling?: string;
}

/** What is wrong with a message, and where. */
export interface CapProblem {
  /** The id of the rule: A1, I7, R2, X2, ... */
  readonly rule: string;
  readonly level: "error" | "warning";
  /** As `/alert/info[2]/area[1]/polygon[1]`. */
  readonly path: string;
  /** From 1; 0 where no line can be named. */
  readonly line: number;
  readonly message: string;
  /** The repair that was used, where one was: the message no longer says what was written. */
  readonly repair?: CapRepair;
}

/** Faults of real senders that a reader may mend, when it was told so for that source. */
export const CAP_REPAIRS = {
  "close-ring": ["R2", "ends a polygon where it begins"],
  "strip-parentheses": ["R2", "leaves out parentheses in coordinates"],
  "accept-z": ["A3", "takes Z for -00:00"],
  "very-likely": ["I7", "takes Very Likely, of CAP 1.0, for Likely"],
  "element-order": ["X5", "takes elements in another order than the schema's"],
  "unknown-elements": ["X5", "passes over elements and attributes that CAP does not know"],
  "missing-sender": ["A2", "puts in the sender that the source is known to be"],
  "sender-space": ["A2", "puts _ for spaces in the sender"],
  "trim-words": ["X5", "takes away space around a word of a list"],
  "language-underscore": ["I1", "takes en_US for en-US"],
} as const satisfies Record<string, readonly [rule: string, meaning: string]>;

export type CapRepair = keyof typeof CAP_REPAIRS;
export const CAP_REPAIR_NAMES = Object.keys(CAP_REPAIRS) as [CapRepair, ...CapRepair[]];
