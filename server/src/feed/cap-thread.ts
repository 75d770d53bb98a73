// Owns the thread that writes CAP documents. That of a warning to a whole country takes some hundred
// milliseconds to write, sign and read back, just when the front answers whoever issued it.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { CapSigner } from "@loa/cap/sign.ts";
import type { CapDocument } from "./cap-document.ts";

/** Heap of the thread: the largest document as text, as a tree and as a message. */
const HEAP_MB_MAX = 512;

export interface CapThread {
  /** One at a time. @throws {Error} what writeCapDocument throws; the next finds a fresh thread. */
  write(document: CapDocument): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Starts no thread before the first document. */
export function startCapThread(signer: CapSigner | undefined): CapThread {
  let worker: Worker | undefined;
  const open = (): Worker => {
    const opened = new Worker(new URL("./cap-worker.ts", import.meta.url), {
      workerData: signer,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    opened.on("error", () => (worker = undefined));
    opened.unref();
    return opened;
  };
  return {
    async write(document) {
      const asked = (worker ??= open());
      const answer = once(asked, "message");
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      asked.postMessage(document);
      const [bytes] = (await answer) as [Uint8Array];
      return bytes;
    },
    async close() {
      await worker?.terminate();
    },
  };
}
