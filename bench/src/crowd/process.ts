// Holds the connections of a crowd in a process of its own, over bare sockets: what a phone does with
// a message is not measured here, and must not stand in the way of the next one's arrival. The crowd
// shares the cores with what is measured, so it reads into one buffer, and nobody has to ask it
// again and again whether everybody has heard.
import { connect, type Socket } from "node:net";
import { clockMs } from "../clock.ts";
import type { CrowdAnswer, CrowdTarget, ToCrowd } from "./protocol.ts";

/** Connections that are being opened at once, when nobody is in a hurry. */
const OPENING_MAX = 200;
/** Bytes that are read at once; all members share the buffer, as each is done with it at once. */
const READ_BYTES = 64 * 1024;
const READ_BUFFER = Buffer.alloc(READ_BYTES);

interface Member {
  readonly request: string;
  socket: Socket | undefined;
  isGreeted: boolean;
  heard: number;
}

/** What is looked for in what the other side sends, as bytes. */
interface Marks {
  readonly greeting: Buffer;
  readonly message: Buffer;
}

let target: (CrowdTarget & { readonly marks: Marks }) | undefined;
let members: Member[] = [];
let lost = 0;
let lastMs = Number.NaN;
/** Messages that everybody is to hear, who has not yet, and whom to tell once they have. */
let awaited = { messages: 0, missing: 0, done: () => {} };

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
  if (question.kind === "hear") await allHear(question.messages, question.withinMs);
  return { counts: count(), atMs, lastMs };
}

/** Resolves once every member has heard so many messages, or when the time is up. */
async function allHear(messages: number, withinMs: number): Promise<void> {
  const missing = members.filter(({ heard }) => heard < messages).length;
  if (missing === 0) return;
  await new Promise<void>((done) => {
    const timer = setTimeout(done, withinMs);
    awaited = {
      messages,
      missing,
      done() {
        clearTimeout(timer);
        done();
      },
    };
  });
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
  for (const member of members) member.heard = 0;
  lastMs = Number.NaN;
}

async function openAll(wanted: CrowdTarget): Promise<void> {
  const { greeting, message } = wanted;
  target = {
    ...wanted,
    marks: { greeting: Buffer.from(greeting), message: Buffer.from(message) },
  };
  for (const { socket } of members) drop(socket);
  lost = 0;
  members = wanted.requests.map((request) => ({
    request,
    socket: undefined,
    isGreeted: false,
    heard: 0,
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
  const { host, port, marks } = target as NonNullable<typeof target>;
  const callback = (length: number): boolean => {
    const bytes = READ_BUFFER.subarray(0, length);
    if (!member.isGreeted && bytes.includes(marks.greeting)) {
      member.isGreeted = true;
      done();
    }
    hear(member, bytes, marks.message);
    return true;
  };
  const onread = { buffer: READ_BUFFER, callback };
  const socket = connect({ host, port, noDelay: true, onread });
  member.socket = socket;
  socket.write(member.request);
  socket.on("error", () => {});
  socket.on("close", () => {
    lost += 1;
    done();
  });
}

function hear(member: Member, bytes: Buffer, mark: Buffer): void {
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + mark.length)) {
    member.heard += 1;
    lastMs = clockMs();
    if (member.heard !== awaited.messages) continue;
    awaited.missing -= 1;
    if (awaited.missing === 0) awaited.done();
  }
}
