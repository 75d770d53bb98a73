// The area-loopback channel: one order per area to the sink, which plays the carrier or the
// loudspeaker operator. It reaches nobody real and carries every type of bulletin. The sink
// knows an order by its id and carries it out once, so an order without an answer is asked again.
import { BULLETIN_TYPES } from "@loa/model/bulletin-type.ts";
import type { AreaChannel, OrderOutcome } from "./channel.ts";
import { type LineOptions, openLoopbackLine } from "./loopback-line.ts";

/** Orders of one worker that may wait for their answers. */
export const AREA_LOOPBACK_ORDERS_AT_ONCE = 16;

/** Connects to the sink at `host:port`; where it is away, orders are answered `later`. */
export function openAreaLoopbackChannel(options: LineOptions): AreaChannel {
  const line = openLoopbackLine(options);
  return {
    form: "area",
    name: "area-loopback",
    ordersAtOnce: AREA_LOOPBACK_ORDERS_AT_ONCE,
    onCrash: "resend",
    reaches: BULLETIN_TYPES,
    async order(order, signal): Promise<OrderOutcome> {
      const { orderId, dispatchId, type, lane, areaCode, message } = order;
      const expiresAtMs = order.expiresAt.getTime();
      const reply = await line.ask(
        {
          kind: "order",
          order: { orderId, dispatchId, type, lane, expiresAtMs, areaCode, message },
        },
        signal,
      );
      if (reply.kind === "away")
        return { kind: "later", retryAfterMs: reply.retryAfterMs, reason: reply.reason };
      if (reply.kind === "lost") return reply;
      if (reply.frame.kind === "order-answer") return reply.frame.answer;
      line.hangUp("answered something else");
      return { kind: "lost", reason: "answered something else" };
    },
    close: () => line.close(),
  };
}
