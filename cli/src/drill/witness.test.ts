// The witness in its own process, against a stream that is made up: what it says must be what
// really arrived.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { createLoopbackDecoder, encodeLoopbackFrame } from "@loa/api/loopback.ts";
import { nowMs, startWitness, type WitnessLink } from "./witness-link.ts";

const DISPATCH = "01890a5d-ac96-774b-bcce-b302099a8057";
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close();
});

interface Stream {
  readonly url: string;
  /** Who is connected, by token. */
  readonly sockets: Map<string, ServerResponse>;
  readonly receipts: { token: string; dispatch: string }[];
}

/** Greets everybody; takes receipts, except from `refused`. */
async function startStream(refused = ""): Promise<Stream> {
  const sockets: Stream["sockets"] = new Map();
  const receipts: Stream["receipts"] = [];
  const server = createServer((request, response) => {
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
    if (request.url === "/v1/stream") {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write('event: hello\ndata: {"at":"2026-01-01T00:00:00Z"}\n\n');
      sockets.set(token, response);
      return;
    }
    void request.toArray().then((chunks: Buffer[]) => {
      const body = JSON.parse(String(Buffer.concat(chunks))) as {
        receipts: { dispatch: string }[];
      };
      receipts.push({ token, dispatch: body.receipts[0]?.dispatch ?? "" });
      const accepted = token === refused ? 0 : 1;
      response.end(JSON.stringify({ accepted, known: 0, refused: [] }));
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  open.push({
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, sockets, receipts };
}

function start(): WitnessLink {
  const witness = startWitness();
  open.push({ close: () => witness.stop() });
  return witness;
}

const message = JSON.stringify({ v: 1, dispatch: DISPATCH });
const warn = (stream: Stream, token: string) =>
  stream.sockets.get(token)?.write(`event: warning\nid: w1.n0\ndata: ${message}\n\n`);

async function sendSlice(port: number, ordinals: readonly number[]): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  const answered = new Promise((done) => {
    const decode = createLoopbackDecoder(done);
    socket.on("data", (chunk: Buffer) => decode(chunk));
  });
  socket.write(
    encodeLoopbackFrame({
      kind: "slice",
      id: 1,
      slice: {
        dispatchId: DISPATCH,
        type: "Exercise",
        lane: "warning",
        expiresAtMs: 0,
        ordinals: Uint32Array.from(ordinals),
        message: new TextEncoder().encode(message),
      },
    }),
  );
  await answered;
  socket.destroy();
}

test("the witness says who got what, how often and when, and acknowledges for each", async () => {
  const stream = await startStream();
  const witness = start();
  const { port } = await witness.ask({ kind: "open" });
  const people = [
    { index: 4, token: "an", isSilent: false },
    { index: 9, token: "binh", isSilent: false },
  ];
  expect(await witness.ask({ kind: "connect", stream: stream.url, people })).toEqual({
    connected: 2,
  });
  const beforeMs = nowMs() + (await witness.clockOffsetMs());
  warn(stream, "an");
  warn(stream, "an");
  await sendSlice(port, [70, 80]);
  await sendSlice(port, [80]);
  await vi.waitFor(async () => {
    const counts = await witness.ask({ kind: "count", dispatchId: DISPATCH });
    expect(counts).toMatchObject({ liveMessages: 2, liveAcknowledged: 2, loopbackMessages: 3 });
  });
  const said = await witness.ask({ kind: "testify", dispatchId: DISPATCH });
  expect([...said.live.index]).toEqual([4, 9]);
  expect([...said.live.times]).toEqual([2, 0]);
  expect([...said.live.acknowledged]).toEqual([1, 0]);
  expect(said.live.firstAtMs[0]).toBeGreaterThan(beforeMs - 5);
  expect(said.live.firstAtMs[0]).toBeLessThan(beforeMs + 5_000);
  expect([...said.loopback.ordinal]).toEqual([70, 80]);
  expect([...said.loopback.times]).toEqual([1, 2]);
  expect(said.bodies).toEqual([
    { sha256: expect.any(String), text: message, live: 2, loopback: 3, area: 0 },
  ]);
  expect(said.oddities).toEqual([]);
  expect(stream.receipts).toEqual([
    { token: "an", dispatch: DISPATCH },
    { token: "an", dispatch: DISPATCH },
  ]);
});

test("a receipt that does not count and a connection that ends are told", async () => {
  const stream = await startStream("an");
  const witness = start();
  await witness.ask({ kind: "open" });
  const people = [{ index: 0, token: "an", isSilent: false }];
  await witness.ask({ kind: "connect", stream: stream.url, people });
  warn(stream, "an");
  await vi.waitFor(async () => {
    expect(await witness.ask({ kind: "count", dispatchId: DISPATCH })).toMatchObject({
      liveAcknowledged: 0,
      notTaken: 1,
    });
  });
  stream.sockets.get("an")?.destroy();
  await vi.waitFor(async () => {
    const said = await witness.ask({ kind: "testify", dispatchId: DISPATCH });
    expect(said.oddities).toEqual([expect.stringContaining("connection of 0 ended")]);
  });
});

test("a stream that nobody serves is a fault of the drill, said at once", async () => {
  const witness = start();
  await witness.ask({ kind: "open" });
  const people = [{ index: 0, token: "an", isSilent: false }];
  const gone = witness.ask({ kind: "connect", stream: "http://127.0.0.1:9", people });
  await expect(gone).rejects.toThrow(/the witness:/);
});

test("a witness that is stopped leaves no question open", async () => {
  const witness = start();
  await witness.ask({ kind: "open" });
  await witness.stop();
  await expect(witness.ask({ kind: "clock" })).rejects.toThrow(/gone/);
});
