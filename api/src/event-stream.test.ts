import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChunkReader, EVENT_BYTES_MAX, EventReader, EventStreamFault } from "./event-stream.ts";

const read = (reader: EventReader, text: string): string[] => {
  const events: string[] = [];
  reader.read(Buffer.from(text), ({ event, id, data }) =>
    events.push([event, id, data.toString()].join("|")),
  );
  return events;
};

describe("an event stream", () => {
  test("is read as the standard says, field by field", () => {
    const reader = new EventReader("w1.n1");
    expect(read(reader, "retry: 1500\nevent: hello\ndata: {}\n\n")).toEqual(["hello|w1.n1|{}"]);
    expect(reader.retryMs).toBe(1500);
    expect(read(reader, ":\n\n: comment\ndata:a\ndata\ndata:  b\n\n")).toEqual([
      "message|w1.n1|a\n\n b",
    ]);
    expect(read(reader, "id: w2.n1\n\n")).toEqual([]);
    expect(reader.id).toBe("w2.n1");
    expect(read(reader, "unknown: x\nevent: bye\ndata: 1")).toEqual([]);
    expect(read(reader, "\n")).toEqual([]);
    expect(read(reader, "\n")).toEqual(["bye|w2.n1|1"]);
  });

  test("with an event that never ends is a fault, not memory", () => {
    const reader = new EventReader();
    const endless = "x".repeat(EVENT_BYTES_MAX / 2);
    read(reader, endless);
    expect(() => read(reader, endless + endless)).toThrow(EventStreamFault);
  });
});

describe("a chunked body", () => {
  test("is what was chunked, wherever its bytes are cut", () => {
    const part = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.integer({ min: 1, max: 30 }),
        (parts, step) => {
          const chunked = Buffer.concat([
            ...parts.flatMap((bytes) => [
              Buffer.from(`${bytes.length.toString(16)};a=b\r\n`),
              Buffer.from(bytes),
              Buffer.from("\r\n"),
            ]),
            Buffer.from("0\r\n\r\n"),
          ]);
          const reader = new ChunkReader();
          const got: Buffer[] = [];
          for (let at = 0; at < chunked.length; at += step)
            got.push(Buffer.from(reader.read(chunked.subarray(at, at + step))));
          expect(Buffer.concat(got)).toEqual(
            Buffer.concat(parts.map((bytes) => Buffer.from(bytes))),
          );
        },
      ),
    );
  });

  test("without sizes is a fault", () => {
    expect(() => new ChunkReader().read(Buffer.from("event: hello\r\n"))).toThrow(EventStreamFault);
    expect(() => new ChunkReader().read(Buffer.alloc(300, "1"))).toThrow(EventStreamFault);
  });
});
