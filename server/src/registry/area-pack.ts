// Imports an area pack: reads and checks it in a thread of its own, then activates it in one
// transaction. Whatever is wrong with it, the caller learns all of it and nothing changes.
import { Worker } from "node:worker_threads";
import type { AreaPackInput, AreaPackReport } from "@loa/model/area-pack.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Pool } from "../db/connection.ts";
import type { PackAnswer } from "./area-pack-read.ts";
import { activatePack } from "./area-pack-store.ts";

/** A country takes seconds; a pack that takes longer than this is stopped and refused. */
export const AREA_PACK_READ_MS_MAX = 120_000;
/** Heap of the reading thread: a pack of AREA_PACK_BYTES_MAX with its shapes decoded. */
const READER_HEAP_MB_MAX = 2_048;

/**
 * Makes the pack the active version of its name; the former version is superseded. Load a fresh
 * AreaTree and TargetResolver afterwards.
 * @throws {Problem} area-pack-invalid, area-pack-clash; with a fault for each file and place
 */
export async function importAreaPack(
  { pool }: { readonly pool: Pool },
  input: AreaPackInput,
): Promise<AreaPackReport> {
  const answer = await readInThread(input);
  if (!("pack" in answer)) throw new Problem("area-pack-invalid", answer.detail, answer.faults);
  return activatePack(pool, input, answer.pack);
}

async function readInThread(input: AreaPackInput): Promise<PackAnswer> {
  const thread = new Worker(new URL("./area-pack-worker.ts", import.meta.url), {
    workerData: input,
    resourceLimits: { maxOldGenerationSizeMb: READER_HEAP_MB_MAX },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<PackAnswer>((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", (fault: NodeJS.ErrnoException) => {
        if (fault.code !== "ERR_WORKER_OUT_OF_MEMORY") return reject(fault);
        const detail = `The area pack ${input.name} needs more than ${READER_HEAP_MB_MAX} MB to read and was refused. Simplify its shapes.`;
        resolve({ detail, faults: [] });
      });
      thread.once("exit", (code) => reject(new Error(`the reading thread ended with ${code}`)));
      timer = setTimeout(() => {
        const detail = `The area pack ${input.name} took longer than ${AREA_PACK_READ_MS_MAX / 1000} s to read and was refused. Simplify its shapes.`;
        resolve({ detail, faults: [] });
      }, AREA_PACK_READ_MS_MAX);
    });
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}
