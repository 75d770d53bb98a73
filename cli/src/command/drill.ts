// `loa drill`: the main job in one command. The command reads the options and shows the progress;
// drill/drill.ts does it.
import { access } from "node:fs/promises";
import {
  answer,
  type Command,
  integerOption,
  listOption,
  textOption,
  UsageError,
} from "../command.ts";
import { runChainDrill } from "../drill/chain-drill.ts";
import { chainReport } from "../drill/chain-report.ts";
import { runDrill } from "../drill/drill.ts";
import { readUnits, TYPHOON_COAST } from "../drill/pack.ts";
import { drillReport } from "../drill/report.ts";
import { createProgressBar } from "../progress-bar.ts";

/** More need the benchmarks, which prepare their people once. */
const SUBSCRIBERS_MAX = 5_000_000;
/** Sockets of one process on one machine. */
const LIVE_MAX = 20_000;

const text = { type: "string" } as const;

export const drill: Command = {
  name: "drill",
  usage: "[--chain] [--subscribers N] [--live M] [--area CODES] [--cap FILE] [--seed S]",
  summary: {
    en: "Warn synthetic people from draft to receipt, in an instance of its own, and check it all",
    vi: "Diễn tập: phát cảnh báo thử từ soạn thảo đến xác nhận, rồi kiểm tra toàn bộ",
  },
  help: [
    [
      "--chain",
      "an alert, updates whose area moves, a correction and the cancel, instead of one warning",
    ],
    ["--subscribers N", "people who are registered (100000)"],
    ["--live M", "of them, who connect for real; a fifth of these are not meant (1000)"],
    ["--area CODES", "units that the warning is for (part of the coast of Sông Lụa)"],
    ["--cap FILE", "the texts come from this CAP 1.2 file"],
    ["--seed S", "the same seed makes the same people (1)"],
  ],
  options: {
    chain: { type: "boolean" },
    subscribers: text,
    live: text,
    area: { type: "string", multiple: true },
    cap: text,
    seed: text,
  },
  async run({ values, stderr, signal }) {
    const bar = createProgressBar(stderr);
    let label = "";
    const cap = textOption(values, "cap");
    if (cap !== undefined) await access(cap);
    if (cap !== undefined && values.chain === true)
      throw new UsageError("--chain writes its own bulletins: leave --cap out");
    const areas = listOption(values, "area");
    const known = new Set((await readUnits()).map(({ code }) => code));
    const strange = areas.filter((code) => !known.has(code));
    if (strange.length > 0) throw new UsageError(`Sông Lụa has no area ${strange.join(", ")}`);
    signal.addEventListener("abort", () => stderr.write("Ending ...\n"));
    const options = {
      subscribers: integerOption(values, "subscribers", {
        min: 1,
        max: SUBSCRIBERS_MAX,
        fallback: 100_000,
      }),
      live: integerOption(values, "live", { min: 0, max: LIVE_MAX, fallback: 1_000 }),
      areas: areas.length > 0 ? areas : TYPHOON_COAST,
      cap,
      seed: integerOption(values, "seed", { min: 0, max: 2 ** 31, fallback: 1 }),
    };
    try {
      const watcher = {
        step(next: string) {
          bar.clear();
          label = next;
          stderr.write(`${label} ...\n`);
        },
        progress: (done: number, total: number) => bar.show(label, done, total),
      };
      if (values.chain === true) {
        const document = await runChainDrill(options, watcher, signal);
        bar.clear();
        const ok = document.checks.every((check) => check.ok);
        return { ...answer(document, chainReport(document)), ok };
      }
      const { document, communes, units } = await runDrill(options, watcher, signal);
      bar.clear();
      const ok = document.checks.every((check) => check.ok);
      return { ...answer(document, drillReport(document, communes, units)), ok };
    } finally {
      bar.clear();
    }
  },
};
