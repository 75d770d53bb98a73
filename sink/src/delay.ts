// Things that happen a little later, all forgotten together when the sink closes.

export interface Delay {
  /** At once for 0 milliseconds. */
  after(ms: number, act: () => void): void;
  close(): void;
}

export function createDelay(): Delay {
  const timers = new Set<NodeJS.Timeout>();
  return {
    after(ms, act) {
      if (ms === 0) return act();
      const timer = setTimeout(() => {
        timers.delete(timer);
        act();
      }, ms);
      timers.add(timer);
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
