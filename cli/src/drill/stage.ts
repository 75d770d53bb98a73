// What a drill takes place in: a witness in a process of its own, an instance of its own, and a
// folder for its people. All of it has ended when the drill settles, however it ends.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Instance, startInstance } from "./instance.ts";
import { startWitness, type WitnessLink } from "./witness-link.ts";

export interface DrillStage {
  readonly folder: string;
  readonly witness: WitnessLink;
  readonly instance: Instance;
}

/** Plays until it is done or interrupted; then everything in `ending` is ended. */
export async function playUntilAborted<T>(
  signal: AbortSignal,
  play: (ending: AsyncDisposableStack) => Promise<T>,
): Promise<T> {
  await using ending = new AsyncDisposableStack();
  const stopped = new Promise<never>((_, fail) => {
    signal.addEventListener("abort", () => fail(signal.reason as Error));
  });
  stopped.catch(() => {});
  return await Promise.race([play(ending), stopped]);
}

/** Starts what a drill needs, and leaves to `ending` how it ends. */
export async function openStage(
  signal: AbortSignal,
  ending: AsyncDisposableStack,
): Promise<DrillStage> {
  const folder = await mkdtemp(join(tmpdir(), "loa-drill-people-"));
  ending.defer(() => rm(folder, { recursive: true, force: true }));
  const witness = startWitness();
  ending.defer(() => witness.stop());
  const { port } = await witness.ask({ kind: "open" });
  const begun = (pid: number, server: string) =>
    witness.ask({ kind: "guard", pid, folders: [server, folder] });
  const instance = await startInstance(`127.0.0.1:${port}`, begun, signal);
  ending.defer(() => instance.stop());
  return { folder, witness, instance };
}
