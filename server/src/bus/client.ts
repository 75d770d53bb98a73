// One process's end of the local bus. It reconnects by itself and says again what it
// subscribed to, so that a restarted hub is heard; what was published meanwhile is lost,
// which the bus is allowed to do.
import { connect, type Socket } from "node:net";
import {
  type Bus,
  type BusBody,
  BusRefusal,
  BusTimeout,
  REQUEST_TIMEOUT_MS,
  type Subject,
} from "./bus.ts";
import { type Frame, readFrames, writeFrame } from "./frame.ts";

const RECONNECT_MS = 100;

/** Joins the bus at `path`; resolves once connected. */
export async function joinBus(path: string): Promise<Bus> {
  const hearers = new Map<string, Set<(body: BusBody) => void>>();
  const answerers = new Map<string, (body: BusBody) => Promise<BusBody>>();
  const waiting = new Map<number, { settle(body: BusBody, fault?: string): void }>();
  let socket: Socket | undefined;
  let nextId = 1;
  let closed = false;

  const send = (frame: Frame) => {
    if (socket?.writable) writeFrame(socket, frame);
  };

  const hear = (frame: Frame) => {
    if (frame.kind === "publish") {
      for (const each of hearers.get(frame.subject) ?? []) each(frame.body);
    } else if (frame.kind === "reply") {
      waiting.get(frame.id)?.settle(frame.body, frame.fault);
    } else if (frame.kind === "request") {
      const { id, subject } = frame;
      const reply = answerers.get(subject);
      const answered = reply ? reply(frame.body) : Promise.reject(new Error("not answered here"));
      answered.then(
        (body) => send({ kind: "reply", id, body }),
        (error: Error) => send({ kind: "reply", id, body: undefined, fault: error.message }),
      );
    }
  };

  const open = (): Promise<void> =>
    new Promise((done, fail) => {
      const next = connect(path);
      next.once("connect", () => {
        socket = next;
        for (const subject of hearers.keys()) send({ kind: "subscribe", subject });
        for (const subject of answerers.keys()) send({ kind: "answer", subject });
        done();
      });
      readFrames(next, hear);
      next.on("error", fail);
      next.on("close", () => {
        for (const question of waiting.values()) question.settle(undefined, "the bus was cut");
        if (!closed) setTimeout(() => void open().catch(() => {}), RECONNECT_MS).unref();
      });
    });
  await open();

  return {
    publish: (subject, body) => send({ kind: "publish", subject, body }),
    subscribe(subject, listener) {
      const set = hearers.get(subject) ?? new Set();
      if (set.size === 0) send({ kind: "subscribe", subject });
      hearers.set(subject, set.add(listener));
      return () => void set.delete(listener);
    },
    answer(subject, reply) {
      answerers.set(subject, reply);
      send({ kind: "answer", subject });
    },
    request(subject: Subject, body: BusBody, timeoutMs = REQUEST_TIMEOUT_MS) {
      const id = nextId++;
      return new Promise((done, fail) => {
        const timer = setTimeout(() => {
          waiting.delete(id);
          fail(new BusTimeout(`${subject} was not answered within ${timeoutMs} ms`));
        }, timeoutMs);
        waiting.set(id, {
          settle(answer, fault) {
            clearTimeout(timer);
            waiting.delete(id);
            if (fault === undefined) done(answer);
            else fail(new BusRefusal(`${subject}: ${fault}`));
          },
        });
        send({ kind: "request", subject, id, body });
      });
    },
    close() {
      closed = true;
      socket?.destroy();
    },
  };
}
