// The units in the order in which they run and are shown.
import type { Unit } from "./unit.ts";
import { cap } from "./unit/cap.ts";
import { engine } from "./unit/engine.ts";
import { estimate } from "./unit/estimate.ts";
import { importUnit } from "./unit/import.ts";
import { issue } from "./unit/issue.ts";
import { live } from "./unit/live.ts";
import { memory } from "./unit/memory.ts";
import { preempt } from "./unit/preempt.ts";
import { receipts } from "./unit/receipts.ts";
import { restart } from "./unit/restart.ts";

export const UNITS: readonly Unit[] = [
  importUnit,
  engine,
  issue,
  estimate,
  restart,
  memory,
  live,
  receipts,
  preempt,
  cap,
];
