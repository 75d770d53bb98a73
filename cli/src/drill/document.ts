// What a drill ends with: the document that `--json` prints. Programs rely on its form.
import type { ReachedCounts, StateCounts } from "@loa/model/delivery.ts";

export interface DrillChannel {
  readonly planned: number;
  /** Exclusive: sums to planned. */
  readonly state: StateCounts;
  /** Cumulative. */
  readonly reached: ReachedCounts;
}

export interface DrillCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, where it is not what should be. */
  readonly found?: string;
}

export interface DrillDocument {
  readonly bulletin: string;
  readonly communes: number;
  readonly population: number;
  readonly audience: {
    readonly residents: number;
    readonly concerned: number;
    readonly total: number;
  };
  readonly channels: Readonly<Record<string, DrillChannel>>;
  readonly area: readonly {
    readonly channel: string;
    readonly orders: number;
    readonly carriedOut: number;
    readonly claimed: number;
  }[];
  /** Counted by the receiving side against the list from the imported file. */
  readonly lost: number;
  readonly duplicates: number;
  readonly outsideArea: number;
  readonly joinedLater: number;
  /** From the instant before the issue was asked for to the arrival at the witness. */
  readonly ms: {
    readonly issueToFirst: number;
    readonly issueToMedian: number;
    readonly issueToP99: number;
    readonly issueToLast: number;
  };
  readonly recipientsPerSecond: number;
  readonly checks: readonly DrillCheck[];
}
