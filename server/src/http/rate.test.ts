import type { Problem } from "@loa/model/problem.ts";
import { expect, test } from "vitest";
import { limitRate } from "./rate.ts";

test("strangers may come all at once after a quiet time, and then only at the rate", () => {
  let ms = 0;
  const take = limitRate({ perSecond: 10, burst: 3, now: () => ms });
  const isTaken = () => {
    try {
      take();
      return true;
    } catch (fault) {
      return (fault as Problem).code !== "busy";
    }
  };
  const taken = (tries: number) => Array.from({ length: tries }, isTaken).filter(Boolean).length;
  expect(taken(10)).toBe(3);
  ms += 100;
  expect(taken(10)).toBe(1);
  ms += 60_000;
  expect(taken(10)).toBe(3);
});
