// The thread in which CAP documents are written. A document that cannot be written ends it.
import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import type { CapSigner } from "@loa/cap/sign.ts";
import { type CapDocument, writeCapDocument } from "./cap-document.ts";

const signer = workerData as CapSigner | undefined;

// On Linux this is the thread's own: its document must not take the processor from the next warning.
// Elsewhere it would be the process's.
if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_LOW);

parentPort?.on("message", (document: CapDocument) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(writeCapDocument(document, signer));
});
