// The few statistics that the benchmark needs. A quantile is a value that was measured, never one
// between two: with few runs, an interpolated p99 is a figure that nobody saw.

/** The value below or at which this share of the values lies (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] as number;
}

/** The middle value; of an even number of values the lower of the two. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);
