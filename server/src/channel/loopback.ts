// The loopback channels: addressed channels whose far side is the sink, a process that counts
// every message for every person. They reach nobody real, and therefore carry every type of
// bulletin. On `loopback` a copy costs nothing and the sink counts it, so a crash resends. On
// `loopback-once` a copy is a fault, as it is in a text message that costs money or fear: what a
// crash leaves in doubt is unsure, and nobody is told twice.
import { BULLETIN_TYPES } from "@loa/model/bulletin-type.ts";
import type { AddressedChannel, SliceOutcome } from "./channel.ts";
import { type LineOptions, openLoopbackLine } from "./loopback-line.ts";

/** Recipients in one frame; what may go out twice after a kill. */
export const LOOPBACK_SLICE_SIZE = 4096;

export interface LoopbackOptions extends LineOptions {
  readonly sliceSize?: number;
}

/** Connects to the sink at `host:port`; where it is away, slices are answered `later`. */
export const openLoopbackChannel = (options: LoopbackOptions): AddressedChannel =>
  openChannel(options, { name: "loopback", onCrash: "resend" });

/** The same for people who may be told once at most. */
export const openLoopbackOnceChannel = (options: LoopbackOptions): AddressedChannel =>
  openChannel(options, { name: "loopback-once", onCrash: "unsure" });

function openChannel(
  options: LoopbackOptions,
  kind: Pick<AddressedChannel, "name" | "onCrash">,
): AddressedChannel {
  const line = openLoopbackLine(options);
  return {
    form: "addressed",
    ...kind,
    sliceSize: options.sliceSize ?? LOOPBACK_SLICE_SIZE,
    reaches: BULLETIN_TYPES,
    async handOver(slice, signal): Promise<SliceOutcome> {
      const { dispatchId, type, lane, ordinals, message } = slice;
      const expiresAtMs = slice.expiresAt.getTime();
      const reply = await line.ask(
        { kind: "slice", slice: { dispatchId, type, lane, expiresAtMs, ordinals, message } },
        signal,
      );
      if (reply.kind === "away")
        return { kind: "later", retryAfterMs: reply.retryAfterMs, reason: reply.reason };
      if (reply.kind === "lost") return reply;
      const answer = reply.frame.kind === "answer" ? reply.frame.answer : undefined;
      if (!answer || (answer.kind === "each" && answer.outcomes.length !== ordinals.length)) {
        line.hangUp("answered something else");
        return { kind: "lost", reason: "answered something else" };
      }
      // The codes of `each` are the wire's, which are those of OUTCOMES (a test compares them).
      return answer;
    },
    close: () => line.close(),
  };
}
