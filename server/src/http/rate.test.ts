import { expect, test } from "vitest";
import { limitRate } from "./rate.ts";

test("strangers may come all at once after a quiet time, and then only at the rate", () => {
  let ms = 0;
  const take = limitRate({ perSecond: 10, burst: 3, now: () => ms });
  const taken = (tries: number) => {
    let count = 0;
    for (let i = 0; i < tries; i++)
      try {
        take();
        count++;
      } catch (fault) {
        expect(fault).toMatchObject({ code: "busy" });
      }
    return count;
  };
  expect(taken(10)).toBe(3);
  ms += 100;
  expect(taken(10)).toBe(1);
  ms += 60_000;
  expect(taken(10)).toBe(3);
});
