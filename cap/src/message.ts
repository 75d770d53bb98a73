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
  /** How many signatures it holds; none of them was verified. */
  readonly signatures: number;
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
  /** Length of the base64 text; the content itself is not kept. */
  readonly derefUriLength?: number;
  readonly digest?: string;
}

/** WGS 84 degrees, latitude first, as CAP writes it. GeoJSON is the other way round. */
export type CapPoint = readonly [latitude: number, longitude: number];

export interface CapArea {
  readonly areaDesc: string;
  /** Only those that could be read; a faulty one is a problem, never a smaller area in silence. */
  readonly polygons: readonly (readonly CapPoint[])[];
  readonly circles: readonly { readonly center: CapPoint; readonly radiusKm: number }[];
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
}
