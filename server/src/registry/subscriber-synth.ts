// Registers synthetic people in the communes of the active packs, through the same import as
// any list: what holds for them holds for everybody.
import type { Standing } from "@loa/model/bulletin-type.ts";
import { Problem } from "@loa/model/problem.ts";
import { synthesizeSubscribers, writeSubscriberCsv } from "@loa/model/synth.ts";
import type { AreaTree } from "./area.ts";
import type { RegistryDeps } from "./subscriber.ts";
import { importSubscribers, type ImportReport, type ImportResult } from "./subscriber-import.ts";

/** The source of every synthetic person: their references name the seed. */
export const SYNTHETIC_SOURCE = "synthetic";
const BASIS = "Người giả lập, không phải người thật (synthetic person, nobody real)";
/** The weight of a commune whose population is not known. */
const POPULATION_UNKNOWN = 1_000;

export interface SynthesisOptions {
  readonly count: number;
  readonly seed: number;
  readonly standing: Standing;
  readonly liveShare: number;
  readonly memberId: string | null;
  readonly signal?: AbortSignal | undefined;
}

/** @throws {Problem} area-unknown when no area pack is active; busy while another import runs. */
export async function importSynthetic(
  deps: RegistryDeps,
  { memberId, signal, ...people }: SynthesisOptions,
  report: ImportReport,
): Promise<ImportResult> {
  const communes = communesOf(deps.tree());
  if (communes.length === 0)
    throw new Problem("area-unknown", "Import an area pack first: there is nowhere to live.");
  const rows = await deps.db
    .selectFrom("official_account")
    .select("handle")
    .orderBy("ordinal")
    .execute();
  const accounts = rows.map(({ handle }) => handle);
  const csv = writeSubscriberCsv(synthesizeSubscribers({ ...people, communes, accounts }));
  const options = { source: SYNTHETIC_SOURCE, basis: BASIS, memberId, signal };
  return importSubscribers(deps, encode(csv), options, report);
}

function communesOf(tree: AreaTree) {
  return tree.areas
    .filter(({ level }) => level === "commune")
    .map(({ id, code, population }) => ({
      code,
      population: population ?? POPULATION_UNKNOWN,
      villages: tree
        .children(id)
        .filter(({ level }) => level === "village")
        .map((village) => village.code),
    }));
}

async function* encode(pieces: Iterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for (const piece of pieces) yield encoder.encode(piece);
}
