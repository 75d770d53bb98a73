// `loa subscribers synth`: registers invented people of exercises, spread over the communes as the
// population is. No real bulletin reaches them.
import { SYNTHETIC_MAX, synthesizeSubscribers } from "@loa/api/subscribers.ts";
import { answer, type Command, integerOption } from "../command.ts";
import { createProgressBar } from "../progress-bar.ts";
import { hearImport } from "../subscriber-import.ts";
import { formatFields } from "../table.ts";

export const subscribersSynth: Command = {
  name: "subscribers synth",
  usage: "--count N [--seed S]",
  summary: {
    en: "Register invented people of exercises; no real bulletin reaches them",
    vi: "Tạo người nhận giả định cho diễn tập; bản tin thật không gửi đến họ",
  },
  help: [
    ["--count N", "how many (1000)"],
    ["--seed S", "the same seed makes the same people, who are registered once (1)"],
  ],
  options: { count: { type: "string" }, seed: { type: "string" } },
  async run({ client, values, stderr, signal }) {
    const count = integerOption(values, "count", { min: 1, max: SYNTHETIC_MAX, fallback: 1_000 });
    const seed = integerOption(values, "seed", { min: 0, max: 2 ** 31, fallback: 1 });
    const bar = createProgressBar(stderr);
    try {
      const response = await client().ask(synthesizeSubscribers, { body: { count, seed }, signal });
      const done = await hearImport(response, {
        progress: ({ read }) => bar.show("Registering", read, count),
        rejects([first]) {
          throw new Error(`line ${first?.line} was rejected: ${first?.reason}`);
        },
      });
      bar.clear();
      const text = formatFields([
        ["Invented", done.read],
        ["Added", done.added],
        ["Known before", done.known],
      ]);
      return answer(done, text);
    } finally {
      bar.clear();
    }
  },
};
