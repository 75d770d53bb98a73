// The sockets of the device edge leave room for what warnings need, whatever the system allows.
import fc from "fast-check";
import { expect, test } from "vitest";
import { FILES_RESERVED, limitSockets } from "./socket-limit.ts";

const wanted = { socketsMax: 100_000, refusedSocketsMax: 1_024 };

test("a system that does not say, or allows enough, limits nothing", () => {
  expect(limitSockets(wanted, undefined)).toEqual(wanted);
  expect(limitSockets(wanted, 1_000_000)).toEqual(wanted);
});

test("below that the sockets, and those that are told to wait, fit beside what is reserved", () => {
  fc.assert(
    fc.property(fc.integer({ min: 128, max: 101_000 }), (files) => {
      const { socketsMax, refusedSocketsMax } = limitSockets(wanted, files);
      expect(socketsMax + refusedSocketsMax + FILES_RESERVED).toBeLessThanOrEqual(files);
      expect(socketsMax).toBeGreaterThan(0);
    }),
  );
});
