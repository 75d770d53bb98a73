// The far side of the loopback channels, outside the server: it counts each message for each
// person, answers, acknowledges as a gateway would, and misbehaves when told. It takes nothing
// from the server but the wire format, so its counts can be held against the ledger.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import {
  createLoopbackDecoder,
  encodeLoopbackFrame,
  type LoopbackFrame,
  type LoopbackSlice,
} from "@loa/api/loopback.ts";
import {
  type Behaviour,
  type GatewayAccess,
  loopbackControlSchema,
} from "@loa/api/loopback-control.ts";
import { KIND_BEHAVIOUR } from "./behaviour.ts";
import type { DispatchCounter } from "./counter.ts";
import { createDelay } from "./delay.ts";
import { createGateway, type GatewayCounts } from "./gateway.ts";
import { createOrderDesk, type OrderCount } from "./order-desk.ts";
import { createSliceDesk } from "./slice-desk.ts";

/** Connections at once: more than any server has workers. */
export const CONNECTIONS_MAX = 1_024;
/** Answers that may wait for a worker that does not read; above it the connection ends. */
export const ANSWERS_BUFFER_BYTES_MAX = 64 * 1024 * 1024;
/** How much earlier than the answer `sent` an early receipt leaves, at least. */
export const LIE_EARLY_MS = 100;

export interface SinkOptions {
  /** 0 takes any free one. */
  readonly port: number;
  readonly host: string;
  /** Hears of every slice that was counted, in the order in which they came. */
  readonly arrived?: (arrival: SliceArrival) => void;
}

/** Some people got a message. */
export interface SliceArrival {
  readonly slice: LoopbackSlice;
  /** Those of the slice who got it. */
  readonly got: Uint32Array;
  /** The connection that it came over, counted from 1: one of a worker, until either ends. */
  readonly line: number;
  /** The connection stays, and no answer comes. */
  readonly isWithheld: boolean;
}

export interface Sink {
  readonly port: number;
  /** Changes what is named; the rest stays. */
  behave(change: Partial<Behaviour>): void;
  useGateway(access: GatewayAccess): void;
  dispatch(dispatchId: string): DispatchCounter | undefined;
  dispatches(): readonly DispatchCounter[];
  orders(): readonly OrderCount[];
  gateway(): GatewayCounts;
  /** Forgets what was counted so far; what is still to be acknowledged is. */
  forget(): void;
  close(): Promise<void>;
}

/** Listens until closed. */
export async function openSink(options: SinkOptions): Promise<Sink> {
  const gateway = createGateway();
  const delay = createDelay();
  const slices = createSliceDesk(gateway, delay);
  const orders = createOrderDesk((report) => gateway.addReport(report), delay);
  const sockets = new Set<Socket>();
  let lines = 0;
  let behaviour = KIND_BEHAVIOUR;

  const behave = (change: Partial<Behaviour>) => {
    behaviour = { ...behaviour, ...change };
  };
  const control = (body: unknown): unknown => {
    const { success, data, error } = loopbackControlSchema.safeParse(body);
    if (!success) return { ok: false, problem: error.message };
    if (data.op === "behave") behave(dropUndefined(data.behaviour));
    if (data.op === "gateway") gateway.use(data.gateway);
    if (data.op !== "count") return { ok: true };
    const totals = slices.dispatch(data.dispatch)?.totals() ?? null;
    return { ok: true, totals, gateway: gateway.counts() };
  };
  const hear = (socket: Socket, line: number, frame: LoopbackFrame) => {
    const { id } = frame;
    const { answerLagMs, lieEarly, hangUp, stall, answerTwice, answerNonsense } = behaviour;
    const lagMs = Math.max(answerLagMs, lieEarly ? LIE_EARLY_MS : 0);
    switch (frame.kind) {
      case "control":
        return write(socket, { kind: "control-answer", id, body: control(frame.body) });
      case "slice": {
        const { slice } = frame;
        const { answer, got } = slices.take(slice, behaviour);
        const isWithheld = stall && !hangUp;
        if (got.length > 0) options.arrived?.({ slice, got, line, isWithheld });
        if (hangUp) {
          behave({ hangUp: false });
          return void socket.destroy();
        }
        if (stall) return;
        if (answerNonsense) {
          behave({ answerNonsense: false });
          const outcomes = new Uint8Array(slice.ordinals.length + 1);
          return write(socket, { kind: "answer", id, answer: { kind: "each", outcomes } });
        }
        for (let copies = answerTwice ? 2 : 1; copies > 0; copies -= 1)
          delay.after(lagMs, () => write(socket, { kind: "answer", id, answer }));
        return;
      }
      case "order": {
        if (stall) return;
        const answer = orders.take(frame.order, behaviour);
        return delay.after(lagMs, () => write(socket, { kind: "order-answer", id, answer }));
      }
      case "answer":
      case "order-answer":
      case "control-answer":
        // Answers come from a sink and never go to one.
        socket.destroy();
    }
  };

  const server = createServer({ noDelay: true }, (socket) => {
    if (sockets.size >= CONNECTIONS_MAX) return void socket.destroy();
    sockets.add(socket);
    lines += 1;
    const line = lines;
    const decode = createLoopbackDecoder((frame) => hear(socket, line, frame));
    socket.on("data", (chunk) => {
      try {
        decode(chunk as Buffer);
      } catch {
        // A broken frame harms the connection that it came over and nobody else.
        socket.destroy();
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(options.port, options.host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    behave,
    useGateway: gateway.use,
    dispatch: slices.dispatch,
    dispatches: slices.dispatches,
    orders: orders.orders,
    gateway: gateway.counts,
    forget() {
      slices.forget();
      orders.forget();
    },
    async close() {
      delay.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      await gateway.close();
    },
  };
}

function write(socket: Socket, frame: LoopbackFrame): void {
  if (socket.destroyed) return;
  if (socket.writableLength > ANSWERS_BUFFER_BYTES_MAX) socket.destroy();
  else socket.write(encodeLoopbackFrame(frame));
}

/** Only what was named: an absent setting must not overwrite the one in force. */
function dropUndefined(change: {
  [K in keyof Behaviour]?: Behaviour[K] | undefined;
}): Partial<Behaviour> {
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named) as Partial<Behaviour>;
}
