// The benchmark's end of the line to the process that posts receipts.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { endProcess } from "../installation.ts";
import type { PosterAnswer, ToPoster } from "./protocol.ts";

const PROGRAM = fileURLToPath(new URL("process.ts", import.meta.url));

export interface Poster {
  ask(question: ToPoster): Promise<PosterAnswer>;
  stop(): Promise<void>;
}

/** Starts the process; one question at a time. */
export function startPoster(): Poster {
  const child = fork(PROGRAM, [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: {},
  });
  return {
    async ask(question) {
      const answered = once(child, "message") as Promise<[PosterAnswer]>;
      child.send(question);
      return (await answered)[0];
    },
    stop: () => endProcess(child),
  };
}
