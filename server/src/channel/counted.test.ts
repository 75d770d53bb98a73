// A counted channel is the channel itself, and what it said can be read afterwards.
import { expect, test } from "vitest";
import { RecordingChannel } from "../../test/dispatch-kit.ts";
import { sliceOf } from "../../test/channel-conformance.ts";
import { Counters } from "../observe/counters.ts";
import { type AddressedChannel, outcomeCode, type SliceOutcome } from "./channel.ts";
import { countChannel } from "./counted.ts";

/** What is counted after a channel gave these answers, each for three people. */
async function countsOf(...answers: (SliceOutcome | Error)[]): Promise<Record<string, number>> {
  const counters = new Counters();
  const channel = new RecordingChannel({
    answer() {
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("no answer");
      return answer;
    },
  });
  const counted = countChannel(channel, counters) as AddressedChannel;
  expect(counted).toMatchObject({ name: "loopback", sliceSize: 1000, onCrash: "resend" });
  while (answers.length > 0)
    await counted.handOver(sliceOf([1, 2, 3]), new AbortController().signal).catch(() => {});
  return Object.fromEntries(
    counters
      .samples()
      .map(({ name, labels, value }) => [`${name} ${Object.values(labels).join(" ")}`, value]),
  );
}

test("slices are counted by what became of them, people by their outcome", async () => {
  const mixed = Uint8Array.from([outcomeCode("sent"), outcomeCode("held"), outcomeCode("sent")]);
  expect(
    await countsOf(
      { kind: "all", outcome: "sent" },
      { kind: "each", outcomes: mixed },
      { kind: "later", retryAfterMs: 5, reason: "full" },
      new Error("a fault of ours"),
    ),
  ).toEqual({
    "loa_slices_total loopback warning taken": 2,
    "loa_slices_total loopback warning later": 1,
    "loa_slices_total loopback warning fault": 1,
    "loa_outcomes_total loopback sent": 5,
    "loa_outcomes_total loopback held": 1,
  });
});
