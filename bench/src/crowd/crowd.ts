// The benchmark's end of the line to its crowd.
import { type AskedProcess, forkAsked } from "../asked-process.ts";
import type { CrowdAnswer, ToCrowd } from "./protocol.ts";

/** Who has not heard in this time will not. */
const HEARD_MS_MAX = 60_000;

export interface Crowd extends AskedProcess<ToCrowd, CrowdAnswer> {
  /**
   * Waits until everybody has heard so many messages; answers when the last of them came, on the
   * machine's clock. @throws when that takes too long.
   */
  hear(messages: number): Promise<number>;
}

export function startCrowd(): Crowd {
  const asked = forkAsked<ToCrowd, CrowdAnswer>(new URL("process.ts", import.meta.url));
  return {
    ...asked,
    async hear(messages) {
      const wish = { kind: "hear", messages, withinMs: HEARD_MS_MAX } as const;
      const { counts, lastMs } = await asked.ask(wish);
      if (counts.heardLeast < messages)
        throw new Error(`somebody heard only ${counts.heardLeast} of ${messages} messages`);
      return lastMs;
    },
  };
}
