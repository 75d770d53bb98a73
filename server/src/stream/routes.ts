// What the requests of the device edge do, hot and cold alike. Each route either answers or throws a
// Problem, which becomes a problem document.
import type { Socket } from "node:net";
import { decodeReceipts } from "@loa/api/packed-receipts.ts";
import { ENDPOINT_KINDS, type EndpointKind } from "@loa/model/endpoint.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Logger } from "../observe/log.ts";
import { type ReceiptClock, readDeviceReceipts } from "../receipt/device-receipt.ts";
import type { ReceiptDesk } from "../receipt/receipt.ts";
import { CatchUp } from "./catch-up.ts";
import { Connection, type Device } from "./connection.ts";
import type { Connections } from "./connections.ts";
import type { DeviceGate } from "./device-request.ts";
import { frameHello, STREAM_HEAD } from "./event.ts";
import { Farewell } from "./farewell.ts";
import type { HotRoutes } from "./greeting.ts";
import type { ColdRoutes } from "./http.ts";
import type { InForce } from "./in-force.ts";
import type { OutcomeLog } from "./outcome-log.ts";
import { type Answer, answerJson, refuse, writeAnswer } from "./problem-answer.ts";
import { TICKET_LIFE_MS, type Tickets } from "./ticket.ts";
import type { Wheel } from "./wheel.ts";

/** An EventSource whose connection was cut comes back within this, spread evenly. */
export const RETRY_MS_MIN = 500;
export const RETRY_MS_MAX = 3_000;

/** Whose key a gateway shows: the channel it may report on. @throws {Problem} key-unknown. */
export type GatewayOf = (key: string) => Promise<{ readonly channel: string }>;

export interface RouteParts {
  readonly publicOrigin: string;
  readonly gatewayOf: GatewayOf;
  readonly now: () => number;
  readonly wheel: Wheel;
  readonly connections: Connections;
  readonly inForce: InForce;
  readonly outcomes: OutcomeLog;
  readonly desk: ReceiptDesk;
  readonly tickets: Tickets;
  readonly gate: DeviceGate;
  readonly log: Logger;
}

export interface Routes {
  readonly hot: Omit<HotRoutes, "other">;
  readonly cold: ColdRoutes;
  /** Told to a socket above the limit. */
  tooMany(): string;
}

export function createRoutes(parts: RouteParts): Routes {
  const { gate, desk, tickets, publicOrigin, log } = parts;
  const refused = (thrown: unknown, path: string) => refuse(thrown, path, publicOrigin, log);
  const clock: ReceiptClock = {
    issuedAtMs: (dispatchId) => parts.inForce.find(dispatchId)?.dispatch.issuedAtMs,
    now: parts.now,
  };

  const deviceReceipts = async (authorization: string | undefined, body: Buffer) => {
    const { ordinal } = gate.claimOf(authorization);
    const receipts = readDeviceReceipts(body, clock);
    // The ledger believes somebody outside the audience once the journal says that they were told.
    if (receipts.some(({ dispatchId }) => hasJoined(parts.inForce, dispatchId, ordinal)))
      await parts.outcomes.flush();
    return answerJson(await desk.recordDevice(ordinal, receipts));
  };

  const openLive = (
    socket: Socket,
    query: string,
    fields: { authorization?: string | undefined; "last-event-id"?: string | undefined },
  ) => {
    try {
      admit(parts, socket, gate.read(query, fields.authorization, fields["last-event-id"]));
    } catch (thrown) {
      const answer = writeAnswer(refused(thrown, "/v1/stream"), false);
      new Farewell(socket, parts.wheel).say(answer);
    }
  };

  return {
    hot: {
      stream: (socket, head) => openLive(socket, head.query, head.fields),
      async receipts(head, body) {
        const keepAlive = head.fields.connection?.toLowerCase() !== "close";
        const answer = await deviceReceipts(head.fields.authorization, body).catch(
          (thrown: unknown) => refused(thrown, "/v1/receipts"),
        );
        return writeAnswer(answer, keepAlive);
      },
    },
    cold: {
      health: () => answerJson({ status: "ready" }),
      ticket(authorization) {
        const ticket = tickets.issue(gate.claimOf(authorization));
        return answerJson({ ticket, expiresInSeconds: TICKET_LIFE_MS / 1000 });
      },
      deviceReceipts,
      gatewayReceipts: (channel, authorization, body) =>
        recordGateway(parts, channel, authorization, body),
      stream: (socket, query, request) =>
        openLive(socket, query, {
          authorization: request.headers.authorization,
          "last-event-id": oneOf(request.headers["last-event-id"]),
        }),
    },
    tooMany() {
      const problem = new Problem("busy", "Too many connections are open; come back in a moment.");
      return writeAnswer(refused(problem, "/v1/stream"), false);
    },
  };
}

/**
 * A device is connected: registered first, so that what comes now is sent, then greeted, then told
 * what is in force and it does not have. All in one turn of the loop, and all from memory.
 */
function admit(parts: RouteParts, socket: Socket, device: Device): void {
  const { connections, inForce, outcomes, wheel } = parts;
  const connection = new Connection(socket, device, connections.nextSerial(), wheel);
  connections.add(connection);
  socket.on("close", () => {
    connections.remove(connection);
    wheel.clear(connection);
    connection.ending = true;
    connection.catchUp = undefined;
  });
  socket.cork();
  const retryMs = RETRY_MS_MIN + Math.floor(Math.random() * (RETRY_MS_MAX - RETRY_MS_MIN));
  socket.write(STREAM_HEAD + frameHello(parts.now(), retryMs, inForce.ended(device.have)));
  const due = inForce.due(device);
  for (const entry of due.claimed) outcomes.told(entry, device.ordinal);
  if (due.send.length > 0) {
    connection.catchUp = new CatchUp(inForce, outcomes, due.cursor, due.send);
    connection.catchUp.advance(connection);
  }
  socket.uncork();
  // Nothing is expected from it, but its end has to be noticed.
  socket.resume();
}

async function recordGateway(
  parts: RouteParts,
  channel: string,
  authorization: string | undefined,
  body: Buffer,
): Promise<Answer> {
  const key = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? "")?.[1];
  if (key === undefined)
    throw new Problem("key-missing", "Send the gateway's key as Authorization: Bearer ….");
  const gateway = await parts.gatewayOf(key);
  if (gateway.channel !== channel)
    throw new Problem("gateway-key-scope", `This key reports on ${gateway.channel} only.`);
  if (!isEndpointKind(channel))
    throw new Problem("not-found", `${channel} is no channel that has receipts.`);
  return answerJson(await parts.desk.recordGateway({ channel, ...decodeReceipts(body) }));
}

/** Whether somebody outside the audience of a dispatch was told of it here. */
function hasJoined(inForce: InForce, dispatchId: string, ordinal: number): boolean {
  const entry = inForce.find(dispatchId);
  return entry !== undefined && !entry.dispatch.has(ordinal) && entry.told.has(ordinal);
}

const isEndpointKind = (channel: string): channel is EndpointKind =>
  (ENDPOINT_KINDS as readonly string[]).includes(channel);

const oneOf = (field: string | string[] | undefined): string | undefined =>
  Array.isArray(field) ? field[0] : field;
