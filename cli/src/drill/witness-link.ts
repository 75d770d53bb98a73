// The drill's end of the line to its witness: starts the process, asks, and ends it.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { isolatedEnvironment } from "../environment.ts";
import { endProcess } from "./instance.ts";
import type { AnswerOf, FromWitness, Question, ToWitness } from "./witness-protocol.ts";

/** The witness has nothing to lose: it need not be waited for long. */
const STOP_MS_MAX = 5_000;
const WITNESS = fileURLToPath(new URL("witness.ts", import.meta.url));
/** Round trips from which the shortest tells the difference of the clocks best. */
const CLOCK_ROUNDS = 20;

export interface WitnessLink {
  /** Rejects when the witness says why not, or is gone. */
  ask<K extends Question["kind"]>(question: Extract<Question, { kind: K }>): Promise<AnswerOf[K]>;
  /** Milliseconds to add to this process's clock to get the witness's. */
  clockOffsetMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Unix milliseconds on a clock that never goes back within this process. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

export function startWitness(): WitnessLink {
  const child = fork(WITNESS, [], {
    serialization: "advanced",
    env: isolatedEnvironment({}),
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const open = new Map<number, { done: (answer: never) => void; fail: (fault: Error) => void }>();
  let nextId = 1;
  child.on("message", (message: FromWitness) => {
    const asked = open.get(message.id);
    open.delete(message.id);
    if ("fault" in message) asked?.fail(new Error(`the witness: ${message.fault}`));
    else asked?.done(message.answer as never);
  });
  child.on("exit", (code, signal) => {
    for (const { fail } of open.values()) fail(new Error(`the witness ended (${signal ?? code})`));
    open.clear();
  });
  const link: WitnessLink = {
    ask: (question) =>
      new Promise((done, fail) => {
        if (!child.connected) return fail(new Error("the witness is gone"));
        const id = nextId++;
        open.set(id, { done, fail });
        child.send({ id, question } satisfies ToWitness);
      }),
    async clockOffsetMs() {
      let best = { roundMs: Number.POSITIVE_INFINITY, offsetMs: 0 };
      for (let round = 0; round < CLOCK_ROUNDS; round += 1) {
        const before = nowMs();
        const there = await link.ask({ kind: "clock" });
        const after = nowMs();
        const offsetMs = there.nowMs - (before + after) / 2;
        if (after - before < best.roundMs) best = { roundMs: after - before, offsetMs };
      }
      return best.offsetMs;
    },
    stop: () => endProcess(child, STOP_MS_MAX),
  };
  return link;
}
