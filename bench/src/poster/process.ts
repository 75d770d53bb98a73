// Posts receipts over bare sockets with requests that were written before: on two cores a client that
// is busy making JSON would be what is measured. A connection has one request under way, as those of
// phones have, and of the proxy in front of them.
import { connect } from "node:net";
import {
  encodeReceipts,
  PACKED_ENTRIES_MAX,
  PACKED_RECEIPTS_MEDIA_TYPE,
} from "@loa/api/packed-receipts.ts";
import { planeBit } from "@loa/model/delivery.ts";
import { clockMs } from "../clock.ts";
import type { PosterAnswer, ToPoster } from "./protocol.ts";

/** One request, but for the head that needs the key. */
interface Request {
  readonly receipts: number;
  readonly bytes: (key: string) => Buffer;
}

const GATEWAY_CONNECTIONS = 4;
const PHONE_CONNECTIONS = 2_000;
const ENTRIES = PACKED_ENTRIES_MAX / 4;

let requests: Request[] = [];
let connections = GATEWAY_CONNECTIONS;

process.on("message", (question: ToPoster) => {
  void respond(question).then((answer) => process.send?.(answer));
});
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));

const NOTHING: PosterAnswer = { posted: 0, ms: 0, problems: 0 };

async function respond(question: ToPoster): Promise<PosterAnswer> {
  switch (question.kind) {
    case "packed": {
      const { dispatchId, ordinals, twice } = question;
      requests = [...packedRequests(dispatchId, ordinals), ...packedRequests(dispatchId, twice)];
      connections = GATEWAY_CONNECTIONS;
      return NOTHING;
    }
    case "json":
      requests = jsonRequests(question);
      connections = PHONE_CONNECTIONS;
      return NOTHING;
    case "post":
      return postAll(question.stream, question.key);
  }
}

function packedRequests(dispatchId: string, ordinals: Uint32Array): Request[] {
  const made: Request[] = [];
  for (let at = 0; at < ordinals.length; at += ENTRIES) {
    const some = ordinals.subarray(at, at + ENTRIES);
    const body = encodeReceipts({
      dispatchId,
      ordinals: some,
      planes: new Uint8Array(some.length).fill(planeBit("delivered")),
      ms: new Uint32Array(some.length).fill(1_500),
    });
    made.push({
      receipts: some.length,
      bytes: (key) =>
        Buffer.concat([
          head("/v1/gateways/null/receipts", key, PACKED_RECEIPTS_MEDIA_TYPE, body.length),
          body,
        ]),
    });
  }
  return made;
}

function jsonRequests(wish: Extract<ToPoster, { kind: "json" }>): Request[] {
  const at = new Date().toISOString();
  const receipts = wish.planes.flatMap((plane) =>
    wish.dispatchIds.map((dispatch) => ({ dispatch, plane, at })),
  );
  const parts = wish.isAtOnce ? [receipts] : receipts.map((receipt) => [receipt]);
  return parts.flatMap((part) => {
    const body = Buffer.from(JSON.stringify({ receipts: part }));
    return wish.tokens.map((token) => {
      const top = head("/v1/receipts", token, "application/json", body.length);
      const bytes = Buffer.concat([top, body]);
      return { receipts: part.length, bytes: () => bytes };
    });
  });
}

const head = (path: string, key: string, mediaType: string, length: number): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: loa\r\nAuthorization: Bearer ${key}\r\nContent-Type: ${mediaType}\r\nContent-Length: ${length}\r\n\r\n`,
  );

async function postAll(stream: string, key: string): Promise<PosterAnswer> {
  const { hostname, port } = new URL(stream);
  const waiting = requests.values();
  const answer = { posted: 0, problems: 0 };
  const startedMs = clockMs();
  const one = () =>
    new Promise<void>((done) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      const open: Request[] = [];
      const sendNext = () => {
        const next = waiting.next();
        if (next.done) {
          if (open.length === 0) socket.end();
          return;
        }
        open.push(next.value);
        socket.write(next.value.bytes(key));
      };
      // Answers come in the order of the requests, each with a head that begins like this.
      let rest = "";
      socket.setEncoding("latin1");
      socket.on("data", (chunk: string) => {
        rest += chunk;
        for (let mark = rest.indexOf("HTTP/1.1 "); mark >= 0; mark = rest.indexOf("HTTP/1.1 ")) {
          if (rest.length < mark + 12) break;
          if (rest.slice(mark + 9, mark + 12) === "200") answer.posted += open[0]?.receipts ?? 0;
          else answer.problems += 1;
          open.shift();
          rest = rest.slice(mark + 12);
          sendNext();
        }
      });
      socket.on("error", () => {});
      socket.on("close", () => {
        answer.problems += open.length;
        done();
      });
      socket.on("connect", sendNext);
    });
  await Promise.all(Array.from({ length: connections }, one));
  return { ...answer, ms: clockMs() - startedMs };
}
