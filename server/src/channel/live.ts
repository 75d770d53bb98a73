// The live channel: people who are connected right now, over Server-Sent Events. Whoever is not
// connected is held and stays queued: the stream tells them when they connect. A copy costs
// nothing, because the device drops it, so a crash resends.
//
// The channel knows no socket. `LiveSockets` builds the bytes of a message once and hands them to
// one person after the other.
import { BULLETIN_TYPES } from "@loa/model/bulletin-type.ts";
import { type AddressedChannel, outcomeCode, type Slice, type SliceOutcome } from "./channel.ts";

/** Recipients in one slice: some 20 µs each, so that a slice stays near the 5 ms of one turn. */
export const LIVE_SLICE_SIZE = 256;

/** The open sockets of this process. */
export interface LiveSockets {
  /**
   * Builds the frame of a message. The answer hands it to one person and says whether one of their
   * sockets took it. Neither waits, neither throws for what a peer does.
   */
  frame(slice: Slice): (ordinal: number) => boolean;
}

const SENT = outcomeCode("sent");
const HELD = outcomeCode("held");

/** A channel over the sockets of this process. Synthetic people connect too: it carries every type. */
export function openLiveChannel(sockets: LiveSockets): AddressedChannel {
  let closed = false;
  return {
    form: "addressed",
    name: "live",
    sliceSize: LIVE_SLICE_SIZE,
    onCrash: "resend",
    reaches: BULLETIN_TYPES,
    // No await inside: a slice is one turn of the loop, so a pending warning waits for at most one.
    handOver: async (slice, signal): Promise<SliceOutcome> => {
      if (closed || signal.aborted) return { kind: "all", outcome: "held" };
      const send = sockets.frame(slice);
      const outcomes = new Uint8Array(slice.ordinals.length);
      for (let i = 0; i < outcomes.length; i += 1)
        outcomes[i] = send(slice.ordinals[i] as number) ? SENT : HELD;
      return { kind: "each", outcomes };
    },
    close: async () => {
      closed = true;
    },
  };
}
