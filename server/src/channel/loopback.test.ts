// The loopback channels against a real sink in a process of its own, and against far sides
// that misbehave as no sink would.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import {
  createLoopbackDecoder,
  encodeLoopbackFrame,
  LOOPBACK_OUTCOMES,
  type LoopbackFrame,
} from "@loa/api/loopback.ts";
import type { LoopbackControl } from "@loa/api/loopback-control.ts";
import { openSink, type Sink } from "@loa/sink/sink.ts";
import {
  type AddressedWorld,
  type AreaWorld,
  describeAddressedChannel,
  describeAreaChannel,
} from "../../test/channel-conformance.ts";
import { createLogger } from "../observe/log.ts";
import { openAreaLoopbackChannel } from "./area-loopback.ts";
import { type AreaOrder, OUTCOMES, type Slice } from "./channel.ts";
import { openLoopbackChannel, openLoopbackOnceChannel } from "./loopback.ts";

const log = createLogger("silent", "test");
const SINK = new URL("../../../sink/src/main.ts", import.meta.url).pathname;
const DISPATCH = "01890a5d-ac96-774b-bcce-b302099a8057";
const never = new AbortController().signal;
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close();
});

const slice = (first: number, size: number): Slice => ({
  dispatchId: DISPATCH,
  type: "Exercise",
  lane: "warning",
  message: new TextEncoder().encode('{"v":1}'),
  ordinals: Uint32Array.from({ length: size }, (_, i) => first + i),
  expiresAt: new Date(Date.now() + 3_600_000),
});

const order = (areaCode: string): AreaOrder => ({
  orderId: "01890a5d-ac96-774b-bcce-b302099a8058",
  dispatchId: DISPATCH,
  type: "Exercise",
  lane: "warning",
  message: new TextEncoder().encode('{"v":1}'),
  areaCode,
  expiresAt: new Date(Date.now() + 3_600_000),
});

interface SinkProcess {
  readonly port: number;
  readonly child: ChildProcess;
  tell(control: LoopbackControl): Promise<unknown>;
}

async function startSink(port = 0): Promise<SinkProcess> {
  const child = spawn(process.execPath, [SINK, "--port", String(port), "--while-stdin"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  open.push({
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  });
  const ended = once(child, "exit").then(() => {
    throw new Error("the sink ended at once");
  });
  const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), ended])) as [
    string,
  ];
  const ready = JSON.parse(line) as { port: number };
  return { port: ready.port, child, tell: (control) => tellSink(ready.port, control) };
}

/** One control frame and its answer. */
async function tellSink(port: number, body: LoopbackControl): Promise<unknown> {
  const socket = connect(port, "127.0.0.1");
  const answer = new Promise<LoopbackFrame>((done) => {
    const decode = createLoopbackDecoder(done);
    socket.on("data", (chunk: Buffer) => decode(chunk));
  });
  socket.write(encodeLoopbackFrame({ kind: "control", id: 7, body }));
  const frame = await answer;
  socket.destroy();
  return frame.kind === "control-answer" && frame.id === 7 ? frame.body : undefined;
}

/** A far side that does what a test wants with each frame. */
async function startFarSide(act: (socket: Socket, frame: LoopbackFrame) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    const decode = createLoopbackDecoder((frame) => act(socket, frame));
    socket.on("data", (chunk: Buffer) => decode(chunk));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  open.push({
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

function openChannel(port: number, answerWaitMsMax?: number) {
  const limit = answerWaitMsMax === undefined ? {} : { answerWaitMsMax };
  const channel = openLoopbackChannel({ host: "127.0.0.1", port, log, ...limit });
  open.push(channel);
  return channel;
}

function openAreaChannel(port: number) {
  const channel = openAreaLoopbackChannel({ host: "127.0.0.1", port, log });
  open.push(channel);
  return channel;
}

test("the wire's outcome codes are the engine's", () => {
  expect(LOOPBACK_OUTCOMES).toEqual(OUTCOMES);
});

test("each person of each slice is counted once by the sink", async () => {
  const sink = await startSink();
  const channel = openChannel(sink.port);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) => channel.handOver(slice(i * 4096, 4096), never)),
  );
  expect(outcomes).toEqual(outcomes.map(() => ({ kind: "all", outcome: "sent" })));
  expect(await sink.tell({ op: "count", dispatch: DISPATCH })).toMatchObject({
    ok: true,
    totals: { people: 81_920, messages: 81_920, copies: 0, hashes: [expect.any(String)] },
  });
});

test("a sink that fails a share fails the same people each time", async () => {
  const sink = await startSink();
  await sink.tell({ op: "behave", behaviour: { failShare: 0.25, seed: 7 } });
  const channel = openChannel(sink.port);
  const first = await channel.handOver(slice(0, 4000), never);
  const second = await channel.handOver(slice(0, 4000), never);
  expect(second).toEqual(first);
  const failed = first.kind === "each" ? first.outcomes.filter((code) => code === 2).length : 0;
  expect(failed).toBeGreaterThan(800);
  expect(failed).toBeLessThan(1200);
});

test("where no sink is, slices and orders come later and nothing hangs", async () => {
  const port = await startFarSide(() => {});
  for (const each of open.splice(0)) await each.close();
  const channel = openChannel(port);
  const area = openAreaChannel(port);
  expect(await channel.handOver(slice(0, 10), never)).toMatchObject({ kind: "later" });
  expect(await area.order(order("SL-01"), never)).toMatchObject({ kind: "later" });
});

test("a sink that comes back is used again without anybody's help", async () => {
  const first = await startSink();
  const channel = openChannel(first.port);
  await channel.handOver(slice(0, 10), never);
  first.child.kill("SIGKILL");
  await once(first.child, "exit");
  await startSink(first.port);
  let outcome = await channel.handOver(slice(0, 10), never);
  for (let tries = 0; outcome.kind === "later" && tries < 100; tries += 1)
    outcome = await channel.handOver(slice(0, 10), never);
  expect(outcome).toEqual({ kind: "all", outcome: "sent" });
});

test("a connection that ends before the answer loses the slice, which is neither sent nor queued", async () => {
  const sink = await startSink();
  await sink.tell({ op: "behave", behaviour: { hangUp: true } });
  const channel = openChannel(sink.port);
  const outcome = await channel.handOver(slice(0, 10), never);
  expect(outcome).toMatchObject({ kind: "lost" });
  expect(await sink.tell({ op: "count", dispatch: DISPATCH })).toMatchObject({
    totals: { people: 10 },
  });
});

test("a sink that stalls loses the slice after a limit", async () => {
  const sink = await startSink();
  await sink.tell({ op: "behave", behaviour: { stall: true } });
  const channel = openChannel(sink.port, 200);
  const outcome = await channel.handOver(slice(0, 10), never);
  expect(outcome).toMatchObject({ kind: "lost" });
});

test("an aborted slice is later if it never left, and lost if it did", async () => {
  const sink = await startSink();
  await sink.tell({ op: "behave", behaviour: { stall: true } });
  const channel = openChannel(sink.port);
  expect(await channel.handOver(slice(0, 10), AbortSignal.abort())).toMatchObject({
    kind: "later",
  });
  const abort = new AbortController();
  const outcome = channel.handOver(slice(0, 10), abort.signal);
  const counted = async () =>
    JSON.stringify(await sink.tell({ op: "count", dispatch: DISPATCH })).includes('"people":10');
  while (!(await counted()));
  abort.abort();
  expect(await outcome).toMatchObject({ kind: "lost" });
});

test("a far side that answers for too many, or nonsense, harms only its own slices", async () => {
  let answers = 0;
  const port = await startFarSide((socket, frame) => {
    answers += 1;
    const { id } = frame;
    if (answers === 1)
      socket.write(
        encodeLoopbackFrame({
          kind: "answer",
          id,
          answer: { kind: "each", outcomes: new Uint8Array(11) },
        }),
      );
    else if (answers === 2) socket.write("this is no frame of any kind");
    else {
      const sent = { kind: "answer", id, answer: { kind: "all", outcome: "sent" } } as const;
      // Twice: the second answers nothing.
      socket.write(encodeLoopbackFrame(sent));
      socket.write(encodeLoopbackFrame(sent));
    }
  });
  const channel = openChannel(port);
  for (let nonsense = 0; nonsense < 2; nonsense += 1)
    expect(await channel.handOver(slice(0, 10), never)).toMatchObject({ kind: "lost" });
  expect(await channel.handOver(slice(0, 10), never)).toEqual({ kind: "all", outcome: "sent" });
  expect(await channel.handOver(slice(10, 10), never)).toEqual({ kind: "all", outcome: "sent" });
});

test("an order is accepted, and accepted once however often it is asked", async () => {
  const sink = await startSink();
  const channel = openAreaChannel(sink.port);
  const first = await channel.order(order("SL-01"), never);
  expect(first).toEqual({ kind: "accepted", reference: order("SL-01").orderId });
  expect(await channel.order(order("SL-01"), never)).toEqual(first);
});

/** A sink in this process, and what it may do to a channel. */
async function startWorld() {
  const sink = await openSink({ port: 0, host: "127.0.0.1" });
  const faults = {
    "the sink is gone": () => sink.close(),
    "the sink hangs up": () => sink.behave({ hangUp: true }),
    "the sink pushes back": () => sink.behave({ laterShare: 1 }),
    "the sink fails half of them": () => sink.behave({ failShare: 0.5 }),
    "the sink refuses": () => sink.behave({ refuseShare: 1 }),
    "the sink answers twice": () => sink.behave({ answerTwice: true }),
    "the sink answers nonsense": () => sink.behave({ answerNonsense: true }),
    "the sink is slow": () => sink.behave({ answerLagMs: 300 }),
    "the sink never answers": () => sink.behave({ stall: true }),
  };
  const stall = () => sink.behave({ stall: true });
  return { sink, faults, stall };
}

const dispose = async (world: { channel: { close(): Promise<void> } }, sink: Sink) => {
  await world.channel.close();
  await sink.close();
};

const addressedWorld = async (open: typeof openLoopbackChannel): Promise<AddressedWorld> => {
  const { sink, faults, stall } = await startWorld();
  const channel = open({ host: "127.0.0.1", port: sink.port, log, answerWaitMsMax: 1_000 });
  const received = (dispatchId: string, ordinal: number) => {
    const counter = sink.dispatch(dispatchId);
    const times = counter?.timesOf(ordinal) ?? 0;
    const body = counter?.bodies()[0]?.body ?? new Uint8Array();
    return Promise.resolve(Array.from({ length: times }, () => body));
  };
  return {
    channel,
    reachable: Uint32Array.of(3, 70_000, 70_001),
    away: new Uint32Array(),
    received,
    faults,
    stall,
    [Symbol.asyncDispose]: () => dispose({ channel }, sink),
  };
};

describeAddressedChannel("loopback", () => addressedWorld(openLoopbackChannel));
describeAddressedChannel("loopback-once", () => addressedWorld(openLoopbackOnceChannel));

test("where nobody may be told twice, a crash leaves people unsure", async () => {
  await using once = await addressedWorld(openLoopbackOnceChannel);
  await using plain = await addressedWorld(openLoopbackChannel);
  expect([once.channel.onCrash, plain.channel.onCrash]).toEqual(["unsure", "resend"]);
});

describeAreaChannel("area-loopback", async (): Promise<AreaWorld> => {
  const { sink, faults, stall } = await startWorld();
  const channel = openAreaLoopbackChannel({
    host: "127.0.0.1",
    port: sink.port,
    log,
    answerWaitMsMax: 1_000,
  });
  return {
    channel,
    areaCodes: ["SL-01", "SL-02", "SL-03"],
    received: (orderId) =>
      Promise.resolve(
        sink
          .orders()
          .filter((count) => count.order.orderId === orderId)
          .map((count) => count.order.message),
      ),
    faults,
    stall,
    [Symbol.asyncDispose]: () => dispose({ channel }, sink),
  };
});
