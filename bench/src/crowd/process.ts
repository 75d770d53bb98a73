// Holds the connections of a crowd in a process of its own, over bare sockets: what a phone does with
// a message is not measured here, and must not stand in the way of the next one's arrival.
import { connect, type Socket } from "node:net";
import { clockMs } from "../clock.ts";
import type { CrowdAnswer, CrowdTarget, ToCrowd } from "./protocol.ts";

/** Connections that are being opened at once, when nobody is in a hurry. */
const OPENING_MAX = 200;

interface Member {
  readonly request: string;
  socket: Socket | undefined;
  isGreeted: boolean;
  heard: number;
  heardAtMs: number;
}

let target: CrowdTarget | undefined;
let members: Member[] = [];
let lost = 0;

process.on("message", (question: ToCrowd) => {
  void respond(question).then((answer) => process.send?.(answer));
});
process.on("disconnect", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));

async function respond(question: ToCrowd): Promise<CrowdAnswer> {
  const atMs = clockMs();
  if (question.kind === "open") await openAll(question.target);
  if (question.kind === "storm") storm();
  if (question.kind === "forget") forget();
  const arrivals =
    question.kind === "arrivals"
      ? Float64Array.from(members, ({ heardAtMs }) => heardAtMs)
      : undefined;
  return { counts: count(), atMs, ...(arrivals && { arrivals }) };
}

function count(): CrowdAnswer["counts"] {
  let greeted = 0;
  let heard = 0;
  let heardLeast = Number.POSITIVE_INFINITY;
  for (const member of members) {
    if (member.isGreeted) greeted += 1;
    heard += member.heard;
    heardLeast = Math.min(heardLeast, member.heard);
  }
  return { greeted, heard, heardLeast: members.length > 0 ? heardLeast : 0, lost };
}

function forget(): void {
  for (const member of members) {
    member.heard = 0;
    member.heardAtMs = Number.NaN;
  }
}

async function openAll(wanted: CrowdTarget): Promise<void> {
  target = wanted;
  for (const { socket } of members) drop(socket);
  lost = 0;
  members = wanted.requests.map((request) => ({
    request,
    socket: undefined,
    isGreeted: false,
    heard: 0,
    heardAtMs: Number.NaN,
  }));
  const waiting = members.values();
  const openNext = async () => {
    for (const member of waiting) await new Promise<void>((done) => open(member, done));
  };
  await Promise.all(Array.from({ length: OPENING_MAX }, openNext));
}

function storm(): void {
  forget();
  for (const member of members) {
    drop(member.socket);
    member.isGreeted = false;
  }
  for (const member of members) open(member, () => {});
}

function drop(socket: Socket | undefined): void {
  socket?.removeAllListeners("close");
  socket?.resetAndDestroy();
}

/** Opens one connection; `done` is called when it was greeted, or has failed. */
function open(member: Member, done: () => void): void {
  const { host, port, greeting, message } = target as CrowdTarget;
  const socket = connect({ host, port, noDelay: true });
  member.socket = socket;
  socket.write(member.request);
  socket.on("data", (chunk: Buffer) => {
    if (!member.isGreeted && chunk.includes(greeting)) {
      member.isGreeted = true;
      done();
    }
    for (let at = chunk.indexOf(message); at >= 0; at = chunk.indexOf(message, at + 1)) {
      member.heard += 1;
      member.heardAtMs = clockMs();
    }
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    lost += 1;
    done();
  });
}
