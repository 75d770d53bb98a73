// The sink as carrier or loudspeaker operator: it accepts an order for an area, carries it out
// a little later (or refuses), and says how many people it claims to have reached. An order is
// known by its id: asked again, it gets the same answer and is not carried out twice.
import type { LoopbackOrder, LoopbackOrderAnswer } from "@loa/api/loopback.ts";
import type { Behaviour } from "@loa/api/loopback-control.ts";
import { chance, chanceOfText } from "./behaviour.ts";
import { monotonicNowMs } from "./clock.ts";
import type { Delay } from "./delay.ts";
import type { OrderReport } from "./gateway.ts";

/** Orders that one sink keeps: a country's communes many times over. */
export const ORDERS_MAX = 1_000_000;
/** Claims are between this share and all of the people who live there. */
const CLAIMED_SHARE_MIN = 0.9;
/** Who lives in an area of which the sink was told nothing. */
const POPULATION_UNKNOWN = 1_000;

export interface OrderCount {
  readonly order: LoopbackOrder;
  readonly firstAtMs: number;
  readonly timesAsked: number;
  readonly fate: "carried-out" | "refused";
  /** People whom the sink says that it reached; 0 where it refused. */
  readonly claimed: number;
}

export interface OrderDesk {
  readonly take: (order: LoopbackOrder, behaviour: Behaviour) => LoopbackOrderAnswer;
  readonly orders: () => readonly OrderCount[];
  readonly forget: () => void;
}

/** @param report is called when an accepted order was carried out or refused. */
export function createOrderDesk(report: (report: OrderReport) => void, delay: Delay): OrderDesk {
  const known = new Map<string, OrderCount>();
  let askedNumber = 0;

  const finish = (count: OrderCount) => {
    const { orderId, areaCode } = count.order;
    if (count.fate === "refused")
      report({ orderId, body: { state: "refused", evidence: `no loudspeaker in ${areaCode}` } });
    else
      report({
        orderId,
        body: {
          state: "carried-out",
          claimed: count.claimed,
          evidence: `played three times in ${areaCode}`,
        },
      });
  };

  return {
    take(order, behaviour) {
      const { seed, laterShare, laterMs } = behaviour;
      askedNumber += 1;
      if (chance(seed, askedNumber) < laterShare)
        return { kind: "later", retryAfterMs: laterMs, reason: "told to" };
      const before = known.get(order.orderId);
      if (before !== undefined) {
        known.set(order.orderId, { ...before, timesAsked: before.timesAsked + 1 });
        return { kind: "accepted", reference: order.orderId };
      }
      if (known.size >= ORDERS_MAX)
        return { kind: "later", retryAfterMs: laterMs, reason: "the desk is full" };
      const luck = chanceOfText(seed, order.areaCode);
      const people = behaviour.populations[order.areaCode] ?? POPULATION_UNKNOWN;
      const share = CLAIMED_SHARE_MIN + (1 - CLAIMED_SHARE_MIN) * luck;
      const isRefused = luck < behaviour.refuseShare;
      const count: OrderCount = {
        order: { ...order, message: Uint8Array.from(order.message) },
        firstAtMs: monotonicNowMs(),
        timesAsked: 1,
        fate: isRefused ? "refused" : "carried-out",
        claimed: isRefused ? 0 : Math.floor(people * share),
      };
      known.set(order.orderId, count);
      delay.after(behaviour.carryOutLagMs, () => finish(count));
      return { kind: "accepted", reference: order.orderId };
    },
    orders: () => [...known.values()],
    forget: () => known.clear(),
  };
}
