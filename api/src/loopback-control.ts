// What may be asked of the sink in a control frame, and how it may be told to behave: data, so
// that a test, a simulation or an operator changes it while messages arrive. Shares are decided
// by seed and person: the same seed fails the same people.
import { z } from "zod";

/** Longest lag of any kind: who wants more wants `stall`. */
export const LAG_MS_MAX = 600_000;

const share = z.number().min(0).max(1);
const lag = z.number().int().min(0).max(LAG_MS_MAX);

export const behaviourSchema = z.strictObject({
  /** Decides who fails, who reads and which orders are refused. */
  seed: z.number().int(),
  /** Milliseconds before a slice or an order is answered. */
  answerLagMs: lag,
  /** Share of people for whom the answer is `failed`; they do not get the message. */
  failShare: share,
  /** Share of slices and orders that are answered `later`, after `laterMs`. */
  laterShare: share,
  laterMs: lag,
  /** Slices and orders are taken and never answered. */
  stall: z.boolean(),
  /** The connection ends upon the next slice, after it was counted; once. */
  hangUp: z.boolean(),
  /** Every answer is sent twice. */
  answerTwice: z.boolean(),
  /** The next slice is answered for one recipient more than it had, after it was counted; once. */
  answerNonsense: z.boolean(),
  /** Whether delivered receipts are posted at all. */
  receipts: z.boolean(),
  /** Milliseconds from message to receipt. */
  receiptLagMs: lag,
  /** Share of people who also read the message. */
  readShare: share,
  /** Each slice also claims `delivered` for somebody who is in no audience. */
  lieForeign: z.boolean(),
  /** Receipts are posted before the answer `sent`. */
  lieEarly: z.boolean(),
  /** Every receipt is posted twice. */
  lieTwice: z.boolean(),
  /** Share of area orders that are refused. */
  refuseShare: share,
  /** Milliseconds from accepting an order to carrying it out. */
  carryOutLagMs: lag,
  /** How many people live in an area; the claim of a carried-out order is made up from it. */
  populations: z.record(z.string(), z.number().int().min(0)),
});

export type Behaviour = Readonly<z.infer<typeof behaviourSchema>>;

/** Where and as whom the sink reports what happened. */
export const gatewaySchema = z.strictObject({
  /** POST packed receipts here. */
  receiptsUrl: z.url(),
  receiptsKey: z.string(),
  /** POST to `<areaOrdersUrl>/<id>/report`. */
  areaOrdersUrl: z.url(),
  areaOrdersKey: z.string(),
});
export type GatewayAccess = Readonly<z.infer<typeof gatewaySchema>>;

export const loopbackControlSchema = z.discriminatedUnion("op", [
  /** Changes what is named and leaves the rest as it is. */
  z.strictObject({ op: z.literal("behave"), behaviour: behaviourSchema.partial() }),
  z.strictObject({ op: z.literal("gateway"), gateway: gatewaySchema }),
  /** Answers the totals of one dispatch, and what still waits to be posted. */
  z.strictObject({ op: z.literal("count"), dispatch: z.uuid() }),
]);
export type LoopbackControl = Readonly<z.infer<typeof loopbackControlSchema>>;
