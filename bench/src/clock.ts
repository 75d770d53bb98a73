// One clock for several processes of one machine: what left one and arrived at another can be
// subtracted. Never goes back.

/** Milliseconds of the machine's monotonic clock. */
export const clockMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** An instant in Unix time, as servers say it, on the machine's monotonic clock; to a millisecond. */
export const clockMsOf = (unixMs: number): number => unixMs - Date.now() + clockMs();
