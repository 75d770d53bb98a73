// What the engine needs from a way out, and all that it knows of one.
//
// A channel knows messages and recipients. It knows no bulletin, audience, ledger or
// database, and it never throws for what the world does: that is an outcome.
import type { BulletinType, Lane } from "@loa/model/bulletin-type.ts";
import type { AreaChannelName, EndpointKind } from "@loa/model/endpoint.ts";

/** What a channel may answer for one recipient. `held`: not now, the recipient stays queued. */
export const OUTCOMES = ["held", "sent", "failed", "unsure"] as const;
export type Outcome = (typeof OUTCOMES)[number];
export const outcomeCode = (outcome: Outcome): number => OUTCOMES.indexOf(outcome);

/** Some recipients of one dispatch, to be told the same thing. */
export interface Slice {
  readonly dispatchId: string;
  readonly type: BulletinType;
  readonly lane: Lane;
  /** The frozen message: UTF-8 JSON. The same bytes for everyone. */
  readonly message: Uint8Array;
  /** Who, ascending. Rank i of the slice is ordinals[i]. */
  readonly ordinals: Uint32Array;
  readonly expiresAt: Date;
}

export type SliceOutcome =
  /** The same outcome for everyone in the slice. */
  | { readonly kind: "all"; readonly outcome: Outcome }
  /** outcomes[i] is an index into OUTCOMES, for ordinals[i]. */
  | { readonly kind: "each"; readonly outcomes: Uint8Array }
  /** Backpressure: nothing was handed over; try again after this many milliseconds. */
  | { readonly kind: "later"; readonly retryAfterMs: number; readonly reason: string }
  /** It left, and nobody said what became of it. The engine does as `onCrash` says. */
  | { readonly kind: "lost"; readonly reason: string };

/** An answer that says of each recipient what became of them. */
export type SliceAnswer = Exclude<SliceOutcome, { kind: "later" | "lost" }>;

/** One outcome per recipient. */
export interface AddressedChannel {
  readonly form: "addressed";
  readonly name: EndpointKind;
  /**
   * Most recipients in one slice. A worker has one slice of a channel under way at a time, so
   * this is what may go out twice after a kill; a channel is concurrent within its slice.
   */
  readonly sliceSize: number;
  /**
   * What becomes of an intent that no outcome was committed for, because a worker was killed, or of
   * a slice that was lost: it is handed over again (the device drops the copy), or, where a copy
   * costs money or fear, its people are unsure.
   */
  readonly onCrash: "resend" | "unsure";
  /** A channel that reaches real people refuses an Exercise by its type. */
  readonly reaches: readonly BulletinType[];
  /** Hands a slice over. Rejects only on a fault of ours; then it counts like a crash. */
  handOver(slice: Slice, signal: AbortSignal): Promise<SliceOutcome>;
  close(): Promise<void>;
}

/** One order: carry this message out in one area. */
export interface AreaOrder {
  readonly orderId: string;
  readonly dispatchId: string;
  readonly type: BulletinType;
  readonly lane: Lane;
  readonly message: Uint8Array;
  readonly areaCode: string;
  readonly expiresAt: Date;
}

export type OrderOutcome =
  | { readonly kind: "accepted"; readonly reference: string }
  /** `claimed`: how many people the other side says it reached. A claim, never a fact of the ledger. */
  | { readonly kind: "carried-out"; readonly claimed: number; readonly evidence: string }
  | { readonly kind: "refused"; readonly reason: string }
  /** Nothing was handed over; try again after this many milliseconds. */
  | { readonly kind: "later"; readonly retryAfterMs: number; readonly reason: string }
  /** It left, and nobody said what became of it. The engine does as `onCrash` says. */
  | { readonly kind: "lost"; readonly reason: string };

/** One order per area. */
export interface AreaChannel {
  readonly form: "area";
  readonly name: AreaChannelName;
  readonly ordersAtOnce: number;
  readonly onCrash: "resend" | "unsure";
  readonly reaches: readonly BulletinType[];
  order(order: AreaOrder, signal: AbortSignal): Promise<OrderOutcome>;
  close(): Promise<void>;
}

export type Channel = AddressedChannel | AreaChannel;
