// The one clock of a receiving process.

/** Unix time in milliseconds that never goes back within this process. */
export const monotonicNowMs = (): number => performance.timeOrigin + performance.now();
