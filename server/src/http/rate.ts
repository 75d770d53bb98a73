// A limit of requests over time, for what strangers may ask for. It protects the database; who a
// stranger is only the proxy in front can tell, and limits single addresses.
import { Problem } from "@loa/model/problem.ts";

export interface RateOptions {
  readonly perSecond: number;
  /** Requests that may come at once after a quiet time. */
  readonly burst: number;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
}

/**
 * Answers a function that takes one request's worth.
 * @throws {Problem} busy when there is none left; nothing was done.
 */
export function limitRate({
  perSecond,
  burst,
  now = () => performance.now(),
}: RateOptions): () => void {
  let left = burst;
  let at = now();
  return () => {
    const next = now();
    left = Math.min(burst, left + ((next - at) / 1000) * perSecond);
    at = next;
    if (left < 1)
      throw new Problem("busy", `At most ${perSecond} of these are taken each second; try again.`);
    left -= 1;
  };
}
