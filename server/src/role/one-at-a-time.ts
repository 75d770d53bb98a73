// Work that is done again and again: whoever comes while it is under way waits for that turn. Without
// this a database that answers slowly would gather askers until no connection is left.

/** The same work, never twice at the same time. */
export function oneAtATime(work: () => Promise<unknown>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () =>
    (running ??= Promise.resolve(work())
      .then(() => {})
      .finally(() => {
        running = undefined;
      }));
}
