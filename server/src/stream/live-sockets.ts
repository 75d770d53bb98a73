// The bridge between the live channel and the open streams: one frame for a message, to every
// stream of a person.
import type { LiveSockets } from "../channel/live.ts";
import type { Broadcast } from "./broadcast.ts";
import type { Connections } from "./connections.ts";
import { type Cursor, frameMessage, otherLane } from "./event.ts";
import type { InForce } from "./in-force.ts";

/** Sockets as the live channel sees them. `broadcast` is asked for, as it needs the channel first. */
export function createLiveSockets(
  connections: Connections,
  inForce: InForce,
  broadcast: () => Broadcast,
): LiveSockets {
  return {
    frame(slice) {
      const { lane, dispatchId } = slice;
      const entry = inForce.find(dispatchId);
      if (!entry) {
        const frame = frameMessage(lane, slice.message);
        return (ordinal) => {
          let taken = false;
          for (let each = connections.of(ordinal); each; each = each.next)
            taken = each.write(frame) || taken;
          return taken;
        };
      }
      const other = otherLane(lane);
      const cursor = { [lane]: entry.dispatch.seq, [other]: broadcast().floor(other) };
      const frame = inForce.frame(entry, cursor as unknown as Cursor);
      const serial = broadcast().serialOf(entry);
      return (ordinal) => {
        let taken = false;
        for (let each = connections.of(ordinal); each; each = each.next) {
          if (each.serial > serial) continue;
          // Still busy with what was there before: this comes after it, and is recorded then.
          if (each.catchUp) each.catchUp.add(entry);
          else taken = each.write(frame) || taken;
        }
        return taken;
      };
    },
  };
}
