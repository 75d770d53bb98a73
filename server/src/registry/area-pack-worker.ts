// The thread that reads one pack and ends: seconds of work that must not stand in the way of
// a warning in the main thread.
import { parentPort, workerData } from "node:worker_threads";
import type { AreaPackInput } from "@loa/model/area-pack.ts";
import { readAreaPack } from "./area-pack-read.ts";

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(readAreaPack(workerData as AreaPackInput));
