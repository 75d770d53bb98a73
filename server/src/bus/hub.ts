// The middle of the local bus: a unix socket in the supervisor that passes frames on.
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { type Frame, readFrames, writeFrame } from "./frame.ts";

/** A peer that lets this much pile up is disconnected: it harms only itself. */
export const PEER_BUFFER_BYTES_MAX = 128 * 1024 * 1024;

/** Listens on `path` (a socket path, or a named pipe on Windows) until closed. */
export async function openHub(path: string): Promise<{ close(): Promise<void> }> {
  if (!path.startsWith("\\\\")) rmSync(path, { force: true });
  const peers = new Set<Socket>();
  const subscribers = new Map<string, Set<Socket>>();
  const answerers = new Map<string, Socket>();
  const open = new Map<number, { asker: Socket; id: number }>();
  let nextId = 1;

  const pass = (peer: Socket, frame: Frame) => {
    if (peer.writableLength > PEER_BUFFER_BYTES_MAX) peer.destroy();
    else if (!peer.destroyed) writeFrame(peer, frame);
  };
  const refuse = (asker: Socket, id: number, fault: string) =>
    pass(asker, { kind: "reply", id, body: undefined, fault });

  const hear = (peer: Socket, frame: Frame) => {
    switch (frame.kind) {
      case "publish":
        for (const each of subscribers.get(frame.subject) ?? []) pass(each, frame);
        return;
      case "subscribe": {
        const set = subscribers.get(frame.subject) ?? new Set();
        subscribers.set(frame.subject, set.add(peer));
        return;
      }
      case "answer":
        answerers.set(frame.subject, peer);
        return;
      case "request": {
        const answerer = answerers.get(frame.subject);
        if (!answerer) return refuse(peer, frame.id, `nobody answers ${frame.subject} yet`);
        const id = nextId++;
        open.set(id, { asker: peer, id: frame.id });
        return pass(answerer, { ...frame, id });
      }
      case "reply": {
        const question = open.get(frame.id);
        open.delete(frame.id);
        if (question) pass(question.asker, { ...frame, id: question.id });
      }
    }
  };

  const forget = (peer: Socket) => {
    peers.delete(peer);
    for (const set of subscribers.values()) set.delete(peer);
    for (const [subject, answerer] of answerers) if (answerer === peer) answerers.delete(subject);
    for (const [id, question] of open) if (question.asker === peer) open.delete(id);
  };

  const server: Server = createServer((peer) => {
    peers.add(peer);
    readFrames(peer, (frame) => hear(peer, frame));
    peer.on("error", () => peer.destroy());
    peer.on("close", () => forget(peer));
  });
  await new Promise<void>((done, fail) => {
    server.once("error", fail).listen(path, done);
  });
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const peer of peers) peer.destroy();
      }),
  };
}
