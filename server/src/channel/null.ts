// The channel that goes nowhere: everybody is "sent" at once. It measures the engine alone,
// and is what a bulletin is sent over when only the ledger is wanted.
import type { AddressedChannel } from "./channel.ts";

/** A whole shard in one slice: nothing leaves the building, so nothing can go out twice. */
const SLICE_SIZE = 65_536;

export function openNullChannel(): AddressedChannel {
  return {
    form: "addressed",
    name: "null",
    sliceSize: SLICE_SIZE,
    onCrash: "resend",
    reaches: ["Actual", "Exercise", "PublicTest"],
    handOver: async (_slice, signal) =>
      signal.aborted
        ? { kind: "later", retryAfterMs: 0, reason: "aborted before it began" }
        : { kind: "all", outcome: "sent" },
    close: async () => {},
  };
}
