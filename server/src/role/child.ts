// One child of the supervisor: forked, told what to be, restarted when it dies.
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism, constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { compiledCode } from "../observe/compiled-code.ts";
import type { DoorOrder } from "./public-door.ts";
import type { FromChild, RoleName, RoleOrder, ToChild } from "./role.ts";
import type { ListenFault } from "./start-refused.ts";

/** A child that needs longer than this to be ready is ended and tried again. */
export const READY_TIMEOUT_MS = 60_000;
/** A child that does not stop in this time when told to is killed. */
export const STOP_TIMEOUT_MS = 10_000;
/** Wait before a child that died is started again; doubled while it keeps dying young. */
export const RESTART_MS_MIN = 50;
export const RESTART_MS_MAX = 5_000;
/**
 * Threads of one child that collect garbage and compile beside it. V8 takes four, whatever the
 * machine has; those of one child on two processors would hold up all the others.
 */
const HELPER_THREADS = Math.min(4, Math.max(1, availableParallelism() - 1));
/** What came back waits for what goes out, where both want the same processor. */
const YIELDING: readonly RoleName[] = ["ledger"];
/** A child that lived this long died of something else than its start. */
const OLD_ENOUGH_MS = 10_000;

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

export interface ChildOptions {
  readonly role: RoleName;
  /** For a role that answers readers before it starts. */
  readonly door?: () => DoorOrder;
  /** Makes the order for each start; a restarted child has another process id. */
  readonly order: () => RoleOrder;
  /** The error with which a start fails that cannot listen. */
  readonly refuse: (fault: ListenFault) => Error;
  /** Called when a start after the first failed; it is tried again. */
  readonly onRestartFailed: (error: unknown) => void;
  /** Called when a process is known to be dead, with the id it had, if it was ever told to start. */
  readonly onDeath: (processId: string | undefined, how: string) => void;
}

export class Child {
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  #processId: string | undefined;
  #stopping = false;
  #isStarted = false;
  #wasOpened = false;
  #wasReady = false;
  #restartMs = RESTART_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  /** Of the first start. */
  readonly #opened = Promise.withResolvers<number>();
  readonly #ready = Promise.withResolvers<void>();
  /** How often it died and was started again. */
  restarts = 0;
  /** The port that it said it listens on; kept over restarts, so that addresses stay. */
  port: number | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
    // Whoever waits for one of them need not wait for the other.
    for (const { promise } of [this.#opened, this.#ready]) promise.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Opens its door; resolves with how much there is to read. @throws when it dies before that. */
  open(): Promise<number> {
    this.#run().catch(() => {});
    return this.#opened.promise;
  }

  /** Starts it; resolves when it is ready. @throws when it dies or is silent before that. */
  start(): Promise<void> {
    this.#isStarted = true;
    if (this.#process === undefined) this.#run().catch(() => {});
    else this.#tellToStart();
    return this.#ready.promise;
  }

  /** Has it say that the database is not reached. */
  sayAway(): void {
    this.#send({ kind: "away" });
  }

  #send(message: ToChild): void {
    if (this.#process?.connected) this.#process.send(message, () => {});
  }

  #tellToStart(): void {
    const order = this.#options.order();
    this.#processId = order.processId;
    this.#send({ kind: "start", order });
  }

  /** One life of it: resolves when it is ready, and rejects when it dies before. */
  #run(): Promise<void> {
    const { role, door } = this.#options;
    const child = fork(MAIN, ["--role", role], {
      // A child must not wait for the terminal, and takes its settings from its order alone.
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: compiledCode(),
      execArgv: [...process.execArgv, `--v8-pool-size=${HELPER_THREADS}`],
      // In a session of its own: what reaches a whole terminal (Ctrl-C, its end) is the supervisor's
      // to hear, which ends the children in their order.
      detached: process.platform !== "win32",
      serialization: "advanced",
    });
    this.#process = child;
    this.#processId = undefined;
    // At once, so that its helper threads have it from the beginning.
    if (YIELDING.includes(role)) yieldProcessor(child.pid);
    const startedAt = performance.now();
    if (door) this.#send({ kind: "open", order: door() });
    if (this.#isStarted) this.#tellToStart();
    const life = Promise.withResolvers<void>();
    const limit = () => setTimeout(() => child.kill("SIGKILL"), READY_TIMEOUT_MS);
    let timer = limit();
    const fail = (error: Error) => {
      life.reject(error);
      this.#opened.reject(error);
      if (this.#isStarted) this.#ready.reject(error);
    };
    child.on("message", (message: FromChild) => {
      clearTimeout(timer);
      if (message.kind === "refused") fail(this.#options.refuse(message.fault));
      else if (message.kind === "starting") timer = limit();
      else {
        this.port = message.port ?? this.port;
        if (message.kind === "opened") {
          this.#wasOpened = true;
          this.#opened.resolve(message.published);
        } else {
          this.#wasReady = true;
          life.resolve();
          this.#ready.resolve();
        }
      }
    });
    const die = (how: string) => {
      clearTimeout(timer);
      // Whoever started it the first time is told, and decides.
      const isFirst = !this.#wasReady && (this.#isStarted || !this.#wasOpened);
      fail(new Error(`${role} ended with ${how}`));
      if (this.#stopping || isFirst) return;
      this.#options.onDeath(this.#processId, how);
      this.#restart(performance.now() - startedAt);
    };
    child.once("exit", (code, signal) => die(String(signal ?? code)));
    child.on("error", (error) => {
      // Without a process there is no exit either.
      if (child.pid === undefined) die(error.message);
    });
    return life.promise;
  }

  #restart(livedMs: number): void {
    this.restarts += 1;
    this.#restartMs =
      livedMs > OLD_ENOUGH_MS ? RESTART_MS_MIN : Math.min(this.#restartMs * 2, RESTART_MS_MAX);
    // A start that fails ends in `die`, which comes here again.
    const startAgain = () => this.#run().catch(this.#options.onRestartFailed);
    this.#timer = setTimeout(() => void startAgain(), this.#restartMs);
  }

  /** Tells it to stop and waits; a child that does not is killed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    this.#send({ kind: "stop" });
    await ended;
    clearTimeout(timer);
  }
}

/** Gives way to others of the machine, as far as it allows that. */
function yieldProcessor(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // A machine that forbids it runs everybody alike.
  }
}
