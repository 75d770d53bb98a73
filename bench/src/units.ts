// The units in the order in which they run and are shown.
import type { Unit } from "./unit.ts";
import { engine } from "./unit/engine.ts";

export const UNITS: readonly Unit[] = [engine];
