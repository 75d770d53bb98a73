// A list of people registered by the command that people use, from its start to its answer: read,
// checked, sent, checked again, written by COPY, and known to the audience. Once in the order in which
// a registry exports it, by reference, and once shuffled, which is the worst that an index on ids meets.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type Random, seedRandom } from "@loa/model/random.ts";
import { synthesizeSubscribers, writeSubscriberCsv } from "@loa/model/synth.ts";
import { compiledCode } from "../../../server/src/observe/compiled-code.ts";
import { loadAreaTree } from "../../../server/src/registry/area.ts";
import { communesOf } from "../country.ts";
import { type BenchInstallation, startBenchInstallation } from "../installation.ts";
import { keyOfDemonstration, preparePeopleSet } from "../people-set.ts";
import { type BenchContext, check, COUNTRY, type Figure, figure, type Unit } from "../unit.ts";

const LOA = fileURLToPath(new URL("../../../cli/src/main.ts", import.meta.url));
/** Rows of a list: more take longer and say no more. */
const ROWS_MAX = 1_000_000;
const ORDERS = ["by reference", "shuffled"] as const;

interface ImportRun {
  readonly rowsPerSecond: number;
  /** Of server and PostgreSQL, for a million rows; NaN where nobody counts it. */
  readonly cpuSeconds: number;
  readonly isWhole: boolean;
}

export const importUnit: Unit = {
  name: "import",
  title: "A list of people registered by `loa subscribers import`, into an installation of its own",
  async run(context) {
    const { figures, isWhole } = await importLists(context);
    return {
      figures: [...figures, ...(await setFigures(context))],
      checks: [check("import: every row is added, once", isWhole)],
    };
  },
};

async function importLists(
  context: BenchContext,
): Promise<{ readonly figures: Figure[]; readonly isWhole: boolean }> {
  const folder = mkdtempSync(join(tmpdir(), "loa-bench-import-"));
  const installation = await startBenchInstallation({
    folder: join(folder, "data"),
    profileFolder: context.profileFolder,
  });
  try {
    const figures: Figure[] = [];
    let isWhole = true;
    for (const order of ORDERS) {
      const list = join(folder, "list.csv");
      const rows = await writeList(context, installation, list, order);
      const runs: ImportRun[] = [];
      for (let run = 0; run < context.runs; run++)
        runs.push(await importOnce(installation, list, rows, `${order} ${run}`));
      isWhole &&= runs.every((run) => run.isWhole);
      figures.push(...figuresOf(order, runs, context));
    }
    return { figures, isWhole };
  } finally {
    await installation.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What it took to import all the people with whom the other units are measured. */
async function setFigures(context: BenchContext): Promise<Figure[]> {
  const { subscribers } = context;
  const { set } = await preparePeopleSet(context);
  const target = (atMost: number) => (subscribers < COUNTRY ? {} : { target: { atMost } });
  const note = "as the set was made, with several endpoints and places for each; kept by its seed";
  return [
    figure("all people, imported over the API", "s", [set.importSeconds], "as it is", {
      ...target(15 * 60),
      note,
    }),
    figure(
      "all people, imported over the API: processor time",
      "CPU-s/million",
      [((set.importCpuSeconds ?? Number.NaN) / subscribers) * 1e6],
      "as it is",
    ),
    figure("database of all people", "GB", [set.databaseBytes / 1e9], "as it is", target(15)),
  ];
}

/** Writes the list; answers how many rows it has. */
async function writeList(
  { subscribers, seed }: BenchContext,
  { connection }: BenchInstallation,
  path: string,
  order: (typeof ORDERS)[number],
): Promise<number> {
  const count = Math.min(subscribers, ROWS_MAX);
  const communes = communesOf(await loadAreaTree(connection.db), "song-lua");
  const people = [...synthesizeSubscribers({ count, seed, communes, accounts: [] })];
  if (order === "shuffled") shuffle(people, seedRandom(seed));
  writeFileSync(path, [...writeSubscriberCsv(people)].join(""));
  return count;
}

/** Fisher and Yates. */
function shuffle(items: unknown[], random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j], items[i]];
  }
}

async function importOnce(
  installation: BenchInstallation,
  list: string,
  rows: number,
  source: string,
): Promise<ImportRun> {
  const before = cpuSecondsOf(installation);
  const startedMs = performance.now();
  const command = ["subscribers", "import", list, "--basis", "benchmark", "--source", source];
  const loa = spawn(process.execPath, [LOA, ...command, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...compiledCode(),
      LOA_ORIGIN: installation.api,
      LOA_KEY: keyOfDemonstration(installation.folder, "operator"),
    },
  });
  const [said] = await Promise.all([json(loa.stdout), once(loa, "exit")]);
  const seconds = (performance.now() - startedMs) / 1000;
  const { added, rejected } = said as { added: number; rejected: number };
  return {
    rowsPerSecond: rows / seconds,
    cpuSeconds: ((cpuSecondsOf(installation) - before) / rows) * 1e6,
    isWhole: added === rows && rejected === 0,
  };
}

function cpuSecondsOf(installation: BenchInstallation): number {
  const costs = installation.costs();
  return costs ? costs.server.cpuSeconds + costs.postgres.cpuSeconds : Number.NaN;
}

function figuresOf(order: string, runs: readonly ImportRun[], { isSmall }: BenchContext): Figure[] {
  const target = isSmall ? {} : { target: { atLeast: 100_000 } };
  const rates = runs.map(({ rowsPerSecond }) => rowsPerSecond);
  const costs = runs.map(({ cpuSeconds }) => cpuSeconds);
  const note = "the whole command, with the start of its process";
  return [
    figure(`a list ${order}`, "rows/s", rates, "as it is", { ...target, note }),
    figure(`a list ${order}: processor time`, "CPU-s/million", costs, "as it is"),
  ];
}
