// What a unit of the benchmark is, and what it answers: figures that say what they are figures of,
// and checks that its sums are right. A figure is never without its runs, so that the median can
// be judged by their spread.
import { median } from "./statistics.ts";

/** What stands between the figure and a real deployment; said beside every figure. */
export type Nature = "null channel" | "loopback" | "plaintext loopback" | "as it is" | "peer";

export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Figure {
  readonly name: string;
  /** Median of the runs. */
  readonly value: number;
  readonly unit: string;
  readonly runs: readonly number[];
  readonly nature: Nature;
  readonly target?: Target;
  readonly note?: string;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
}

export interface UnitResult {
  readonly unit: string;
  readonly subscribers: number;
  readonly figures: readonly Figure[];
  readonly checks: readonly Check[];
}

export interface BenchContext {
  readonly subscribers: number;
  /** Small and short: shows that the unit runs and that its sums are right, and no more. */
  readonly isSmall: boolean;
  readonly runs: number;
  readonly seed: number;
  /** Where the sets of people are kept. */
  readonly cacheFolder: string;
  /** Where the server's processes write CPU profiles when they end; undefined for none. */
  readonly profileFolder: string | undefined;
  readonly say: (line: string) => void;
}

export interface Unit {
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<Pick<UnitResult, "figures" | "checks">>;
}

export function figure(
  name: string,
  unit: string,
  runs: readonly number[],
  nature: Nature,
  more: { readonly target?: Target; readonly note?: string } = {},
): Figure {
  return { name, value: median(runs), unit, runs, nature, ...more };
}

/** People from whom on the demands on a country hold. */
export const COUNTRY = 33_000_000;

export const check = (name: string, ok: boolean): Check => ({ name, ok });

/** Whether a figure is where it should be; undefined when nobody said where. */
export function meets({ value, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  return value >= (target.atLeast ?? -Infinity) && value <= (target.atMost ?? Infinity);
}
