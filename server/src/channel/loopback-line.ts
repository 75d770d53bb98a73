// A connection to the sink behind the loopback channels: asks, and matches each answer to
// its question. It reconnects by itself, with growing pauses. What it cannot know it says:
// `away` means that nothing left this process, `lost` that it left and no answer came.
import { connect, type Socket } from "node:net";
import {
  createLoopbackDecoder,
  encodeLoopbackFrame,
  type LoopbackFrame,
} from "@loa/api/loopback.ts";
import type { Logger } from "../observe/log.ts";

/** Pauses between attempts to connect grow from the first to the second. */
export const RECONNECT_MS_MIN = 50;
export const RECONNECT_MS_MAX = 2_000;
/** How long a question waits for a connection that is being made before it counts as away. */
export const CONNECT_WAIT_MS_MAX = 1_000;
/** How long an answer may take; a sink that stalls for longer has lost the question. */
export const ANSWER_WAIT_MS_MAX = 30_000;
/** Bytes that may wait for a slow sink; above it a question is away, so memory stays bounded. */
export const LINE_BUFFER_BYTES_MAX = 8 * 1024 * 1024;

export type Question = Extract<LoopbackFrame, { kind: "slice" | "order" }>;
export type Answer = Extract<LoopbackFrame, { kind: "answer" | "order-answer" }>;
type WithoutId<F> = F extends LoopbackFrame ? Omit<F, "id"> : never;

export type Reply =
  | { readonly kind: "answered"; readonly frame: Answer }
  | { readonly kind: "away"; readonly retryAfterMs: number; readonly reason: string }
  | { readonly kind: "lost"; readonly reason: string };

export interface LoopbackLine {
  /** Never rejects for what the sink or the network does. */
  ask(question: WithoutId<Question>, signal: AbortSignal): Promise<Reply>;
  /** Ends the connection because the sink broke the format; what is under way is lost. */
  hangUp(reason: string): void;
  close(): Promise<void>;
}

export interface LineOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  readonly answerWaitMsMax?: number;
}

/** Starts to connect at once and keeps at it until closed. */
export function openLoopbackLine(options: LineOptions): LoopbackLine {
  const answerWaitMsMax = options.answerWaitMsMax ?? ANSWER_WAIT_MS_MAX;
  const open = new Map<number, (reply: Reply) => void>();
  const waiting = new Set<() => void>();
  let socket: Socket | undefined;
  let isConnected = false;
  let isClosed = false;
  let pauseMs = RECONNECT_MS_MIN;
  let nextId = 1;
  let timer: NodeJS.Timeout | undefined;

  const hear = (frame: LoopbackFrame) => {
    if (frame.kind !== "answer" && frame.kind !== "order-answer")
      return line.hangUp(`sent a ${frame.kind}`);
    // An answer to nothing that is open is a copy or too late: it changes nothing.
    const settle = open.get(frame.id);
    open.delete(frame.id);
    settle?.({ kind: "answered", frame });
  };

  const start = () => {
    const attempt = connect({ host: options.host, port: options.port, noDelay: true });
    const decode = createLoopbackDecoder(hear);
    socket = attempt;
    attempt.on("connect", () => {
      isConnected = true;
      pauseMs = RECONNECT_MS_MIN;
      for (const wake of waiting) wake();
    });
    attempt.on("data", (chunk: Buffer) => {
      try {
        decode(chunk);
      } catch (fault) {
        line.hangUp((fault as Error).message);
      }
    });
    attempt.on("end", () => {
      isConnected = false;
    });
    attempt.on("error", (cause) => {
      isConnected = false;
      options.log.warn({ code: (cause as NodeJS.ErrnoException).code }, "loopback sink away");
    });
    attempt.on("close", () => {
      isConnected = false;
      for (const settle of open.values()) settle({ kind: "lost", reason: "connection ended" });
      open.clear();
      if (isClosed) return;
      timer = setTimeout(start, pauseMs * (0.5 + Math.random() / 2));
      pauseMs = Math.min(pauseMs * 2, RECONNECT_MS_MAX);
    });
  };

  const connected = (signal: AbortSignal): Promise<void> => {
    if (isConnected || isClosed || signal.aborted) return Promise.resolve();
    return new Promise((done) => {
      const limit = setTimeout(() => wake(), CONNECT_WAIT_MS_MAX);
      const wake = () => {
        clearTimeout(limit);
        waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        done();
      };
      waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  };

  const line: LoopbackLine = {
    async ask(question, signal) {
      await connected(signal);
      if (signal.aborted) return { kind: "away", retryAfterMs: 0, reason: "aborted" };
      if (!isConnected || socket === undefined)
        return { kind: "away", retryAfterMs: pauseMs, reason: "sink not connected" };
      if (socket.writableLength > LINE_BUFFER_BYTES_MAX)
        return { kind: "away", retryAfterMs: RECONNECT_MS_MIN, reason: "sink is slow" };
      const id = nextId;
      nextId = nextId === 0xffff_ffff ? 1 : nextId + 1;
      socket.write(encodeLoopbackFrame({ ...question, id }));
      return new Promise<Reply>((done) => {
        const settle = (reply: Reply) => {
          clearTimeout(limit);
          open.delete(id);
          signal.removeEventListener("abort", abort);
          done(reply);
        };
        const abort = () => settle({ kind: "lost", reason: "aborted" });
        const limit = setTimeout(
          () => settle({ kind: "lost", reason: "no answer in time" }),
          answerWaitMsMax,
        );
        signal.addEventListener("abort", abort);
        open.set(id, settle);
      });
    },
    hangUp(reason) {
      options.log.warn({ reason }, "loopback sink broke the format");
      isConnected = false;
      socket?.destroy();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const wake of waiting) wake();
      return new Promise((done) => {
        if (socket === undefined || socket.closed) return done();
        socket.once("close", () => done());
        socket.destroy();
      });
    },
  };
  start();
  return line;
}
