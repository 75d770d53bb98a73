// What the benchmark and the process that holds the crowd's connections say to each other.

export interface CrowdTarget {
  readonly host: string;
  readonly port: number;
  /** What each connection sends first; one for each member of the crowd. */
  readonly requests: readonly string[];
  /** Text in what the other side sends: it has let this one in. */
  readonly greeting: string;
  /** Text in each message that is counted. */
  readonly message: string;
}

export type ToCrowd =
  | { readonly kind: "open"; readonly target: CrowdTarget }
  /** Drops every connection and opens all again at once. */
  | { readonly kind: "storm" }
  | { readonly kind: "count" }
  /** Forgets what was heard. */
  | { readonly kind: "forget" }
  /** Is answered once everybody has heard so many messages, or when the time is up. */
  | { readonly kind: "hear"; readonly messages: number; readonly withinMs: number };

export interface CrowdCounts {
  readonly greeted: number;
  /** The messages of whoever has heard fewest. */
  readonly heardLeast: number;
  readonly heard: number;
  /** Connections that ended without having been told to. */
  readonly lost: number;
}

export interface CrowdAnswer {
  readonly counts: CrowdCounts;
  /** When the latest message was heard, on the machine's clock; NaN when none was. */
  readonly lastMs: number;
  /** When the storm's connections were dropped. */
  readonly atMs: number;
}
