// Collects what is wrong with a message while it is read, and knows which repairs are granted. No
// use of a repair is silent, and no number of warnings can hide an error.
import { CAP_POINTS_MAX, CAP_PROBLEMS_MAX } from "./limit.ts";
import { CAP_REPAIRS, type CapProblem, type CapRepair, type CapUnknown } from "./message.ts";
import type { XmlElement } from "./xml.ts";

/** Where something is. An XmlElement is such a place. */
export type CapPlace = Pick<XmlElement, "path" | "line">;

export class Report {
  readonly unknown: CapUnknown[] = [];
  readonly #problems: CapProblem[] = [];
  readonly #granted: ReadonlySet<CapRepair>;
  readonly #counts = { error: 0, warning: 0 };
  #pointsLeft = CAP_POINTS_MAX;

  constructor(granted: readonly CapRepair[] = []) {
    this.#granted = new Set(granted);
  }

  /** In the order of lines, as a person reads them. */
  get problems(): CapProblem[] {
    return this.#problems.toSorted((a, b) => a.line - b.line);
  }

  error(rule: string, at: CapPlace, message: string): void {
    this.#add("error", rule, at, message);
  }

  warning(rule: string, at: CapPlace, message: string): void {
    this.#add("warning", rule, at, message);
  }

  /** Whether the fault is to be mended; then its use is reported. If not, the caller reports it. */
  mends(repair: CapRepair, at: CapPlace): boolean {
    if (!this.#granted.has(repair)) return false;
    const [rule, meaning] = CAP_REPAIRS[repair];
    this.#add("warning", rule, at, `mended: ${meaning}`, repair);
    return true;
  }

  /** X3: takes points out of those that a message may have; false when there are not as many. */
  takePoints(count: number): boolean {
    this.#pointsLeft -= count;
    return this.#pointsLeft >= 0;
  }

  #add(
    level: CapProblem["level"],
    rule: string,
    at: CapPlace,
    message: string,
    repair?: CapRepair,
  ): void {
    if (this.#counts[level]++ >= CAP_PROBLEMS_MAX) return;
    const { path, line } = at;
    this.#problems.push({ rule, level, path, line, message, ...(repair && { repair }) });
  }
}
