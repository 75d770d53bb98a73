// The live channel, over real sockets, keeps what every channel keeps.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { EventReader, type StreamEvent } from "@loa/api/event-stream.ts";
import { expect, test } from "vitest";
import {
  type AddressedWorld,
  describeAddressedChannel,
  outcomesOf,
  sliceOf,
} from "../../test/channel-conformance.ts";
import { until } from "../../test/stream-kit.ts";
import type { AddressedChannel, Slice } from "../channel/channel.ts";
import { openLiveChannel } from "../channel/live.ts";
import type { LiveDispatch } from "../dispatch/live-feed.ts";
import { createLogger } from "../observe/log.ts";
import type { Broadcast } from "./broadcast.ts";
import { Connection } from "./connection.ts";
import { Connections } from "./connections.ts";
import { FRAME_BYTES_MAX, NO_CURSOR } from "./event.ts";
import { InForce } from "./in-force.ts";
import { createLiveSockets } from "./live-sockets.ts";
import { Wheel } from "./wheel.ts";

const REACHABLE = Uint32Array.of(3, 5, 9);
const AWAY = Uint32Array.of(4, 70_000);

interface LiveWorld extends AddressedWorld {
  readonly connections: Connections;
}

const dispatchOf = (slice: Slice, seq: number): LiveDispatch => ({
  dispatchId: slice.dispatchId,
  bulletinId: randomUUID(),
  purpose: "main",
  type: slice.type,
  lane: slice.lane,
  seq,
  issuedAtMs: Date.now(),
  expiresAtMs: slice.expiresAt.getTime(),
  message: slice.message,
  state: "open",
  supersedes: [],
  communeCodes: new Set(),
  areaFault: undefined,
  planned: slice.ordinals.length,
  has: (ordinal) => slice.ordinals.includes(ordinal),
});

/** People who are connected, without the requests that connected them. */
async function openLiveWorld(): Promise<LiveWorld> {
  const wheel = new Wheel(1_000);
  const connections = new Connections();
  const inForce = new InForce({ now: Date.now, log: createLogger("silent", "test") });
  // Nothing else is going out, and every connection was there before.
  const broadcast = { floor: () => 0, serialOf: () => Number.MAX_SAFE_INTEGER } as unknown;
  const live = openLiveChannel(
    createLiveSockets(connections, inForce, () => broadcast as Broadcast),
  );
  const seqs = new Map<string, number>();
  const channel: AddressedChannel = {
    ...live,
    handOver(slice, signal) {
      seqs.set(slice.dispatchId, seqs.size + 1);
      inForce.add([dispatchOf(slice, seqs.size)]);
      return live.handOver(slice, signal);
    },
  };
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const phones = new Map<number, { socket: Socket; got: StreamEvent[] }>();
  for (const ordinal of REACHABLE) {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [accepted] = (await once(server, "connection")) as [Socket];
    const device = { ordinal, generation: 0, standing: "exercise", cursor: NO_CURSOR } as const;
    const connection = new Connection(
      accepted,
      { ...device, have: new Set(), places: [] },
      connections.nextSerial(),
      wheel,
    );
    connections.add(connection);
    accepted.on("error", () => accepted.destroy());
    accepted.on("close", () => connections.remove(connection));
    accepted.resume();
    const phone = { socket, got: [] as StreamEvent[] };
    const reader = new EventReader();
    socket.on("data", (chunk: Buffer) => reader.read(chunk, (event) => phone.got.push(event)));
    socket.on("error", () => {});
    phones.set(ordinal, phone);
  }
  const each = (act: (phone: { socket: Socket }) => void) => () => {
    for (const phone of phones.values()) act(phone);
  };
  return {
    channel,
    connections,
    reachable: REACHABLE,
    away: AWAY,
    async received(dispatchId, ordinal, atLeast) {
      const id = new RegExp(`[wn]${seqs.get(dispatchId)}\\b`);
      const got = () => phones.get(ordinal)?.got.filter((event) => id.test(event.id)) ?? [];
      await until(() => got().length >= atLeast, "it arrived");
      return got().map((event) => event.data);
    },
    faults: {
      "the peers broke off": each((phone) => phone.socket.resetAndDestroy()),
      "the peers hung up": each((phone) => phone.socket.end()),
      "the peers send garbage": each((phone) => phone.socket.write("\0\xff".repeat(1_000))),
      "the peers stopped reading": () => {
        each((phone) => phone.socket.pause())();
        for (const { socket } of connections) socket.write(Buffer.alloc(16 * 1024 * 1024));
      },
      "all are gone": async () => {
        each((phone) => phone.socket.destroy())();
        await until(() => connections.size === 0, "all are gone");
      },
    },
    async [Symbol.asyncDispose]() {
      await channel.close();
      wheel.close();
      for (const { socket } of connections) socket.destroy();
      each((phone) => phone.socket.destroy())();
      server.close();
    },
  };
}

describeAddressedChannel("live", openLiveWorld);

test("a reader that is too slow is held, not sent, and told to come back", async () => {
  await using world = await openLiveWorld();
  await world.faults["the peers stopped reading"]?.();
  const slice = sliceOf(REACHABLE);
  const answer = await world.channel.handOver(slice, new AbortController().signal);
  expect(outcomesOf(answer, REACHABLE.length)).toEqual(["held", "held", "held"]);
  expect([...world.connections].every((connection) => connection.ending)).toBe(true);
});

test("a message that is no event for a socket is a fault of ours, and goes to nobody", async () => {
  await using world = await openLiveWorld();
  const signal = new AbortController().signal;
  const broken = sliceOf(REACHABLE, { message: Buffer.from('{"a":\n1}') });
  await expect(world.channel.handOver(broken, signal)).rejects.toThrow("line break");
  const huge = sliceOf(REACHABLE, { message: Buffer.alloc(FRAME_BYTES_MAX, "a") });
  await expect(world.channel.handOver(huge, signal)).rejects.toThrow("at most 16384");
  expect(await world.received?.("", REACHABLE[0] as number, 0)).toEqual([]);
});
