// The device edge: where phones hold a connection open to be warned, and where devices and gateways
// report what arrived. This is the front door; the role that runs it gives it everything it needs.
//
// A live connection is a bare socket: node:net accepts it, a strict reader recognises its request,
// and from then on it costs a few kilobytes. Nothing on the way from a dispatch to a socket, or from
// a connect to the warnings in force, touches the database.
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Bus } from "../bus/bus.ts";
import { openLiveChannel } from "../channel/live.ts";
import type { Logger } from "../observe/log.ts";
import { openReceiptDesk } from "../receipt/receipt.ts";
import { Admission } from "./admission.ts";
import { Broadcast } from "./broadcast.ts";
import { Connections } from "./connections.ts";
import { DeviceGate, type Identity } from "./device-request.ts";
import type { ByeReason } from "./event.ts";
import { Farewell } from "./farewell.ts";
import { followDispatches, type LiveFeed } from "./feed.ts";
import { Greeting } from "./greeting.ts";
import { openColdServer } from "./http.ts";
import { InForce } from "./in-force.ts";
import { createLiveSockets } from "./live-sockets.ts";
import { OutcomeLog, type RecordOutcomes } from "./outcome-log.ts";
import { createRoutes, type GatewayOf } from "./routes.ts";
import { Tickets } from "./ticket.ts";
import { Wheel } from "./wheel.ts";

/** Sockets at once, of any kind: bounds memory at about 1 GB. Above it a socket is told to wait. */
export const SOCKETS_MAX = 100_000;
/** Sockets above the limit that are told so; beyond these nobody gets even that. */
export const REFUSED_SOCKETS_MAX = 1_024;
/** Connections that the kernel may hold until they are accepted, when everybody comes back. */
export const BACKLOG = 4_096;
/** How long open streams have, when the process ends, to take their farewell. */
export const CLOSE_MS = 1_000;
const WHEEL_TICK_MS = 100;

export interface StreamOptions extends Identity {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Origin of the API, where the types of problems are explained. */
  readonly publicOrigin: string;
  readonly bus: Pick<Bus, "request" | "subscribe">;
  readonly feed: LiveFeed;
  /** Appends to the journal what people of the audience were told over live. */
  readonly record: RecordOutcomes;
  /** The same for people outside the audience who were told by place. */
  readonly recordJoined: RecordOutcomes;
  readonly gatewayOf: GatewayOf;
  readonly log: Logger;
  /** Called for each live stream that this side ended. */
  readonly onStreamEnded?: (reason: ByeReason) => void;
  /** Milliseconds since the epoch, by the clock that dispatches are issued and expire by. */
  readonly now?: () => number;
  readonly socketsMax?: number;
  readonly refusedSocketsMax?: number;
}

export interface StreamFigures {
  readonly connections: number;
  readonly sockets: number;
  readonly inForce: number;
  /** Outcomes that the journal does not have yet. */
  readonly outcomesWaiting: number;
  readonly receiptsWaiting: number;
}

export interface Stream {
  readonly port: number;
  /** Reads dispatches that were committed before the call, and begins to send what is new. */
  refresh(): Promise<void>;
  /** Resolves when nothing is being sent and everything that was sent is in the journal. */
  settle(): Promise<void>;
  /** Ends the streams of people whose token is not in force any more. */
  dropRevoked(): void;
  figures(): StreamFigures;
  close(): Promise<void>;
}

/** Reads what is in force, then listens. @throws when either cannot be done. */
export async function openStream(options: StreamOptions): Promise<Stream> {
  const { log, bus } = options;
  const now = options.now ?? Date.now;
  const wheel = new Wheel(WHEEL_TICK_MS);
  const connections = new Connections(options.onStreamEnded);
  const inForce = new InForce({ now, log });
  const outcomes = new OutcomeLog({ ...options, now });
  const channel = openLiveChannel(createLiveSockets(connections, inForce, () => broadcast));
  const broadcast = new Broadcast({ connections, inForce, outcomes, channel, log });
  const following = followDispatches({ feed: options.feed, bus, inForce, broadcast, log });
  const desk = openReceiptDesk({ bus, log });
  const tickets = new Tickets(() => performance.now());
  const gate = new DeviceGate(options, tickets);
  const sockets = new Set<Socket>();
  const parts = { ...options, now, wheel, connections, inForce, outcomes, desk, tickets, gate };
  const routes = createRoutes(parts);
  const cold = openColdServer(routes.cold, options.publicOrigin, log);
  const hot = { ...routes.hot, other: (socket: Socket, bytes: Buffer) => cold.take(socket, bytes) };

  const admission = new Admission((socket) => new Greeting(socket, hot, wheel).hear());
  const accept = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A peer that breaks off is no news; "close" follows.
    socket.on("error", () => socket.destroy());
    const above = sockets.size - (options.socketsMax ?? SOCKETS_MAX);
    if (above <= 0) admission.add(socket);
    else if (above <= (options.refusedSocketsMax ?? REFUSED_SOCKETS_MAX))
      new Farewell(socket.resume(), wheel).say(routes.tooMany());
    else socket.destroy();
  };
  const server = createServer({ noDelay: true, pauseOnConnect: true }, accept);

  await following.refresh();
  await listen(server, options.host, options.port);
  // A socket that cannot be accepted (too many files) is that client's loss, not the end of all.
  server.on("error", (error) => log.error({ err: error }, "a connection was not accepted"));
  return {
    port: (server.address() as AddressInfo).port,
    refresh: () => following.refresh(),
    async settle() {
      await broadcast.idle();
      await outcomes.flush();
    },
    dropRevoked() {
      for (const each of connections) if (!gate.isValid(each)) each.end("revoked");
    },
    figures: () => ({
      connections: connections.size,
      sockets: sockets.size,
      inForce: inForce.size,
      outcomesWaiting: outcomes.size,
      receiptsWaiting: desk.waiting,
    }),
    async close() {
      server.close();
      admission.close();
      await following.close();
      await broadcast.close();
      await channel.close();
      for (const each of connections) each.end("closing");
      await allClosed(connections);
      cold.close();
      for (const socket of sockets) socket.destroy();
      wheel.close();
      await desk.close();
      await outcomes.close();
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off("error", fail);
      done();
    });
  });
}

/** Waits until every stream has taken its farewell, at most CLOSE_MS. */
async function allClosed(connections: Connections): Promise<void> {
  const stopAt = performance.now() + CLOSE_MS;
  while (connections.size > 0 && performance.now() < stopAt)
    await new Promise((next) => setTimeout(next, 10));
}
