import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openSha256, paddedBytes } from "./sha256.ts";

const LONGEST = 300;

test("the digest of every message, one after the other in the same room, is OpenSSL's", () => {
  const room = Buffer.alloc(paddedBytes(LONGEST), 0xff);
  const digestOf = openSha256(room);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: LONGEST, size: "max" }), (message) => {
      room.set(message);
      const digest = Buffer.alloc(32);
      for (const [index, word] of digestOf(message.length).entries())
        digest.writeInt32BE(word, 4 * index);
      expect(digest.toString("hex")).toBe(createHash("sha256").update(message).digest("hex"));
    }),
    { numRuns: 1_000 },
  );
});
