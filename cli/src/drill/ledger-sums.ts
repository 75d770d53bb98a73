// The sums that a ledger must keep, whatever happened: per channel the states sum to the planned
// recipients, per commune too, residents and concerned apart, and the communes sum to the channel.
// Each function answers a sentence for every sum that is off. Pure.
import { type ChannelFigures, STATES } from "@loa/model/delivery.ts";
import type { CommuneLedger } from "./checks.ts";

type Channels = Readonly<Record<string, ChannelFigures>>;

export const channelSumFaults = (channels: Channels): string[] =>
  Object.entries(channels).flatMap(([name, each]) => sumFault(name, each));

export const groupSumFaults = (communes: readonly CommuneLedger[]): string[] =>
  communes.flatMap(({ code, channels }) =>
    Object.entries(channels).flatMap(([name, each]) => [
      ...sumFault(`${code} ${name} residents`, each.residents),
      ...sumFault(`${code} ${name} concerned`, each.concerned),
    ]),
  );

export const communeSumFaults = (
  channels: Channels,
  communes: readonly CommuneLedger[],
): string[] =>
  Object.entries(channels).flatMap(([name, figures]) =>
    STATES.flatMap((state) => {
      const sum = communes.reduce((total, { channels: own }) => {
        const each = own[name];
        return total + (each ? each.residents.state[state] + each.concerned.state[state] : 0);
      }, 0);
      return sum === figures.state[state]
        ? []
        : [`${name} ${state}: communes ${sum}, channel ${figures.state[state]}`];
    }),
  );

function sumFault(what: string, { planned, state }: ChannelFigures): string[] {
  const sum = STATES.reduce((total, name) => total + state[name], 0);
  return sum === planned ? [] : [`${what}: states ${sum}, planned ${planned}`];
}
