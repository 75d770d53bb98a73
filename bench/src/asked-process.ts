// A process of the benchmark's own that stands for somebody else's machine: forked, and asked one
// question at a time.
import { fork } from "node:child_process";
import { once } from "node:events";
import { compiledCode } from "../../server/src/observe/compiled-code.ts";
import { endProcess } from "./installation.ts";

export interface AskedProcess<Question extends object, Answer> {
  ask(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

/** Forks a program that answers each message with one. */
export function forkAsked<Question extends object, Answer>(
  program: URL,
): AskedProcess<Question, Answer> {
  const child = fork(program, [], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: compiledCode(),
  });
  return {
    async ask(question) {
      const answered = once(child, "message") as Promise<[Answer]>;
      child.send(question);
      return (await answered)[0];
    },
    stop: () => endProcess(child),
  };
}
