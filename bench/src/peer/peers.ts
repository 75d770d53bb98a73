// Queues of the same kind, measured on the same machine in the same run: each gets one durable job
// for each recipient, in a store of its own that syncs as ours does, and is set up for speed as its
// own documentation says. They are measured generously: a job does nothing, and no status is written
// beside what the queue itself keeps.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type BenchInstallation, endProcess } from "../installation.ts";
import { readCost } from "../process-cost.ts";
import type { FromPeer, ToPeer } from "./protocol.ts";
import { type OpenStore, openPostgresStore, openRedisStore, type Store } from "./store.ts";

/** As many as Loa's own workers by default. */
const PROCESSES = 2;
const PEERS: readonly Peer[] = [
  { name: "graphile-worker", module: "graphile.ts", openStore: openPostgresStore },
  { name: "pg-boss", module: "boss.ts", openStore: openPostgresStore },
  { name: "BullMQ", module: "bull.ts", openStore: openRedisStore },
];

interface Peer {
  readonly name: string;
  readonly module: string;
  readonly openStore: OpenStore;
}

export interface PeerRun {
  readonly name: string;
  readonly jobs: number;
  readonly done: number;
  readonly seconds: number;
  readonly cpuSeconds: number | undefined;
}

/** Runs every queue whose store this machine has, one after the other. */
export async function runPeers(
  installation: BenchInstallation,
  jobs: number,
  say: (line: string) => void,
): Promise<PeerRun[]> {
  const runs: PeerRun[] = [];
  for (const peer of PEERS) {
    await using store = await peer.openStore(installation);
    if (store === undefined) {
      say(`  ${peer.name}: left out, its server is not on this machine`);
      continue;
    }
    const run = await runPeer(peer, store, jobs);
    say(`  ${peer.name}: ${jobs} jobs in ${run.seconds.toFixed(1)} s`);
    runs.push(run);
  }
  return runs;
}

async function runPeer({ name, module }: Peer, store: Store, jobs: number): Promise<PeerRun> {
  const children = Array.from({ length: PROCESSES }, () => startPeer(module));
  try {
    // One after the other, because each prepares the schema if it is not there.
    for (const child of children) await ask(child, { kind: "open", address: store.address });
    const pids = children.map(({ pid }) => pid as number);
    const cost = () => {
      const kept = store.cpuSeconds();
      const peers = readCost(pids)?.cpuSeconds;
      return kept === undefined || peers === undefined ? undefined : kept + peers;
    };
    const before = cost();
    const startedMs = performance.now();
    const [first] = children as [ChildProcess, ...ChildProcess[]];
    await ask(first, { kind: "enqueue", jobs });
    const working = children.map((child) => ask(child, { kind: "work" }));
    const done = await countDone(children, jobs, working);
    const seconds = (performance.now() - startedMs) / 1000;
    const after = cost();
    const cpuSeconds = before === undefined || after === undefined ? undefined : after - before;
    return { name, jobs, done, seconds, cpuSeconds };
  } finally {
    await Promise.all(children.map(endProcess));
  }
}

function startPeer(module: string): ChildProcess {
  const path = fileURLToPath(new URL(module, import.meta.url));
  return fork(path, [], { stdio: ["ignore", "ignore", "inherit", "ipc"], env: {} });
}

async function ask(child: ChildProcess, question: ToPeer): Promise<void> {
  child.send(question);
  for (;;) {
    const [answer] = (await once(child, "message")) as [FromPeer];
    if (answer.kind === question.kind) return;
  }
}

/** Resolves with how many jobs were done once all are, or once nobody works any more. */
async function countDone(
  children: readonly ChildProcess[],
  jobs: number,
  working: readonly Promise<void>[],
): Promise<number> {
  const counts = new Map<ChildProcess, number>();
  const total = () => [...counts.values()].reduce((sum, count) => sum + count, 0);
  const all = new Promise<void>((done) => {
    for (const child of children)
      child.on("message", (message: FromPeer) => {
        if (message.kind !== "done") return;
        counts.set(child, message.count);
        if (total() >= jobs) done();
      });
  });
  await Promise.race([all, Promise.all(working).then(() => all)]);
  return total();
}
