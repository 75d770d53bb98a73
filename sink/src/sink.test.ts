// The sink as a gateway sees itself: what it counts and what it posts, against a server that
// only takes notes.
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import {
  createLoopbackDecoder,
  encodeLoopbackFrame,
  type LoopbackFrame,
} from "@loa/api/loopback.ts";
import { decodeReceipts } from "@loa/api/packed-receipts.ts";
import { planeBit } from "@loa/model/delivery.ts";
import { openSink, type Sink } from "./sink.ts";
import { FOREIGN_ORDINAL } from "./slice-desk.ts";

const DISPATCH = "01890a5d-ac96-774b-bcce-b302099a8057";
const ORDER = "01890a5d-ac96-774b-bcce-b302099a8058";
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close();
});

interface Note {
  readonly path: string;
  readonly key: string | undefined;
  readonly body: Buffer;
}

/** A server that writes down what is posted; the first `busyTimes` requests get 503. */
async function startNotes(busyTimes = 0): Promise<{ notes: Note[]; url: string }> {
  const notes: Note[] = [];
  let busy = busyTimes;
  const take = async (request: IncomingMessage) => {
    const body = Buffer.concat(await request.toArray());
    notes.push({ path: request.url ?? "", key: request.headers.authorization, body });
  };
  const server = createServer((request, response) => {
    void take(request).then(() => {
      busy -= 1;
      if (busy >= 0) notes.pop();
      response.writeHead(busy >= 0 ? 503 : 200).end("{}");
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  open.push({
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
  return { notes, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function startSink(url?: string): Promise<Sink> {
  const sink = await openSink({ port: 0, host: "127.0.0.1" });
  open.push(sink);
  if (url !== undefined) sink.useGateway(accessOf(url));
  return sink;
}

const accessOf = (url: string) => ({
  receiptsUrl: `${url}/v1/gateways/loopback/receipts`,
  receiptsKey: "receipts-key",
  areaOrdersUrl: `${url}/v1/area-orders`,
  areaOrdersKey: "orders-key",
});

const message = new TextEncoder().encode(JSON.stringify({ sent: "2026-01-01T00:00:00+07:00" }));
const head = {
  dispatchId: DISPATCH,
  type: "Exercise",
  lane: "warning",
  expiresAtMs: 1_800_000_000_000,
  message,
} as const;
const sliceOf = (id: number, ...ordinals: number[]): LoopbackFrame => ({
  kind: "slice",
  id,
  slice: { ...head, ordinals: Uint32Array.from(ordinals) },
});
const orderFrame: LoopbackFrame = {
  kind: "order",
  id: 9,
  order: { ...head, orderId: ORDER, areaCode: "SL-01" },
};

/** Sends frames over one connection and waits for as many answers. */
async function ask(sink: Sink, ...frames: LoopbackFrame[]): Promise<LoopbackFrame[]> {
  const socket = connect(sink.port, "127.0.0.1");
  const answers: LoopbackFrame[] = [];
  const decode = createLoopbackDecoder((frame) => {
    answers.push(frame);
    if (answers.length === frames.length) socket.end();
  });
  socket.on("data", (chunk: Buffer) => decode(chunk));
  for (const frame of frames) socket.write(encodeLoopbackFrame(frame));
  await once(socket, "close");
  return answers;
}

const settled = (sink: Sink) =>
  vi.waitFor(() => expect(sink.gateway().waiting).toBe(0), { timeout: 10_000 });

/** Every receipt that was noted, as "ordinal plane". */
const receiptsIn = (notes: readonly Note[]): string[] =>
  notes.flatMap(({ body }) => {
    const { ordinals, planes } = decodeReceipts(body);
    const names = { [planeBit("delivered")]: "delivered", [planeBit("read")]: "read" };
    return [...ordinals].map((ordinal, i) => `${ordinal} ${names[planes[i] as number]}`);
  });

test("a person who gets the message twice is counted twice, and seen once", async () => {
  const sink = await startSink();
  await ask(sink, sliceOf(1, 5, 70_000), sliceOf(2, 70_000));
  const counter = sink.dispatch(DISPATCH);
  expect([5, 70_000, 6].map((ordinal) => counter?.timesOf(ordinal))).toEqual([1, 2, 0]);
  expect(counter?.people()).toEqual(Uint32Array.of(5, 70_000));
  expect(counter?.totals()).toMatchObject({ people: 2, messages: 3, copies: 1 });
  expect(counter?.totals().hashes).toHaveLength(1);
  expect(counter?.firstAtMsOf(5)).toBeGreaterThan(0);
  expect(counter?.firstAtMsOf(6)).toBeUndefined();
});

test("a message that is not the same for everyone shows as a second hash", async () => {
  const sink = await startSink();
  const other: LoopbackFrame = {
    kind: "slice",
    id: 2,
    slice: { ...head, ordinals: Uint32Array.of(6), message: new TextEncoder().encode("{}") },
  };
  await ask(sink, sliceOf(1, 5), other, sliceOf(3, 7));
  expect(sink.dispatch(DISPATCH)?.totals().hashes).toHaveLength(2);
});

test("everyone who got it is acknowledged once, with the gateway's key", async () => {
  const { notes, url } = await startNotes();
  const sink = await startSink(url);
  await ask(sink, sliceOf(1, 5, 6), sliceOf(2, 7));
  await settled(sink);
  expect(receiptsIn(notes)).toEqual(["5 delivered", "6 delivered", "7 delivered"]);
  expect(notes[0]).toMatchObject({
    path: "/v1/gateways/loopback/receipts",
    key: "Bearer receipts-key",
  });
  expect(sink.gateway()).toMatchObject({ posted: 3, refused: 0, dropped: 0 });
});

test("receipts wait for a server that is busy, and for access that comes later", async () => {
  const { notes, url } = await startNotes(2);
  const sink = await startSink();
  await ask(sink, sliceOf(1, 5));
  expect(sink.gateway().waiting).toBe(1);
  sink.useGateway(accessOf(url));
  await settled(sink);
  expect(receiptsIn(notes)).toEqual(["5 delivered"]);
});

test("a lying sink acknowledges for a stranger, twice, and before it answers", async () => {
  const { notes, url } = await startNotes();
  const sink = await startSink(url);
  sink.behave({ lieForeign: true, lieTwice: true, lieEarly: true, readShare: 1 });
  await ask(sink, sliceOf(1, 5));
  await settled(sink);
  const receipts = receiptsIn(notes);
  expect(receipts.filter((each) => each === "5 delivered")).toHaveLength(2);
  expect(receipts.filter((each) => each === "5 read")).toHaveLength(2);
  expect(receipts).toContain(`${FOREIGN_ORDINAL} delivered`);
});

test("someone for whom it fails neither gets the message nor acknowledges it", async () => {
  const { notes, url } = await startNotes();
  const sink = await startSink(url);
  sink.behave({ failShare: 0.5, seed: 3 });
  const ordinals = Array.from({ length: 200 }, (_, i) => i);
  const [answer] = await ask(sink, sliceOf(1, ...ordinals));
  await settled(sink);
  const outcomes =
    answer?.kind === "answer" && answer.answer.kind === "each" ? [...answer.answer.outcomes] : [];
  const got = ordinals.filter((ordinal) => outcomes[ordinal] === 1);
  expect(sink.dispatch(DISPATCH)?.people()).toEqual(Uint32Array.from(got));
  expect(receiptsIn(notes)).toEqual(got.map((ordinal) => `${ordinal} delivered`));
});

test("a sink that pushes back counts nothing", async () => {
  const sink = await startSink();
  sink.behave({ laterShare: 1 });
  const [answer] = await ask(sink, sliceOf(1, 5));
  expect(answer).toMatchObject({ answer: { kind: "later" } });
  expect(sink.dispatch(DISPATCH)).toBeUndefined();
});

test("an order is accepted, then reported as carried out with a claim below the population", async () => {
  const { notes, url } = await startNotes();
  const sink = await startSink(url);
  sink.behave({ populations: { "SL-01": 10_000 } });
  expect(await ask(sink, orderFrame, orderFrame)).toEqual([
    { kind: "order-answer", id: 9, answer: { kind: "accepted", reference: ORDER } },
    { kind: "order-answer", id: 9, answer: { kind: "accepted", reference: ORDER } },
  ]);
  await vi.waitFor(() => expect(notes).toHaveLength(1));
  const [count] = sink.orders();
  expect(count).toMatchObject({ timesAsked: 2, fate: "carried-out" });
  expect(count?.claimed).toBeGreaterThan(8_999);
  expect(count?.claimed).toBeLessThanOrEqual(10_000);
  expect(notes[0]).toMatchObject({
    path: `/v1/area-orders/${ORDER}/report`,
    key: "Bearer orders-key",
  });
});

test("an order is refused where it is told to refuse", async () => {
  const { notes, url } = await startNotes();
  const sink = await startSink(url);
  sink.behave({ refuseShare: 1 });
  await ask(sink, orderFrame);
  await vi.waitFor(() => expect(notes).toHaveLength(1));
  expect(sink.orders()[0]).toMatchObject({ fate: "refused", claimed: 0 });
  expect(JSON.parse(String(notes[0]?.body))).toMatchObject({ state: "refused" });
});

test("bytes that are no frames end that connection and nothing else", async () => {
  const sink = await startSink();
  const socket = connect(sink.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET / HTTP/1.1\r\n\r\n");
  await once(socket, "close");
  expect(await ask(sink, sliceOf(1, 5))).toHaveLength(1);
});
