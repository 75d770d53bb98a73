// Questions and answers between a process and a child that it forked: the parent asks, the child
// answers each question once. What cannot be answered, because the child says why or is gone,
// rejects; nothing waits for ever on a dead child.
import { fork } from "node:child_process";
import { isolatedEnvironment } from "./environment.ts";
import { endProcess } from "./drill/instance.ts";

/** The child has nothing to lose: it need not be waited for long. */
const STOP_MS_MAX = 5_000;

/** What the parent sends. */
export type ToLinked<Q> = { readonly id: number; readonly question: Q };
/** What the child sends. */
export type FromLinked =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly fault: string };

/** `A` has the answer for each kind of question in `Q`. */
export interface ProcessLink<
  Q extends { readonly kind: string },
  A extends Record<Q["kind"], unknown>,
> {
  /** Rejects when the child says why not, or is gone. */
  ask<K extends Q["kind"]>(question: Extract<Q, { kind: K }>): Promise<A[K]>;
  stop(): Promise<void>;
}

/** Forks a program that answers (`answerParent`); `name` is for what is said when it is gone. */
export function forkLinked<
  Q extends { readonly kind: string },
  A extends Record<Q["kind"], unknown>,
>(program: string, name: string): ProcessLink<Q, A> {
  const child = fork(program, [], {
    serialization: "advanced",
    env: isolatedEnvironment({}),
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const open = new Map<number, { done: (answer: never) => void; fail: (fault: Error) => void }>();
  let nextId = 1;
  child.on("message", (message: FromLinked) => {
    const asked = open.get(message.id);
    open.delete(message.id);
    if ("fault" in message) asked?.fail(new Error(`${name}: ${message.fault}`));
    else asked?.done(message.answer as never);
  });
  child.on("exit", (code, signal) => {
    for (const { fail } of open.values()) fail(new Error(`${name} ended (${signal ?? code})`));
    open.clear();
  });
  return {
    ask: (question) =>
      new Promise((done, fail) => {
        if (!child.connected) return fail(new Error(`${name} is gone`));
        const id = nextId++;
        open.set(id, { done, fail });
        child.send({ id, question } satisfies ToLinked<unknown>);
      }),
    stop: () => endProcess(child, STOP_MS_MAX),
  };
}

/**
 * Answers the parent's questions in the child. When the parent is gone, `orphaned` runs, and then
 * the process ends; Ctrl-C reaches the whole terminal and is the parent's to decide.
 */
export function answerParent(
  respond: (question: unknown) => Promise<unknown>,
  orphaned: () => Promise<void>,
): void {
  const send = (message: FromLinked) => void process.send?.(message);
  process.on("message", ({ id, question }: ToLinked<unknown>) => {
    respond(question).then(
      (answer) => send({ id, answer }),
      (fault: unknown) =>
        send({ id, fault: fault instanceof Error ? fault.message : String(fault) }),
    );
  });
  process.on("disconnect", () => {
    void orphaned().finally(() => process.exit(0));
  });
  process.on("SIGINT", () => {});
}
