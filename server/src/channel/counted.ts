// A channel that counts what it was handed and what it said of it, and is otherwise the channel
// itself. So no channel, and nothing of the engine, need know that anybody counts.
import type { Counters } from "../observe/counters.ts";
import {
  type AddressedChannel,
  type AreaChannel,
  type Channel,
  OUTCOMES,
  type Slice,
  type SliceAnswer,
} from "./channel.ts";

/** Wraps a channel; closing it closes the channel. */
export const countChannel = (channel: Channel, counters: Counters): Channel =>
  channel.form === "addressed" ? countAddressed(channel, counters) : countArea(channel, counters);

function countAddressed(channel: AddressedChannel, counters: Counters): AddressedChannel {
  const { name } = channel;
  return {
    ...described(channel),
    async handOver(slice, signal) {
      const outcome = await channel.handOver(slice, signal).catch((fault: unknown) => {
        counters.add("loa_slices_total", { channel: name, lane: slice.lane, answer: "fault" });
        throw fault;
      });
      const isAnswer = outcome.kind === "all" || outcome.kind === "each";
      const answer = isAnswer ? "taken" : outcome.kind;
      counters.add("loa_slices_total", { channel: name, lane: slice.lane, answer });
      if (isAnswer) countOutcomes(name, slice, outcome, counters);
      return outcome;
    },
    close: () => channel.close(),
  };
}

/** Only what the interface names: a channel may be an object of a class, which does not spread. */
const described = ({ form, name, sliceSize, onCrash, reaches }: AddressedChannel) => ({
  form,
  name,
  sliceSize,
  onCrash,
  reaches,
});

function countOutcomes(
  channel: string,
  slice: Slice,
  answer: SliceAnswer,
  counters: Counters,
): void {
  const add = (outcome: string, count: number) =>
    count > 0 && counters.add("loa_outcomes_total", { channel, outcome }, count);
  if (answer.kind === "all") {
    add(answer.outcome, slice.ordinals.length);
    return;
  }
  const counts = new Uint32Array(OUTCOMES.length);
  // A code that is none is the channel's fault, which the engine refuses; here it is not counted.
  for (const code of answer.outcomes)
    if (code < counts.length) counts[code] = (counts[code] as number) + 1;
  for (const [code, outcome] of OUTCOMES.entries()) add(outcome, counts[code] as number);
}

function countArea(channel: AreaChannel, counters: Counters): AreaChannel {
  const { form, name, ordersAtOnce, onCrash, reaches } = channel;
  return {
    form,
    name,
    ordersAtOnce,
    onCrash,
    reaches,
    async order(order, signal) {
      const outcome = await channel.order(order, signal).catch((fault: unknown) => {
        counters.add("loa_orders_total", { channel: name, answer: "fault" });
        throw fault;
      });
      counters.add("loa_orders_total", { channel: name, answer: outcome.kind });
      return outcome;
    },
    close: () => channel.close(),
  };
}
