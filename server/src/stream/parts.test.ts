// The small parts of the device edge, against slow and obvious versions of themselves.
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { EventReader } from "@loa/api/event-stream.ts";
import { frameMessage, parseCursor, writeCursor } from "./event.ts";
import { OrdinalSet } from "./ordinal-set.ts";
import { HEAD_BYTES_MAX, readHead, RECEIPTS_BODY_BYTES_MAX } from "./request-head.ts";
import { TICKET_LIFE_MS, Tickets, TICKETS_PER_ORDINAL_MAX } from "./ticket.ts";
import { type Timed, Wheel } from "./wheel.ts";

const ordinals = fc.integer({ min: 0, max: 0x7fff_ffff });

test("a set of ordinals is a set", () => {
  const step = fc.tuple(fc.boolean(), fc.oneof(fc.nat(40), ordinals));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const set = new OrdinalSet();
      const plain = new Set<number>();
      for (const [adds, ordinal] of steps) {
        const isNew = adds && !plain.has(ordinal);
        expect(adds && set.add(ordinal)).toBe(isNew);
        if (adds) plain.add(ordinal);
        else {
          set.forget(ordinal);
          plain.delete(ordinal);
        }
        expect(set.size).toBe(plain.size);
      }
      for (const [, ordinal] of steps) expect(set.has(ordinal)).toBe(plain.has(ordinal));
    }),
  );
});

test("a cursor is read as it was written, and nothing else is", () => {
  const seq = fc.nat(2 ** 31 - 1);
  fc.assert(
    fc.property(seq, seq, (warning, notice) => {
      expect(parseCursor(writeCursor({ warning, notice }))).toEqual({ warning, notice });
    }),
  );
  for (const text of ["", "w1", "n1.w1", "w01.n0", "w1.n-1", "w1.n1 ", `w${"9".repeat(16)}.n0`])
    expect(parseCursor(text)).toBeUndefined();
});

test("what is framed is what a client reads, wherever the bytes are cut", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 200 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), fc.nat(50), (texts, step) => {
      const messages = texts.map((each) => Buffer.from(JSON.stringify(each)));
      const bytes = Buffer.concat(
        messages.map((each, i) => frameMessage("notice", each, { warning: 3, notice: i })),
      );
      const read: string[] = [];
      const reader = new EventReader();
      for (let at = 0; at < bytes.length; at += step + 1)
        reader.read(bytes.subarray(at, at + step + 1), ({ event, id, data }) =>
          read.push(`${event} ${id} ${data.toString("hex")}`),
        );
      expect(read).toEqual(messages.map((each, i) => `notice w3.n${i} ${each.toString("hex")}`));
    }),
  );
});

describe("the wheel", () => {
  const note = (name: string, due: string[]): Timed => ({
    wheelSlot: -1,
    wheelPlace: 0,
    onTime: () => due.push(name),
  });

  test("calls each when it is due, once, unless it was cleared or moved", () => {
    const wheel = new Wheel(10);
    wheel.close();
    const due: string[] = [];
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => note(name, due)) as [
      Timed,
      Timed,
      Timed,
      Timed,
    ];
    wheel.set(a, 30);
    wheel.set(b, 30);
    wheel.set(c, 30);
    wheel.set(d, 20);
    wheel.clear(a);
    wheel.set(c, 50);
    wheel.tick();
    wheel.tick();
    expect(due).toEqual(["d"]);
    wheel.tick();
    expect(due).toEqual(["d", "b"]);
    wheel.tick();
    wheel.tick();
    expect(due).toEqual(["d", "b", "c"]);
    for (let i = 0; i < 600; i += 1) wheel.tick();
    expect(due).toEqual(["d", "b", "c"]);
  });

  test("lets what is due clear what is due at the same time", () => {
    const wheel = new Wheel(10);
    wheel.close();
    const due: string[] = [];
    const second = note("second", due);
    const first = { ...note("first", due), onTime: () => wheel.clear(second) };
    wheel.set(first, 10);
    wheel.set(second, 10);
    wheel.tick();
    expect(second.wheelSlot).toBe(-1);
  });
});

describe("tickets", () => {
  const holder = (ordinal: number, generation = 0) =>
    ({ standing: "public", ordinal, generation }) as const;
  test("are worth one connection within a minute", () => {
    let now = 0;
    const tickets = new Tickets(() => now);
    const ticket = tickets.issue(holder(7, 2));
    expect(tickets.redeem(ticket)).toEqual(holder(7, 2));
    expect(tickets.redeem(ticket)).toBeUndefined();
    const old = tickets.issue(holder(7, 2));
    now = TICKET_LIFE_MS;
    expect(tickets.redeem(old)).toBeUndefined();
  });

  test("of one device do not pile up, and forgotten ones go", () => {
    let now = 0;
    const tickets = new Tickets(() => now);
    const issued = Array.from({ length: 10 }, () => tickets.issue(holder(7)));
    expect(tickets.size).toBe(TICKETS_PER_ORDINAL_MAX);
    expect(issued.filter((each) => tickets.redeem(each))).toEqual(issued.slice(-4));
    for (let ordinal = 0; ordinal < 100; ordinal += 1) tickets.issue(holder(ordinal));
    now = TICKET_LIFE_MS + 1;
    tickets.issue(holder(7));
    expect(tickets.size).toBe(1);
  });
});

describe("the strict reader of heads", () => {
  const host = "Host: loa.example\r\n";
  const read = (text: string) => readHead(Buffer.from(text, "latin1"));

  test("knows the two hot paths", () => {
    expect(
      read(`GET /v1/stream?cursor=w1.n2 HTTP/1.1\r\n${host}AUTHORIZATION:  x\t\r\n\r\n`),
    ).toEqual({
      kind: "head",
      head: {
        route: "stream",
        query: "cursor=w1.n2",
        fields: { host: "loa.example", authorization: "x" },
        headBytes: 79,
        bodyBytes: 0,
      },
    });
    const type = "Content-Type: application/json; charset=utf-8\r\n";
    expect(
      read(`POST /v1/receipts HTTP/1.1\r\n${host}${type}Content-Length: 12\r\n\r\n{"receipts":`),
    ).toMatchObject({ kind: "head", head: { route: "receipts", bodyBytes: 12 } });
  });

  test("waits for more only as long as it can still be ours", () => {
    const request = `POST /v1/receipts HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n`;
    for (let end = 1; end < request.length - 1; end += 1)
      expect(read(request.slice(0, end)).kind).toBe("more");
    expect(read("GET /v1/streax").kind).toBe("other");
    expect(read("P U").kind).toBe("other");
    expect(read(`GET /v1/stream HTTP/1.1\r\nX: ${"a".repeat(HEAD_BYTES_MAX)}`).kind).toBe("other");
  });

  test.each([
    ["a version that is older", `GET /v1/stream HTTP/1.0\r\n${host}\r\n`],
    ["a path that goes on", `GET /v1/stream/x HTTP/1.1\r\n${host}\r\n`],
    ["a fragment", `GET /v1/stream#x HTTP/1.1\r\n${host}\r\n`],
    ["a second space", `GET  /v1/stream HTTP/1.1\r\n${host}\r\n`],
    ["a folded field", `GET /v1/stream HTTP/1.1\r\n${host}A: b\r\n c\r\n\r\n`],
    ["a space before the colon", `GET /v1/stream HTTP/1.1\r\n${host}A : b\r\n\r\n`],
    ["a byte above ASCII", `GET /v1/stream HTTP/1.1\r\n${host}A: \xe9\r\n\r\n`],
    ["a bare CR", `GET /v1/stream HTTP/1.1\r\n${host}A: b\rC: d\r\n\r\n`],
    ["an upgrade", `GET /v1/stream HTTP/1.1\r\n${host}Upgrade: websocket\r\n\r\n`],
    ["a body", `GET /v1/stream HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`],
    [
      "two tokens",
      `GET /v1/stream HTTP/1.1\r\n${host}Authorization: a\r\nAuthorization: b\r\n\r\n`,
    ],
    ["no length", `POST /v1/receipts HTTP/1.1\r\n${host}Content-Type: application/json\r\n\r\n`],
    [
      "a body that is too long",
      `POST /v1/receipts HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: ${RECEIPTS_BODY_BYTES_MAX + 1}\r\n\r\n`,
    ],
    [
      "another type",
      `POST /v1/receipts HTTP/1.1\r\n${host}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n`,
    ],
    ["a query", `POST /v1/receipts?x HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n`],
  ])("leaves %s to node:http", (_name, request) => {
    expect(read(request).kind).toBe("other");
  });

  test("never throws, whatever comes", () => {
    const starts = fc.constantFrom("GET /v1/stream", "POST /v1/receipts HTTP/1.1\r\n", "");
    fc.assert(
      fc.property(starts, fc.uint8Array({ maxLength: 300 }), (start, bytes) => {
        const reading = readHead(Buffer.concat([Buffer.from(start), bytes]));
        expect(["head", "more", "other"]).toContain(reading.kind);
      }),
    );
    expect(read(randomUUID()).kind).toBe("other");
  });
});
