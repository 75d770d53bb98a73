// The device edge with many connections and with bad ones.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { hearStream, type StreamHandle } from "@loa/api/stream-client.ts";
import { describe, expect, test } from "vitest";
import { openStreamWorld, type StreamWorld, take, until } from "../../test/stream-kit.ts";
import { Connection, type Device, HEARTBEAT_MS, UPLOAD_BYTES_MAX } from "./connection.ts";
import { NO_CURSOR } from "./event.ts";
import { Wheel } from "./wheel.ts";

const alice = 7;

/** Sends bytes and answers everything that comes until the server ends the connection. */
async function talk(world: StreamWorld, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect({ port: world.stream.port, host: "127.0.0.1", noDelay: true });
  const closed = once(socket, "close");
  await once(socket, "connect");
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  for (const part of parts) {
    socket.write(part);
    // Each part in a packet of its own.
    await new Promise((next) => setTimeout(next, 2));
  }
  await closed;
  return answer;
}

const statusOf = (answer: string): string => answer.slice(0, 12);

describe("a slow reader", () => {
  test("is dropped with a reason, harms nobody, and resumes without a gap", async () => {
    await using world = await openStreamWorld();
    await using quick = await world.connect(alice + 1);
    await take(quick, 1);
    const received = new Set<string>();
    let bye = "";
    let ended = false;
    const slow: StreamHandle = hearStream(
      { url: `${world.origin}/v1/stream`, token: world.token(alice) },
      {
        event(event) {
          if (event.event === "bye") bye = event.data.toString();
          else received.add(event.data.toString());
          if (event.event === "hello") slow.socket.pause();
        },
        end: () => {
          ended = true;
        },
      },
    );
    await until(() => slow.socket.isPaused(), "alice stopped reading");
    const issued: string[] = [];
    // The kernel takes some megabytes before anything waits in the server.
    for (let i = 0; i < 1_500 && world.stream.figures().connections === 2; i += 1) {
      const audience = [alice, alice + 1];
      issued.push(world.issue({ audience, lane: "notice", size: 15_000 }).dispatchId);
      await world.stream.refresh();
      await world.stream.settle();
      expect(await take(quick, 1)).toEqual([`notice ${issued.at(-1)}`]);
      if (world.told.filter((each) => each.ordinal === alice).length < issued.length) break;
    }
    expect(issued.length).toBeLessThan(1_500);
    slow.socket.resume();
    await until(() => ended, "alice was sent away");
    expect(bye).toBe('{"reason":"slow"}');
    await using again = await world.connect(alice, { cursor: slow.cursor });
    const hello = await again.next();
    expect(hello?.event).toBe("hello");
    const missing = issued.filter((id) => ![...received].some((text) => text.includes(id)));
    expect(missing.length).toBeGreaterThan(0);
    expect(await take(again, missing.length)).toEqual(missing.map((id) => `notice ${id}`));
  });

  test("catches up no faster than it reads, and still gets everything", async () => {
    await using world = await openStreamWorld();
    const issued = Array.from({ length: 400 }, () =>
      world.issue({ audience: [alice], size: 15_000 }),
    );
    await world.stream.refresh();
    await using phone = await world.connect(alice);
    await take(phone, 1);
    for (const { dispatchId } of issued)
      expect(await take(phone, 1)).toEqual([`warning ${dispatchId}`]);
    await world.stream.settle();
    expect(world.told).toHaveLength(issued.length);
  });

  test("that takes nothing between two heartbeats is dropped", () => {
    const { connection, socket, turn } = connectionInHand();
    turn();
    socket.flush();
    turn();
    expect(socket.written).toEqual([":\n\n", ":\n\n"]);
    turn();
    expect(socket.written[2]).toContain("slow");
    expect(connection.ending).toBe(true);
    turn();
    expect(socket.written[3]).toBe("cut");
  });

  test("that talks on after its request is cut off", () => {
    const { socket, turn } = connectionInHand();
    socket.bytesRead = UPLOAD_BYTES_MAX + 1;
    turn();
    expect(socket.written).toEqual(["cut"]);
  });
});

/** A connection over a socket that writes down what it is asked, and a wheel turned by hand. */
function connectionInHand() {
  const socket = {
    writableLength: 0,
    bytesRead: 0,
    written: [] as string[],
    flush: () => {},
    write(bytes: Buffer, flushed: () => void) {
      socket.written.push(bytes.toString());
      socket.flush = flushed;
    },
    end: (text: string) => void socket.written.push(text),
    destroy: () => void socket.written.push("cut"),
  };
  const device: Device = {
    ordinal: alice,
    generation: 0,
    standing: "public",
    cursor: NO_CURSOR,
    have: new Set(),
    places: [],
  };
  const wheel = new Wheel(HEARTBEAT_MS / 50);
  wheel.close();
  const connection = new Connection(socket as unknown as Socket, device, 1, wheel);
  wheel.set(connection, HEARTBEAT_MS);
  const turn = () => {
    for (let i = 0; i < 51; i += 1) wheel.tick();
  };
  return { connection, socket, turn };
}

describe("two thousand connections", () => {
  test(
    "get a warning that interrupts a notice, and nobody misses either",
    { timeout: 60_000 },
    async () => {
      await using world = await openStreamWorld();
      const people = 2_000;
      const seen: { order: string[]; handle: StreamHandle }[] = [];
      let greeted = 0;
      for (let ordinal = 0; ordinal < people; ordinal += 1) {
        const order: string[] = [];
        const handle = hearStream(
          { url: `${world.origin}/v1/stream`, token: world.token(ordinal) },
          {
            event({ event, id }) {
              if (event === "hello") greeted += 1;
              else order.push(`${event} ${id}`);
            },
            end: () => order.push("end"),
          },
        );
        seen.push({ order, handle });
      }
      await until(() => greeted === people, "all are greeted");
      world.issue({ audience: Array(people).keys(), lane: "notice", size: 8_000 });
      await until(() => world.stream.figures().outcomesWaiting > 0, "the notice goes out");
      world.issue({ audience: Array(people).keys() });
      await until(() => seen.every(({ order }) => order.length === 2), "all have both");
      // Whoever got the warning first was told by its id that a notice is still to come.
      const orders = new Set(seen.map(({ order }) => order.join(", ")));
      for (const order of orders)
        expect(["notice w0.n1, warning w1.n0", "warning w1.n0, notice w1.n1"]).toContain(order);
      expect(orders).toContain("warning w1.n0, notice w1.n1");
      await world.stream.settle();
      expect(world.told).toHaveLength(2 * people);
      for (const { handle } of seen) handle.close();
      await until(() => world.stream.figures().sockets === 0, "all are gone");
    },
  );

  test("that drop and come back at once are all caught up", { timeout: 60_000 }, async () => {
    await using world = await openStreamWorld();
    const people = 2_000;
    for (let i = 0; i < 5; i += 1) world.issue({ audience: Array(people).keys() });
    await world.stream.refresh();
    for (const cursor of [undefined, "w3.n0", "w5.n0"]) {
      let events = 0;
      let greeted = 0;
      const wanted = cursor === undefined ? 5 : 5 - Number(cursor[1]);
      const handles = Array.from({ length: people }, (_, ordinal) =>
        hearStream(
          { url: `${world.origin}/v1/stream`, token: world.token(ordinal), cursor },
          {
            event: ({ event }) => (event === "hello" ? (greeted += 1) : (events += 1)),
            end: () => {},
          },
        ),
      );
      await until(() => greeted === people && events === wanted * people, "all have caught up");
      for (const handle of handles) handle.close();
      await until(() => world.stream.figures().connections === 0, "all are gone");
    }
    await world.stream.settle();
    expect(world.told).toHaveLength(5 * people);
  });

  test("above the limit are told to wait", async () => {
    await using world = await openStreamWorld({ socketsMax: 2 });
    await using first = await world.connect(1);
    await using second = await world.connect(2);
    const refused = await world.connect(3).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 503 });
    expect(JSON.parse((refused as { body: string }).body)).toMatchObject({ code: "busy" });
    expect(await take(first, 1)).toEqual(await take(second, 1));
  });
});

describe("a hostile or broken client", () => {
  const host = "Host: loa\r\n";

  test("that cuts its request into pieces is understood", async () => {
    await using world = await openStreamWorld();
    const token = world.token(alice);
    const request = `GET /v1/stream HTTP/1.1\r\n${host}Authorization: Bearer ${token}\r\n\r\n`;
    const socket = connect({ port: world.stream.port, host: "127.0.0.1", noDelay: true });
    for (const char of request) {
      socket.write(char);
      await new Promise((next) => setImmediate(next));
    }
    const [chunk] = (await once(socket, "data")) as [Buffer];
    expect(chunk.toString()).toContain("text/event-stream");
    socket.destroy();
  });

  test("behind a proxy that sends whole URLs gets its stream all the same", async () => {
    await using world = await openStreamWorld();
    const { dispatchId } = world.issue({ audience: [alice] });
    await world.stream.refresh();
    const token = `Authorization: Bearer ${world.token(alice)}\r\n`;
    const socket = connect(world.stream.port, "127.0.0.1");
    socket.write(`GET http://loa/v1/stream?cursor=w0.n0 HTTP/1.1\r\n${host}${token}\r\n`);
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    await until(() => answer.includes(dispatchId), "the warning arrived");
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\nContent-Type: text\/event-stream\r\n/);
    socket.destroy();
    await until(() => world.stream.figures().connections === 0, "alice is gone");
  });

  test.each([
    ["binary", [Buffer.from([0, 1, 2, 255, 254, 13, 10, 13, 10])], "HTTP/1.1 400"],
    [
      "a huge head",
      [`GET /v1/stream HTTP/1.1\r\nX: ${"a".repeat(70_000)}\r\n\r\n`],
      "HTTP/1.1 431",
    ],
    ["TLS", [Buffer.from("16030100c8010000c4030300", "hex")], "HTTP/1.1 400"],
    [
      "bare line feeds in a field",
      [`GET /v1/stream HTTP/1.1\r\n${host}A: b\nC: d\r\n\r\n`],
      "HTTP/1.1 400",
    ],
    ["a field twice", [`GET /v1/stream HTTP/1.1\r\n${host}${host}\r\n`], "HTTP/1.1 401"],
    ["no host", ["GET /v1/stream HTTP/1.1\r\n\r\n"], "HTTP/1.1 400"],
    ["no token", [`GET /v1/stream HTTP/1.1\r\n${host}\r\n`], "HTTP/1.1 401"],
    [
      "a body on a GET",
      [`GET /v1/stream HTTP/1.1\r\n${host}Content-Length: 5\r\nConnection: close\r\n\r\nhello`],
      "HTTP/1.1 401",
    ],
    [
      "chunks and a length",
      [
        `POST /v1/receipts HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ],
      "HTTP/1.1 400",
    ],
    [
      "a length of letters",
      [`POST /v1/receipts HTTP/1.1\r\n${host}Content-Length: 5x\r\n\r\nhello`],
      "HTTP/1.1 400",
    ],
    [
      "an unknown path",
      [`GET /v1/streams HTTP/1.1\r\n${host}Connection: close\r\n\r\n`],
      "HTTP/1.1 404",
    ],
    [
      "the wrong method",
      [`PUT /v1/stream HTTP/1.1\r\n${host}Connection: close\r\n\r\n`],
      "HTTP/1.1 405",
    ],
    ["an unknown query", [`GET /v1/stream?x=1 HTTP/1.1\r\n${host}\r\n`], "HTTP/1.1 400"],
    [
      "a smuggled second request",
      [`GET /v1/stream HTTP/1.1\r\n${host}\r\nGET /v1/health HTTP/1.1\r\n${host}\r\n`],
      "HTTP/1.1 401",
    ],
  ] as const)("%s is refused, and the next device is served", async (_name, parts, status) => {
    await using world = await openStreamWorld();
    const answer = await talk(world, ...parts);
    expect(statusOf(answer)).toBe(status);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    await using phone = await world.connect(alice);
    expect(await take(phone, 1)).toEqual(["hello"]);
  });

  test.each([
    ["query/cursor", "cursor=soon"],
    ["query/have", "have=everything"],
    [
      "query/have",
      `have=${Array.from({ length: 65 }, (_, i) => `0192f0c1-2b3c-7d4e-8f50-6172839400${10 + i}`).join(",")}`,
    ],
    ["query/at", "at=a%20b"],
    ["query/ticket", "ticket=none"],
    ["query/token", "token=loa1.k.1.0.x"],
  ])("is told that %s is wrong in %s", async (at, query) => {
    await using world = await openStreamWorld();
    const answer = await talk(world, `GET /v1/stream?${query} HTTP/1.1\r\n${host}\r\n`);
    const problem = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))) as { faults: unknown };
    expect(answer).toContain("Content-Type: application/problem+json");
    expect(problem.faults).toMatchObject([{ at }]);
  });
});
