// The benchmark's end of the line to its crowd.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { endProcess } from "../installation.ts";
import type { CrowdAnswer, ToCrowd } from "./protocol.ts";

const PROGRAM = fileURLToPath(new URL("process.ts", import.meta.url));
/** Who has not heard in this time will not. */
const HEARD_MS_MAX = 60_000;

export interface Crowd {
  ask(question: ToCrowd): Promise<CrowdAnswer>;
  /**
   * Waits until everybody has heard so many messages; answers when the last of them came, on the
   * machine's clock. @throws when that takes too long.
   */
  hear(messages: number): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the process; one question at a time. */
export function startCrowd(): Crowd {
  const child = fork(PROGRAM, [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: {},
  });
  const ask = async (question: ToCrowd): Promise<CrowdAnswer> => {
    const answered = once(child, "message") as Promise<[CrowdAnswer]>;
    child.send(question);
    return (await answered)[0];
  };
  return {
    ask,
    async hear(messages) {
      const { counts, lastMs } = await ask({ kind: "hear", messages, withinMs: HEARD_MS_MAX });
      if (counts.heardLeast < messages)
        throw new Error(`somebody heard only ${counts.heardLeast} of ${messages} messages`);
      return lastMs;
    },
    stop: () => endProcess(child),
  };
}
