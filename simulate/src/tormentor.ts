// Carries out the faults of a plan at their times, and heals everything afterwards. It writes down
// what it really did to whom: a plan may find nobody to kill, because somebody is just starting.
import { setTimeout as pause } from "node:timers/promises";
import { signalProcess } from "@loa/cli/drill/instance.ts";
import type { ProcessLink } from "@loa/cli/process-link.ts";
import { type Installation, WORKERS } from "./installation.ts";
import type { RunPlan, TimedEvent, Victim } from "./plan.ts";
import { listProcesses, readPostmaster } from "./processes.ts";
import type { AnswerOf, Question } from "./witness-protocol.ts";

export type Witness = ProcessLink<Question, AnswerOf>;

/** How often processes are looked for that stopped themselves at a fail point. */
const LOOK_MS = 100;

/** What was done in a run. */
export interface Deeds {
  /** A line for each, with its time. */
  readonly done: readonly string[];
  /** How many slices of one channel of one dispatch these deeds may have left in doubt. */
  readonly interruptions: number;
}

export interface Tormentor {
  /** Carries the plan out from now on; resolves when its last event is over. */
  run(): Promise<void>;
  /** Lets everybody go on and takes away every fail point. */
  heal(): Deeds;
}

/** How many workers are interrupted when this one is. */
const WORKERS_HIT: Readonly<Record<Victim, number>> = {
  worker: 1,
  stream: 0,
  front: 0,
  ledger: 0,
  supervisor: WORKERS,
  postgres: WORKERS,
  backend: WORKERS,
};

export function createTormentor(
  installation: Installation,
  witness: Witness,
  plan: RunPlan,
): Tormentor {
  let startMs = performance.now();
  const done: string[] = [];
  const armed = plan.events.flatMap((event) => (event.kind === "arm" ? [event] : []));
  const expectedStops = new Set<number>();
  let interruptions = 0;
  let looking: NodeJS.Timeout | undefined;

  const note = (deed: string) =>
    done.push(`${String(Math.round(performance.now() - startMs)).padStart(5)} ms  ${deed}`);

  const choose = (victim: Victim, which: number): number | undefined => {
    const found = installation.find(victim);
    return found.length === 0 ? undefined : found[which % found.length];
  };

  const stop = async (victim: Victim, pid: number, forMs: number) => {
    const family =
      victim === "postgres"
        ? [pid, ...listProcesses().flatMap((one) => (one.parent === pid ? [one.pid] : []))]
        : [pid];
    for (const each of family) expectedStops.add(each);
    for (const each of family) signalProcess(each, "SIGSTOP");
    await pause(forMs);
    for (const each of family.toReversed()) signalProcess(each, "SIGCONT");
    for (const each of family) expectedStops.delete(each);
    note(`${victim} ${pid} goes on after ${forMs} ms`);
  };

  const carryOut = async (event: TimedEvent): Promise<void> => {
    switch (event.kind) {
      case "sink": {
        const { way, behaviour } = event;
        await witness.ask({ kind: "behave", way, behaviour });
        if (event.atMs >= 0) note(`${way} ${JSON.stringify(behaviour)}`);
        return;
      }
      case "vanish": {
        const { share, forMs } = event;
        const gone = await witness.ask({ kind: "vanish", share, forMs, seed: plan.seed });
        note(`${gone} devices vanish for ${forMs} ms`);
        return;
      }
      case "clock":
        installation.shiftClocks(event.byMs);
        note(`clocks jump by ${event.byMs / 60_000} min`);
        return;
      case "arm":
        installation.arm(event);
        note(`armed: ${event.action} at ${event.point}, hit ${event.hit}`);
        return;
      case "kill":
      case "stop": {
        const { kind, victim, which } = event;
        const pid = choose(victim, which);
        if (pid === undefined) return void note(`nobody to ${kind}: ${victim}`);
        interruptions += WORKERS_HIT[victim];
        note(`${kind} ${victim} ${pid}`);
        if (kind === "stop") return await stop(victim, pid, event.forMs);
        if (victim === "supervisor") return await installation.killSupervisor();
        return installation.kill(pid);
      }
    }
  };

  /** A process that stopped itself at a fail point goes on after as long as the plan says. */
  const lookForStops = (forMs: number) => {
    for (const pid of installation.stopped()) {
      if (expectedStops.has(pid)) continue;
      expectedStops.add(pid);
      note(`${pid} stopped itself`);
      setTimeout(() => {
        signalProcess(pid, "SIGCONT");
        expectedStops.delete(pid);
      }, forMs);
    }
  };

  return {
    async run() {
      startMs = performance.now();
      const first = armed.find(({ action }) => action === "stop");
      if (first !== undefined) looking = setInterval(() => lookForStops(first.forMs), LOOK_MS);
      await Promise.all(
        plan.events.map(async (event) => {
          if (event.atMs >= 0) await pause(Math.max(0, startMs + event.atMs - performance.now()));
          await carryOut(event);
        }),
      );
    },
    heal() {
      clearInterval(looking);
      const left = installation.disarm();
      interruptions += Math.max(0, armed.length - left);
      const postmaster = readPostmaster(installation.folder);
      for (const pid of installation.stopped().toSorted((a, b) => (a === postmaster ? 1 : a - b)))
        signalProcess(pid, "SIGCONT");
      return { done, interruptions };
    },
  };
}
