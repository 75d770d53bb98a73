// The benchmark's end of the line to its crowd.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { endProcess } from "../installation.ts";
import type { CrowdAnswer, ToCrowd } from "./protocol.ts";

const PROGRAM = fileURLToPath(new URL("process.ts", import.meta.url));

export interface Crowd {
  ask(question: ToCrowd): Promise<CrowdAnswer>;
  stop(): Promise<void>;
}

/** Starts the process; one question at a time. */
export function startCrowd(): Crowd {
  const child = fork(PROGRAM, [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: {},
  });
  return {
    async ask(question) {
      const answered = once(child, "message") as Promise<[CrowdAnswer]>;
      child.send(question);
      return (await answered)[0];
    },
    stop: () => endProcess(child),
  };
}
