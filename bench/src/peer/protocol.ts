// What the benchmark and a process of a peer say to each other.
import type { StoreAddress } from "./store.ts";

export type ToPeer =
  | { readonly kind: "open"; readonly address: StoreAddress }
  | { readonly kind: "enqueue"; readonly jobs: number }
  | { readonly kind: "work" };

export type FromPeer =
  | { readonly kind: "open" | "enqueue" | "work" }
  /** How many jobs this process has done and knows to be durable. */
  | { readonly kind: "done"; readonly count: number };

/** Recipients that are enqueued in one statement. */
export const ENQUEUE_AT_ONCE = 10_000;
/** How often a process says how far it is. */
export const TELL_EVERY_MS = 20;

/** Serves one peer: each question is answered when it is done. */
export function servePeer(answer: (question: ToPeer) => Promise<void>): void {
  process.on("message", (question: ToPeer) => {
    answer(question).then(
      () => tell({ kind: question.kind }),
      (fault: unknown) => {
        process.stderr.write(`${String(fault)}\n`);
        process.exit(1);
      },
    );
  });
  process.on("disconnect", () => process.exit(0));
  process.on("SIGTERM", () => process.exit(0));
}

export const tell = (message: FromPeer): void => void process.send?.(message);
